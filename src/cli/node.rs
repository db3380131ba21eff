//! A running tokenmeter: the rooms put together.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use prometheus::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::data_dir::DataDir;
use crate::alert::Alerts;
use crate::api::keys::{ControlKeys, KeyRing};
use crate::api::{ApiState, App, ReadyCheck, Revisions};
use crate::attribution::Rules;
use crate::config::Config;
use crate::crash;
use crate::lake::{Lake, Maintenance, TableName};
use crate::pipeline::{Books, Parts, Pipeline, PipelineMetrics, Watermarks};
use crate::query::{QueryEngine, WorkerCommand};
use crate::revision::{InForce, keep_correcting};
use crate::source::{AvroDecoders, EventLog, Opened};
use crate::time::{Clock, SystemClock};

/// How long the parts may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// The variable that brings the first API key.
pub const FIRST_KEY: &str = "TOKENMETER_FIRST_KEY";

/// The rooms of one process, running.
pub struct Node {
    /// The tables.
    pub lake: Arc<Lake>,
    /// Where front doors append.
    pub log: Arc<dyn EventLog>,
    /// What looks for anomalies; taken by whoever runs it.
    pub alerts: Option<Alerts>,
    /// Answers questions.
    pub engine: Arc<QueryEngine>,
    /// API keys.
    pub keys: Arc<KeyRing>,
    /// The price book in force.
    pub books: Books,
    /// Metrics.
    pub registry: Registry,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    config: Config,
    data_dir: DataDir,
    /// Why the pipeline has stopped; empty while it runs.
    failure: Arc<Mutex<Option<String>>>,
    /// Stops the tasks.
    stop: CancellationToken,
    /// Says that a task has failed.
    failed: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Reads the configuration and starts tracing.
///
/// # Errors
/// What is wrong with it, and where.
pub fn configure(file: Option<&Path>) -> Result<Config> {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let mut config = Config::load(file, &environment)?;
    if config.lake.url.is_empty() {
        config.lake.url = config.data_dir.join("lake").display().to_string();
    }
    crate::telemetry::start_tracing(&config.telemetry).map_err(anyhow::Error::msg)?;
    Ok(config)
}

impl Node {
    /// Takes the data directory, opens source and lake, and starts the pipeline.
    ///
    /// # Errors
    /// Whatever must not be started with; it names what to do.
    pub async fn start(config: Config) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let books = Books::open(&config.prices)?;
        let rules = Arc::new(Rules::new(&config.attribution)?);
        let data_dir = DataDir::hold(&config.data_dir)?;
        crash::point("start.held");
        let Opened { source, log, publisher, log_id } =
            crate::source::open(&config.source, &config.data_dir).await?;
        crash::point("start.log_opened");
        if let Some(log_id) = &log_id {
            data_dir.own_log(log_id)?;
        }
        crash::point("start.log_owned");
        let lake = Arc::new(Lake::open(&config.lake, clock.clone()).await?);
        crash::point("start.lake_opened");
        books.store(&lake, clock.now()).await.context("storing the price book")?;
        crash::point("start.book_stored");
        let registry = Registry::new();
        let metrics = PipelineMetrics::register(&registry)?;
        for collector in lake.tables().iter().flat_map(|table| table.metrics().collectors()) {
            registry.register(collector)?;
        }
        let watermarks = Arc::new(Mutex::new(Watermarks::default()));
        let parts = Parts {
            lake: lake.clone(),
            books: books.clone(),
            rules,
            decoders: AvroDecoders::new(config.source.registry.clone(), clock.clone())?,
            watermarks: watermarks.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            folder: config.data_dir.clone(),
        };
        let pipeline = Pipeline::open(config.pipeline.clone(), source, parts).await?;
        crash::point("start.identities_read");
        let alerts =
            Alerts::new(config.alert.clone(), lake.clone(), watermarks, publisher, clock.clone());
        let store = Arc::new(ControlKeys::new(lake.table(TableName::Control).clone()));
        let keys = Arc::new(KeyRing::open(store, clock.clone()).await?);
        if let Ok(first) = std::env::var(FIRST_KEY) {
            keys.ensure_first(&first).await.with_context(|| format!("the key in `{FIRST_KEY}`"))?;
        }
        let engine = Arc::new(QueryEngine::new(lake.clone(), config.query.clone())?);
        let mut node = Self {
            lake,
            log,
            alerts: Some(alerts),
            engine,
            keys,
            books,
            registry,
            clock,
            config,
            data_dir,
            failure: Arc::default(),
            stop: CancellationToken::new(),
            failed: CancellationToken::new(),
            tasks: Vec::new(),
        };
        node.spawn(pipeline, metrics);
        Ok(node)
    }

