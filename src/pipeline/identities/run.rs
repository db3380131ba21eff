//! A run: identities and what is kept of their rows, sorted, in a file.
//!
//! The file has no name: it ends with the process, and no later one takes it for its own.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A hash's bytes.
pub type Hash = [u8; 16];

/// What is kept of a counted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its content hash.
    pub content: Hash,
    /// Whether a later event will finalize it.
    pub is_provisional: bool,
}

/// A row's identity, and what is kept of it.
pub type Entry = (Hash, Held);

/// Bytes of an entry: two hashes and a flag.
const ENTRY: usize = 33;
/// Entries that a look-up reads.
const BLOCK: usize = 124;
/// What is written, or read on end, at once.
const BUFFER: usize = 256 << 10;

/// Identities sorted by their hash, each once.
#[derive(Debug)]
pub struct Run {
    file: File,
    /// The first hash of each block.
    firsts: Vec<Hash>,
    count: usize,
}

impl Run {
    /// Writes entries that are sorted by their hash.
    ///
    /// # Errors
    /// When the folder takes no more, or an entry could not be had.
    pub fn write(
        folder: &Path,
        sorted: impl Iterator<Item = io::Result<Entry>>,
    ) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(folder)?);
        let (mut firsts, mut count) = (Vec::new(), 0);
        for entry in sorted {
            let (hash, held) = entry?;
            if count % BLOCK == 0 {
                firsts.push(hash);
            }
            out.write_all(&hash)?;
            out.write_all(&held.content)?;
            out.write_all(&[u8::from(held.is_provisional)])?;
            count += 1;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { file, firsts, count })
    }

    /// One run of two; what the newer says of an identity holds.
    ///
    /// # Errors
    /// When one cannot be read or the folder takes no more.
    pub fn merge(folder: &Path, newer: &Self, older: &Self) -> io::Result<Self> {
        let (mut newer, mut older) = (newer.entries().peekable(), older.entries().peekable());
        let next = std::iter::from_fn(|| match (newer.peek(), older.peek()) {
            (Some(Ok((new, _))), Some(Ok((old, _)))) => {
                if new == old {
                    older.next();
                    newer.next()
                } else if new < old {
                    newer.next()
                } else {
                    older.next()
                }
            }
            (Some(Ok(_)), Some(Err(_))) | (None, _) => older.next(),
            (Some(_), _) => newer.next(),
        });
        Self::write(folder, next)
    }

    /// What is kept of an identity.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, hash: &Hash) -> io::Result<Option<Held>> {
        let Some(block) = self.firsts.partition_point(|first| first <= hash).checked_sub(1) else {
            return Ok(None);
        };
        let first = block * BLOCK;
        let mut bytes = [0; BLOCK * ENTRY];
        let length = self.count.saturating_sub(first).min(BLOCK) * ENTRY;
        let (bytes, _) = bytes.split_at_mut(length);
        self.file.read_exact_at(bytes, offset_of(first))?;
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        let found = entries.binary_search_by(|entry| parse(entry).0.cmp(hash));
        Ok(found.ok().and_then(|at| entries.get(at)).map(|entry| parse(entry).1))
    }

    /// How many identities are in it.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The memory that it takes.
    pub const fn bytes(&self) -> usize {
        self.firsts.capacity() * size_of::<Hash>()
    }

    /// What it takes on the disk.
    pub const fn disk_bytes(&self) -> usize {
        self.count * ENTRY
    }

    fn entries(&self) -> impl Iterator<Item = io::Result<Entry>> {
        let mut from = BufReader::with_capacity(BUFFER, At { file: &self.file, offset: 0 });
        (0..self.count).map(move |_| {
            let mut entry = [0; ENTRY];
            from.read_exact(&mut entry)?;
            Ok(parse(&entry))
        })
    }
}

/// Reads a file from a place of its own.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

const fn offset_of(entry: usize) -> u64 {
    entry as u64 * ENTRY as u64
}

fn parse(entry: &[u8; ENTRY]) -> Entry {
    let (mut hash, mut content) = (Hash::default(), Hash::default());
    let (hashes, flag) = entry.split_at(ENTRY - 1);
    let (first, second) = hashes.split_at(size_of::<Hash>());
    hash.copy_from_slice(first);
    content.copy_from_slice(second);
    (hash, Held { content, is_provisional: flag != [0] })
}
