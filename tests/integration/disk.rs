//! A disk that is read-only, under the real program: a file system in memory of its own, which only
//! root may mount.

use std::path::Path;
use std::process::Command;

use crate::server::tokenmeter;

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
        eprintln!("NOT TESTED: a read-only disk, for `mount` needs root");
        None
    }

    fn path(&self) -> &Path {
        self.dir.path()
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
