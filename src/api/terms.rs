//! The terms of a URL's query string, and the format that an answer is wanted in.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::{Problem, ProblemKind};
use crate::query::{Format, TermError, Terms};

/// The most terms of a query string.
const TERMS_MAX: usize = 64;

/// The terms of a URL's query string, each there once.
pub(super) struct UrlTerms(pub Terms);

impl<S: Sync> FromRequestParts<S> for UrlTerms {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut terms = BTreeMap::new();
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let shown: String = name.chars().take(64).collect();
            if terms.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(invalid(format!("`{shown}` is there twice")));
            }
            if terms.len() > TERMS_MAX {
                return Err(invalid(format!("more than {TERMS_MAX} terms")));
            }
        }
        Ok(Self(terms))
    }
}

/// A problem with the request.
pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, detail)
}

impl From<TermError> for Problem {
    fn from(error: TermError) -> Self {
        invalid(error.to_string())
    }
}

/// The format of the query string, else of the `Accept` header.
pub(super) fn format_of(terms: &mut Terms, headers: &HeaderMap) -> Result<Format, Problem> {
    match terms.remove("format") {
        Some(name) => Format::named(&name)
            .ok_or_else(|| invalid(format!("`format`: expected {}", Format::NAMES))),
        None => accepted(headers),
    }
}

/// What each format is called in `Accept`; of formats that are wanted alike, the first one.
const NAMES: [(&str, Format); 9] = [
    ("application/json", Format::Json),
    ("application/x-ndjson", Format::Ndjson),
    ("application/ndjson", Format::Ndjson),
    ("application/jsonl", Format::Ndjson),
    ("application/json-lines", Format::Ndjson),
    ("text/csv", Format::Csv),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.parquet", Format::Parquet),
    // What goes wrong comes as this, whatever was asked for.
    ("application/problem+json", Format::Json),
];

/// The format that the `Accept` header wants most; JSON where there is none.
///
/// # Errors
/// [`ProblemKind::NotAcceptable`] where it names none that can be given.
pub(super) fn accepted(headers: &HeaderMap) -> Result<Format, Problem> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(value.to_str().unwrap_or_default().split(',').filter_map(range));
    }
    if ranges.is_empty() {
        return Ok(Format::default());
    }
    let wanted = NAMES.iter().map(|(name, format)| (weight(name, &ranges), *format));
    let best = wanted.filter(|(weight, _)| *weight > 0);
    let best = best.fold(None, |best: Option<(u32, Format)>, one| match best {
        Some(best) if best.0 >= one.0 => Some(best),
        _ => Some(one),
    });
    best.map(|(_, format)| format).ok_or_else(|| {
        let names = "application/json, application/x-ndjson, text/csv, \
                     application/vnd.apache.arrow.stream and application/vnd.apache.parquet";
        Problem::new(ProblemKind::NotAcceptable, format!("answers come as {names}"))
    })
}

/// A media range in lower case, and its weight in thousandths.
fn range(text: &str) -> Option<(String, u32)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let weight = match quality {
        None => 1_000,
        Some(quality) => {
            let (whole, part) = quality.split_once('.').unwrap_or((quality, ""));
            let part: String = part.chars().chain("000".chars()).take(3).collect();
            let digits = part.parse::<u32>().unwrap_or_default();
            whole.parse::<u32>().unwrap_or_default().min(1) * 1_000 + digits
        }
    };
    Some((name, weight.min(1_000)))
}

/// How much a media type is wanted: the most specific range decides.
fn weight(name: &str, ranges: &[(String, u32)]) -> u32 {
    let kind = name.split('/').next().unwrap_or_default();
    let of = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted);
    let found = of(name).or_else(|| of(&format!("{kind}/*"))).or_else(|| of("*/*"));
    found.map_or(0, |(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_format_that_is_wanted_most_is_given() {
        for (accept, format) in [
            ("application/json", Some(Format::Json)),
            ("text/csv;q=0.5, application/json;q=0.4", Some(Format::Csv)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Format::Json)),
            ("application/jsonl", Some(Format::Ndjson)),
            ("TEXT/CSV; charset=utf-8", Some(Format::Csv)),
            ("text/*", Some(Format::Csv)),
            ("application/*, application/json;q=0", Some(Format::Ndjson)),
            ("*/*", Some(Format::Json)),
            ("", Some(Format::Json)),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(accepted(&headers).ok(), format, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()).ok(), Some(Format::Json));
    }
}
