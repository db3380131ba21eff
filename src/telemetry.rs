//! Tracing and metrics start-up.
//!
//! Logs go to standard error, so that standard output is a command's answer. Metrics live in a
//! registry that is made here and handed to each room; there is no global one.

use std::io::IsTerminal;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What the process tells about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// A `tracing` filter: `info`, `tokenmeter=debug`.
    pub log: String,
    /// Lines or JSON.
    pub log_format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "warn,tokenmeter=info".to_owned(), log_format: LogFormat::Text }
    }
}

/// Starts tracing; a second call in one process changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_tracing(config: &TelemetryConfig) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| format!("`telemetry.log` = `{}`: {error}", config.log))?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal);
    // A line that cannot be written, for the disk is full, is lost; to complain about it on
    // standard error would panic.
    let lines = lines.with_writer(std::io::stderr).log_internal_errors(false);
    let started = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use prometheus::Registry;
    use prometheus::core::Collector;

    use crate::api::ApiMetrics;
    use crate::lake::{TableMetrics, TableName};
    use crate::pipeline::PipelineMetrics;

    const HEAD: &str = "# Metrics\n\n\
        `GET /metrics` in the text format of Prometheus. This page is generated\n\
        (`UPDATE_DOCS=1 cargo test --lib telemetry`). What to be woken for:\n\n\
        | alarm | means |\n|---|---|\n\
        | `time() - tokenmeter_last_commit_timestamp_seconds > 300` while \
        `tokenmeter_source_lag > 0` \
        | nothing reaches the table: see `/readyz` and the log |\n\
        | `tokenmeter_oldest_unflushed_seconds > 60` \
        | the lake does not take commits: full disk, store away |\n\
        | `increase(tokenmeter_commits_total{outcome=\"failed\"}[10m]) > 3` \
        | writes fail; they are tried again |\n\
        | `increase(tokenmeter_dead_letters_total{reason!=\"duplicate\"}[1h]) > 0` \
        | events were rejected: `tokenmeter dead-letters list` |\n\
        | `increase(tokenmeter_maintenance_total{done=\"duplicate_found\"}[1d]) > 0` \
        | a closed day counts a call twice: `tokenmeter doctor` |\n\
        | `tokenmeter_price_book_stale == 1` | prices were not looked at for 60 days |\n\
        | `increase(tokenmeter_unpriced_calls_total[1h]) > 0` \
        | a model has no price: `tokenmeter prices coverage` |\n\n\
        | metric | type | labels | meaning |\n|---|---|---|---|\n";

    /// A label's values where they are known beforehand.
    fn labels(collector: &dyn Collector) -> String {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for family in collector.collect() {
            for pair in family.get_metric().iter().flat_map(|metric| metric.get_label()) {
                let known = values.entry(pair.name().to_owned()).or_default();
                known.insert(format!("`{}`", pair.value()));
            }
        }
        let desc = collector.desc();
        let names = desc.iter().flat_map(|desc| desc.variable_labels.iter());
        for name in names {
            values.entry(name.clone()).or_default();
        }
        let told = values.into_iter().map(|(name, values)| {
            let values: Vec<String> = values.into_iter().collect();
            let colon = if values.is_empty() || name == "table" { "" } else { ": " };
            let values = if name == "table" { String::new() } else { values.join(" ") };
            format!("`{name}`{colon}{values}")
        });
        told.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_page_of_metrics_is_current() {
        let pipeline = PipelineMetrics::register(&Registry::new()).expect("metrics");
        let api = ApiMetrics::register(&Registry::new()).expect("metrics");
        let table = TableMetrics::new(TableName::Calls).expect("metrics");
        let all = [pipeline.collectors(), table.collectors(), api.collectors()];
        let rows = all.iter().flatten().flat_map(|collector| {
            collector.collect().into_iter().map(|family| {
                let kind = format!("{:?}", family.get_field_type()).to_lowercase();
                let (name, help) = (family.name(), family.help());
                format!("| `{name}` | {kind} | {} | {help} |\n", labels(collector.as_ref()))
            })
        });
        let current = HEAD.to_owned() + &rows.collect::<String>();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if found != current && std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &current).expect("the page");
            return;
        }
        assert_eq!(found, current, "write it anew: UPDATE_DOCS=1 cargo test --lib telemetry");
    }
}
