//! The spool's writing end: one thread, one fsync for every append that waits.
//!
//! No space left: appends are answered as retryable, and go on by themselves when there is space
//! again. Any other write error: what was written can no longer be trusted to be durable, so
//! appends are refused until a restart.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, ffi, params};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::crash;
use crate::source::{Appended, EventLog, LogEntry, SourceError};

/// Requests that may wait for the writer; more are told to come again.
const WAITING_MAX: usize = 1_024;
/// KiB that may wait for the writer, and so the size of a group.
const WAITING_KIB_MAX: u32 = 128 * 1_024;
/// Bytes written to the write-ahead log before it is moved into the file.
const CHECKPOINT_BYTES: usize = 4 << 20;
/// What a transaction writes at least: a few pages.
const TRANSACTION_BYTES: usize = 16 << 10;

type Reply<T> = oneshot::Sender<Result<T, SourceError>>;

/// Entries that wait, who waits for them, and the room that they take while they do.
struct Request {
    entries: Vec<LogEntry>,
    reply: Reply<Appended>,
    _room: OwnedSemaphorePermit,
}

/// What the writer is asked to do.
enum Job {
    Append(Request),
    DeleteBelow(i64, Reply<()>),
}

/// The end that front doors write.
#[derive(Debug)]
pub struct SpoolLog {
    jobs: SyncSender<Job>,
    room: Arc<Semaphore>,
}

impl SpoolLog {
    /// Starts the writer; the second part says the offset after the last one that is durable.
    pub(super) fn start(
        connection: Connection,
        high: i64,
        path: &Path,
    ) -> Result<(Arc<Self>, watch::Receiver<i64>), SourceError> {
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let (written, seen) = watch::channel(high);
        let name = path.display().to_string();
        let writer = Writer {
            connection,
            waiting,
            written,
            name: name.clone(),
            unchecked_bytes: 0,
            broken: None,
        };
        std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| SourceError::Fatal(format!("cannot start `{name}`: {error}")))?;
        let room = Arc::new(Semaphore::new(WAITING_KIB_MAX as usize));
        Ok((Arc::new(Self { jobs, room }), seen))
    }

    /// Deletes entries whose rows are durable in the lake.
    pub(in crate::source) async fn delete_below(&self, offset: i64) -> Result<(), SourceError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::DeleteBelow(offset, reply))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    fn ask(&self, job: Job) -> Result<(), SourceError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => busy(format!("{WAITING_MAX} requests are waiting already")),
            TrySendError::Disconnected(_) => gone(),
        })
    }
}

#[async_trait]
impl EventLog for SpoolLog {
    async fn append(&self, entries: Vec<LogEntry>) -> Result<Appended, SourceError> {
        let kib = bytes_of(&entries) / 1_024 + 1;
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(WAITING_KIB_MAX);
        let room =
            self.room.clone().try_acquire_many_owned(kib).map_err(|_| {
                busy(format!("{} MiB are waiting already", WAITING_KIB_MAX / 1_024))
            })?;
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Append(Request { entries, reply, _room: room }))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn bytes_of(entries: &[LogEntry]) -> usize {
    entries.iter().map(|entry| entry.payload.len()).sum()
}

fn busy(why: String) -> SourceError {
    SourceError::Retryable { what: "appending to the spool".to_owned(), why }
}

fn gone() -> SourceError {
    SourceError::Fatal("the spool's writer has stopped".to_owned())
}

struct Writer {
    connection: Connection,
    waiting: Receiver<Job>,
    written: watch::Sender<i64>,
    name: String,
    /// About what the write-ahead log holds.
    unchecked_bytes: usize,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(job) = self.waiting.recv() {
            match job {
                Job::Append(request) => self.append(request),
                Job::DeleteBelow(offset, reply) => self.delete(offset, reply),
            }
            if self.unchecked_bytes >= CHECKPOINT_BYTES && self.broken.is_none() {
                self.checkpoint();
            }
        }
    }

