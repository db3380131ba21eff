//! What an answer would be like: the types of its parameters and columns, from the plan alone.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use super::error::QueryError;
use super::request::Described;
use super::views::{plain, plain_schema};

/// The most parameters of a statement.
const PARAMETERS_MAX: usize = 1_000;

/// Describes a plan; `declared` has a NULL of its type for each parameter whose type is known.
///
/// # Errors
/// [`QueryError::Invalid`].
pub(super) fn describe(
    session: &SessionContext,
    plan: LogicalPlan,
    declared: &[ScalarValue],
) -> Result<Described, QueryError> {
    let invalid = |why: DataFusionError| QueryError::planning(&why);
    let mut inferred = plan.get_parameter_fields().map_err(invalid)?;
    whole_numbers(&plan, &mut inferred).map_err(invalid)?;
    arrays(&plan, &mut inferred).map_err(invalid)?;
    let parameters = parameters(&inferred, declared)?;
    let nulls = parameters.iter().map(|field| ScalarValue::try_from(field.data_type()));
    let nulls: Vec<ScalarValue> = nulls.collect::<Result<_, _>>().map_err(invalid)?;
    let bound = plan.with_param_values(nulls).map_err(invalid)?;
    let state = session.state();
    // Coercion may change types; what it cannot do now it may do with the parameters' values.
    let options = state.config_options();
    let coerced = state.analyzer().execute_and_check(bound.clone(), options, |_, _| {});
    let coerced = coerced.unwrap_or(bound);
    let schema = plain_schema(coerced.schema().as_arrow());
    Ok(Described { parameters, schema })
}

/// The planner leaves open what LIMIT and OFFSET are.
fn whole_numbers(
    plan: &LogicalPlan,
    inferred: &mut HashMap<String, Option<FieldRef>>,
) -> Result<(), DataFusionError> {
    let told = plan.apply_with_subqueries(|node| {
        let LogicalPlan::Limit(limit) = node else { return Ok(TreeNodeRecursion::Continue) };
        for count in [&limit.skip, &limit.fetch].into_iter().flatten() {
            count.apply(|part| {
                if let Expr::Placeholder(placeholder) = part {
                    let field = Field::new(&placeholder.id, DataType::Int64, true);
                    inferred.insert(placeholder.id.clone(), Some(Arc::new(field)));
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    told.map(drop)
}

/// The planner leaves open what `x = ANY($1)` compares with: an array of what `x` is.
fn arrays(
    plan: &LogicalPlan,
    inferred: &mut HashMap<String, Option<FieldRef>>,
) -> Result<(), DataFusionError> {
    let told = plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let Some(input) = inputs.first() else { return Ok(TreeNodeRecursion::Continue) };
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part
                    && call.func.name() == "array_has"
                    && let [Expr::Placeholder(array), item] = call.args.as_slice()
                    && let Ok(kind) = item.get_type(input.schema().as_ref())
                {
                    let list = Field::new(&array.id, DataType::new_list(kind, true), true);
                    inferred.insert(array.id.clone(), Some(Arc::new(list)));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    told.map(drop)
}

fn parameters(
    inferred: &HashMap<String, Option<FieldRef>>,
    declared: &[ScalarValue],
) -> Result<Vec<FieldRef>, QueryError> {
    let number = |name: &String| name.strip_prefix('$').and_then(|digits| digits.parse().ok());
    let count = inferred.keys().filter_map(number).max().unwrap_or(0_usize).max(declared.len());
    if count > PARAMETERS_MAX {
        let detail = format!("`${count}`: a statement has at most {PARAMETERS_MAX} parameters");
        return Err(QueryError::TooLarge(detail));
    }
    let parameter = |place: usize| {
        let name = format!("${}", place + 1);
        let told = declared.get(place).map(ScalarValue::data_type);
        let told = told.filter(|kind| *kind != DataType::Null);
        let meant = inferred.get(&name).and_then(Option::as_ref);
        let meant = meant.filter(|field| *field.data_type() != DataType::Null);
        match (told, meant) {
            (Some(kind), _) => Field::new(name, kind, true),
            (None, Some(field)) => Field::new(name, plain(field.data_type()), true),
            // What may be anything is a text.
            (None, None) => Field::new(name, DataType::Utf8, true),
        }
    };
    Ok((0..count).map(|place| Arc::new(parameter(place))).collect())
}
