//! The questions of the query bench, and how two engines' answers are compared.

use serde_json::{Value, json};

/// A question in SQL that both engines read.
pub struct Question {
    pub name: &'static str,
    pub sql: &'static str,
}

/// A question is asked again until it took so much CPU time, or so often.
pub const SECONDS_MIN: f64 = 0.6;
pub const RUNS_MAX: u32 = 40;

/// How many of [`QUESTIONS`] make the mean; the others are look-ups.
const IN_THE_MEAN: usize = 8;

/// Eight that a cost team asks of everything, then those of one tenant and of one call: by an id
/// without order, as gateways make them, and by one that grows with time.
static QUESTIONS: [Question; 11] = [
    Question { name: "total", sql: "SELECT count(*) AS calls, sum(cost_usd) AS cost FROM calls" },
    Question {
        name: "by tenant",
        sql: "SELECT tenant, count(*) AS calls, sum(cost_usd) AS cost FROM calls
              GROUP BY tenant ORDER BY tenant",
    },
    Question {
        name: "by day and model",
        sql: "SELECT date, provider, priced_model, sum(cost_usd) AS cost,
                  sum(total_input_tokens) AS read, sum(total_output_tokens) AS written
              FROM calls GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    },
    Question {
        name: "by team, one week",
        sql: "SELECT team, feature, sum(cost_usd) AS cost FROM calls
              WHERE date BETWEEN DATE '2026-10-08' AND DATE '2026-10-14'
              GROUP BY 1, 2 ORDER BY 1, 2",
    },
    Question {
        name: "cache by model",
        sql: "SELECT priced_model, sum(cache_read_text_tokens) AS cached,
                  sum(input_text_tokens) AS fresh, sum(cache_cost_usd) AS cache_cost
              FROM calls GROUP BY 1 ORDER BY 1",
    },
    Question {
        name: "top users",
        sql: "SELECT user_id, sum(cost_usd) AS cost FROM calls
              GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    },
    Question {
        name: "by hour of a day",
        sql: "SELECT CAST(extract(hour FROM occurred_at) AS BIGINT) AS hour,
                  sum(cost_usd) AS cost, max(latency_ms) AS slowest
              FROM calls WHERE date = DATE '2026-10-20' GROUP BY 1 ORDER BY 1",
    },
    Question {
        name: "slow and dear",
        sql: "SELECT tenant, team, count(*) AS calls, sum(cost_usd) AS cost FROM calls
              WHERE latency_ms > 8000 AND output_reasoning_tokens > 300
              GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 20",
    },
    Question {
        name: "one tenant",
        sql: "SELECT date, feature, sum(cost_usd) AS cost FROM calls
              WHERE tenant = 'tenant-7' GROUP BY 1, 2 ORDER BY 1, 2",
    },
    Question {
        name: "one event",
        sql: "SELECT tenant, priced_model, cost_usd FROM calls
              WHERE event_id = '599ed017-fb08-fc85-86bf-2042062b0cc9'",
    },
    Question {
        name: "one id of an order",
        sql: "SELECT tenant, priced_model, cost_usd FROM calls
              WHERE provider_response_id = 'resp-01234567'",
    },
];

/// Those whose names have a part that the command names; without one, all.
pub fn chosen() -> impl Iterator<Item = &'static Question> {
    let parts = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let parts: Vec<String> = parts.collect();
    let is_chosen = move |question: &&Question| {
        parts.is_empty() || parts.iter().any(|part| question.name.contains(part.as_str()))
    };
    QUESTIONS.iter().filter(is_chosen)
}

/// What another process needs to ask the same.
pub fn as_json() -> Value {
    let questions = chosen().map(|question| [question.name, question.sql]);
    let questions: Vec<_> = questions.collect();
    json!({"questions": questions, "seconds_min": SECONDS_MIN, "runs_max": RUNS_MAX})
}

/// One engine's answers.
pub struct Asked {
    answers: Vec<(String, f64, Value)>,
    peak_mib: u64,
}

impl Asked {
    /// Reads what an engine's process printed last.
    pub fn read(output: &[u8]) -> Self {
        let text = String::from_utf8_lossy(output);
        let last = text.lines().last().expect("an answer");
        let read: Value = serde_json::from_str(last).expect("JSON");
        let answers = read["answers"].as_array().expect("answers").iter().map(|answer| {
            let seconds = answer["cpu_seconds"].as_f64().expect("seconds");
            (answer["name"].as_str().expect("a name").to_owned(), seconds, plain(&answer["rows"]))
        });
        let answers = answers.collect();
        Self { answers, peak_mib: read["peak_mib"].as_u64().expect("a peak") }
    }
}

impl Asked {
    /// Of two rounds of one engine the lesser CPU time of each question, and the higher peak.
    pub fn or_less(mut self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        for (own, other) in self.answers.iter_mut().zip(earlier.answers) {
            assert_eq!((&own.0, &own.2), (&other.0, &other.2), "two rounds disagree");
            own.1 = own.1.min(other.1);
        }
        self.peak_mib = self.peak_mib.max(earlier.peak_mib);
        self
    }
}

/// Rows with their numbers in one spelling.
fn plain(rows: &Value) -> Value {
    match rows {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::String(text) if text.contains('.') && text.parse::<f64>().is_ok() => {
            Value::String(text.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        other => other.clone(),
    }
}

/// CPU time alone.
pub fn print(ours: &Asked) {
    for (name, seconds, _) in &ours.answers {
        println!("{name:<20}{:>10.1} ms", seconds * 1e3);
    }
    println!("{:<20}{:>10} MiB", "peak", ours.peak_mib);
}

/// Both and their ratio. Answers that differ end the bench.
pub fn compare(ours: &Asked, theirs: &Asked) {
    println!("{:<20}{:>12}{:>12}{:>8}", "CPU time", "tokenmeter", "DuckDB", "ratio");
    let mut logarithms = Vec::new();
    for (own, other) in ours.answers.iter().zip(&theirs.answers) {
        assert_eq!((&own.0, &own.2), (&other.0, &other.2), "the two disagree");
        let ratio = own.1 / other.1;
        println!("{:<20}{:>9.1} ms{:>9.1} ms{ratio:>8.2}", own.0, own.1 * 1e3, other.1 * 1e3);
        logarithms.push(ratio.ln());
    }
    if logarithms.len() == QUESTIONS.len() {
        let mean = logarithms.iter().take(IN_THE_MEAN).sum::<f64>() / IN_THE_MEAN as f64;
        println!("{:<20}{:>32.2}", "mean of eight", mean.exp());
    }
    println!("{:<20}{:>8} MiB{:>8} MiB", "peak memory", ours.peak_mib, theirs.peak_mib);
}
