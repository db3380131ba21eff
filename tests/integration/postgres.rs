//! PostgreSQL's clients ask the real binary: psql, Python drivers, JDBC, and what Grafana sends.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::parts::postgres::{Clients, said};
use crate::parts::run;
use crate::server::{Server, output, tokenmeter};

const WITHIN: Duration = Duration::from_secs(60);
const QUESTIONS: &str = include_str!("postgres/questions.tsv");
const GRAFANA: &str = include_str!("postgres/grafana.sql");

/// A server with an administrator's key, a tenant's key, and calls of two tenants on two days.
pub struct House {
    pub server: Server,
    pub admin: String,
    acme: String,
    pub port: String,
    root: tempfile::TempDir,
}

fn key(dir: &Path, arguments: &[&str]) -> String {
    let made = output(tokenmeter(dir).args(["keys", "create"]).args(arguments));
    let line = made.lines().find_map(|line| line.strip_prefix("key: ").map(str::to_owned));
    line.expect("a key")
}

impl House {
    pub async fn new(settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("data");
        std::fs::create_dir_all(&dir).expect("a folder");
        let admin =
            key(&dir, &["--owner", "ops", "--scopes", "admin,ingest,query", "--claims-allowed"]);
        let acme = ["--owner", "acme", "--scopes", "query", "--tenants", "acme"];
        let acme = key(&dir, &acme);
        let server = Server::start(&dir, settings).await;
        let port = server.postgres_port();
        let house = Self { server, admin, acme, port, root };
        house.send().await;
        house
    }