    /// Takes everything that waits into one transaction, and answers all of it after its fsync.
    fn append(&mut self, first: Request) {
        let mut group = vec![first];
        let mut deletions = Vec::new();
        while group.len() < WAITING_MAX
            && let Ok(job) = self.waiting.try_recv()
        {
            match job {
                Job::Append(request) => group.push(request),
                Job::DeleteBelow(offset, reply) => deletions.push((offset, reply)),
            }
        }
        crash::point("spool.gathered");
        let outcome = self.write("appending to", |connection| insert(connection, &group));
        crash::point("spool.durable");
        if let Ok(Some(last)) = outcome {
            self.written.send_replace(last.saturating_add(1));
        }
        self.unchecked_bytes +=
            group.iter().map(|request| bytes_of(&request.entries)).sum::<usize>();
        crash::point("spool.published");
        for Request { entries, reply, .. } in group {
            let answer = outcome.as_ref().map(|_| Appended { entries: entries.len() });
            drop(reply.send(answer.map_err(Failure::to_error)));
        }
        crash::point("spool.answered");
        for (offset, reply) in deletions {
            self.delete(offset, reply);
        }
    }

    fn delete(&mut self, offset: i64, reply: Reply<()>) {
        crash::point("spool.deleting");
        let deleted = self.write("deleting from", |connection| {
            connection.execute("DELETE FROM entries WHERE offset < ?1", [offset])
        });
        crash::point("spool.deleted");
        drop(reply.send(deleted.map(|_| ()).map_err(|failure| failure.to_error())));
    }

    /// Moves the write-ahead log into the file. Done here, and not by SQLite on its own, because
    /// only so a failed fsync is seen.
    fn checkpoint(&mut self) {
        crash::point("spool.checkpointing");
        let moved = self.write("checkpointing", |connection| {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        });
        crash::point("spool.checkpointed");
        if let Err(failure) = moved {
            tracing::warn!(error = %failure.to_error(), "the spool's write-ahead log grows");
        }
        self.unchecked_bytes = 0;
    }

    /// Writes, unless a write has failed before.
    fn write<T>(
        &mut self,
        doing: &'static str,
        write: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let what = format!("{doing} the spool `{}`", self.name);
        if let Some(why) = &self.broken {
            return Err(Failure { what, why: why.clone() });
        }
        self.unchecked_bytes += TRANSACTION_BYTES;
        let error = match write(&mut self.connection) {
            Ok(written) => return Ok(written),
            Err(error) => error,
        };
        if let Some(why) = passing(&error) {
            return Err(Failure { what, why: why.to_owned() });
        }
        tracing::error!(spool = self.name, %error, "the spool takes nothing until a restart");
        let why = format!("a write failed, so nothing is taken until a restart: {error}");
        self.broken = Some(why.clone());
        Err(Failure { what, why })
    }
}

/// Why something was not written; every caller of a group is told.
struct Failure {
    what: String,
    why: String,
}

impl Failure {
    fn to_error(&self) -> SourceError {
        SourceError::Retryable { what: self.what.clone(), why: self.why.clone() }
    }
}

/// Why nothing was written, when that passes by itself. The shared-memory file's growth fails with
/// a code of its own.
fn passing(error: &rusqlite::Error) -> Option<&'static str> {
    let error = error.sqlite_error()?;
    match (error.code, error.extended_code) {
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => {
            Some("no space left on the device, or `source.spool.size_max` is reached")
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
            Some("another process holds the file")
        }
        _ => None,
    }
}

/// Says the last offset written.
fn insert(connection: &mut Connection, group: &[Request]) -> rusqlite::Result<Option<i64>> {
    let transaction = connection.transaction()?;
    let mut last = None;
    {
        let query = "INSERT INTO entries (accepted_at, payload) VALUES (?1, ?2)";
        let mut statement = transaction.prepare_cached(query)?;
        for entry in group.iter().flat_map(|request| &request.entries) {
            statement.execute(params![entry.accepted_at.micros(), entry.payload.as_ref()])?;
            last = Some(transaction.last_insert_rowid());
        }
    }
    crash::point("spool.inserted");
    transaction.commit()?;
    Ok(last)
}
