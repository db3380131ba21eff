//! Reads only: what a planned statement may contain.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;

use super::error::QueryError;

/// Refuses every plan that does more than read tables and show its logical plan.
///
/// # Errors
/// [`QueryError::NotReadOnly`].
pub(super) fn check(plan: &LogicalPlan) -> Result<(), QueryError> {
    let reads =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reads.verify_plan(plan).map_err(|error| QueryError::NotReadOnly(error.strip_backtrace()))?;
    let mut refused = None;
    let walked = plan.apply(|node| {
        refused = match node {
            LogicalPlan::Analyze(_) => Some("EXPLAIN ANALYZE runs the statement"),
            LogicalPlan::Explain(explain) if explain.verbose => Some("EXPLAIN VERBOSE"),
            LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) => Some("a change"),
            _ => None,
        };
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(|error| QueryError::Invalid(error.strip_backtrace()))?;
    match refused {
        Some(what) => Err(QueryError::NotReadOnly(what.to_owned())),
        None => Ok(()),
    }
}
