//! A known mix of calls without a price: the same shares as a SQL answer, a metric and a line of
//! `costs`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, output, tokenmeter};

/// Model, calls, tokens of each call; one has a price.
const MIX: [(&str, usize, u64); 4] = [
    ("gpt-5-mini", 40, 1_000),
    ("house-model-1", 30, 500),
    ("house-model-2", 25, 100),
    ("house-model-3", 5, 500),
];

fn events() -> Vec<Value> {
    let calls = |(model, calls, tokens): (&str, usize, u64)| {
        let model = model.to_owned();
        (0..calls).map(move |number| {
            json!({"event_id": format!("{model}-{number}"), "source": "mix", "provider": "openai",
                "api": "chat.completions", "model": model, "tenant": "acme",
                "occurred_at": jiff::Timestamp::now().to_string(),
                "usage": {"prompt_tokens": tokens - 10, "completion_tokens": 10,
                    "total_tokens": tokens}})
        })
    };
    MIX.into_iter().flat_map(calls).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_mix_gives_its_shares_three_ways() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(dir.path(), &[]).await;
    let (status, receipt) = server.post("/v1/events", Value::Array(events()).to_string()).await;
    assert_eq!((status, &receipt["accepted"]), (202, &json!(100)), "{receipt}");
    server.wait_for("SELECT count(*) FROM calls", "100", Duration::from_secs(20)).await;

    // 60 of 100 calls, 20,000 of 60,000 tokens.
    let asked =
        output(tokenmeter(dir.path()).args(["query", "unpriced_by_model", "--format", "csv"]));
    let lines: Vec<Vec<&str>> = asked.lines().map(|line| line.split(',').collect()).collect();
    let cells = |line: usize| lines[line].clone();
    assert_eq!(&cells(1)[1..4], ["house-model-1", "30", "15000"], "{asked}");
    assert_eq!(&cells(2)[1..4], ["house-model-2", "25", "2500"], "{asked}");
    assert_eq!(&cells(3)[1..4], ["house-model-3", "5", "2500"], "{asked}");
    assert_eq!(lines.len(), 4, "{asked}");
    let percent =
        |line: usize, column: usize| cells(line)[column].parse::<f64>().expect("a number");
    for (line, calls, tokens) in [(1, 30.0, 25.0), (2, 25.0, 25.0 / 6.0), (3, 5.0, 25.0 / 6.0)] {
        assert!((percent(line, 4) - calls).abs() < 1e-4, "{asked}");
        assert!((percent(line, 5) - tokens).abs() < 1e-4, "{asked}");
    }

    let metrics = server.get("/metrics").await.expect("metrics");
    for (model, calls, tokens) in
        [("house-model-1", 30, 15_000), ("house-model-2", 25, 2_500), ("house-model-3", 5, 2_500)]
    {
        let labels = format!("{{model=\"{model}\",provider=\"openai\"}}");
        for (name, count) in [("calls", calls), ("tokens", tokens)] {
            let line = format!("tokenmeter_unpriced_{name}_total{labels} {count}\n");
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
    }
    assert!(!metrics.contains("model=\"gpt-5-mini\""), "{metrics}");
    for line in
        ["rows_total{cost_status=\"unpriced\"} 60", "tokens_total{cost_status=\"unpriced\"} 20000"]
    {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    for arguments in [vec!["costs"], vec!["costs", "--by", "team"]] {
        let said = output(tokenmeter(dir.path()).args(&arguments));
        for line in [
            "unpriced: 60 calls (60.00 %), 20000 tokens (33.33 %)",
            "  openai house-model-1: 30 calls (30.00 %), 15000 tokens (25.00 %)",
            "  openai house-model-2: 25 calls (25.00 %), 2500 tokens (4.16 %)",
            "  openai house-model-3: 5 calls (5.00 %), 2500 tokens (4.16 %)",
        ] {
            assert!(said.lines().any(|told| told == line), "{line}: {said}");
        }
    }
}
