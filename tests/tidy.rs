//! The house's rules, checked: levels, sizes, floats, names, clocks. Std only; links in a moment.
//!
//! Each failure names file, line and the rule's reason. Rooms, levels and the arrows within a level
//! are read from the code map of ARCHITECTURE.md, so that the map is always the house's.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const FORBIDDEN_ROOMS: [&str; 6] = ["util", "common", "helpers", "types", "models", "manager"];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
/// Rooms that a cost passes through, beside levels 0 and 1.
const MONEY_ROOMS: [&str; 2] = ["pipeline", "revision"];
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

/// A row's room in the code map.
#[derive(Debug, PartialEq, Eq)]
struct Room {
    name: String,
    level: u8,
    /// Rooms of the same level that it may import.
    arrows: Vec<String>,
}

/// The rows of the code map: `| 1 | `usage/` (-> event) | ... |`, in reading order.
fn code_map(architecture: &str) -> Vec<Room> {
    let mut rooms: Vec<Room> = Vec::new();
    for line in architecture.lines() {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let Some(level) = cells.next().and_then(|cell| cell.parse().ok()) else { continue };
        let cell = cells.next().unwrap_or_default();
        let (names, arrows) = cell.split_once("(->").unwrap_or((cell, ""));
        let arrows: Vec<String> = match arrows.trim_end_matches(')').trim() {
            "all of the above" => rooms.iter().map(|room| room.name.clone()).collect(),
            some => some.split(", ").map(str::to_owned).collect(),
        };
        for name in names.split('`').skip(1).step_by(2) {
            let name = name.trim_end_matches('/').trim_end_matches(".rs").to_owned();
            rooms.push(Room { name, level, arrows: arrows.clone() });
        }
    }
    rooms
}

/// The code map of this house.
fn house() -> &'static [Room] {
    static HOUSE: OnceLock<Vec<Room>> = OnceLock::new();
    HOUSE.get_or_init(|| code_map(include_str!("../ARCHITECTURE.md")))
}

fn room(name: &str) -> Option<&'static Room> {
    house().iter().find(|room| room.name == name)
}

fn level(name: &str) -> Option<u8> {
    room(name).map(|room| room.level)
}

fn may_import(own: &Room, other: &str) -> bool {
    match level(other) {
        _ if own.name == other => true,
        None => true,
        Some(level) => {
            level < own.level || level == own.level && own.arrows.iter().any(|arrow| arrow == other)
        }
    }
}

/// What a `crate::` path, or each path of a `crate::{...}` group, begins with.
fn imported(code: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let mut names = Vec::new();
    for path in code.split("crate::").skip(1) {
        let group = path.strip_prefix('{').and_then(|rest| rest.split('}').next());
        for name in group.map_or(vec![path], |group| group.split(',').collect()) {
            let name = name.trim();
            names.push(&name[..word(name).unwrap_or(name.len())]);
        }
    }
    names
}

/// `src/event/json.rs` and `src/event.rs` are in the room `event`.
fn room_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

fn is_test(file: &str) -> bool {
    let beside = file.starts_with("tests/") || file.starts_with("benches/");
    beside || file.ends_with("/tests.rs") || file.contains("/tests/")
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
    let name = room_of(file);
    let Some(own) = room(name) else {
        if name != "lib" {
            say(1, format!("the room `{name}` is not in ARCHITECTURE.md's code map"));
        }
        return;
    };
    for (number, line) in production(text) {
        for other in imported(code_of(line)) {
            if !may_import(own, other) {
                say(number, format!("`{name}` may not import `{other}`: lower levels only"));
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
    for folder in ["src", "tests", "benches"] {
        rust_files(&root.join(folder), &mut files);
    }
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

/// A page that names a test that is gone promises what nobody shows.
#[test]
fn the_tests_of_the_fault_list_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/faults.md")).expect("the page");
    let named: Vec<(&str, &str)> =
        page.split('`').filter_map(|name| name.split_once(".rs::")).collect();
    assert!(named.len() > 40, "only {} tests are named", named.len());
    for (file, test) in named {
        let text = fs::read_to_string(root.join(format!("{file}.rs"))).unwrap_or_default();
        assert!(text.contains(&format!("fn {test}()")), "docs/faults.md: `{file}.rs::{test}`");
    }
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
        ("src/attic/x.rs", "", "not in ARCHITECTURE.md's code map"),
        ("src/lake/x.rs", "use crate::{money, query};", "`lake` may not import `query`"),
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
fn the_code_map_is_read_as_it_stands() {
    let map = "| level | room |\n|---|---|\n\
               | 0 | `money.rs` | x |\n\
               | 1 | `usage/` (-> a, b) | y |\n\
               | 1 | `charge.rs` (-> all of the above) | z |\n\
               | 7 | `cli/`, `main.rs` | w |";
    let room = |name: &str, level, arrows: &[&str]| Room {
        name: name.to_owned(),
        level,
        arrows: arrows.iter().map(|&arrow| arrow.to_owned()).collect(),
    };
    let expected = [
        room("money", 0, &[""]),
        room("usage", 1, &["a", "b"]),
        room("charge", 1, &["money", "usage"]),
        room("cli", 7, &[""]),
        room("main", 7, &[""]),
    ];
    assert_eq!(code_map(map), expected);
    assert!(house().len() > 15, "{:?}", house());
    for room in house() {
        let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&room.name);
        let there = at.is_dir() || at.with_extension("rs").is_file();
        assert!(there, "the code map names `{}`, which is not there", room.name);
    }
}

#[test]
fn what_is_allowed_passes() {
    for (file, text) in [
        ("src/usage/x.rs", "use crate::event::Json;"),
        ("src/charge.rs", "use crate::{event::CallEvent, pricing, usage};"),
        ("src/lake/x.rs", "use crate::charge::Charge;"),
        ("src/event/tests.rs", "use crate::lake::Lake; let x: f64 = 0.5;"),
        ("src/anomaly/x.rs", "fn score(x: f64) {}"),
        ("src/pricing/x.rs", "/// no f64 here\nfn f() {}\nmod tests {\n    let x: f64;\n}"),
    ] {
        assert_eq!(reasons(file, text), "", "{file}: `{text}`");
    }
}
