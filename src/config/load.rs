//! Reads a configuration: file, then environment, then checks.
//!
//! `TOKENMETER_LAKE__URL=s3://...` sets `lake.url`: two underscores separate the levels. In any
//! text, `${env:NAME}` and `${file:PATH}` stand for a variable's or a file's content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::Config;

const ENVIRONMENT_PREFIX: &str = "TOKENMETER_";
/// A variable of the prefix that is not a setting: it brings the first API key.
const FIRST_KEY: &str = "TOKENMETER_FIRST_KEY";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}:{line}: {message}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A variable is wrong.
    #[error("variable `{name}`: {why}")]
    InEnvironment {
        /// The variable.
        name: String,
        /// What is wrong and what was expected.
        why: String,
    },
}

impl Config {
    /// Reads the configuration from a file, if there is one, and the environment.
    ///
    /// # Errors
    /// [`ConfigError`], which names the file and line or the variable, and the nearest name.
    pub fn load(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            Some(path) => read_file(path, environment)?,
            None => Table::new(),
        };
        for (name, value) in environment {
            if let Some(key) = setting_of(name) {
                table = with_variable(&table, &key, value)
                    .map_err(|why| ConfigError::InEnvironment { name: name.clone(), why })?;
            }
        }
        let unreadable =
            |error| ConfigError::InEnvironment { name: "-".to_owned(), why: explain(&error) };
        Self::deserialize(Value::Table(table)).map_err(unreadable)
    }
}

/// The setting that an environment variable names, as a path of keys.
fn setting_of(name: &str) -> Option<Vec<String>> {
    let key = name.strip_prefix(ENVIRONMENT_PREFIX).filter(|_| name != FIRST_KEY)?;
    // Sections have two underscores in their variables; tests and tools use the prefix freely.
    let top_level = key == "DATA_DIR";
    (top_level || key.contains("__"))
        .then(|| key.split("__").map(str::to_ascii_lowercase).collect())
}

fn read_file(path: &Path, environment: &BTreeMap<String, String>) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let text = expand(&text, environment).map_err(|(line, message)| ConfigError::InFile {
        path: path.to_owned(),
        line,
        message,
    })?;
    let wrong = |error: toml::de::Error| ConfigError::InFile {
        path: path.to_owned(),
        line: line_of(&text, &error),
        message: explain(&error),
    };
    toml::from_str::<Config>(&text).map_err(wrong)?;
    text.parse().map_err(wrong)
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1
}

/// The error's own message, with the nearest name where a field is unknown.
fn explain(error: &toml::de::Error) -> String {
    let message = error.message().trim();
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = if message.starts_with("unknown field") { names.next() } else { None };
    let nearest = unknown.and_then(|unknown| {
        let scored = names.map(|name| (strsim::damerau_levenshtein(unknown, name), name));
        scored.min().map(|(_, name)| name)
    });
    match nearest {
        Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
        None => message.to_owned(),
    }
}

/// The table with a variable's text where its path says: as TOML where that fits, else as a text.
fn with_variable(table: &Table, path: &[String], text: &str) -> Result<Table, String> {
    let typed = toml::from_str::<Table>(&format!("value = {text}")).ok();
    let typed = typed.and_then(|mut parsed| parsed.remove("value"));
    let mut why = String::new();
    for value in typed.into_iter().chain([Value::String(text.to_owned())]) {
        let mut changed = table.clone();
        set(&mut changed, path, value)?;
        match Config::deserialize(Value::Table(changed.clone())) {
            Ok(_) => return Ok(changed),
            Err(error) => why = explain(&error),
        }
    }
    Err(why)
}

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    match path {
        [] => Err("it names no setting".to_owned()),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
            let inner = inner.as_table_mut().ok_or_else(|| format!("`{key}` is not a section"))?;
            set(inner, rest, value)
        }
    }
}

/// The text with its references replaced; comment lines stay as they are. An error names its line.
fn expand(text: &str, environment: &BTreeMap<String, String>) -> Result<String, (usize, String)> {
    let mut done = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_start().starts_with('#') {
            done.push_str(line);
        } else {
            done.push_str(&expand_text(line, environment).map_err(|why| (index + 1, why))?);
        }
    }
    Ok(done)
}

fn expand_text(text: &str, environment: &BTreeMap<String, String>) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or("`${` without a closing `}`")?;
        done.push_str(before);
        done.push_str(&escaped(&referenced(name, environment)?));
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// A content as it stands inside a TOML basic string.
fn escaped(content: &str) -> String {
    content.chars().map(escaped_char).collect()
}

fn escaped_char(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    }
}

fn referenced(name: &str, environment: &BTreeMap<String, String>) -> Result<String, String> {
    match name.split_once(':') {
        Some(("env", variable)) => environment
            .get(variable)
            .cloned()
            .ok_or_else(|| format!("the variable `{variable}` is not set")),
        Some(("file", path)) => std::fs::read_to_string(path)
            .map(|content| content.trim_end().to_owned())
            .map_err(|error| format!("cannot read `{path}`: {error}")),
        _ => Err(format!("`${{{name}}}` is neither `${{env:NAME}}` nor `${{file:PATH}}`")),
    }
}
