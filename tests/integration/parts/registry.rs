//! A real schema registry: Apicurio, in memory, with its Confluent-compatible API.

use std::process::Command;
use std::time::Duration;

use super::{Process, free_port, installed};

/// A running registry.
pub struct Registry {
    /// The base URL of the Confluent-compatible API.
    pub url: String,
    _process: Process,
    _dir: tempfile::TempDir,
}

impl Registry {
    /// Starts a registry; `None` where it is not installed.
    pub fn start() -> Option<Self> {
        let folder = installed("registry-3.0.9")?;
        let dir = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let jar = folder.join("apicurio-registry-app-3.0.9-runner.jar");
        let class_path = format!("{}:{}/lib/*", jar.display(), folder.display());
        let mut command = Command::new("java");
        command
            .args(["-Xmx384m", "-Dquarkus.http.host=127.0.0.1"])
            .arg(format!("-Dquarkus.http.port={port}"))
            .args(["-cp", &class_path, "io.quarkus.runner.GeneratedMain"])
            .current_dir(dir.path());
        let mut process = Process::start(command, dir.path().join("registry.log"));
        process.wait_for_port(port, Duration::from_secs(60));
        let url = format!("http://127.0.0.1:{port}/apis/ccompat/v7");
        Some(Self { url, _process: process, _dir: dir })
    }

    /// Registers a schema; its id.
    pub async fn register(&self, subject: &str, schema: &str) -> u32 {
        let url = format!("{}/subjects/{subject}/versions", self.url);
        let body = serde_json::json!({ "schema": schema }).to_string();
        let request = reqwest::Client::new().post(url).body(body);
        let answer = request.header("content-type", "application/json").send().await;
        let answer: serde_json::Value = answer.expect("an answer").json().await.expect("JSON");
        let id = answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        u32::try_from(id).expect("an id")
    }
}
