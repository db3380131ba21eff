//! A disk that is full or read-only, under the real program: a file system in memory of its own,
//! which only root may mount.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Server, tokenmeter};

/// A file system of its own, unmounted when it is dropped.
struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    /// Of so many MiB; `None` where this process may not mount.
    fn mount(mebibytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let size = format!("size={mebibytes}m");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path());
        if command.output().is_ok_and(|output| output.status.success()) {
            return Some(Self { dir });
        }
        eprintln!("NOT TESTED: a disk's faults, for `mount` needs root");
        None
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes all the space that is left; gives the file to delete.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).expect("a file");
        for size in [1 << 20, 4 << 10, 1] {
            let block = vec![7; size];
            while file.write_all(&block).is_ok() {}
        }
        path
    }

    fn make_read_only(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()).status();
        assert!(remounted.expect("mount").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").args(["-l"]).arg(self.path()).status());
    }
}

#[test]
fn a_read_only_disk_is_named() {
    let Some(disk) = Disk::mount(8) else { return };
    disk.make_read_only();
    let data = disk.path().join("data");
    let output = tokenmeter(&data).arg("serve").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&data.display().to_string()), "{said}");
    assert!(said.to_lowercase().contains("read-only"), "{said}");
}

/// Sends a batch of new events; their ids when they were acknowledged.
async fn send(server: &Server, batch: usize) -> (u16, Vec<String>) {
    let ids: Vec<String> = (0..200).map(|n| format!("d-{batch}-{n}")).collect();
    let events: Vec<_> = ids
        .iter()
        .map(|id| {
            json!({"event_id": id, "source": "s", "provider": "openai", "api": "chat.completions",
                "model": "gpt-4o-mini", "tenant": "acme",
                "occurred_at": jiff::Timestamp::now().to_string(),
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
        })
        .collect();
    let (status, _) = server.post("/v1/events", json!(events).to_string()).await;
    (status, if status == 202 { ids } else { Vec::new() })
}

/// Sends until the answer is that one.
async fn send_until(server: &Server, wanted: u16, batch: &mut usize, sent: &mut BTreeSet<String>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        *batch += 1;
        let (status, ids) = send(server, *batch).await;
        sent.extend(ids);
        if status == wanted {
            return;
        }
        assert!([202, 503].contains(&status), "{status}: {}", server.log());
        assert!(Instant::now() < deadline, "no {wanted}: {}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_that_is_freed_again_needs_no_hand() {
    let Some(disk) = Disk::mount(96) else { return };
    let server = Server::start(&disk.path().join("data"), &[]).await;
    let (mut sent, mut batch) = (BTreeSet::new(), 0);
    for _ in 0..3 {
        for _ in 0..5 {
            send_until(&server, 202, &mut batch, &mut sent).await;
        }
        // Log, tables and the process's own log: nothing can be written any more.
        let filler = disk.fill();
        send_until(&server, 503, &mut batch, &mut sent).await;
        // Also what is said of it finds no room any more.
        for _ in 0..100 {
            send_until(&server, 503, &mut batch, &mut sent).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        send_until(&server, 503, &mut batch, &mut sent).await;
        assert!(server.get("/healthz").await.is_some(), "it is alive");
        std::fs::remove_file(filler).expect("freed");
        send_until(&server, 202, &mut batch, &mut sent).await;
    }
    let count = sent.len().to_string();
    let within = Duration::from_secs(60);
    server.wait_for("SELECT count(*) FROM calls", &count, within).await;
    let ids = server.rows("SELECT event_id FROM calls").await;
    let rows = ids.len();
    let ids: BTreeSet<String> =
        ids.into_iter().filter_map(|row| row[0].as_str().map(str::to_owned)).collect();
    assert_eq!((rows, ids), (sent.len(), sent), "each acknowledged event once, and no other");
    assert_eq!(server.cell("SELECT count(*) FROM dead_letters").await, "0");
    server.terminate();
}
