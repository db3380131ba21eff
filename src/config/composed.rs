//! The whole configuration: each room's own part.

use std::path::PathBuf;

use serde::Deserialize;

use crate::alert::AlertConfig;
use crate::api::ApiConfig;
use crate::attribution::RulesConfig;
use crate::lake::LakeConfig;
use crate::pipeline::PipelineConfig;
use crate::postgres::PostgresConfig;
use crate::pricing;
use crate::query::QueryConfig;
use crate::source::SourceConfig;
use crate::telemetry::TelemetryConfig;

/// Everything the process is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the embedded default keeps its log and its tables.
    pub data_dir: PathBuf,
    /// Price books, in layers over the built-in one.
    pub prices: pricing::Config,
    /// The tables.
    pub lake: LakeConfig,
    /// Where events come from.
    pub source: SourceConfig,
    /// How they are metered and committed.
    pub pipeline: PipelineConfig,
    /// Who calls are for.
    pub attribution: RulesConfig,
    /// Queries.
    pub query: QueryConfig,
    /// Anomalies.
    pub alert: AlertConfig,
    /// HTTP.
    pub api: ApiConfig,
    /// PostgreSQL's wire.
    pub postgres: PostgresConfig,
    /// Logs.
    pub telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("tokenmeter-data"),
            prices: pricing::Config::default(),
            lake: LakeConfig::default(),
            source: SourceConfig::default(),
            pipeline: PipelineConfig::default(),
            attribution: RulesConfig::default(),
            query: QueryConfig::default(),
            alert: AlertConfig::default(),
            api: ApiConfig::default(),
            postgres: PostgresConfig::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}
