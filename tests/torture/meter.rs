//! A `tokenmeter serve` that may die at any moment, also before it is ready.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const READY_WITHIN: Duration = Duration::from_secs(60);

/// The binary under test; another build of it by `TOKENMETER_TORTURE_BINARY`.
fn binary() -> String {
    let own = env!("CARGO_BIN_EXE_tokenmeter");
    std::env::var("TOKENMETER_TORTURE_BINARY").unwrap_or_else(|_| own.to_owned())
}

/// A process; killed when it is dropped.
pub struct Meter {
    pub url: String,
    dir: PathBuf,
    child: Child,
    client: reqwest::Client,
}

impl Meter {
    /// Starts it in a data directory, with a configuration and perhaps a crash point.
    pub fn spawn(dir: &Path, settings: &[(String, String)], crash: Option<&str>) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        // A killed one leaves its old address.
        drop(std::fs::remove_file(dir.join("LOCK")));
        let log = File::options().create(true).append(true).open(dir.join("serve.log"));
        let mut command = Command::new(binary());
        command
            .arg("serve")
            .env("TOKENMETER_DATA_DIR", dir)
            .env("TOKENMETER_API__LISTEN", "127.0.0.1:0")
            .env("TOKENMETER_POSTGRES__LISTEN", "127.0.0.1:0")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"));
        if let Some(crash) = crash {
            command.env("TOKENMETER_CRASH", crash);
        }
        let child = command.spawn().expect("it starts");
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build();
        let client = client.expect("a client");
        Self { url: String::new(), dir: dir.to_owned(), child, client }
    }

    /// Waits until it serves; `false`: it died before.
    ///
    /// # Panics
    /// When it ends by itself, or is not ready in time.
    pub async fn ready(&mut self) -> bool {
        let deadline = Instant::now() + READY_WITHIN;
        while self.is_alive() {
            assert!(Instant::now() < deadline, "not ready: {}", self.tail());
            self.url = std::fs::read_to_string(self.dir.join("LOCK")).unwrap_or_default();
            if !self.url.is_empty() {
                let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return true;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// Whether it runs.
    ///
    /// # Panics
    /// When it ended by itself: only a signal may end it.
    pub fn is_alive(&mut self) -> bool {
        match self.child.try_wait().expect("a child") {
            None => true,
            Some(status) => {
                assert!(status.signal().is_some(), "it ended with {status}: {}", self.tail());
                false
            }
        }
    }

    /// Waits until it is dead; `false`: it lives on.
    pub async fn dies_within(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.is_alive() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// The rows of a statement; `None` while it does not answer.
    pub async fn rows(&self, sql: &str) -> Option<Vec<Vec<Value>>> {
        let body = json!({ "sql": sql }).to_string();
        let request = self.client.post(format!("{}/v1/sql", self.url)).body(body);
        let answer = request.header("content-type", "application/json").send().await.ok()?;
        let status = answer.status();
        let answer: Value = answer.json().await.ok()?;
        if !status.is_success() {
            eprintln!("{sql}: {answer}");
            return None;
        }
        let rows = answer["rows"].as_array()?;
        Some(rows.iter().filter_map(|row| row.as_array().cloned()).collect())
    }

    /// Sends a signal: `STOP`, `CONT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args([&format!("-{name}"), &pid]).status());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// SIGTERM, and the end within fifteen seconds, with success unless a signal ended it.
    pub async fn terminate(&mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "it does not stop: {}", self.tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = self.child.wait().expect("a status");
        assert!(status.success() || status.signal().is_some(), "{status}: {}", self.tail());
    }

    /// What it logged, it and those before it in the same directory.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }

    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.kill();
    }
}