    /// Has questions answered by worker processes, which read the same configuration.
    ///
    /// # Errors
    /// When this program's own file is not known, or what an earlier worker left cannot be deleted.
    pub async fn query_in_workers(&mut self, file: Option<&Path>) -> Result<()> {
        let config = self.config.query.clone();
        if config.workers == 0 {
            return Ok(());
        }
        let spill = self.config.data_dir.join("spill");
        match std::fs::remove_dir_all(&spill) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("emptying `{}`", spill.display()));
            }
            _ => {}
        }
        let mut arguments: Vec<OsString> = vec!["query-worker".into()];
        if let Some(file) = file {
            arguments.extend(["--config".into(), file.into()]);
        }
        let program = std::env::current_exe().context("finding this program's own file")?;
        let lake = self.lake.root().to_string();
        let command = WorkerCommand { program, arguments, spill, lake };
        self.engine = Arc::new(QueryEngine::with_workers(command, config));
        let engine = self.engine.clone();
        self.tasks.push(tokio::spawn(async move { engine.warm().await }));
        Ok(())
    }

    fn spawn(&mut self, pipeline: Pipeline, metrics: PipelineMetrics) {
        let (stop, failed, failure) =
            (self.stop.clone(), self.failed.clone(), self.failure.clone());
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = pipeline.run(stop).await {
                tracing::error!(%error, "the pipeline has stopped");
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error.to_string());
                failed.cancel();
            }
        }));
        let watch = self.books.clone().watch(
            self.lake.clone(),
            metrics,
            self.clock.clone(),
            self.stop.clone(),
        );
        self.tasks.push(tokio::spawn(watch));
        let every = self.config.lake.maintenance.correct_every;
        let correcting = keep_correcting(Lake::clone(&self.lake), every, self.stop.clone());
        self.tasks.push(tokio::spawn(correcting));
        let maintenance = Maintenance::new(self.config.lake.maintenance.clone());
        let lake = Lake::clone(&self.lake);
        self.tasks.push(tokio::spawn(maintenance.run(lake, self.stop.clone())));
    }

    /// Starts looking for anomalies, unless that is switched off.
    pub fn watch_for_anomalies(&mut self) {
        if let Some(alerts) = self.alerts.take().filter(|_| self.config.alert.enabled) {
            self.tasks.push(tokio::spawn(alerts.run(self.stop.clone())));
        }
    }

    /// Serves HTTP until `stop`, or until the pipeline fails; then stops everything.
    ///
    /// # Errors
    /// Why the server could not start, or why the pipeline stopped.
    pub async fn serve(mut self, stop: CancellationToken) -> Result<()> {
        let keys_exist = !self.keys.is_empty();
        let listener = crate::api::bind(&self.config.api, keys_exist).await?;
        let postgres = crate::postgres::bind(&self.config.postgres, keys_exist).await?;
        let url = format!("http://{}", listener.local_addr()?);
        crash::point("start.bound");
        self.data_dir.announce(&url)?;
        tracing::info!(url, lake = %self.lake.root(), "serving");
        if let Some(door) = &postgres {
            tracing::info!(address = %door.address(), "serving PostgreSQL clients");
        }
        let ended = CancellationToken::new();
        let (failed, ending) = (self.failed.clone(), ended.clone());
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, () = failed.cancelled() => {} }
            ending.cancel();
        });
        let app = App::new(self.api_state())?;
        let asked = postgres.map(|door| tokio::spawn(door.serve(app.clone(), ended.clone())));
        let served = crate::api::serve(app, listener, ended.clone()).await;
        ended.cancel();
        if let Some(asked) = asked {
            asked.await?;
        }
        crash::point("stop.served");
        let stopped = self.stop().await;
        served?;
        stopped
    }

    fn api_state(&self) -> ApiState {
        let failure = self.failure.clone();
        let running = move || {
            let failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.clone().map_or(Ok(()), Err)
        };
        ApiState {
            config: self.config.api.clone(),
            clock: self.clock.clone(),
            keys: self.keys.clone(),
            log: Some(self.log.clone()),
            engine: Some(self.engine.clone()),
            books: Some(self.books.clone()),
            revisions: Some(self.revisions()),
            checks: vec![ReadyCheck { name: "pipeline", check: Box::new(running) }],
            registry: self.registry.clone(),
        }
    }

    fn revisions(&self) -> Arc<Revisions> {
        let (prices, rules) = (self.config.prices.clone(), self.config.attribution.clone());
        Revisions::new(self.lake.clone(), InForce { prices, rules })
    }

    /// Commits what waits and leaves.
    ///
    /// # Errors
    /// Why the pipeline stopped, when it did so by itself.
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        let all = futures::future::join_all(self.tasks);
        if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
            tracing::warn!("not all parts have stopped in time; what waits is read again");
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), |why| Err(anyhow::Error::msg(why)))
    }
}

/// Cancelled at the first SIGTERM or Ctrl-C; a second one ends the process at once.
///
/// # Errors
/// When signals cannot be listened for.
pub fn stop_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        for signal in 0..2 {
            #[cfg(unix)]
            tokio::select! { _ = terminate.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
            #[cfg(not(unix))]
            drop(tokio::signal::ctrl_c().await);
            if signal == 0 {
                tracing::info!("stopping: committing what waits; once more to stop at once");
                token.cancel();
            }
        }
        std::process::exit(130);
    });
    Ok(stop)
}
