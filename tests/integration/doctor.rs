//! `doctor` names each planted fault, and finds nothing where there is none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::parts::free_port;
use crate::server::{Server, tokenmeter};

/// What `doctor` says of a data directory: level, check and text of each finding.
fn findings(dir: &Path, settings: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let mut command = tokenmeter(dir);
    let ran = command.envs(settings.iter().copied()).args(["doctor", "--json"]).output();
    let ran = ran.expect("it runs");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let found: Vec<_> = text.lines().map(finding).collect();
    let is_wrong = found.iter().any(|(level, ..)| level == "wrong");
    assert_eq!(ran.status.success(), !is_wrong, "{text}");
    found
}

fn finding(line: &str) -> (String, String, String) {
    let read: Value = serde_json::from_str(line).expect("JSON");
    let text = |key: &str| read[key].as_str().expect("a text").to_owned();
    assert!(!text("remedy").is_empty());
    (text("level"), text("check"), text("what"))
}

/// Exactly one finding is wrong: this one.
fn expect(dir: &Path, settings: &[(&str, &str)], check: &str, part: &str) {
    let found = findings(dir, settings);
    let wrong: Vec<_> = found.iter().filter(|(level, ..)| level == "wrong").collect();
    assert!(
        matches!(wrong.as_slice(), [one] if one.1 == check && one.2.contains(part)),
        "{found:?}"
    );
}

/// A data directory with three calls in it, nobody's.
fn healthy(root: &Path) -> PathBuf {
    let data = root.join("data");
    let calls: Vec<String> = (0..3).map(|number| call(number, "gpt-4o-mini")).collect();
    ingest(root, &data, &calls);
    settle(&data);
    data
}

/// Has the spool in its one file: what a process that ended early left in the write-ahead log
/// goes into it, as a copy of the file alone would miss it.
fn settle(data: &Path) {
    let spool = rusqlite::Connection::open(data.join("spool.sqlite")).expect("a spool");
    let busy: i64 = spool
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("a checkpoint");
    assert_eq!(busy, 0, "somebody still writes it");
}

fn ingest(root: &Path, data: &Path, calls: &[String]) {
    let file = root.join("calls.ndjson");
    fs::write(&file, calls.join("\n")).expect("written");
    // It says by its exit code that some were rejected.
    let ran = tokenmeter(data).arg("ingest").arg(&file).output().expect("it runs");
    assert!(matches!(ran.status.code(), Some(0 | 2)), "{ran:?}");
}

fn call(number: usize, model: &str) -> String {
    json!({"event_id": format!("e-{number}"), "source": "s", "provider": "openai",
        "api": "chat.completions", "model": model,
        "occurred_at": jiff::Timestamp::now().to_string(),
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
    .to_string()
}

/// A copy of a data directory in a folder of its own.
fn copy(data: &Path, to: &Path) -> PathBuf {
    let status = std::process::Command::new("cp").arg("-r").arg(data).arg(to).status();
    assert!(status.expect("cp").success());
    to.to_owned()
}

fn first_file(folder: &Path, ending: &str) -> PathBuf {
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => waiting.push(path),
                path if path.to_string_lossy().ends_with(ending) => return path,
                _ => {}
            }
        }
    }
    panic!("no file ends with {ending}")
}

#[test]
fn each_planted_fault_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let data = healthy(root.path());
    assert_eq!(findings(&data, &[]), [], "nothing is wrong");
    let nothing_yet = root.path().join("nothing-yet");
    assert_eq!(findings(&nothing_yet, &[]), [], "nothing is there yet");
    assert!(!nothing_yet.exists(), "and nothing was made");

    let planted = |name: &str| copy(&data, &root.path().join(name));
    let config = root.path().join("wrong.toml");
    fs::write(&config, "[lake]\nurll = \"x\"\n").expect("written");
    let named = [("TOKENMETER_CONFIG", config.to_str().expect("a path"))];
    expect(&data, &named, "configuration", "urll");

    let book = root.path().join("book.toml");
    fs::write(&book, "provider = \"x\"\nratez = 1\n").expect("written");
    let prices = root.path().join("prices.toml");
    let list = format!("[prices]\nbooks = [{:?}]\n", book.display().to_string());
    fs::write(&prices, list).expect("written");
    let named = [("TOKENMETER_CONFIG", prices.to_str().expect("a path"))];
    expect(&data, &named, "prices", "ratez");

    let a_file = root.path().join("a-file");
    fs::write(&a_file, "").expect("written");
    let lake = data.join("lake").display().to_string();
    let found = findings(&a_file, &[("TOKENMETER_LAKE__URL", &lake)]);
    assert!(found.iter().any(|(_, check, _)| check == "data directory"), "{found:?}");

    let dir = planted("spool-gone");
    fs::remove_file(dir.join("spool.sqlite")).expect("removed");
    expect(&dir, &[], "spool", "is gone");

    let dir = planted("spool-of-another");
    let other = root.path().join("other");
    fs::create_dir(&other).expect("a folder");
    let other = healthy(&other);
    fs::copy(other.join("spool.sqlite"), dir.join("spool.sqlite")).expect("copied");
    expect(&dir, &[], "spool", "the manifest names the log");

    let dir = planted("spool-torn");
    let spool = dir.join("spool.sqlite");
    fs::write(&spool, &fs::read(&spool).expect("a spool")[..5_000]).expect("torn");
    expect(&dir, &[], "source", "spool.sqlite");

    let dir = planted("spool-older");
    let older = rusqlite::Connection::open(dir.join("spool.sqlite")).expect("a spool");
    older.execute("UPDATE sqlite_sequence SET seq = 1", []).expect("set back");
    older.execute("DELETE FROM entries", []).expect("emptied");
    drop(older);
    expect(&dir, &[], "offsets", "older copy");

    let dir = planted("log-torn");
    fs::write(first_file(&dir.join("lake/dead_letters/_delta_log"), ".json"), "").expect("torn");
    expect(&dir, &[], "table", "dead_letters");

    let dir = planted("file-gone");
    fs::remove_file(first_file(&dir.join("lake/calls"), ".parquet")).expect("removed");
    expect(&dir, &[], "data file", "it is not there");

    let dir = planted("file-torn");
    let file = first_file(&dir.join("lake/calls"), ".parquet");
    fs::write(&file, &fs::read(&file).expect("a file")[..100]).expect("torn");
    expect(&dir, &[], "data file", "it has 100 bytes");

    let broker = format!("127.0.0.1:{}", free_port());
    let settings =
        [("TOKENMETER_SOURCE__KIND", "kafka"), ("TOKENMETER_SOURCE__KAFKA__BROKERS", &broker)];
    expect(&data, &settings, "source", "Kafka");

    let dir = planted("unpriced");
    ingest(root.path(), &dir, &[call(9, "gpt-unheard-of"), "{}".to_owned()]);
    let found = findings(&dir, &[]);
    let notes: Vec<&str> = found.iter().map(|(_, check, _)| check.as_str()).collect();
    assert_eq!(notes, ["unpriced", "dead letters"], "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_asked_beside_a_running_server() {
    let root = tempfile::tempdir().expect("a folder");
    let data = healthy(root.path());
    let server = Server::start(&data, &[]).await;
    assert_eq!(findings(&data, &[]), []);
    assert!(server.get("/readyz").await.is_some(), "it goes on");
}
