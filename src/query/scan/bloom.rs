//! Which files can have an identifier, by their Bloom filters.
//!
//! Of each filter the header is wanted, and the one block that the identifier would be in; an
//! object store gives what lies between them, too. DataFusion reads whole filters, after all that
//! it takes to begin reading rows of each file.
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

const BLOCK_BYTES: usize = 32;
/// What follows the size in the header of a filter: the split block algorithm, xxHash, not
/// compressed, in compact Thrift.
const HEADER_END: [u8; 13] = [0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0];
/// How many files are asked at a time: in an object store each is a request.
const FILES_AT_A_TIME: usize = 16;

/// For each file, whether it can have a row with all that is wanted. One that cannot be asked can:
/// reading it says what is wrong.
pub(super) async fn can_have(
    footers: &Footers,
    files: Vec<PartitionedFile>,
    wanted: &[Wanted<'_>],
) -> Vec<bool> {
    if wanted.is_empty() {
        return vec![true; files.len()];
    }
    let asked = files.into_iter().map(|file| ask(footers, file, wanted));
    stream::iter(asked).buffered(FILES_AT_A_TIME).map(|can| can.unwrap_or(true)).collect().await
}

/// `None` where the file does not tell.
async fn ask(footers: &Footers, file: PartitionedFile, wanted: &[Wanted<'_>]) -> Option<bool> {
    let (end, hint) = (file.object_meta.size, file.metadata_size_hint);
    let mut file = footers.create_reader(0, file, hint, &ExecutionPlanMetricsSet::new()).ok()?;
    let footer = file.get_metadata(None).await.ok()?;
    for &(column, value) in wanted {
        let Some(blocks) = blocks(&footer, column, value) else { continue };
        if blocks.iter().any(|block| block.block.end > end) {
            return None;
        }
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
        let block_bytes = BLOCK_BYTES as u64;
        let (count, header_bytes) = (length / block_bytes, length % block_bytes);
        let hash = XxHash64::oneshot(0, value.as_bytes());
        let number = ((hash >> 32).checked_mul(count)?) >> 32;
        let first = start.checked_add(header_bytes)?;
        let block = first.checked_add(number * block_bytes)?;
        (count > 0).then_some(Self {
            header: start..first,
            block: block..block.checked_add(block_bytes)?,
            bitset_bytes: count * block_bytes,
        })
    }

    fn ranges(&self) -> [Range<u64>; 2] {
        [self.header.clone(), self.block.clone()]
    }

    /// What the file says of a value, by its bytes in these ranges.
    fn can_have(&self, read: &[Bytes], value: &str) -> bool {
        let [header, block] = read else { return true };
        let is_known = block.len() == BLOCK_BYTES && is_header(header, self.bitset_bytes);
        // A filter of a single block looks into this one.
        !is_known || Sbbf::new(block).check(value)
    }
}

/// Whether these bytes, and no others, are the header of a filter of so many bytes.
fn is_header(header: &[u8], bitset_bytes: u64) -> bool {
    // Field 1, an `i32`.
    let mut expected = vec![0x15];
    let mut zigzag = bitset_bytes << 1;
    while zigzag > 0x7f {
        expected.push((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    expected.push(zigzag as u8);
    expected.extend(HEADER_END);
    header == expected
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};
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
        (Footers::new(store, kept), named)
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
    fn a_header_that_is_not_of_this_filter_is_told() {
        let header = |size: &[u8]| [&[0x15], size, &HEADER_END].concat();
        assert!(is_header(&header(&[0x40]), 32));
        assert!(is_header(&header(&[0x80, 0x80, 0x10]), 131_072));
        let whole = header(&[0x40]);
        let mut another_hash = whole.clone();
        *another_hash.get_mut(7).expect("the hash's union") = 0x2c;
        let padded = [whole.as_slice(), &[0]].concat();
        for unlike in [&[][..], whole.split_at(10).0, &padded, &another_hash, &header(&[0x41])] {
            assert!(!is_header(unlike, 32), "{unlike:?}");
        }
        assert!(!is_header(&whole, 64));
    }
}
