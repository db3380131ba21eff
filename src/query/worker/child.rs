//! The worker's side: one question after the other, until the server is gone.

use std::io::{Error, Result};
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_ipc::writer::StreamWriter;
use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use tokio::io::{Stdin, Stdout};
use tokio::sync::mpsc::{self, Sender};

use super::wire::{self, Failure, Kind, QUESTION_BYTES_MAX, Question, Ready};
use crate::lake::{Lake, TableName};
use crate::query::config::QueryConfig;
use crate::query::error::QueryError;
use crate::query::here::Here;
use crate::query::request::{Scope, SqlRequest};

/// Above what runs by default: a query gives way to ingest.
const NICE: i32 = 10;

/// Limits this process's memory, and has it give way to others. Memory beyond the limit ends the
/// process: the allocator has none to give.
///
/// # Errors
/// When the system refuses the limit.
pub fn be_small(config: &QueryConfig) -> Result<()> {
    // Of the limits this one counts what is written to, and not what threads reserve.
    let resource = if cfg!(target_os = "linux") { Resource::Data } else { Resource::As };
    let bytes = u64::try_from(config.worker_memory.0).ok();
    setrlimit(resource, Rlimit { current: bytes, maximum: bytes })?;
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::debug!(%error, "queries keep their priority");
    }
    Ok(())
}

/// Answers questions from standard input on standard output, until that is closed.
///
/// # Errors
/// When the server breaks off in the middle of a frame, or says what is no question.
pub async fn run(lake: Arc<Lake>, config: &QueryConfig, spill: &Path) -> Result<()> {
    let here = Arc::new(Here::for_worker(lake, config, spill).map_err(Error::other)?);
    let mut out = tokio::io::stdout();
    let ready = Ready { lake: here.root() };
    wire::write(&mut out, Kind::Ready, &wire::json(&ready)?).await?;
    let (sender, mut questions) = mpsc::channel(1);
    tokio::spawn(listen(tokio::io::stdin(), sender));
    while let Some((kind, request)) = questions.recv().await {
        let ended = match kind {
            Kind::Describe => describe(&here, &request, &mut out).await?,
            _ => answer(&here, &request, &mut out).await?,
        };
        let failure = ended.err().map(|error| Failure::of(&error));
        wire::write(&mut out, Kind::End, &wire::json(&failure)?).await?;
    }
    Ok(())
}

/// Reads questions. When the server is gone the process ends, whatever it does at that moment:
/// nobody waits for it.
#[allow(clippy::exit)]
async fn listen(mut from: Stdin, questions: Sender<(Kind, SqlRequest)>) {
    while let Ok(Some(asked)) = question(&mut from).await {
        if questions.send(asked).await.is_err() {
            break;
        }
    }
    std::process::exit(0);
}

/// The next question, and whether it is to be answered or described.
async fn question(from: &mut Stdin) -> Result<Option<(Kind, SqlRequest)>> {
    let Some((kind @ (Kind::Question | Kind::Describe), asked)) =
        wire::read(from, QUESTION_BYTES_MAX).await?
    else {
        return Ok(None);
    };
    let Some((Kind::Parameters, row)) = wire::read(from, QUESTION_BYTES_MAX).await? else {
        return Ok(None);
    };
    let Question { sql, rows, tenants, dialect, offset, versions } =
        serde_json::from_slice(&asked)?;
    let parameters = wire::parameters_of(&row).map_err(std::io::Error::other)?;
    let scope = tenants.map_or(Scope::All, Scope::Tenants);
    let versions = versions.iter().filter_map(|(name, at)| Some((TableName::named(name)?, *at)));
    let request = SqlRequest {
        parameters,
        scope,
        limit: Some(rows),
        dialect,
        offset,
        versions: versions.collect(),
        ..SqlRequest::new(sql)
    };
    Ok(Some((kind, request)))
}

/// The errors are as those of [`answer`].
async fn describe(
    here: &Arc<Here>,
    request: &SqlRequest,
    out: &mut Stdout,
) -> Result<std::result::Result<(), QueryError>> {
    let (engine, asked) = (Arc::clone(here), request.clone());
    let described = tokio::spawn(async move { engine.describe(&asked).await }).await;
    let panicked = |_| QueryError::Internal("planning panicked".to_owned());
    let described = match described.map_err(panicked).flatten() {
        Ok(described) => described,
        Err(error) => return Ok(Err(error)),
    };
    let parameters = Schema::new(described.parameters);
    let parameters = wire::columns(&parameters).map_err(Error::other)?;
    wire::write(out, Kind::Parameters, &parameters).await?;
    let columns = wire::columns(&described.schema).map_err(Error::other)?;
    wire::write(out, Kind::Rows, &columns).await?;
    Ok(Ok(()))
}

/// The outer error: the server is gone; the inner one is the question's.
async fn answer(
    here: &Arc<Here>,
    request: &SqlRequest,
    out: &mut Stdout,
) -> Result<std::result::Result<(), QueryError>> {
    // Planning does not yield, nor does every step of an answer: this task is not for them.
    let (engine, asked) = (Arc::clone(here), request.clone());
    let rows = request.limit.unwrap_or_default();
    let started = tokio::spawn(async move { engine.start(&asked, rows).await }).await;
    let panicked = |_| QueryError::Internal("planning panicked".to_owned());
    let mut rows = match started.map_err(panicked).flatten() {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let versions: Vec<(&str, u64)> =
        rows.versions.iter().map(|(table, version)| (TableName::name(*table), *version)).collect();
    wire::write(out, Kind::Versions, &wire::json(&versions)?).await?;
    let arrow = |why: arrow::error::ArrowError| std::io::Error::other(why);
    let mut stream = StreamWriter::try_new(Vec::new(), &rows.schema).map_err(arrow)?;
    wire::write(out, Kind::Rows, &std::mem::take(stream.get_mut())).await?;
    while let Some(batch) = rows.next().await {
        match batch {
            Ok(batch) => stream.write(&batch).map_err(arrow)?,
            Err(error) => return Ok(Err(error)),
        }
        wire::write(out, Kind::Rows, &std::mem::take(stream.get_mut())).await?;
    }
    Ok(Ok(()))
}
