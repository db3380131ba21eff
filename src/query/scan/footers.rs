//! The footers of files with their page indexes: read once, and kept while there is room.
//!
//! DataFusion keeps footers alone, and reads a file's page index again for every question that has
//! a filter.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::catalog::Session;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
// The module above has another type of that name, which nobody keeps.
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::schema::types::SchemaDescriptor;

use super::plan::store_url;

/// Makes readers that share what they know of the footers.
#[derive(Debug)]
pub(super) struct Footers {
    readers: CachedParquetFileReaderFactory,
    kept: Arc<FileMetadataCache>,
}

impl Footers {
    /// The footers of the files of a store, and where they are kept. A file is never written
    /// twice, so that what is known of it holds.
    pub(super) fn new(store: Arc<dyn ObjectStore>, kept: Arc<FileMetadataCache>) -> Self {
        let readers = CachedParquetFileReaderFactory::new(store, Arc::clone(&kept));
        Self { readers, kept }
    }

    /// Those that a session knows of the lake's files.
    pub(super) fn of(state: &dyn Session) -> Result<Self> {
        let runtime = state.runtime_env();
        let store = runtime.object_store(store_url()?)?;
        Ok(Self::new(store, runtime.cache_manager.get_file_metadata_cache()))
    }

    /// Whether a file is known to have exactly these columns.
    pub(super) fn has(&self, columns: &SchemaDescriptor, file: &Path) -> bool {
        let known = self.kept.get(file);
        let footer = known
            .as_ref()
            .and_then(|known| known.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>());
        footer.is_some_and(|footer| {
            let found = footer.parquet_metadata().file_metadata().schema_descr();
            found.root_schema() == columns.root_schema()
        })
    }
}

impl ParquetFileReaderFactory for Footers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let reader =
            self.readers.create_reader(partition_index, file, metadata_size_hint, metrics)?;
        Ok(Box::new(Reader(reader)))
    }
}

/// Asks for the page index with every footer, so that it is kept with it.
struct Reader(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let options = options.cloned().unwrap_or_default();
        let options = options.with_page_index_policy(PageIndexPolicy::Optional);
        async move { self.0.get_metadata(Some(&options)).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::runtime_env::RuntimeEnv;
    use parquet::arrow::ArrowSchemaConverter;

    use super::*;
    use crate::lake::TableName;
    use crate::query::tests::lake::TestLake;
    use crate::query::views::viewed;

    /// A table's files, fresh and merged ones, have its columns; a table with one column less, or
    /// with two in another order, would not.
    #[tokio::test(flavor = "multi_thread")]
    async fn columns_that_a_file_is_known_to_have_are_exactly_its_own() {
        let test = TestLake::full().await;
        let kept = RuntimeEnv::default().cache_manager.get_file_metadata_cache();
        let footers = Footers::new(test.lake.object_store(), kept);
        for name in [TableName::Calls, TableName::Prices, TableName::DeadLetters] {
            let table = test.lake.table(name);
            let columns = viewed(&table.spec().file_schema());
            let descriptor = |columns| ArrowSchemaConverter::new().convert(columns);
            let own = descriptor(&columns).expect("columns");
            let all: Vec<usize> = (0..columns.fields().len()).collect();
            let [first, second, rest @ ..] = all.as_slice() else { panic!("few columns") };
            let fewer = columns.project(&[&[*first], rest].concat()).expect("columns");
            let swapped = columns.project(&[&[*second, *first], rest].concat()).expect("columns");
            for file in table.snapshot().expect("open").files().await.expect("files").iter() {
                let path = table.location(file).expect("a path");
                assert!(!footers.has(&own, &path), "nothing is known yet");
                let mut read = PartitionedFile::new(String::new(), file.size);
                read.object_meta.location = path.clone();
                let metrics = ExecutionPlanMetricsSet::new();
                let reader = footers.create_reader(0, read, None, &metrics);
                reader.expect("a reader").get_metadata(None).await.expect("a footer");
                assert!(footers.has(&own, &path));
                for other in [&fewer, &swapped] {
                    assert!(!footers.has(&descriptor(other).expect("columns"), &path));
                }
            }
        }
    }
}
