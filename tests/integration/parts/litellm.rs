//! A real LiteLLM proxy whose models answer from a mock.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Process, free_port, installed};

/// A running proxy.
pub struct LiteLlm {
    /// Its address.
    pub url: String,
    _process: Process,
}

/// The key of the proxy's administrator.
pub const MASTER_KEY: &str = "sk-1234567890abcdef-test";

impl LiteLlm {
    /// Starts a proxy that posts its calls to `door`; `None` where it is not installed.
    pub fn start(dir: &Path, door: &str) -> Option<Self> {
        let folder = installed("litellm-1.106.2")?;
        let port = free_port();
        let configuration = dir.join("litellm.yaml");
        std::fs::write(&configuration, CONFIGURATION).expect("written");
        let mut command = Command::new(folder.join("bin/litellm"));
        command
            .args(["--config", &configuration.display().to_string(), "--host", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .env("GENERIC_LOGGER_ENDPOINT", door)
            .env("LITELLM_MASTER_KEY", MASTER_KEY)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_TELEMETRY", "False")
            .current_dir(dir);
        let mut process = Process::start(command, dir.join("litellm.log"));
        process.wait_for_port(port, Duration::from_secs(120));
        Some(Self { url: format!("http://127.0.0.1:{port}"), _process: process })
    }
}

/// The change that a platform team makes is the second block.
const CONFIGURATION: &str = r#"model_list:
  - model_name: gpt-4o-mini
    litellm_params: {model: openai/gpt-4o-mini, api_key: none, mock_response: "Hello there."}
  - model_name: house-model
    litellm_params: {model: openai/our-own-model-7b, api_key: none, mock_response: "Hi."}
litellm_settings:
  callbacks: ["generic_api"]
  cache: true
  cache_params: {type: local}
"#;
