//! What a statement is for the front: something that it answers itself, or a question.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::words::Sentence;

/// A statement, understood as far as the front must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// A question: the lake answers, or refuses.
    Ask,
    /// A transaction begins; there is nothing to be undone, and each question has its own snapshot.
    Begin,
    Commit,
    Rollback,
    /// Nothing happens, and that is said under this name.
    Nothing(&'static str),
    /// `None`: back to the default.
    Set {
        name: String,
        value: Option<String>,
    },
    Show(String),
    ShowAll,
    ResetAll,
    DiscardAll,
    /// `None`: all of them.
    Deallocate(Option<String>),
    /// What PostgreSQL has, and this does not.
    Unsupported(&'static str),
}

impl Command {
    /// Understands a statement.
    pub fn of(sentence: &Sentence) -> Self {
        let words = &sentence.words;
        match (keyword(words, 0).as_str(), keyword(words, 1).as_str()) {
            ("BEGIN", _) | ("START", "TRANSACTION") => Self::Begin,
            ("COMMIT" | "END", _) => Self::Commit,
            ("ROLLBACK", "TO") => Self::Nothing("ROLLBACK"),
            ("ROLLBACK", "WORK" | "TRANSACTION") if keyword(words, 2) == "TO" => {
                Self::Nothing("ROLLBACK")
            }
            ("ROLLBACK" | "ABORT", _) => Self::Rollback,
            ("SAVEPOINT", _) => Self::Nothing("SAVEPOINT"),
            ("RELEASE", _) => Self::Nothing("RELEASE"),
            ("UNLISTEN", _) => Self::Nothing("UNLISTEN"),
            ("CLOSE", "ALL") => Self::Nothing("CLOSE CURSOR ALL"),
            ("DISCARD", "ALL") => Self::DiscardAll,
            ("DISCARD", _) => Self::Nothing("DISCARD"),
            ("SET", _) => set(words),
            ("RESET", "ALL") => Self::ResetAll,
            ("RESET", _) => named(words, 1, |name| Self::Set { name, value: None }),
            ("SHOW", "ALL") => Self::ShowAll,
            // These are questions: the lake knows.
            ("SHOW", "TABLES" | "COLUMNS" | "FULL" | "EXTENDED" | "FUNCTIONS" | "") => Self::Ask,
            ("SHOW", "TRANSACTION") => Self::Show("transaction_isolation".to_owned()),
            ("SHOW", "TIME") => Self::Show("timezone".to_owned()),
            ("SHOW", _) => named(words, 1, Self::Show),
            ("DEALLOCATE", "PREPARE") => deallocate(words, 2),
            ("DEALLOCATE", _) => deallocate(words, 1),
            ("DECLARE" | "FETCH" | "MOVE" | "CLOSE", _) => Self::Unsupported(
                "cursors of SQL are not supported: fetch a number of rows at a time by the \
                 protocol's own portals",
            ),
            ("COPY", _) => Self::Unsupported("COPY is not supported: use SELECT"),
            ("PREPARE" | "EXECUTE", _) => Self::Unsupported(
                "PREPARE and EXECUTE are not supported: use the protocol's prepared statements",
            ),
            ("LISTEN" | "NOTIFY", _) => Self::Unsupported("there are no notifications here"),
            _ => Self::Ask,
        }
    }
}

/// The keyword at a place, in capitals; empty where there is none.
fn keyword(words: &[Token], place: usize) -> String {
    match words.get(place) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// A setting's name, which may have dots, and the place after it.
fn name(words: &[Token], from: usize) -> Option<(String, usize)> {
    let (mut name, mut place) = (String::new(), from);
    loop {
        let Some(Token::Word(word)) = words.get(place) else { return None };
        name.push_str(&word.value.to_ascii_lowercase());
        place += 1;
        if words.get(place) != Some(&Token::Period) {
            return Some((name, place));
        }
        name.push('.');
        place += 1;
    }
}

fn named(words: &[Token], from: usize, what: impl FnOnce(String) -> Command) -> Command {
    match name(words, from) {
        Some((name, after)) if after == words.len() => what(name),
        _ => Command::Ask,
    }
}

fn deallocate(words: &[Token], place: usize) -> Command {
    match words.get(place) {
        Some(_) if keyword(words, place) == "ALL" => Command::Deallocate(None),
        Some(Token::Word(word)) => Command::Deallocate(Some(word.value.clone())),
        _ => Command::Ask,
    }
}

fn set(words: &[Token]) -> Command {
    let scoped = matches!(keyword(words, 1).as_str(), "SESSION" | "LOCAL");
    let from = if scoped { 2 } else { 1 };
    let first = keyword(words, from);
    match first.as_str() {
        "TRANSACTION" | "CHARACTERISTICS" | "CONSTRAINTS" => return Command::Nothing("SET"),
        "ROLE" | "AUTHORIZATION" if keyword(words, from + 1) != "NONE" => {
            return Command::Unsupported("a connection is who its key says: there are no roles");
        }
        "ROLE" => return Command::Nothing("SET"),
        _ => {}
    }
    let named = match first.as_str() {
        "TIME" if keyword(words, from + 1) == "ZONE" => Some(("timezone".to_owned(), from + 2)),
        "NAMES" => Some(("client_encoding".to_owned(), from + 1)),
        _ => name(words, from)
            .filter(|(_, after)| {
                words.get(*after) == Some(&Token::Eq) || keyword(words, *after) == "TO"
            })
            .map(|(name, after)| (name, after + 1)),
    };
    let Some((name, after)) = named else { return Command::Ask };
    let given = words.get(after..).unwrap_or_default();
    if given.is_empty() {
        return Command::Ask;
    }
    let is_default = given.len() == 1 && matches!(keyword(given, 0).as_str(), "DEFAULT" | "LOCAL");
    Command::Set { name, value: (!is_default).then(|| value(given)) }
}

/// A value as it is shown again.
fn value(given: &[Token]) -> String {
    let mut shown = String::new();
    for token in given {
        match token {
            Token::SingleQuotedString(text) => shown.push_str(text),
            Token::Word(word) => shown.push_str(&word.value),
            Token::Comma => shown.push_str(", "),
            other => shown.push_str(&other.to_string()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::words::sentences;

    fn check(sql: &str, expected: Command) {
        let found = sentences(sql);
        assert_eq!(found.iter().map(Command::of).collect::<Vec<_>>(), [expected], "{sql}");
    }

    fn set(name: &str, value: &str) -> Command {
        Command::Set { name: name.to_owned(), value: Some(value.to_owned()) }
    }

    #[test]
    fn what_clients_say_of_themselves_is_understood() {
        check("begin isolation level repeatable read, read only", Command::Begin);
        check("START TRANSACTION READ ONLY", Command::Begin);
        check("END", Command::Commit);
        check("ROLLBACK TO SAVEPOINT a", Command::Nothing("ROLLBACK"));
        check("rollback;", Command::Rollback);
        check("SET extra_float_digits = 3", set("extra_float_digits", "3"));
        check("set session statement_timeout to '5s'", set("statement_timeout", "5s"));
        check("SET search_path TO public, \"a b\"", set("search_path", "public, a b"));
        check("SET TIME ZONE 'Europe/Berlin'", set("timezone", "Europe/Berlin"));
        check("SET NAMES 'UTF8'", set("client_encoding", "UTF8"));
        check("SET my.setting = on", set("my.setting", "on"));
        check("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Command::Nothing("SET"));
        check(
            "SET LOCAL lock_timeout = DEFAULT",
            Command::Set { name: "lock_timeout".to_owned(), value: None },
        );
        check("SHOW transaction isolation level", Command::Show("transaction_isolation".into()));
        check("SHOW TimeZone", Command::Show("timezone".into()));
        check("DEALLOCATE ALL", Command::Deallocate(None));
        check("DEALLOCATE \"S_1\"", Command::Deallocate(Some("S_1".into())));
        check("DISCARD ALL", Command::DiscardAll);
    }

    #[test]
    fn the_rest_is_for_the_lake() {
        for sql in [
            "SELECT 1",
            "SHOW TABLES",
            "INSERT INTO calls VALUES (1)",
            "SET",
            "SET a",
            "\"begin\"",
            "SELECT 'set a = 1'",
            "WITH a AS (SELECT 1) SELECT * FROM a",
        ] {
            check(sql, Command::Ask);
        }
    }
}