    async fn send(&self) {
        let events: Vec<Value> = (0..60).map(event).collect();
        let client = reqwest::Client::new();
        let sent = client.post(format!("{}/v1/events?max_age=3650d", self.server.url));
        let sent = sent.bearer_auth(&self.admin).json(&events).send().await.expect("an answer");
        let status = sent.status();
        assert_eq!(status, 202, "{}", sent.text().await.unwrap_or_default());
        let deadline = std::time::Instant::now() + WITHIN;
        while self.http("SELECT count(*) FROM calls", &[]).await != [["60"]] {
            assert!(std::time::Instant::now() < deadline, "{}", self.server.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What HTTP answers, in the plain form of the clients' scripts.
    async fn http(&self, sql: &str, params: &[Value]) -> Vec<Vec<String>> {
        let client = reqwest::Client::new();
        let asked = client.post(format!("{}/v1/sql", self.server.url)).bearer_auth(&self.admin);
        let asked = asked.json(&json!({"sql": sql, "params": params})).send().await;
        let answer: Value = asked.expect("an answer").json().await.expect("JSON");
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{sql}: {answer}"));
        let row = |row: &Value| row.as_array().expect("a row").iter().map(plain).collect();
        rows.iter().map(row).collect()
    }

    /// A table's folder.
    pub fn table(&self, name: &str) -> PathBuf {
        self.root.path().join("data/lake").join(name)
    }

    /// Every question's lines, as HTTP answers them.
    pub async fn expected(&self, questions: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for question in questions.lines() {
            let mut parts = question.split('\t');
            let (name, sql) = (parts.next().expect("a name"), parts.next().expect("a statement"));
            let params: Vec<Value> = parts.map(parameter).collect();
            let rows = self.http(sql, &params).await;
            assert!(!rows.is_empty(), "{name} has no rows");
            lines.extend(rows.into_iter().map(|row| format!("{name}\t{}", row.join("\t"))));
        }
        lines
    }
}

fn event(number: u32) -> Value {
    let model = if number.is_multiple_of(5) { "mystery-1" } else { "gpt-4o-mini" };
    let (day, hour) = (20 + number % 2, number % 24);
    let team = ["search", "chat", ""][usize::try_from(number % 3).expect("small")];
    let mut event = json!({
        "event_id": format!("p-{number:02}"), "source": "s", "provider": "openai",
        "api": "chat.completions", "model": model,
        "tenant": if number.is_multiple_of(4) { "globex" } else { "acme" },
        "occurred_at": format!("2026-11-{day}T{hour:02}:30:00.{:06}Z", number * 1_001),
        "tags": {"line": "one\n\"two\"", "n": number.to_string()},
        "usage": {"prompt_tokens": 100 + number, "completion_tokens": 10,
            "total_tokens": 110 + number}});
    if !team.is_empty() {
        event["team"] = team.into();
    }
    event
}

fn parameter(text: &str) -> Value {
    let (kind, value) = text.split_once('=').expect("a type");
    match kind {
        "bigint" | "numeric" => {
            value.parse::<serde_json::Number>().map(Value::Number).expect(value)
        }
        _ => Value::String(value.to_owned()),
    }
}

fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => "\\N".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn questions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/postgres/questions.tsv")
}

pub fn differences(driver: &str, expected: &[String], found: &str) -> Vec<String> {
    let found: Vec<&str> = found.lines().collect();
    let places = 0..expected.len().max(found.len());
    let pair =
        |at: usize| (expected.get(at).map_or("", String::as_str), *found.get(at).unwrap_or(&""));
    let wrong = places.map(pair).filter(|(expected, found)| expected != found);
    wrong.map(|(expected, found)| format!("{driver}: {found}\n  not {expected}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drivers_give_the_totals_that_http_gives() {
    let Some(clients) = Clients::installed() else { return };
    let house = House::new(&[]).await;
    let mut expected = house.expected(QUESTIONS).await;
    assert!(expected.len() > 60, "{}", expected.len());
    let mut wrong = Vec::new();
    for driver in ["psycopg", "psycopg-binary", "asyncpg"] {
        let found = clients.python(driver, &house.port, &house.admin, &questions());
        wrong.extend(differences(driver, &expected, &found));
    }
    let tables = ["anomalies", "call_revisions", "calls", "control", "day_closes", "dead_letters"];
    expected.extend(tables.iter().chain(&["prices"]).map(|table| format!("tables\t{table}")));
    let costs = [("cost_center", "text"), ("cost_usd", "numeric"), ("cost_status", "text")];
    expected.extend(costs.iter().map(|(name, kind)| format!("columns\t{name}\t{kind}")));
    for schema in ["information_schema", "pg_catalog", "public"] {
        expected.push(format!("schemas\t{schema}"));
    }
    expected.push("parts\t60".to_owned());
    let found = clients.java(&house.port, &house.admin, &questions());
    wrong.extend(differences("jdbc", &expected, &found));
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    house.server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_shows_what_its_key_may_see() {
    let Some(clients) = Clients::installed() else { return };
    let house = House::new(&[]).await;
    let psql = |key: &str, command: &str| {
        let output = clients.psql(&house.port, key).args(["-At", "-c", command]).output();
        said(&output.expect("psql"))
    };
    for (command, expected) in [
        (r"\d", "public|calls|table|"),
        (r"\dt", "public|calls|table|"),
        (r"\dt+", "public|calls|table|"),
        (r"\d calls", "occurred_at|timestamp with time zone||not null|"),
        (r"\d calls", "cost_usd|numeric|||"),
        (r"\d calls", "identity_hash|bytea||not null|"),
        (r"\l", "tokenmeter|"),
        (r"\dn", "public|"),
        (r"\dv", ""),
        ("SELECT version()", "PostgreSQL 16.6 (tokenmeter"),
        ("SELECT current_schema(), current_database()", "public|tokenmeter"),
        ("SHOW transaction_isolation", "repeatable read"),
        ("SHOW server_version", "16.6"),
        ("SELECT count(*), sum(cost_usd) IS NOT NULL FROM calls", "60|t"),
        ("BEGIN; SELECT count(*) FROM calls; ROLLBACK", "BEGIN\n60\nROLLBACK"),
    ] {
        let found = psql(&house.admin, command);
        assert!(found.contains(expected) && !found.contains("ERROR"), "{command}: {found}");
    }
    assert!(psql(&house.admin, r"\dt").contains("control"));
    assert!(!psql(&house.acme, r"\dt").contains("control"));
    assert_eq!(psql(&house.acme, "SELECT DISTINCT tenant FROM calls").trim(), "acme");
    for (command, expected) in [
        ("SELECT * FROM control", "42P01"),
        ("DROP TABLE calls", "25006"),
        ("SELECT CAST(team AS INT) FROM calls", "22000"),
        ("SELECT length(repeat('A', 2147483647))", "53200"),
        (
            "SET statement_timeout = '700ms'; \
             SELECT count(*) FROM generate_series(1, 100000000000) a(n) WHERE n % 7 = 8",
            "57014",
        ),
    ] {
        let found = psql(&house.acme, command);
        assert!(found.contains(expected), "{command}: {found}");
    }
    assert_eq!(psql(&house.acme, "SELECT count(*) FROM calls").trim(), "45");
    let log = house.server.log();
    let line = log.lines().find(|line| line.contains("statement=\"SELECT * FROM control\""));
    let line = line.unwrap_or_else(|| panic!("no audit line: {log}"));
    assert!(line.contains("owner=\"acme\"") && line.contains("sql_invalid"), "{line}");
    assert!(!log.contains(&house.acme) && !log.contains("panicked"), "{log}");
    let refused = clients.psql(&house.port, "tm_wrong").args(["-c", "SELECT 1"]).output();
    assert!(said(&refused.expect("psql")).contains("FATAL"));
    house.server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grafana_sends_is_answered() {
    let Some(clients) = Clients::installed() else { return };
    let house = House::new(&[]).await;
    let mut asked = 0;
    for block in GRAFANA.split("\n\n").skip(1) {
        let (head, sql) = block.split_once('\n').expect("a name and a statement");
        let (name, rows) = head.trim_start_matches("-- ").rsplit_once(": ").expect("`name: rows`");
        let output = clients.psql(&house.port, &house.admin).args(["-At", "-c", sql]).output();
        let found = said(&output.expect("psql"));
        let count = found.lines().count();
        let fits = match rows {
            "some" => count > 0,
            "empty" => count == 0,
            number => number.parse() == Ok(count),
        };
        assert!(fits && !found.contains("ERROR"), "{name}: {found}");
        match name {
            "version" => assert_eq!(found.trim(), "1600"),
            "schemas" => assert_eq!(found.trim(), "public"),
            "tables" | "tables of a schema" => assert!(found.contains("calls"), "{found}"),
            "columns" => {
                for column in ["occurred_at|timestamp with time zone", "cost_usd|numeric"] {
                    assert!(found.contains(column), "{found}");
                }
            }
            _ => {}
        }
        asked += 1;
    }
    assert!(asked >= 15, "{asked}");
    house.server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_pass_other_machines_in_tls_only() {
    let Some(clients) = Clients::installed() else { return };
    let root = tempfile::tempdir().expect("a folder");
    let (certificate, secret) = (root.path().join("cert.pem"), root.path().join("key.pem"));
    let (certificate, secret) = (certificate.display().to_string(), secret.display().to_string());
    run(Command::new("openssl").args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        &secret,
        "-out",
        &certificate,
    ]));
    let dir = root.path().join("refused");
    let first = [("TOKENMETER_FIRST_KEY", "k".repeat(40))];
    let refused = tokenmeter(&dir)
        .arg("serve")
        .envs(first)
        .env("TOKENMETER_API__LISTEN", "127.0.0.1:0")
        .env("TOKENMETER_POSTGRES__LISTEN", "0.0.0.0:0")
        .output();
    let refused = refused.expect("it runs");
    assert!(!refused.status.success() && said(&refused).contains("postgres.tls_cert"));
    let settings = [
        ("TOKENMETER_POSTGRES__LISTEN", "0.0.0.0:0"),
        ("TOKENMETER_POSTGRES__TLS_CERT", certificate.as_str()),
        ("TOKENMETER_POSTGRES__TLS_KEY", secret.as_str()),
    ];
    let house = House::new(&settings).await;
    let mut verified = clients.psql(&house.port, &house.acme);
    verified.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &certificate);
    let found = verified.args(["-At", "-c", "SELECT count(*) FROM calls", "-c", r"\conninfo"]);
    let found = said(&found.output().expect("psql"));
    assert!(found.starts_with("45\n") && found.contains("TLS"), "{found}");
    let taken = tokenmeter(&root.path().join("second"))
        .arg("serve")
        .env("TOKENMETER_API__LISTEN", "127.0.0.1:0")
        .env("TOKENMETER_POSTGRES__LISTEN", format!("127.0.0.1:{}", house.port))
        .output();
    let taken = said(&taken.expect("it runs"));
    assert!(taken.contains("TOKENMETER_POSTGRES__LISTEN"), "{taken}");
    house.server.terminate();
}
