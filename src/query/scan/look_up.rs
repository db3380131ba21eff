//! Look-ups: few rows have the wanted identifier, so that it is looked for while reading, and of
//! the other columns only pages with a hit are decoded.

use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use crate::lake::TableSpec;

/// An identifier's column, and the one value that it must have.
pub(super) type Wanted<'a> = (&'a str, &'a str);

/// A look-up.
pub(super) struct LookUp<'a> {
    /// What rows are filtered by while they are read: the comparisons of the table's own columns
    /// with values.
    pub(super) condition: Expr,
    /// The identifiers that Bloom filters know of.
    pub(super) wanted: Vec<Wanted<'a>>,
}

/// The look-up that filters ask for. `None` where no identifier is wanted: it would cost more than
/// it saves.
pub(super) fn look_up<'a>(spec: &TableSpec, filters: &'a [Expr]) -> Option<LookUp<'a>> {
    let column = |name: &str| spec.columns.iter().find(|column| column.name == name);
    let parts = filters.iter().flat_map(split_conjunction);
    let compared = parts.filter_map(|part| Some((part, Comparison::of(part)?)));
    let compared = compared.filter_map(|(part, by)| Some((part, column(by.column)?, by)));
    let (mut parts, mut wanted, mut is_look_up) = (Vec::new(), Vec::new(), false);
    for (part, column, by) in compared {
        parts.push(part.clone());
        is_look_up |= by.is_equal && column.is_identifier();
        if by.is_equal && column.is_filtered() {
            wanted.extend(by.text.map(|text| (by.column, text)));
        }
    }
    is_look_up.then_some(LookUp { condition: conjunction(parts)?, wanted })
}

/// A comparison of a column with a value, which cannot fail.
struct Comparison<'a> {
    column: &'a str,
    is_equal: bool,
    text: Option<&'a str>,
}

impl<'a> Comparison<'a> {
    fn of(part: &'a Expr) -> Option<Self> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else { return None };
        let is_equal = *op == Operator::Eq;
        let is_ordered =
            matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
        match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) if is_equal || is_ordered => {
                Some(Self { column: &column.name, is_equal, text: text(value) })
            }
            _ => None,
        }
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}
