//! Named crash points: places where a debug build can be told to die.
//!
//! `TOKENMETER_CRASH=NAME:N` ends the process when it passes that point for the N-th time: nothing
//! is flushed, nothing unwound, as after a SIGKILL. `TOKENMETER_CRASH=count:PATH` appends the name
//! of each point that is passed to a file, a line each. In a release build a point is nothing at
//! all. The points go by the step that is next or was just done; `tests/torture` kills at each.

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that arms a point.
const VARIABLE: &str = "TOKENMETER_CRASH";

/// What a process was told to do at its points.
#[derive(Debug)]
enum Plan {
    /// To die at a point, after so many more hits.
    Die { at: String, hits: AtomicU64 },
    /// To write down each point.
    Count(File),
}

/// A point of the one path that leads here.
#[inline]
pub fn point(name: &'static str) {
    point_in(name, "");
}

/// A point that is passed for several parts, such as tables: `NAME/PART`.
#[inline]
pub fn point_in(name: &'static str, part: &str) {
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    if cfg!(debug_assertions)
        && let Some(plan) = PLAN.get_or_init(|| std::env::var(VARIABLE).ok().map(|t| Plan::of(&t)))
    {
        plan.pass(name, part);
    }
}

impl Plan {
    /// # Panics
    /// When the variable cannot be read: a test that does not crash where it should proves nothing.
    fn of(text: &str) -> Self {
        let plan = match text.split_once(':') {
            Some(("count", path)) => {
                File::options().create(true).append(true).open(path).ok().map(Self::Count)
            }
            Some((at, hits)) => {
                let hits = hits.parse().ok().map(AtomicU64::new);
                hits.map(|hits| Self::Die { at: at.to_owned(), hits })
            }
            None => None,
        };
        plan.unwrap_or_else(|| panic!("`{VARIABLE}` is `NAME:HIT` or `count:PATH`, not `{text}`"))
    }

    fn pass(&self, name: &str, part: &str) {
        match self {
            Self::Die { at, hits } => {
                if is_named(at, name, part) && hits.fetch_sub(1, Ordering::SeqCst) == 1 {
                    std::process::abort();
                }
            }
            Self::Count(file) => {
                let slash = if part.is_empty() { "" } else { "/" };
                // One write a line, so that threads do not mix them.
                let line = format!("{name}{slash}{part}\n");
                drop((&*file).write_all(line.as_bytes()));
            }
        }
    }
}

fn is_named(at: &str, name: &str, part: &str) -> bool {
    match at.strip_prefix(name) {
        Some("") => part.is_empty(),
        Some(rest) => rest.strip_prefix('/') == Some(part),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_whole() {
        assert!(is_named("commit.begin/calls", "commit.begin", "calls"));
        assert!(is_named("flush.begin", "flush.begin", ""));
        assert!(!is_named("flush.begin", "flush.begin", "calls"));
        assert!(!is_named("commit.begin", "commit.begin", "calls"));
        assert!(!is_named("commit.begin/calls", "commit", "calls"));
        assert!(!is_named("commit.begin/calls", "commit.begin", "call_revisions"));
    }

    #[test]
    fn passed_points_are_written_down() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("passed");
        let plan = Plan::of(&format!("count:{}", path.display()));
        plan.pass("flush.begin", "");
        plan.pass("commit.begin", "calls");
        let passed = std::fs::read_to_string(path).expect("a file");
        assert_eq!(passed, "flush.begin\ncommit.begin/calls\n");
    }

    #[test]
    fn another_point_or_an_early_hit_is_survived() {
        let plan = Plan::of("flush.begin:3");
        plan.pass("flush.begin", "");
        plan.pass("flush.decided", "");
        let Plan::Die { hits, .. } = plan else { panic!("to die") };
        assert_eq!(hits.into_inner(), 2);
    }

    #[test]
    #[should_panic(expected = "is `NAME:HIT` or `count:PATH`")]
    fn what_cannot_be_read_is_loud() {
        Plan::of("flush.begin");
    }
}
