//! Look-ups: few rows have the wanted identifier, so that it is looked for while reading, and of
//! the other columns only pages with a hit are decoded.

use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::lake::TableSpec;

/// What rows are filtered by while they are read: the comparisons of the table's own columns with
/// values, where one of them wants an identifier. `None` where no identifier is wanted: it would
/// cost more than it saves.
pub(super) fn condition(spec: &TableSpec, filters: &[Expr]) -> Option<Expr> {
    let own = |name: &str| spec.columns.iter().find(|column| column.name == name);
    let parts = filters.iter().flat_map(split_conjunction);
    let compared = parts.filter_map(|part| Some((part, compared(part)?)));
    let compared: Vec<_> =
        compared.filter_map(|(part, (name, by))| Some((part, own(name)?, by))).collect();
    let is_look_up =
        compared.iter().any(|(_, column, by)| *by == Operator::Eq && column.is_identifier());
    let parts = compared.into_iter().map(|(part, ..)| part.clone());
    is_look_up.then(|| conjunction(parts)).flatten()
}

/// The column of a comparison with a value, which cannot fail.
fn compared(part: &Expr) -> Option<(&str, Operator)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else { return None };
    let is_comparison =
        matches!(op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(..)) if is_comparison => Some((&column.name, *op)),
        _ => None,
    }
}
