//! Real clients of PostgreSQL: psql, Python drivers, JDBC.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{installed, run};

/// The clients, where they are installed.
pub struct Clients(PathBuf);

impl Clients {
    /// The installed ones; `None` where there are none.
    pub fn installed() -> Option<Self> {
        installed("postgres-clients-1").map(Self)
    }

    /// Asks the questions of a file with a Python driver: its lines.
    pub fn python(&self, driver: &str, port: &str, key: &str, questions: &Path) -> String {
        let mut command = Command::new(self.0.join("bin/python"));
        command.arg(script("postgres_clients.py")).args([driver, port, key]).arg(questions);
        run(&mut command)
    }

    /// The same over JDBC.
    pub fn java(&self, port: &str, key: &str, questions: &Path) -> String {
        let mut command = Command::new("java");
        let driver = self.0.join("postgresql-42.7.8.jar");
        command.arg("-cp").arg(driver).arg(script("PostgresClient.java"));
        run(command.args([port, key]).arg(questions))
    }

    /// A psql that asks for nothing and reads no file of its user's.
    pub fn psql(&self, port: &str, key: &str) -> Command {
        let mut command = Command::new("psql");
        let server = "host=127.0.0.1 user=analyst dbname=tokenmeter connect_timeout=20";
        command.args(["-X", "-w", "-v", "VERBOSITY=verbose", "-d", server]);
        command.args(["-p", port]).env("PGPASSWORD", key);
        command
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name)
}

/// What a command said, on both outputs.
pub fn said(output: &Output) -> String {
    let (out, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}")
}
