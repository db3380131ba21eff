//! The catalogue that PostgreSQL's clients ask: `pg_catalog`, and the functions they call with it.
//!
//! It tells of the tables that the session shows, and nothing of their rows: no counts, no sizes.
//! Object ids are the same in every session that shows the same tables, since a client asks for
//! one with one statement and uses it in the next, which another worker may answer.

use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::CatalogProviderList;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use datafusion_pg_catalog::pg_catalog::catalog_info::CatalogInfo;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::pg_catalog::{
    PgCatalogSchemaProvider, PgCatalogStaticTables, PgCatalogTable, setup_pg_catalog,
};
use futures::StreamExt;

use super::error::QueryError;
use super::postgres_columns::InformationSchema;
use super::session::{CATALOG, SCHEMA};

/// The version of PostgreSQL that clients are to take this for.
const SERVER_VERSION: &str = "16.6";

/// The settings that clients ask for, and what they are unless a connection sets them.
pub const POSTGRES_SETTINGS: [(&str, &str); 34] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("idle_in_transaction_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("row_security", "on"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "160006"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("timezone", "UTC"),
    ("transaction_deferrable", "off"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
    ("wal_level", "replica"),
];

/// Functions of PostgreSQL about objects that are not there: comments, indexes, views.
const ABOUT_NOTHING: [&str; 15] = [
    "col_description",
    "obj_description",
    "shobj_description",
    "pg_advisory_unlock_all",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_function_result",
    "pg_get_indexdef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_triggerdef",
    "pg_get_viewdef",
    "pg_size_pretty",
    "pg_table_size",
    "pg_tablespace_location",
];

/// Functions that say whether something may be seen or used: what is listed, may.
const ALWAYS: [&str; 5] = [
    "has_column_privilege",
    "has_function_privilege",
    "pg_function_is_visible",
    "pg_opclass_is_visible",
    "pg_type_is_visible",
];

/// The tables of PostgreSQL's own that are the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Catalogue(Arc<PgCatalogStaticTables>);

impl Catalogue {
    /// Reads them.
    ///
    /// # Errors
    /// [`QueryError::Internal`].
    pub(super) fn read() -> std::result::Result<Self, QueryError> {
        let tables = PgCatalogStaticTables::try_new();
        tables.map(|tables| Self(Arc::new(tables))).map_err(|why| internal(&why))
    }

    /// Puts `pg_catalog` and PostgreSQL's `information_schema` into a session that has its tables.
    ///
    /// # Errors
    /// [`QueryError::Internal`].
    pub(super) async fn show(
        &self,
        session: &SessionContext,
    ) -> std::result::Result<(), QueryError> {
        self.register(session).await.map_err(|why| internal(&why))
    }

    async fn register(&self, session: &SessionContext) -> Result<()> {
        setup_pg_catalog(session, CATALOG, EmptyContextProvider).map_err(|why| *why)?;
        let catalog = session
            .catalog(CATALOG)
            .ok_or_else(|| DataFusionError::Internal(format!("there is no catalog `{CATALOG}`")))?;
        let information = InformationSchema::of(session).await?;
        // DataFusion's own would come first.
        session.state_ref().write().config_mut().options_mut().catalog.information_schema = false;
        catalog.register_schema("information_schema", Arc::new(information))?;
        let shown = Shown(Arc::clone(session.state().catalog_list()));
        let schema =
            PgCatalogSchemaProvider::try_new(shown, Arc::clone(&self.0), EmptyContextProvider)?;
        // Whoever asks first gives out the ids: always the same one.
        if let Some(PgCatalogTable::Dynamic(classes)) = schema.build_table_by_name("pg_class")? {
            let mut rows = classes.execute(session.task_ctx());
            while let Some(batch) = rows.next().await {
                batch?;
            }
        }
        catalog.register_schema("pg_catalog", Arc::new(schema))?;
        for name in ABOUT_NOTHING {
            let nothing = Constant::new(name, ScalarValue::Utf8(None));
            session.register_udf(ScalarUDF::new_from_impl(nothing));
        }
        for name in ALWAYS {
            let always = Constant::new(name, ScalarValue::Boolean(Some(true)));
            session.register_udf(ScalarUDF::new_from_impl(always));
        }
        let recovering = Constant::new("pg_is_in_recovery", ScalarValue::Boolean(Some(false)));
        session.register_udf(ScalarUDF::new_from_impl(recovering));
        Ok(())
    }
}

/// Puts the functions into a session that tell a client where it is.
pub(super) fn show_functions(session: &SessionContext) {
    let ours = env!("CARGO_PKG_VERSION");
    for (name, value) in [
        ("version", format!("PostgreSQL {SERVER_VERSION} (tokenmeter {ours})")),
        ("current_schema", SCHEMA.to_owned()),
        ("current_database", CATALOG.to_owned()),
        ("session_user", "postgres".to_owned()),
    ] {
        let told = Constant::new(name, ScalarValue::Utf8(Some(value)));
        session.register_udf(ScalarUDF::new_from_impl(told));
    }
    session.register_udf(ScalarUDF::new_from_impl(CurrentSetting::new()));
}

fn internal(why: &DataFusionError) -> QueryError {
    QueryError::Internal(why.strip_backtrace())
}

/// A session's tables, always in one order.
#[derive(Debug, Clone)]
struct Shown(Arc<dyn CatalogProviderList>);

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

#[async_trait]
impl CatalogInfo for Shown {
    async fn catalog_names(&self) -> Result<Vec<String>> {
        Ok(sorted(CatalogProviderList::catalog_names(self.0.as_ref())))
    }

    async fn schema_names(&self, catalog: &str) -> Result<Option<Vec<String>>> {
        Ok(self.0.catalog(catalog).map(|catalog| sorted(catalog.schema_names())))
    }

    async fn table_names(&self, catalog: &str, schema: &str) -> Result<Option<Vec<String>>> {
        let schema = self.0.catalog(catalog).and_then(|catalog| catalog.schema(schema));
        Ok(schema.map(|schema| sorted(schema.table_names())))
    }

    async fn table_schema(
        &self,
        catalog: &str,
        schema: &str,
        table: &str,
    ) -> Result<Option<SchemaRef>> {
        CatalogInfo::table_schema(&self.0, catalog, schema, table).await
    }

    async fn table_type(
        &self,
        catalog: &str,
        schema: &str,
        table: &str,
    ) -> Result<Option<TableType>> {
        CatalogInfo::table_type(&self.0, catalog, schema, table).await
    }
}

/// A function that says the same whatever it is asked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    value: ScalarValue,
    signature: Signature,
}

impl Constant {
    fn new(name: &'static str, value: ScalarValue) -> Self {
        use datafusion::logical_expr::TypeSignature::{Nullary, VariadicAny};
        let signature = Signature::one_of(vec![Nullary, VariadicAny], Volatility::Stable);
        Self { name, value, signature }
    }
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}

/// `current_setting('name')`, `current_setting('name', true)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting {
    signature: Signature,
}

impl CurrentSetting {
    fn new() -> Self {
        use datafusion::logical_expr::TypeSignature::Exact;
        let one = Exact(vec![DataType::Utf8]);
        let two = Exact(vec![DataType::Utf8, DataType::Boolean]);
        Self { signature: Signature::one_of(vec![one, two], Volatility::Stable) }
    }
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &'static str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))) = args.args.first() else {
            return Err(DataFusionError::Execution("current_setting: expected a name".to_owned()));
        };
        let known = POSTGRES_SETTINGS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let may_lack = matches!(
            args.args.get(1),
            Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))
        );
        if known.is_none() && !may_lack {
            let why = format!("unrecognized configuration parameter `{name}`");
            return Err(DataFusionError::Plan(why));
        }
        let value = known.map(|(_, value)| (*value).to_owned());
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(value)))
    }
}
