//! Python scripts of `tests/scripts`, in the environment of real clients and readers.

use std::path::Path;
use std::process::Command;

use super::{installed, run};

/// Runs a script; `None` where the environment is not installed.
pub fn script(name: &str, arguments: &[&str]) -> Option<String> {
    let python = installed("readers")?.join("bin/python");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name);
    Some(run(Command::new(python).arg(path).args(arguments)))
}
