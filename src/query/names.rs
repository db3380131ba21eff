//! A session's schemas and tables, listed by name: what a question is told never depends on luck.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};

/// What has a name.
#[derive(Debug)]
struct Named<T: ?Sized>(RwLock<BTreeMap<String, Arc<T>>>);

impl<T: ?Sized> Default for Named<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: ?Sized> Named<T> {
    fn names(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn get(&self, name: &str) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: &str, value: Arc<T>) -> Option<Arc<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value)
    }
}

/// The schemas of a catalogue.
#[derive(Debug, Default)]
pub(super) struct Schemas(Named<dyn SchemaProvider>);

impl Schemas {
    /// With one.
    pub fn with(name: &str, tables: Tables) -> Self {
        let schemas = Self::default();
        schemas.0.put(name, Arc::new(tables));
        schemas
    }
}

impl CatalogProvider for Schemas {
    fn schema_names(&self) -> Vec<String> {
        self.0.names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.0.get(name)
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        Ok(self.0.put(name, schema))
    }
}

/// The tables of a schema.
#[derive(Debug, Default)]
pub(super) struct Tables(Named<dyn TableProvider>);

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.0.names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.0.get(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.0.put(&name, table) {
            None => Ok(None),
            Some(_) => Err(DataFusionError::Internal(format!("`{name}` is there twice"))),
        }
    }
}
