//! The house's rules, checked: levels, sizes, floats, names, clocks. Std only; links in a moment.
//!
//! Each failure names file, line and the rule's reason. The rules are ARCHITECTURE.md's.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and their levels: a room imports lower levels only.
const LEVELS: [(&str, u8); 18] = [
    ("money", 0),
    ("time", 0),
    ("setting", 0),
    ("event", 1),
    ("usage", 1),
    ("pricing", 1),
    ("attribution", 1),
    ("charge", 1),
    ("anomaly", 1),
    ("source", 2),
    ("lake", 2),
    ("pipeline", 3),
    ("query", 3),
    ("alert", 4),
    ("api", 5),
    ("config", 6),
    ("telemetry", 6),
    ("cli", 7),
];

/// Arrows within one level.
const ARROWS: [(&str, &str); 12] = [
    ("time", "money"),
    ("usage", "event"),
    ("pricing", "usage"),
    ("pricing", "event"),
    ("attribution", "event"),
    ("charge", "event"),
    ("charge", "usage"),
    ("charge", "pricing"),
    ("charge", "attribution"),
    ("config", "telemetry"),
    ("anomaly", "event"),
    ("setting", "money"),
];

const FORBIDDEN_ROOMS: [&str; 6] = ["util", "common", "helpers", "types", "models", "manager"];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
/// Rooms that a cost passes through, beside levels 0 and 1.
const MONEY_ROOMS: [&str; 1] = ["pipeline"];
const WALL_CLOCKS: [&str; 3] = ["SystemTime::now", "jiff::Timestamp::now", "Utc::now"];

#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

fn level(room: &str) -> Option<u8> {
    LEVELS.iter().find(|(name, _)| *name == room).map(|(_, level)| *level)
}

/// `src/event/json.rs` and `src/event.rs` are in the room `event`.
fn room_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// The lines before the test module, where a file has one at its end.
fn production(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.take_while(|(_, line)| *line != "mod tests {")
}

fn code_of(line: &str) -> &str {
    let code = line.split("//").next().unwrap_or(line);
    if line.trim_start().starts_with("//") { "" } else { code }
}

fn check_file(file: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut say = |line: usize, reason: String| {
        found.push(Violation { file: file.to_owned(), line, reason });
    };
    if !text.starts_with("//!") {
        say(1, "a file opens with `//!`: what it does, in, out, never".to_owned());
    }
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        if line.chars().count() > COLUMNS_MAX {
            say(number, format!("longer than {COLUMNS_MAX} columns"));
        }
    }
    if is_test(file) {
        return found;
    }
    let lines = production(text).count();
    if lines > FILE_LINES_MAX {
        say(lines, format!("{lines} lines: a file has at most {FILE_LINES_MAX}"));
    }
    check_imports(file, text, &mut say);
    check_words(file, text, &mut say);
    check_functions(text, &mut say);
    found
}

fn check_imports(file: &str, text: &str, say: &mut impl FnMut(usize, String)) {
    let room = room_of(file);
    let Some(own) = level(room) else {
        if !["lib", "main"].contains(&room) {
            say(1, format!("the room `{room}` has no level in tests/tidy.rs and ARCHITECTURE.md"));
        }
        return;
    };
    for (number, line) in production(text) {
        for path in code_of(line).split("crate::").skip(1) {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
            let other = &path[..end];
            let allowed = match level(other) {
                None => true,
                Some(_) if other == room => true,
                Some(level) if level < own => true,
                Some(level) => level == own && ARROWS.contains(&(room, other)),
            };
            if !allowed {
                say(number, format!("`{room}` may not import `{other}`: lower levels only"));
            }
        }
    }
}

