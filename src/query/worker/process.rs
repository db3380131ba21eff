//! One worker process, as the server sees it.

use std::io::{Error, ErrorKind, Result};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::{StreamDecoder, StreamReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::pool::WorkerCommand;
use super::wire::{self, Failure, Kind, QUESTION_BYTES_MAX, Question, Ready};
use crate::lake::TableName;
use crate::query::error::QueryError;
use crate::query::request::{Described, Scope, SqlRequest};

/// Room for what surrounds the rows in a frame.
const FRAME_BYTES: usize = 1 << 20;

/// A worker; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    /// Whether it waits for a question.
    is_idle: bool,
    /// What it spills to; deleted with it, for a killed process leaves its files.
    _spill: tempfile::TempDir,
}

/// What a worker says next of a question.
pub(super) enum Said {
    Rows(RecordBatch),
    End,
}

/// The decoder of one answer.
pub(super) struct Reading {
    decoder: StreamDecoder,
    left: Buffer,
    bytes_max: usize,
}

impl Worker {
    /// Starts a process and waits until it has opened the lake.
    ///
    /// # Errors
    /// When it does not start, or opens another lake.
    pub(super) async fn start(command: &WorkerCommand) -> Result<Self> {
        std::fs::create_dir_all(&command.spill)?;
        let spill = tempfile::TempDir::new_in(&command.spill)?;
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            .arg("--spill")
            .arg(spill.path())
            // A server that is told to die at some point does not mean its workers.
            .env_remove("TOKENMETER_CRASH")
            // What the allocator only keeps for later must not count as used.
            .env("_RJEM_MALLOC_CONF", "retain:false")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let piped = |what: &str| Error::other(format!("no {what}"));
        let to = child.stdin.take().ok_or_else(|| piped("input"))?;
        let mut from = child.stdout.take().ok_or_else(|| piped("output"))?;
        let ready = match wire::read(&mut from, FRAME_BYTES).await? {
            Some((Kind::Ready, ready)) => serde_json::from_slice::<Ready>(&ready)?,
            _ => return Err(Error::other("the worker ended before it was ready: see its log")),
        };
        if ready.lake != command.lake {
            let why = format!("the worker has opened `{}`: restart the server", ready.lake);
            return Err(Error::other(why));
        }
        Ok(Self { child, to, from, is_idle: true, _spill: spill })
    }

