//! Which names a model goes by: those that its match clauses spell out. A clause that only
//! describes names (a part, an expression) is remarked: a description prices models that nobody
//! has priced.

use crate::event::Json;
use crate::pricing::Report;

/// The names of a model that no earlier model of its provider answers to.
pub(super) fn names(model: &Json, earlier: &[Json], report: &mut Report) -> Vec<String> {
    let mut names = Vec::new();
    let id = model.field("id").and_then(Json::as_text).unwrap_or_default();
    let Some(clause) = model.field("match") else { return names };
    spelled_out(clause, id, &mut names, report);
    if !id.is_empty() && matches(clause, id) != Some(false) {
        names.push(id.to_owned());
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| {
        let takes = |other: &Json| other.field("match").and_then(|clause| matches(clause, name));
        let taken = earlier.iter().any(|other| takes(other) == Some(true));
        if taken {
            report.add("name_taken", || format!("{id}: {name}"));
        }
        !taken
    });
    names
}

/// A name that begins a longer one stands for itself, and for its dated forms by the usual steps.
fn spelled_out(clause: &Json, id: &str, names: &mut Vec<String>, report: &mut Report) {
    for (kind, value) in clause.as_object().unwrap_or_default() {
        match (kind.as_str(), value) {
            ("equals", Json::Text(name)) => names.push(name.clone()),
            ("or", Json::Array(clauses)) => {
                clauses.iter().for_each(|clause| spelled_out(clause, id, names, report));
            }
            (kind, value) => {
                if let ("starts_with", Json::Text(name)) = (kind, value) {
                    names.push(name.trim_end_matches('-').to_owned());
                }
                report.add("match_described", || format!("{id}: {kind} {value}"));
            }
        }
    }
}

/// Whether a clause holds for a name; `None` where that depends on a regular expression.
fn matches(clause: &Json, name: &str) -> Option<bool> {
    let (kind, value) = clause.as_object()?.first()?;
    let name = name.to_lowercase();
    let text = value.as_text().unwrap_or_default().to_lowercase();
    let clauses = || value.as_array().unwrap_or_default().iter();
    match kind.as_str() {
        "equals" => Some(name == text),
        "starts_with" => Some(name.starts_with(&text)),
        "ends_with" => Some(name.ends_with(&text)),
        "contains" => Some(name.contains(&text)),
        "or" => {
            let mut unknown = false;
            for clause in clauses() {
                match matches(clause, &name) {
                    Some(true) => return Some(true),
                    known => unknown |= known.is_none(),
                }
            }
            (!unknown).then_some(false)
        }
        "and" => clauses().try_fold(true, |all, clause| Some(all && matches(clause, &name)?)),
        _ => None,
    }
}
