//! `information_schema` as PostgreSQL's clients read it: its columns have PostgreSQL's types.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

use super::session::{CATALOG, SCHEMA};

const COLUMNS: &str = "columns";

/// DataFusion's tables, with `columns` of our own.
#[derive(Debug)]
pub(super) struct InformationSchema {
    others: InformationSchemaProvider,
    columns: Arc<MemTable>,
}

impl InformationSchema {
    /// Of the tables that a session shows.
    ///
    /// # Errors
    /// When a table cannot be looked at.
    pub(super) async fn of(session: &SessionContext) -> Result<Self> {
        let others = InformationSchemaProvider::new(Arc::clone(session.state().catalog_list()));
        let mut told = Told::default();
        let schema = session.catalog(CATALOG).and_then(|catalog| catalog.schema(SCHEMA));
        if let Some(schema) = schema {
            let mut names = schema.table_names();
            names.sort_unstable();
            for name in names {
                if let Some(table) = schema.table(&name).await? {
                    told.table(&name, &table.schema());
                }
            }
        }
        let batch = told.batch()?;
        let columns = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        Ok(Self { others, columns: Arc::new(columns) })
    }
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        self.others.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case(COLUMNS) {
            let columns: Arc<dyn TableProvider> = self.columns.clone();
            return Ok(Some(columns));
        }
        self.others.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.others.table_exist(name)
    }
}

/// The rows of `columns`.
#[derive(Default)]
struct Told {
    tables: Vec<String>,
    columns: Vec<String>,
    ordinals: Vec<i32>,
    nullable: Vec<&'static str>,
    types: Vec<&'static str>,
    short_types: Vec<&'static str>,
    digits: Vec<Option<i32>>,
    scales: Vec<Option<i32>>,
}

impl Told {
    fn table(&mut self, name: &str, schema: &Schema) {
        for (ordinal, field) in (1..).zip(schema.fields()) {
            let (kind, short) = names(field.data_type());
            self.tables.push(name.to_owned());
            self.columns.push(field.name().clone());
            self.ordinals.push(ordinal);
            self.nullable.push(if field.is_nullable() { "YES" } else { "NO" });
            self.types.push(kind);
            self.short_types.push(short);
            let decimal = match field.data_type() {
                DataType::Decimal128(digits, scale) => Some((*digits, *scale)),
                _ => None,
            };
            self.digits.push(decimal.map(|(digits, _)| i32::from(digits)));
            self.scales.push(decimal.map(|(_, scale)| i32::from(scale)));
        }
    }

    fn batch(self) -> Result<RecordBatch> {
        let count = self.columns.len();
        let text = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
        let word = |values: Vec<&'static str>| Arc::new(StringArray::from(values)) as ArrayRef;
        let same = |value: &str| text(vec![value.to_owned(); count]);
        let none = || Arc::new(StringArray::from(vec![None::<&str>; count])) as ArrayRef;
        let number = |values: Vec<Option<i32>>| Arc::new(Int32Array::from(values)) as ArrayRef;
        let nothing = || number(vec![None; count]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("table_catalog", same(CATALOG)),
            ("table_schema", same(SCHEMA)),
            ("table_name", text(self.tables)),
            ("column_name", text(self.columns)),
            ("ordinal_position", Arc::new(Int32Array::from(self.ordinals))),
            ("column_default", none()),
            ("is_nullable", word(self.nullable)),
            ("data_type", word(self.types)),
            ("character_maximum_length", nothing()),
            ("character_octet_length", nothing()),
            ("numeric_precision", number(self.digits)),
            ("numeric_precision_radix", nothing()),
            ("numeric_scale", number(self.scales)),
            ("datetime_precision", nothing()),
            ("interval_type", none()),
            ("udt_catalog", same(CATALOG)),
            ("udt_schema", same("pg_catalog")),
            ("udt_name", word(self.short_types)),
        ];
        let field =
            |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// What PostgreSQL calls a type: in full, and short.
fn names(kind: &DataType) -> (&'static str, &'static str) {
    use DataType as D;
    match kind {
        D::Dictionary(_, values) => names(values),
        D::Boolean => ("boolean", "bool"),
        D::Int8 | D::Int16 | D::UInt8 => ("smallint", "int2"),
        D::Int32 | D::UInt16 => ("integer", "int4"),
        D::Int64 | D::UInt32 => ("bigint", "int8"),
        D::Float16 | D::Float32 => ("real", "float4"),
        D::Float64 => ("double precision", "float8"),
        kind if kind.is_decimal() || *kind == D::UInt64 => ("numeric", "numeric"),
        D::Date32 | D::Date64 => ("date", "date"),
        D::Time32(_) | D::Time64(_) => ("time without time zone", "time"),
        D::Timestamp(_, Some(_)) => ("timestamp with time zone", "timestamptz"),
        D::Timestamp(_, None) => ("timestamp without time zone", "timestamp"),
        D::Interval(_) | D::Duration(_) => ("interval", "interval"),
        D::FixedSizeBinary(_) => ("bytea", "bytea"),
        kind if kind.is_binary() => ("bytea", "bytea"),
        D::Map(_, _) | D::Struct(_) => ("json", "json"),
        D::List(_) | D::LargeList(_) => ("ARRAY", "_text"),
        _ => ("text", "text"),
    }
}