    /// Whether it runs and waits for a question.
    pub(super) fn is_idle(&mut self) -> bool {
        self.is_idle && matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether somebody ended it from outside: an allocator that has no memory to give aborts.
    pub(super) async fn was_killed(&mut self) -> bool {
        if self.is_idle {
            return false;
        }
        const SIGKILL: i32 = 9;
        let ended = tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await;
        matches!(ended, Ok(Ok(status)) if status.signal() == Some(SIGKILL))
    }

    /// Asks a question and waits for the versions and columns of its answer.
    ///
    /// # Errors
    /// What the question's error is, or that the worker ended over it.
    pub(super) async fn ask(
        &mut self,
        request: &SqlRequest,
        rows: usize,
        bytes_max: usize,
    ) -> std::result::Result<(Vec<(TableName, u64)>, SchemaRef, Reading), QueryError> {
        self.send(Kind::Question, request, rows).await?;
        let decoder = StreamDecoder::new();
        let mut reading = Reading { decoder, left: Buffer::default(), bytes_max };
        let versions = match self.read(bytes_max).await? {
            (Kind::Versions, bytes) => versions_of(&bytes)?,
            (Kind::End, bytes) => return Err(failure(&bytes)),
            _ => return Err(confused()),
        };
        let (Kind::Rows, bytes) = self.read(bytes_max).await? else { return Err(confused()) };
        // The decoder itself tells the columns only with the first rows.
        let columns = StreamReader::try_new(bytes.as_slice(), None).map_err(|_| confused())?;
        let schema = columns.schema();
        reading.left = Buffer::from_vec(bytes);
        Ok((versions, schema, reading))
    }

    /// Has a question described.
    ///
    /// # Errors
    /// As [`Worker::ask`].
    pub(super) async fn describe(
        &mut self,
        request: &SqlRequest,
        bytes_max: usize,
    ) -> std::result::Result<Described, QueryError> {
        self.send(Kind::Describe, request, 0).await?;
        let parameters = match self.read(bytes_max).await? {
            (Kind::Parameters, bytes) => wire::columns_of(&bytes)?.fields().to_vec(),
            (Kind::End, bytes) => return Err(failure(&bytes)),
            _ => return Err(confused()),
        };
        let (Kind::Rows, bytes) = self.read(bytes_max).await? else { return Err(confused()) };
        let schema = wire::columns_of(&bytes)?;
        match self.read(bytes_max).await? {
            (Kind::End, bytes) if bytes == b"null" => Ok(Described { parameters, schema }),
            _ => Err(confused()),
        }
    }

    async fn send(
        &mut self,
        kind: Kind,
        request: &SqlRequest,
        rows: usize,
    ) -> std::result::Result<(), QueryError> {
        let tenants = match &request.scope {
            Scope::All => None,
            Scope::Tenants(tenants) => Some(tenants.clone()),
        };
        let versions = request.versions.iter();
        let versions = versions.map(|(table, version)| (table.name().to_owned(), *version));
        let question = Question {
            sql: request.sql.clone(),
            rows,
            tenants,
            dialect: request.dialect,
            offset: request.offset,
            versions: versions.collect(),
        };
        let parameters = wire::parameters(&request.parameters)?;
        if request.sql.len().max(parameters.len()) > QUESTION_BYTES_MAX / 2 {
            return Err(QueryError::TooLarge("the statement's parameters are too large".into()));
        }
        self.is_idle = false;
        let sent = async {
            wire::write(&mut self.to, kind, &wire::json(&question)?).await?;
            wire::write(&mut self.to, Kind::Parameters, &parameters).await
        };
        sent.await.map_err(|error| ended(&error))
    }

    /// The next rows of the answer that is read.
    ///
    /// # Errors
    /// As [`Worker::ask`].
    pub(super) async fn next(
        &mut self,
        reading: &mut Reading,
    ) -> std::result::Result<Said, QueryError> {
        loop {
            if let Some(batch) = reading.next()? {
                return Ok(Said::Rows(batch));
            }
            match self.read(reading.bytes_max).await? {
                (Kind::Rows, bytes) => reading.left = Buffer::from_vec(bytes),
                (Kind::End, bytes) if bytes == b"null" => return Ok(Said::End),
                (Kind::End, bytes) => return Err(failure(&bytes)),
                _ => return Err(confused()),
            }
        }
    }

    async fn read(&mut self, bytes_max: usize) -> std::result::Result<(Kind, Vec<u8>), QueryError> {
        let limit = bytes_max.saturating_add(FRAME_BYTES);
        match wire::read(&mut self.from, limit).await {
            Ok(Some(frame)) => {
                self.is_idle = frame.0 == Kind::End;
                Ok(frame)
            }
            Ok(None) => Err(QueryError::out_of_memory()),
            Err(error) => Err(ended(&error)),
        }
    }
}

impl Reading {
    fn next(&mut self) -> std::result::Result<Option<RecordBatch>, QueryError> {
        let broken = |why: arrow::error::ArrowError| QueryError::Internal(why.to_string());
        self.decoder.decode(&mut self.left).map_err(broken)
    }
}

fn versions_of(bytes: &[u8]) -> std::result::Result<Vec<(TableName, u64)>, QueryError> {
    let told: Vec<(String, u64)> = serde_json::from_slice(bytes).map_err(|_| confused())?;
    let named = told.into_iter().map(|(name, version)| Some((TableName::named(&name)?, version)));
    named.collect::<Option<_>>().ok_or_else(confused)
}

fn failure(bytes: &[u8]) -> QueryError {
    match serde_json::from_slice::<Option<Failure>>(bytes) {
        Ok(Some(failure)) => failure.into_error(),
        _ => confused(),
    }
}

/// A process that is gone was ended by its limit of memory: nothing else ends it.
fn ended(error: &Error) -> QueryError {
    match error.kind() {
        ErrorKind::FileTooLarge => {
            QueryError::TooLarge("the answer is too large: ask for less at a time".to_owned())
        }
        _ => QueryError::out_of_memory(),
    }
}

fn confused() -> QueryError {
    QueryError::Internal("a worker's answer cannot be read".to_owned())
}
