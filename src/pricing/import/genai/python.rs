//! Python's literals as JSON values: genai-prices ships its prices as a Python module.
//!
//! In: the module's text. Out: the list that it assigns. Calls become objects of their keyword
//! arguments, `Decimal('1')` a number, dates and times text. Never: anything is evaluated.

use crate::event::Json;

/// How deep values may be nested.
const DEPTH_MAX: usize = 64;

/// The first list that the module assigns to an annotated name.
pub(super) fn assigned_list(text: &str) -> Option<Json> {
    let (_, value) = text.split_once("] = [")?;
    let mut reader = Reader { rest: value, depth: 0 };
    reader.items(']').map(Json::Array)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<Json> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?;
        let value = match self.peek()? {
            '[' => {
                self.skip(1);
                self.items(']').map(Json::Array)
            }
            '{' => {
                self.skip(1);
                self.dictionary()
            }
            '(' => {
                self.skip(1);
                self.items(')').and_then(|items| items.into_iter().next())
            }
            '\'' | '"' => self.text().map(Json::Text),
            first if first.is_ascii_digit() || first == '-' => self
                .word(|letter| letter.is_ascii_alphanumeric() || "+-._".contains(letter))
                .parse()
                .ok()
                .map(Json::Number),
            _ => self.name(),
        };
        self.depth = self.depth.saturating_sub(1);
        value
    }

    /// The next letter that is no space and no remark.
    fn peek(&mut self) -> Option<char> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(remark) => self.rest = remark.split_once('\n').map_or("", |(_, rest)| rest),
                None => return self.rest.chars().next(),
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn eat(&mut self, letter: char) -> bool {
        let found = self.peek() == Some(letter);
        if found {
            self.skip(letter.len_utf8());
        }
        found
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn items(&mut self, end: char) -> Option<Vec<Json>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(self.value()?);
            self.separator(end)?;
        }
        Some(items)
    }

    /// A comma, or the end that is then still to be read.
    fn separator(&mut self, end: char) -> Option<()> {
        (self.eat(',') || self.peek() == Some(end)).then_some(())
    }

    fn dictionary(&mut self) -> Option<Json> {
        let mut fields = Vec::new();
        while !self.eat('}') {
            let Json::Text(key) = self.value()? else { return None };
            if !self.eat(':') {
                return None;
            }
            fields.push((key, self.value()?));
            self.separator('}')?;
        }
        Some(object(fields))
    }

    /// `None`, `True`, an attribute that stands for nothing, or a call.
    fn name(&mut self) -> Option<Json> {
        let name = self.word(|letter| letter.is_ascii_alphanumeric() || "._".contains(letter));
        if name.is_empty() {
            return None;
        }
        if !self.rest.starts_with('(') {
            return match name {
                "None" | "datetime.UTC" => Some(Json::Null),
                "True" => Some(Json::Bool(true)),
                "False" => Some(Json::Bool(false)),
                _ => None,
            };
        }
        self.skip(1);
        let (mut items, mut fields) = (Vec::new(), Vec::new());
        while !self.eat(')') {
            match self.keyword() {
                Some(key) => fields.push((key.trim_end_matches('_').to_owned(), self.value()?)),
                None => items.push(self.value()?),
            }
            self.separator(')')?;
        }
        called(name, &items, fields)
    }

    fn keyword(&mut self) -> Option<&'a str> {
        self.peek()?;
        let (word, rest) = self.rest.split_once('=')?;
        let is_name = !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name {
            self.rest = rest;
        }
        is_name.then_some(word)
    }

    /// One string, or several next to each other.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        while let Some(quote @ ('\'' | '"')) = self.peek() {
            self.skip(1);
            loop {
                let letter = self.rest.chars().next()?;
                self.skip(letter.len_utf8());
                match letter {
                    '\\' => text.extend(self.escaped()?),
                    '\n' => return None,
                    letter if letter == quote => break,
                    letter => text.push(letter),
                }
            }
        }
        Some(text)
    }

    fn escaped(&mut self) -> Option<Option<char>> {
        let letter = self.rest.chars().next()?;
        self.skip(letter.len_utf8());
        let digits = match letter {
            '\n' => return Some(None),
            'n' => return Some(Some('\n')),
            't' => return Some(Some('\t')),
            'r' => return Some(Some('\r')),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '\\' | '\'' | '"' => return Some(Some(letter)),
            _ => return None,
        };
        let code = u32::from_str_radix(self.rest.get(..digits)?, 16).ok()?;
        self.skip(digits);
        char::from_u32(code).map(Some)
    }
}

fn called(name: &str, items: &[Json], fields: Vec<(String, Json)>) -> Option<Json> {
    let number = |place: usize| items.get(place).and_then(Json::as_number)?.to_count();
    match name.rsplit('.').next()? {
        "Decimal" => items.first()?.as_text()?.parse().ok().map(Json::Number),
        "date" => {
            let (year, month, day) = (number(0)?, number(1)?, number(2)?);
            Some(Json::Text(format!("{year:04}-{month:02}-{day:02}")))
        }
        "time" if fields.iter().all(|(_, zone)| *zone == Json::Null) => {
            let (hour, minute) = (number(0)?, number(1).unwrap_or(0));
            Some(Json::Text(format!("{hour:02}:{minute:02}")))
        }
        "time" => None,
        _ => items.is_empty().then(|| object(fields)),
    }
}

fn object(mut fields: Vec<(String, Json)>) -> Json {
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    Json::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_nothing_is_run() {
        let text = "import x\n\nall: list[P] = [  # a remark\n  P(id='a\\'b', n=Decimal('1.50'),\n\
                    when=datetime.date(2026, 3, 1), or_=[Q(on=True, no=None)],\n\
                    at=datetime.time(0, 30, tzinfo=datetime.UTC), d={'k': ('x' \"y\")}),\n]\n";
        let list = assigned_list(text).expect("a list");
        let expected = concat!(
            r#"[{"at":"00:30","d":{"k":"xy"},"id":"a'b","n":1.5,"#,
            r#""or":[{"no":null,"on":true}],"when":"2026-03-01"}]"#
        );
        assert_eq!(list.to_string(), expected);
        for wrong in ["x: a[b] = [f(1)]", "x: a[b] = [y]", "x: a[b] = ['open", "x = []"] {
            assert_eq!(assigned_list(wrong), None, "{wrong}");
        }
        let deep = format!("x: a[b] = [{}", "[".repeat(100_000));
        assert_eq!(assigned_list(&deep), None);
    }
}