fn check_words(file: &str, text: &str, say: &mut impl FnMut(usize, String)) {
    let room = room_of(file);
    let exact = (level(room).is_some_and(|level| level <= 1) && room != "anomaly")
        || MONEY_ROOMS.contains(&room);
    for (number, line) in production(text) {
        let code = code_of(line);
        let words = || code.split(|c: char| !c.is_alphanumeric() && c != '_');
        // Metrics are floats by their library; no cost is one.
        if exact && !file.ends_with("/metrics.rs") && words().any(|w| w == "f64" || w == "f32") {
            say(number, format!("no float in `{room}`: a cost passes through it"));
        }
        if room != "time" && WALL_CLOCKS.iter().any(|clock| code.contains(clock)) {
            say(number, "only `time.rs` reads the wall clock: take a `Clock`".to_owned());
        }
        if code.contains("rdkafka") && !file.starts_with("src/source/kafka/") {
            say(number, "only `source/kafka` names librdkafka".to_owned());
        }
        let gated = code.contains("cfg(feature") || code.contains("cfg(not(feature");
        if gated && room != "lib" && room != "source" {
            say(number, "features are decided in `lib.rs` and `source`".to_owned());
        }
        if file.ends_with("/mod.rs") && words().any(|word| word == "fn") && room != "cli" {
            let spool_or_kafka = file.starts_with("src/source/");
            if !spool_or_kafka {
                say(number, "a `mod.rs` holds modules, re-exports and docs, no logic".to_owned());
            }
        }
    }
    for part in file.split('/') {
        if FORBIDDEN_ROOMS.contains(&part.trim_end_matches(".rs")) {
            say(1, format!("`{part}` says nothing: name the room by what it does"));
        }
    }
}

/// A function ends at the first line that closes at its own indentation.
fn check_functions(text: &str, say: &mut impl FnMut(usize, String)) {
    let mut open: Option<(usize, String)> = None;
    for (number, line) in production(text) {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let code = line.trim_start();
        let starts = code.starts_with("fn ")
            || (code.starts_with("pub") || code.starts_with("async") || code.starts_with("const"))
                && code.contains(" fn ")
                && code.contains('(');
        match &open {
            None if starts && !code.ends_with(';') => open = Some((number, indent)),
            Some((start, outer)) if *outer == indent && code.starts_with('}') => {
                if number - start + 1 > FUNCTION_LINES_MAX {
                    let lines = number - start + 1;
                    say(*start, format!("{lines} lines: at most {FUNCTION_LINES_MAX}"));
                }
                open = None;
            }
            Some((_, outer)) if *outer == indent && code.ends_with(';') => open = None,
            _ => {}
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    assert!(files.len() > 50, "only {} files: is this the right folder?", files.len());
    let mut violations = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a file");
        let file = path.strip_prefix(root).expect("inside").to_string_lossy().replace('\\', "/");
        violations.extend(check_file(&file, &text));
    }
    let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(listed.is_empty(), "\n{}\n", listed.join("\n"));
}

fn reasons(file: &str, text: &str) -> String {
    let found = check_file(file, &format!("//! Doc.\n{text}\n"));
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn planted_violations_are_caught() {
    for (file, text, reason) in [
        ("src/event/x.rs", "use crate::lake::Lake;", "src/event/x.rs:2: `event` may not import"),
        ("src/event/x.rs", "use crate::usage::Usage;", "`event` may not import `usage`"),
        ("src/lake/x.rs", "fn f() { crate::source::open() }", "`lake` may not import `source`"),
        ("src/money.rs", "fn f(x: f64) {}", "no float in `money`"),
        ("src/lake/x.rs", "let now = SystemTime::now();", "only `time.rs` reads"),
        ("src/alert/x.rs", "use rdkafka::Message;", "only `source/kafka` names"),
        ("src/query/x.rs", "#[cfg(feature = \"kafka\")]", "features are decided"),
        ("src/query/mod.rs", "fn logic() {}", "no logic"),
        ("src/lake/util.rs", "", "says nothing"),
        ("src/attic/x.rs", "", "has no level"),
    ] {
        let found = reasons(file, text);
        assert!(found.contains(reason), "`{text}` in {file}: got `{found}`");
    }
    assert!(reasons("src/event/x.rs", &"x\n".repeat(501)).contains("at most 500"));
    let long = format!("fn f() {{\n{}}}", "    x();\n".repeat(80));
    assert!(reasons("src/event/x.rs", &long).contains("at most 70"));
    assert!(reasons("src/event/x.rs", &"y".repeat(101)).contains("100 columns"));
    assert!(!check_file("src/event/x.rs", "use std::fmt;\n").is_empty(), "no `//!`");
}

#[test]
fn what_is_allowed_passes() {
    for (file, text) in [
        ("src/usage/x.rs", "use crate::event::Json;"),
        ("src/lake/x.rs", "use crate::charge::Charge;"),
        ("src/event/tests.rs", "use crate::lake::Lake; let x: f64 = 0.5;"),
        ("src/anomaly/x.rs", "fn score(x: f64) {}"),
        ("src/pricing/x.rs", "/// no f64 here\nfn f() {}\nmod tests {\n    let x: f64;\n}"),
    ] {
        assert_eq!(reasons(file, text), "", "{file}: `{text}`");
    }
}
