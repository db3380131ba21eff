//! A real S3 server: Versity S3 Gateway over a folder.

use std::process::Command;
use std::time::Duration;

use super::{Process, free_port, installed};

pub const ACCESS: &str = "test-access";
pub const SECRET: &str = "test-secret-12345";
pub const BUCKET: &str = "lake";

/// A running S3 server with one bucket.
pub struct S3 {
    /// Its endpoint.
    pub url: String,
    _process: Process,
    _dir: tempfile::TempDir,
}

impl S3 {
    /// Starts a server; `None` where it is not installed.
    pub fn start() -> Option<Self> {
        let binary = installed("versitygw")?.join("versitygw");
        let dir = tempfile::tempdir().expect("a folder");
        let port = free_port();
        // With its storage on a folder, a folder in it is a bucket.
        std::fs::create_dir_all(dir.path().join("data").join(BUCKET)).expect("a bucket");
        let mut command = Command::new(binary);
        command
            .args(["--access", ACCESS, "--secret", SECRET, "--port"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("posix")
            .arg(dir.path().join("data"));
        let mut process = Process::start(command, dir.path().join("s3.log"));
        process.wait_for_port(port, Duration::from_secs(30));
        Some(Self { url: format!("http://127.0.0.1:{port}"), _process: process, _dir: dir })
    }

    /// The settings of a lake on it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let pairs = [
            ("TOKENMETER_LAKE__URL", format!("s3://{BUCKET}/tokenmeter")),
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", ACCESS.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
