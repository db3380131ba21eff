//! Pages of an answer.
//!
//! A page's token has the versions of the tables that the first page was read from, and the time it
//! was asked at: the pages are those of one answer, whatever was committed since. It holds as long
//! as these versions are kept: at least a day after they were replaced. It names no rows; it opens
//! nothing that its bearer's key does not.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answering::versions;
use super::problem::Problem;
use super::terms::invalid;
use crate::lake::TableName;
use crate::query::{Answer, NextPage, SqlRequest, Terms};
use crate::time::Timestamp;

const TOKEN_LENGTH_MAX: usize = 1_024;

/// Where a page begins, and of what.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The most rows of it.
    pub limit: Option<usize>,
    /// Rows before it.
    pub offset: usize,
    /// When the first page was asked for.
    pub now: Timestamp,
    versions: Vec<(TableName, u64)>,
    /// The hash of the question.
    question: String,
}

/// What a token holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    /// The hash of the question.
    q: String,
    /// Rows before the page.
    o: usize,
    /// When the first page was asked for, in microseconds.
    n: i64,
    /// Versions as the header has them.
    v: String,
}

impl Page {
    /// Takes `limit`, `page_token` and `versions` out of the terms of a question; what is left is
    /// the question.
    pub(super) fn take(terms: &mut Terms, named: &str, now: Timestamp) -> Result<Self, Problem> {
        let token = terms.remove("page_token");
        let asked = terms.remove("versions").map(|text| versions_of(&text)).transpose()?;
        let limit = match terms.remove("limit").map(|text| text.parse::<usize>()) {
            None => None,
            Some(Ok(limit)) if limit > 0 => Some(limit),
            Some(_) => return Err(invalid("`limit`: expected a number above 0")),
        };
        let question = hash(named, terms);
        let Some(token) = token else {
            let versions = asked.unwrap_or_default();
            return Ok(Self { limit, offset: 0, now, versions, question });
        };
        if asked.is_some() {
            return Err(invalid("`versions`: a `page_token` has its own"));
        }
        let token = Token::read(&token).ok_or_else(|| invalid("`page_token`: not one of ours"))?;
        if token.q != question {
            let why = "`page_token`: it belongs to another question, or what it is about has \
                       changed: begin with the first page";
            return Err(invalid(why));
        }
        let now = Timestamp::from_micros(token.n).ok_or_else(|| invalid("`page_token`"))?;
        let versions = versions_of(&token.v)?;
        Ok(Self { limit, offset: token.o, now, versions, question })
    }

    /// The question, at the place of this page.
    pub(super) fn of(&self, request: SqlRequest) -> SqlRequest {
        let (limit, offset) = (self.limit, self.offset);
        SqlRequest { limit, offset, versions: self.versions.clone(), ..request }
    }

    /// Lets an answer name its next page.
    pub(super) fn mark(self, answer: &mut Answer) {
        let read = versions(&answer.versions);
        let next: NextPage = Arc::new(move |rows| self.after(rows, &read));
        answer.next_page = Some(next);
    }

    /// The token of the page after so many rows.
    pub(super) fn after(&self, rows: usize, versions: &str) -> String {
        let token = Token {
            q: self.question.clone(),
            o: self.offset.saturating_add(rows),
            n: self.now.micros(),
            v: versions.to_owned(),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
    }
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        if text.len() > TOKEN_LENGTH_MAX {
            return None;
        }
        let document = URL_SAFE_NO_PAD.decode(text).ok()?;
        let token: Self = serde_json::from_slice(&document).ok()?;
        // An offset is a number of rows, which no table has more of.
        (token.o <= i64::MAX.unsigned_abs() as usize / 2).then_some(token)
    }
}

/// `calls=8,dead_letters=3`.
///
/// # Errors
/// What was expected.
pub(super) fn versions_of(text: &str) -> Result<Vec<(TableName, u64)>, Problem> {
    let wrong = || invalid("`versions`: expected TABLE=VERSION,…, as `X-Table-Versions` has it");
    let parts = text.split(',').filter(|part| !part.is_empty());
    let read = parts.map(|part| {
        let (name, version) = part.split_once('=')?;
        Some((TableName::named(name)?, version.parse().ok()?))
    });
    read.collect::<Option<Vec<_>>>().ok_or_else(wrong)
}

fn hash(named: &str, terms: &Terms) -> String {
    let mut hash = Sha256::new();
    let pairs = terms.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for part in std::iter::once(named).chain(pairs) {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
