//! A `tokenmeter serve` of our own: started, asked, killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_tokenmeter");

const START_WITHIN: Duration = Duration::from_secs(60);

/// A running server; it is killed when it is dropped.
pub struct Server {
    pub url: String,
    pub dir: PathBuf,
    child: Child,
    client: reqwest::Client,
}

/// A command of the binary under test, in a folder of its own.
pub fn tokenmeter(dir: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.env("TOKENMETER_DATA_DIR", dir).env_remove("TOKENMETER_CONFIG");
    // Many run at once.
    command.env("TOKENMETER_POSTGRES__LISTEN", "127.0.0.1:0");
    command
}

/// The standard output of a command that must succeed.
pub fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
    text
}

impl Server {
    /// Starts on a free port with these settings as variables; logs go to `serve.log`.
    pub async fn start(dir: &Path, settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        // A killed server leaves its old address.
        drop(std::fs::remove_file(dir.join("LOCK")));
        let log = File::options().create(true).append(true).open(dir.join("serve.log"));
        let child = tokenmeter(dir)
            .arg("serve")
            .env("TOKENMETER_API__LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("the server starts");
        let client = reqwest::Client::new();
        let mut server = Self { url: String::new(), dir: dir.to_owned(), child, client };
        server.wait_until_ready().await;
        server
    }

    async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            assert!(Instant::now() < deadline, "not ready: {}", self.log());
            if let Some(status) = self.child.try_wait().expect("a child") {
                panic!("the server ended with {status}: {}", self.log());
            }
            self.url = std::fs::read_to_string(self.dir.join("LOCK")).unwrap_or_default();
            if !self.url.is_empty() && self.get("/readyz").await.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port on which it serves PostgreSQL's clients.
    pub fn postgres_port(&self) -> String {
        let log = self.log();
        let line = log.lines().rfind(|line| line.contains("serving PostgreSQL clients"));
        let line = line.unwrap_or_else(|| panic!("no door: {log}"));
        line.rsplit(':').next().expect("a port").trim().to_owned()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }

    /// The end of what it logged.
    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The body of a path that answers with success.
    pub async fn get(&self, path: &str) -> Option<String> {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    /// Posts a body; the status and the answer.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).body(body);
        let answer = request.header("content-type", "application/json").send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// The rows of a statement.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let (status, answer) = self.post("/v1/sql", json!({"sql": sql}).to_string()).await;
        assert_eq!(status, 200, "{sql}: {answer}\n{}", self.tail());
        let rows = answer["rows"].as_array().expect("rows");
        rows.iter().map(|row| row.as_array().expect("a row").clone()).collect()
    }

    /// The one cell of a statement, as text.
    pub async fn cell(&self, sql: &str) -> String {
        match &self.rows(sql).await[0][0] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Asks until the cell has that text.
    pub async fn wait_for(&self, sql: &str, expected: &str, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let cell = self.cell(sql).await;
            if cell == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}: {cell}, not {expected}\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(mut self) -> PathBuf {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
        self.dir.clone()
    }

    /// Ends it as an operator would: SIGTERM; it must leave with success within ten seconds.
    pub fn terminate(mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                assert!(status.success(), "{status}: {}", self.log());
                return;
            }
            assert!(Instant::now() < deadline, "it does not stop: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
