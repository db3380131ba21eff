//! The fence around a scope's rows: a scan that filters by tenant before anything else.
//!
//! To the optimizer a fence is a leaf without statistics: no expression of the statement, no
//! statistic and no plan detail passes it in either direction. Whatever files and rows were left
//! out by reading, every row is filtered again here, and leaves in the order that
//! [`super::canonical`] gives it. A look-up's scan has one, too, so that the filter above it stays.

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use super::canonical;

/// The rows of the input that satisfy the condition.
pub(super) fn filter(
    input: Arc<dyn ExecutionPlan>,
    condition: Expr,
    state: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = DFSchema::try_from(input.schema())?;
    let predicate = state.create_physical_expr(condition, &schema)?;
    Ok(Arc::new(FilterExec::try_new(predicate, input)?))
}

/// The first so many columns of the input.
pub(super) fn first_columns(
    input: Arc<dyn ExecutionPlan>,
    count: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    if schema.fields().len() == count {
        return Ok(input);
    }
    let kept = schema.fields().iter().enumerate().take(count).map(|(place, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        (column, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(kept.collect::<Vec<_>>(), input)?))
}

/// A plan that nothing is pushed into and nothing is known of.
#[derive(Debug)]
pub(super) struct Fence {
    inside: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl Fence {
    pub(super) fn new(inside: Arc<dyn ExecutionPlan>) -> Self {
        let inner = inside.properties();
        // Orderings and constants of the inside are its own affair.
        let properties = PlanProperties::new(
            EquivalenceProperties::new(inside.schema()),
            Partitioning::UnknownPartitioning(inner.partitioning.partition_count()),
            inner.emission_type,
            inner.boundedness,
        );
        Self { inside, properties: Arc::new(properties) }
    }
}

impl DisplayAs for Fence {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fence")
    }
}

impl ExecutionPlan for Fence {
    fn name(&self) -> &'static str {
        "Fence"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(canonical::rechunked(self.inside.execute(partition, context)?))
    }
}
