//! What can be wrong with the rules.

const COLUMNS: &str = "columns are those of who a call is for, such as `tenant` and `team`";
const FIELDS: &str = "expected `tag.<key>`, a column such as `team`, or one such as `source`";

/// A rule that cannot be used. None is retryable: the configuration has to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A column that rows do not have.
    #[error("{rule}: `{name}` is no column; {}", hint(nearest, COLUMNS))]
    UnknownColumn {
        /// Which rule.
        rule: String,
        /// What it says.
        name: String,
        /// The column it may have meant.
        nearest: Option<&'static str>,
    },
    /// A field that events do not have.
    #[error("{rule}: `{name}` is no field to match or copy; {}", hint(nearest, FIELDS))]
    UnknownField {
        /// Which rule.
        rule: String,
        /// What it says.
        name: String,
        /// The field it may have meant.
        nearest: Option<&'static str>,
    },
    /// A value that is empty.
    #[error("{rule}: the value of `{name}` is empty")]
    EmptyValue {
        /// Which rule.
        rule: String,
        /// The column or field.
        name: String,
    },
    /// One column filled twice by one rule.
    #[error("{rule}: `{name}` is both set and copied")]
    SetAndCopied {
        /// Which rule.
        rule: String,
        /// The column.
        name: String,
    },
    /// A sender that is not described.
    #[error("{rule}: give at least one of `namespace`, `source` and `api_key`")]
    AnySender {
        /// Which rule.
        rule: String,
    },
    /// A rule that does nothing.
    #[error("{rule}: it fills no column; give `{expected}`")]
    NoEffect {
        /// Which rule.
        rule: String,
        /// What is missing.
        expected: &'static str,
    },
}

fn hint(nearest: &Option<&'static str>, expected: &str) -> String {
    nearest.map_or_else(|| expected.to_owned(), |nearest| format!("did you mean `{nearest}`"))
}

/// The name that was probably meant: at most every other letter differs.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known));
    let (distance, known) = scored.min()?;
    (distance * 2 <= name.len()).then_some(known)
}
