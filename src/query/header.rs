//! The header of a file of `sql/`: what it asks, its parameters, its columns.
//!
//! ```text
//! -- What was spent this month up to a day?
//! -- Parameters:
//! --   day = today: the last day that counts, such as 2026-11-23
//! -- Columns:
//! --   tenant, calls
//! --   cost_usd: of priced calls
//! ```
//! The first parameter is `$1`. What follows `=` stands in where it is not given; `today` and `now`
//! are the day and the instant of asking. A line that is indented further continues a meaning.

use serde::Serialize;
use utoipa::ToSchema;

/// A parameter of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Parameter {
    /// Its name in a URL and on the command line.
    pub name: String,
    /// What stands in where it is not given; without it, it must be given.
    pub default: Option<String>,
    /// What it says.
    pub meaning: String,
}

/// Columns of a question's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ColumnNote {
    /// The column's name.
    pub name: String,
    /// What it says, where its name does not.
    pub meaning: String,
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Header {
    pub question: String,
    pub parameters: Vec<Parameter>,
    pub columns: Vec<ColumnNote>,
}

#[derive(PartialEq, Clone, Copy)]
enum Part {
    Question,
    Parameters,
    Columns,
}

impl Header {
    /// Reads the comment that a file begins with.
    pub(super) fn of(sql: &str) -> Self {
        let mut header = Self::default();
        let mut part = Part::Question;
        for line in sql.lines().map_while(|line| line.strip_prefix("--")) {
            match (line.trim(), part) {
                ("Parameters:", _) => part = Part::Parameters,
                ("Columns:", _) => part = Part::Columns,
                (text, Part::Question) => append(&mut header.question, text),
                (text, _) => header.add(text, line.starts_with("     "), part),
            }
        }
        header
    }

    fn add(&mut self, text: &str, continues: bool, part: Part) {
        if continues {
            let last = match part {
                Part::Parameters => self.parameters.last_mut().map(|last| &mut last.meaning),
                _ => self.columns.last_mut().map(|last| &mut last.meaning),
            };
            last.into_iter().for_each(|meaning| append(meaning, text));
            return;
        }
        let (names, meaning) = text.split_once(": ").unwrap_or((text, ""));
        let meaning = meaning.to_owned();
        if part == Part::Parameters {
            let (name, default) = match names.split_once(" = ") {
                Some((name, default)) => (name, Some(default.trim_matches('\'').to_owned())),
                None => (names, None),
            };
            self.parameters.push(Parameter { name: name.to_owned(), default, meaning });
            return;
        }
        for name in names.split(", ") {
            let (name, meaning) = (name.to_owned(), meaning.clone());
            self.columns.push(ColumnNote { name, meaning });
        }
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

/// The statement below the header.
pub(super) fn statement(sql: &str) -> &str {
    let mut rest = sql;
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_in_its_parts() {
        let sql = "-- What was\n-- spent?\n-- Parameters:\n--   day = today: the last day,\n\
                   --     counted whole\n--   place: where\n-- Columns:\n--   tenant, calls\n\
                   --   cost_usd: of priced calls\nSELECT 1 -- no header\n";
        let header = Header::of(sql);
        assert_eq!(header.question, "What was spent?");
        let [day, place] = header.parameters.as_slice() else { panic!("{header:?}") };
        assert_eq!((day.name.as_str(), day.default.as_deref()), ("day", Some("today")));
        assert_eq!(day.meaning, "the last day, counted whole");
        assert_eq!((place.name.as_str(), &place.default), ("place", &None));
        let columns = header.columns.iter().map(|it| (it.name.as_str(), it.meaning.as_str()));
        let expected = [("tenant", ""), ("calls", ""), ("cost_usd", "of priced calls")];
        assert_eq!(columns.collect::<Vec<_>>(), expected);
        assert_eq!(statement(sql), "SELECT 1 -- no header\n");
    }
}
