//! How long rows wait for their commit: longer while other writers take the versions.

use std::time::Duration;

/// A commit that loses its version as often as this meets a crowd, not just a merge of files.
const CROWDED: usize = 2;
/// The longest wait, in usual ones.
const SLOWEST: u32 = 8;

/// The pace of commits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    usual: Duration,
    /// 1, 2, 4 or 8.
    times: u32,
}

impl Pace {
    /// The usual wait.
    pub(super) const fn new(usual: Duration) -> Self {
        Self { usual, times: 1 }
    }

    /// How long rows wait.
    pub(super) const fn interval(self) -> Duration {
        self.usual.saturating_mul(self.times)
    }

    /// A commit has landed after losing its version so often.
    pub(super) fn landed_after(&mut self, conflicts: usize) {
        self.times = match conflicts {
            0 => (self.times / 2).max(1),
            CROWDED.. => (self.times * 2).min(SLOWEST),
            _ => self.times,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_makes_it_slower_and_quiet_makes_it_usual_again() {
        let mut pace = Pace::new(Duration::from_secs(1));
        let mut after = |conflicts| {
            pace.landed_after(conflicts);
            pace.interval().as_secs()
        };
        assert_eq!([0, 1, 2, 5, 1, 3, 9].map(&mut after), [1, 1, 2, 4, 4, 8, 8]);
        assert_eq!([0, 0, 0, 0].map(&mut after), [4, 2, 1, 1]);
    }
}
