//! Which files can have an identifier, by their Bloom filters.
//!
//! Of each filter one block is read: that which the identifier would be in. DataFusion reads whole
//! filters, and opens each file for it.
//!
//! Source: <https://parquet.apache.org/docs/file-format/bloomfilter/>

use std::ops::Range;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{StreamExt, stream};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use twox_hash::XxHash64;

use super::footers::Footers;
use super::look_up::Wanted;

const BLOCK_BYTES: u64 = 32;
/// How many files are asked at a time: in an object store each is a request.
const FILES_AT_A_TIME: usize = 16;

/// For each file, whether it can have a row with all that is wanted. One that cannot be asked can:
/// reading it says what is wrong.
pub(super) async fn can_have(
    footers: &Footers,
    files: Vec<PartitionedFile>,
    wanted: &[Wanted<'_>],
) -> Vec<bool> {
    let asked = files.into_iter().map(|file| ask(footers, file, wanted));
    stream::iter(asked).buffered(FILES_AT_A_TIME).map(|can| can.unwrap_or(true)).collect().await
}

/// `None` where the file does not tell.
async fn ask(footers: &Footers, file: PartitionedFile, wanted: &[Wanted<'_>]) -> Option<bool> {
    let mut file = footers.create_reader(0, file, None, &ExecutionPlanMetricsSet::new()).ok()?;
    let footer = file.get_metadata(None).await.ok()?;
    for &(column, value) in wanted {
        let Some(blocks) = blocks(&footer, column, value) else { continue };
        let ranges = blocks.iter().flat_map(Block::ranges).collect();
        let read = file.get_byte_ranges(ranges).await.ok()?;
        let mut read = blocks.iter().zip(read.chunks_exact(2));
        if !read.any(|(block, bytes)| block.can_have(bytes, value)) {
            return Some(false);
        }
    }
    Some(true)
}

/// A value's block in each row group; `None` where a row group has no filter for the column.
fn blocks(footer: &ParquetMetaData, column: &str, value: &str) -> Option<Vec<Block>> {
    let columns = footer.file_metadata().schema_descr().columns();
    let place = columns.iter().position(|leaf| leaf.path().parts() == [column])?;
    let groups = footer.row_groups().iter();
    groups.map(|group| Block::of(group.columns().get(place)?, value)).collect()
}

/// Where in a file the block of a value is.
struct Block {
    header: Range<u64>,
    block: Range<u64>,
    bitset_bytes: u64,
}

impl Block {
    fn of(chunk: &ColumnChunkMetaData, value: &str) -> Option<Self> {
        let start = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
        let length = u64::try_from(chunk.bloom_filter_length()?).ok()?;
        // Blocks follow a header that is shorter than one.
        let (count, header_bytes) = (length / BLOCK_BYTES, length % BLOCK_BYTES);
        let hash = XxHash64::oneshot(0, value.as_bytes());
        let number = ((hash >> 32) * count) >> 32;
        let first = start + header_bytes;
        let block = first + number * BLOCK_BYTES;
        Some(Self {
            header: start..first,
            block: block..block + BLOCK_BYTES,
            bitset_bytes: count * BLOCK_BYTES,
        })
    }

    fn ranges(&self) -> [Range<u64>; 2] {
        [self.header.clone(), self.block.clone()]
    }

    /// What the file says of a value, by its bytes in these ranges.
    fn can_have(&self, read: &[Bytes], value: &str) -> bool {
        let [header, block] = read else { return true };
        // A filter of a single block looks into this one.
        bitset_bytes(header) != Some(self.bitset_bytes) || Sbbf::new(block).check(value)
    }
}

/// The size that a filter's header begins with: field 1 of a compact Thrift structure, an `i32`.
fn bitset_bytes(header: &[u8]) -> Option<u64> {
    const FIRST_FIELD_I32: u8 = 0x15;
    let (&FIRST_FIELD_I32, number) = header.split_first()? else { return None };
    let mut zigzag = 0;
    for (place, byte) in number.iter().take(5).enumerate() {
        zigzag |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (zigzag & 1 == 0).then_some(zigzag >> 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};
    use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
    use datafusion::execution::runtime_env::RuntimeEnv;
    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::serialized_reader::ReadOptionsBuilder;

    use super::*;

    const COLUMN: &str = "event_id";

    fn id(number: usize) -> String {
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &number.to_le_bytes()).to_string()
    }

    /// Ids in row groups of 256.
    fn file(numbers: Range<usize>, has_filter: bool) -> Bytes {
        let ids = Arc::new(StringArray::from_iter_values(numbers.map(id)));
        let rows = RecordBatch::try_from_iter([(COLUMN, ids as _)]).expect("rows");
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(256))
            .set_bloom_filter_enabled(has_filter)
            .build();
        let mut writer =
            ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).expect("a writer");
        writer.write(&rows).expect("rows");
        writer.into_inner().expect("a file").into()
    }

    /// Whether the Parquet library's own filters can have an id.
    fn by_the_library(file: &Bytes, id: &str) -> bool {
        let options = ReadOptionsBuilder::new().with_reader_properties(
            parquet::file::properties::ReaderProperties::builder()
                .set_read_bloom_filter(true)
                .build(),
        );
        let reader = SerializedFileReader::new_with_options(file.clone(), options.build());
        let reader = reader.expect("a file");
        let mut groups = (0..reader.num_row_groups()).map(|group| reader.get_row_group(group));
        groups.any(|group| {
            group.expect("a row group").get_column_bloom_filter(0).expect("a filter").check(id)
        })
    }

    async fn footers(files: &[Bytes]) -> (Footers, Vec<PartitionedFile>) {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut named = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let path = format!("{number}.parquet");
            store.put(&path.as_str().into(), file.clone().into()).await.expect("put");
            named.push(PartitionedFile::new(path, file.len() as u64));
        }
        let kept = RuntimeEnv::default().cache_manager.get_file_metadata_cache();
        (Footers(CachedParquetFileReaderFactory::new(store, kept)), named)
    }

    #[tokio::test]
    async fn one_block_says_what_the_whole_filter_says() {
        let files: Vec<_> =
            [0..1_000, 1_000..1_100, 1_100..3_000].map(|ids| file(ids, true)).into();
        let (footers, named) = footers(&files).await;
        let mut kept = 0;
        for number in (0..6_000).step_by(3) {
            let id = id(number);
            let can = can_have(&footers, named.clone(), &[(COLUMN, id.as_str())]).await;
            let expected: Vec<_> = files.iter().map(|file| by_the_library(file, &id)).collect();
            assert_eq!(can, expected, "{id}");
            kept += can.iter().filter(|can| **can).count();
        }
        // A thousand are in one file each; few more are kept in vain.
        assert!((1_000..1_500).contains(&kept), "{kept}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_asked_is_kept() {
        let whole = file(0..1_000, true);
        let torn = whole.slice(..whole.len() / 2);
        let (footers, mut named) = footers(&[file(0..1_000, false), torn, whole]).await;
        named.push(PartitionedFile::new("gone.parquet", 1_000));
        let absent = id(5_000);
        let can = can_have(&footers, named.clone(), &[(COLUMN, absent.as_str())]).await;
        assert_eq!(can, [true, true, false, true]);
        let other = can_have(&footers, named, &[("trace_id", absent.as_str())]).await;
        assert_eq!(other, [true; 4]);
    }

    #[test]
    fn the_header_begins_with_the_size() {
        assert_eq!(bitset_bytes(&[0x15, 0x40]), Some(32));
        assert_eq!(bitset_bytes(&[0x15, 0x80, 0x80, 0x10]), Some(131_072));
        for unlike in [&[][..], &[0x15], &[0x15, 0x80], &[0x15, 0x41], &[0x16, 0x40]] {
            assert_eq!(bitset_bytes(unlike), None, "{unlike:?}");
        }
    }
}
