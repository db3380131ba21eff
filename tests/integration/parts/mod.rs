//! The real parts, as `tests/parts/install.sh` leaves them.

pub mod kafka;
pub mod litellm;
pub mod postgres;
pub mod python;
pub mod registry;
pub mod s3;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The folder of an installed part; `None`, said loudly, where it is not there.
///
/// # Panics
/// Where it is not there although `TOKENMETER_REQUIRE_PARTS` is set.
pub fn installed(name: &str) -> Option<PathBuf> {
    let cache = std::env::var("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        cache.unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache"));
    let root = std::env::var("TOKENMETER_PARTS").map(PathBuf::from);
    let folder = root.unwrap_or_else(|_| cache.join("tokenmeter/parts")).join(name);
    if folder.join(".complete").exists() {
        return Some(folder);
    }
    let message = format!("NOT RUN: `{name}` is not installed: run tests/parts/install.sh");
    assert!(std::env::var("TOKENMETER_REQUIRE_PARTS").is_err(), "{message}");
    eprintln!("\n!!! {message}\n");
    None
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// A process of a part; it is killed when it is dropped.
pub struct Process(Child);

impl Process {
    /// Starts it, its output in a file of the folder.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let out = std::fs::File::create(&log).expect("a log file");
        let errors = out.try_clone().expect("a log file");
        let child = command.stdout(out).stderr(errors).stdin(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits until it listens on a port.
    pub fn wait_for_port(&mut self, port: u16, within: Duration) {
        let deadline = Instant::now() + within;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(self.0.try_wait().expect("a child").is_none(), "it ended");
            assert!(Instant::now() < deadline, "it does not listen on {port}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it: SIGKILL.
    pub fn kill(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command to its end.
///
/// # Panics
/// When it fails; the message has its output.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{errors}", output.status);
    out.into_owned()
}
