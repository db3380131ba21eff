//! A text cut into its statements, and a statement's words.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// One statement: its text, and its words and signs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    pub text: String,
    pub words: Vec<Token>,
}

/// The statements of a text, without empty ones. A text that cannot be cut is one statement, of
/// no words.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location();
    let Ok(tokens) = tokens else {
        return vec![Sentence { text: text.to_owned(), words: Vec::new() }];
    };
    let places = Places::of(text);
    let mut found = Vec::new();
    let mut begin = 0;
    for part in tokens.split_inclusive(|token| token.token == Token::SemiColon) {
        let semicolon = part.last().filter(|last| last.token == Token::SemiColon);
        let end = semicolon.map_or(text.len(), |last| places.offset(last.span.start));
        if let Some(sentence) = sentence(text.get(begin..end).unwrap_or_default(), part) {
            found.push(sentence);
        }
        begin = (end + 1).min(text.len());
    }
    found
}

fn sentence(text: &str, tokens: &[TokenWithSpan]) -> Option<Sentence> {
    let kept = tokens.iter().map(|token| &token.token);
    let kept = kept.filter(|token| !matches!(token, Token::Whitespace(_) | Token::SemiColon));
    let words: Vec<Token> = kept.cloned().collect();
    (!words.is_empty()).then(|| Sentence { text: text.trim().to_owned(), words })
}

/// Where a text's lines begin.
struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let later = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(later).collect() }
    }

    /// The byte at a line and column, both from 1, columns in characters.
    fn offset(&self, at: Location) -> usize {
        let number = |from_one: u64| usize::try_from(from_one.saturating_sub(1)).unwrap_or(0);
        let start = self.lines.get(number(at.line)).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..).unwrap_or_default();
        let inside = line.char_indices().nth(number(at.column));
        inside.map_or(self.text.len(), |(inside, _)| start + inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_their_semicolons() {
        let texts = |text: &str| -> Vec<String> {
            sentences(text).into_iter().map(|sentence| sentence.text).collect()
        };
        assert_eq!(texts("SELECT 1"), ["SELECT 1"]);
        assert_eq!(
            texts("BEGIN; SELECT ';' AS a;\n COMMIT;"),
            ["BEGIN", "SELECT ';' AS a", "COMMIT"]
        );
        assert_eq!(texts("SELECT 'é;ü';\nSELECT 'ß' -- ;\n;"), ["SELECT 'é;ü'", "SELECT 'ß' -- ;"]);
        assert_eq!(texts("SELECT $$a;b$$; SELECT E'\\';'"), ["SELECT $$a;b$$", "SELECT E'\\';'"]);
        assert_eq!(texts("-- ping").len() + texts(" ; ;").len(), 0);
        // What is no SQL is left to the parser to say.
        assert_eq!(texts("SELECT 'open"), ["SELECT 'open"]);
    }
}
