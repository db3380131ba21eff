//! The tables: whether each opens, whether its files are there, whether its offsets fit the source.

use super::{Finding, clock};
use crate::cli::data_dir::named_log;
use crate::config::Config;
use crate::lake::{self, Table, TableName};
use crate::source::{self, Reach, SourceKind};

/// The tables that could be opened.
pub(super) struct Tables(Vec<Table>);

impl Tables {
    pub(super) fn are_all_there(&self) -> bool {
        self.0.len() == TableName::ALL.len()
    }

    fn calls(&self) -> Option<&Table> {
        self.0.iter().find(|table| table.name() == TableName::Calls)
    }
}

const RESTORE: &str = "restore the file from a copy, or the table to an earlier version";

/// Opens every table that is there.
pub(super) async fn open(config: &Config) -> (Tables, Vec<Finding>) {
    let (mut tables, mut findings) = (Tables(Vec::new()), Vec::new());
    let is_local = !config.lake.url.contains("://");
    if is_local && !std::path::Path::new(&config.lake.url).exists() {
        return (tables, findings);
    }
    let inspected = match lake::inspect(&config.lake, clock()).await {
        Ok(inspected) => inspected,
        Err(error) => {
            let remedy = "correct `lake.url`, or see why the store does not answer";
            findings.push(Finding::wrong("lake", error, remedy));
            return (tables, findings);
        }
    };
    for (_, opened) in inspected {
        match opened {
            Err(error) => findings.push(Finding::wrong("table", error, RESTORE)),
            Ok(table) => {
                match table.damaged_files().await {
                    Err(error) => findings.push(Finding::wrong("table", error, RESTORE)),
                    Ok(damaged) => findings.extend(
                        damaged.into_iter().map(|why| Finding::wrong("data file", why, RESTORE)),
                    ),
                }
                tables.0.push(table);
            }
        }
    }
    (tables, findings)
}

/// Whether reading goes on where the lake says.
pub(super) async fn offsets(config: &Config, tables: &Tables) -> Vec<Finding> {
    let is_spool = config.source.kind == SourceKind::Spool;
    if is_spool && !config.source.spool.path(&config.data_dir).exists() {
        return Vec::new();
    }
    let reaches = match source::inspect(&config.source, &config.data_dir).await {
        Ok(reaches) => reaches,
        Err(error) => {
            let remedy = "see why it does not answer: nothing is read until it does";
            return vec![Finding::wrong("source", error, remedy)];
        }
    };
    let mut findings = Vec::new();
    for reach in &reaches {
        findings.extend(other_log(config, reach));
        let Some(calls) = tables.calls() else { continue };
        match calls.next_offset(&reach.partition.app_id).await {
            Ok(None) => {}
            Ok(Some(next)) => findings.extend(reach.check(next).err().map(|error| {
                Finding::wrong("offsets", error, "the message says what to put back or accept")
            })),
            Err(error) => findings.push(Finding::wrong("offsets", error, RESTORE)),
        }
    }
    findings
}

/// Whether the embedded log is the one that the manifest names.
fn other_log(config: &Config, reach: &Reach) -> Option<Finding> {
    if config.source.kind != SourceKind::Spool {
        return None;
    }
    let named = named_log(&config.data_dir).ok()??;
    let id = reach.partition.app_id.rsplit('/').next().unwrap_or_default();
    (id != named).then(|| {
        let what = format!("the manifest names the log `{named}`, the one here is `{id}`");
        Finding::wrong("spool", what, "put the old one back, or start a new data directory")
    })
}
