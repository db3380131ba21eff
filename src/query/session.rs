//! The session that a question runs in.

use std::sync::Arc;

use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::local_time;
use super::names::{Schemas, Tables};
use super::request::Scope;

/// The catalogue and schema that the tables are in, as PostgreSQL names them.
pub(super) const CATALOG: &str = "tokenmeter";
pub(super) const SCHEMA: &str = "public";

/// Functions whose result can be far larger than what they are given: the memory pool does not see
/// them, so that one call could end the process. Only a process that is alone with the question has
/// them.
const FUNCTIONS_LEFT_OUT: [&str; 11] = [
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "range",
    "gen_series",
    "generate_series",
    "array_pad",
];

/// What all sessions have in common; `is_alone`: the process answers one question at a time and
/// does nothing else.
pub(super) fn common(runtime: Arc<RuntimeEnv>, (threads, is_alone): (usize, bool)) -> SessionState {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_information_schema(true)
        .with_target_partitions(threads.max(1));
    let options = config.options_mut();
    // The physical plan names files.
    options.explain.logical_plan_only = true;
    options.execution.enable_recursive_ctes = false;
    options.execution.time_zone = Some("+00:00".to_owned());
    // A number with a point is a decimal: money never becomes a float.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.parquet.schema_force_view_types = false;
    // Filters prune files, row groups and pages; rows are filtered above the scan, even those that
    // it filters itself, since a filter that was pushed into the Parquet reader can get lost there:
    // https://github.com/apache/datafusion/issues/24109 (read 2026-11-23).
    options.execution.parquet.pushdown_filters = false;
    let session = SessionContext::new_with_config_rt(config, runtime);
    local_time::register(&session);
    for name in FUNCTIONS_LEFT_OUT.iter().filter(|_| !is_alone) {
        session.deregister_udf(name);
        session.deregister_udtf(name);
    }
    session.state()
}

/// A session of a question's own, without tables.
///
/// A scope's statement runs in one thread above its scans: with several, which row or which error
/// comes first would be a matter of luck, and of everybody's load.
pub(super) fn open(common: &SessionState, scope: &Scope) -> SessionContext {
    let mut state = common.clone();
    state.register_catalog_list(Arc::new(MemoryCatalogProviderList::new()));
    if !scope.is_all() {
        state.config_mut().options_mut().execution.target_partitions = 1;
    }
    let session = SessionContext::new_with_state(state);
    session.register_catalog(CATALOG, Arc::new(Schemas::with(SCHEMA, Tables::default())));
    session
}
