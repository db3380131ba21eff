//! What the rows of the last day say about themselves.

use std::path::Path;

use serde_json::Value;

use super::Finding;
use crate::cli::ask::Place;

/// A figure that should be 0; its statement answers a count and, where there is one, an example.
struct Figure {
    check: &'static str,
    sql: &'static str,
    /// What is counted.
    counted: &'static str,
    remedy: &'static str,
    is_wrong: bool,
}

const FIGURES: [Figure; 6] = [
    Figure {
        check: "duplicates",
        sql: "SELECT count(*), min(event_id) FROM (SELECT identity_hash, min(event_id) AS event_id
              FROM calls WHERE ingested_at > now() - INTERVAL '2 days'
              GROUP BY identity_hash HAVING count(*) > 1)",
        counted: "identities are in `calls` twice",
        remedy: "tell the maintainers: this must never be; keep the table as it is",
        is_wrong: true,
    },
    Figure {
        check: "day closes",
        sql: "SELECT count(*), min(CAST(day AS TEXT)) FROM (SELECT day, duplicates,
              row_number() OVER (PARTITION BY day ORDER BY closed_at DESC) AS nth FROM day_closes)
              WHERE nth = 1 AND duplicates > 0",
        counted: "closed days have identities twice in `calls`",
        remedy: "tell the maintainers: this must never be; keep the table as it is",
        is_wrong: true,
    },
    Figure {
        check: "clock",
        sql: "SELECT count(*), min(event_id) FROM calls
              WHERE date >= current_date - 2 AND ingested_at > now() + INTERVAL '5 minutes'",
        counted: "rows were ingested in the future of this machine's clock",
        remedy: "set the clocks of the machines that ingest and of this one by NTP",
        is_wrong: true,
    },
    Figure {
        check: "unpriced",
        sql: "SELECT count(*), min(concat(provider, ' ', coalesce(response_model, request_model)))
              FROM calls WHERE date >= current_date - 1 AND cost_status = 'unpriced'",
        counted: "calls since yesterday have no price",
        remedy: "`tokenmeter prices coverage` names the models; then `tokenmeter revise`",
        is_wrong: false,
    },
    Figure {
        check: "conflicts",
        sql: "SELECT count(*), min(event_id) FROM dead_letters
              WHERE date >= current_date - 1 AND reason = 'conflict'",
        counted: "events since yesterday had the identity of another one, with other content",
        remedy: "a sender reuses its event ids: see `tokenmeter dead-letters list`",
        is_wrong: false,
    },
    Figure {
        check: "dead letters",
        sql: "SELECT count(*), min(reason) FROM dead_letters WHERE date >= current_date - 1
              AND reason NOT IN ('duplicate', 'conflict')",
        counted: "events since yesterday were rejected",
        remedy: "`tokenmeter dead-letters list` says why, and whose they are",
        is_wrong: false,
    },
];

/// Asks for every figure.
pub(super) async fn look(config: Option<&Path>) -> Vec<Finding> {
    let place = match Place::find(None, config).await {
        Ok(place) => place,
        Err(error) => {
            return vec![Finding::wrong("query", format!("{error:#}"), "see the message")];
        }
    };
    let mut findings = Vec::new();
    for figure in &FIGURES {
        match place.rows(figure.sql, &[]).await {
            Ok(answer) => findings.extend(answer.rows.first().and_then(|row| figure.judge(row))),
            // A server with keys answers nobody else.
            Err(error) => {
                let remedy = "with API keys, set `TOKENMETER_KEY` to an admin's";
                findings.push(Finding::note("query", format!("{error:#}"), remedy));
                break;
            }
        }
    }
    findings
}

impl Figure {
    fn judge(&self, row: &[Value]) -> Option<Finding> {
        let count = row.first().and_then(Value::as_i64).filter(|count| *count > 0)?;
        let example = row.get(1).and_then(Value::as_str).unwrap_or_default();
        let what = format!("{count} {}, such as `{example}`", self.counted);
        Some(match self.is_wrong {
            true => Finding::wrong(self.check, what, self.remedy),
            false => Finding::note(self.check, what, self.remedy),
        })
    }
}
