//! The spool's writing end: one thread, one fsync for every append that waits.
//!
//! No space left: appends are answered as retryable, and go on by themselves when there is space
//! again. Any other write error: what was written can no longer be trusted to be durable, so
//! appends are refused until a restart.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, params};
use tokio::sync::{oneshot, watch};

use crate::source::{Appended, EventLog, LogEntry, SourceError};

/// Requests that may wait for the writer; more are told to come again.
const WAITING_MAX: usize = 1_024;
/// Entries that one transaction takes.
const GROUP_MAX: usize = 16_384;

type Reply<T> = oneshot::Sender<Result<T, SourceError>>;

/// What the writer is asked to do.
enum Job {
    Append(Vec<LogEntry>, Reply<Appended>),
    DeleteBelow(i64, Reply<()>),
}

/// The end that front doors write.
#[derive(Debug)]
pub struct SpoolLog {
    jobs: SyncSender<Job>,
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
        let writer = Writer { connection, waiting, written, name: name.clone(), broken: None };
        std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| SourceError::Fatal(format!("cannot start `{name}`: {error}")))?;
        Ok((Arc::new(Self { jobs }), seen))
    }

    /// Deletes entries whose rows are durable in the lake.
    pub(super) async fn delete_below(&self, offset: i64) -> Result<(), SourceError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::DeleteBelow(offset, reply))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    fn ask(&self, job: Job) -> Result<(), SourceError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => SourceError::Retryable {
                what: "appending to the spool".to_owned(),
                why: format!("{WAITING_MAX} requests are waiting already"),
            },
            TrySendError::Disconnected(_) => gone(),
        })
    }
}

#[async_trait]
impl EventLog for SpoolLog {
    async fn append(&self, entries: Vec<LogEntry>) -> Result<Appended, SourceError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Append(entries, reply))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> SourceError {
    SourceError::Fatal("the spool's writer has stopped".to_owned())
}

struct Writer {
    connection: Connection,
    waiting: Receiver<Job>,
    written: watch::Sender<i64>,
    name: String,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(job) = self.waiting.recv() {
            match job {
                Job::Append(entries, reply) => self.append(entries, reply),
                Job::DeleteBelow(offset, reply) => {
                    let deleted = self.delete_below(offset);
                    drop(reply.send(deleted));
                }
            }
        }
    }

    /// Takes everything that waits into one transaction, and answers all of it after its fsync.
    fn append(&mut self, entries: Vec<LogEntry>, reply: Reply<Appended>) {
        let mut count = entries.len();
        let mut group = vec![(entries, reply)];
        let mut deletions = Vec::new();
        while count < GROUP_MAX
            && let Ok(job) = self.waiting.try_recv()
        {
            match job {
                Job::Append(entries, reply) => {
                    count += entries.len();
                    group.push((entries, reply));
                }
                Job::DeleteBelow(offset, reply) => deletions.push((offset, reply)),
            }
        }
        let outcome = self.write(&group);
        for (entries, reply) in group {
            let answer = match &outcome {
                Ok(_) => Ok(Appended { entries: entries.len() }),
                Err(error) => Err(self.refusal(error)),
            };
            drop(reply.send(answer));
        }
        if let Ok(Some(last)) = outcome {
            self.written.send_replace(last.saturating_add(1));
        }
        for (offset, reply) in deletions {
            let deleted = self.delete_below(offset);
            drop(reply.send(deleted));
        }
    }

    /// Says the last offset written.
    fn write(
        &mut self,
        group: &[(Vec<LogEntry>, Reply<Appended>)],
    ) -> Result<Option<i64>, Failure> {
        if self.broken.is_some() {
            return Err(Failure::Broken);
        }
        let written = insert(&mut self.connection, group);
        written.map_err(|error| {
            if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                return Failure::DiskFull;
            }
            tracing::error!(spool = self.name, %error, "appends are refused until a restart");
            self.broken = Some(error.to_string());
            Failure::Broken
        })
    }

    fn refusal(&self, failure: &Failure) -> SourceError {
        let what = format!("appending to the spool `{}`", self.name);
        let why = match failure {
            Failure::DiskFull => "no space left on the device".to_owned(),
            Failure::Broken => format!(
                "an earlier write failed, so appends are refused until a restart: {}",
                self.broken.as_deref().unwrap_or_default()
            ),
        };
        SourceError::Retryable { what, why }
    }

    fn delete_below(&self, offset: i64) -> Result<(), SourceError> {
        let deleted = self.connection.execute("DELETE FROM entries WHERE offset < ?1", [offset]);
        deleted.map(|_| ()).map_err(|error| SourceError::Retryable {
            what: format!("deleting from the spool `{}`", self.name),
            why: error.to_string(),
        })
    }
}

/// Why a group was not written.
enum Failure {
    DiskFull,
    Broken,
}

fn insert(
    connection: &mut Connection,
    group: &[(Vec<LogEntry>, Reply<Appended>)],
) -> rusqlite::Result<Option<i64>> {
    let transaction = connection.transaction()?;
    let mut last = None;
    {
        let query = "INSERT INTO entries (accepted_at, payload) VALUES (?1, ?2)";
        let mut statement = transaction.prepare_cached(query)?;
        for entry in group.iter().flat_map(|(entries, _)| entries) {
            statement.execute(params![entry.accepted_at.micros(), entry.payload.as_ref()])?;
            last = Some(transaction.last_insert_rowid());
        }
    }
    transaction.commit()?;
    Ok(last)
}
