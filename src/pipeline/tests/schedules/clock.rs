//! A machine's clock that is set forward and back while everything runs.

use std::sync::atomic::{AtomicI64, Ordering};

use rand::Rng;

use crate::time::{Clock, SystemClock, Timestamp};

/// How far it is off at most: beyond what files are kept for.
const SECONDS_MAX: i64 = 3 * 86_400;
/// One in so many looks at it finds it set anew.
const JUMPS_ONE_IN: f64 = 20.0;

/// The machine's clock, so many seconds off.
#[derive(Debug, Default)]
pub(super) struct JumpingClock(AtomicI64);

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let mut random = rand::rng();
        if random.random_bool(1.0 / JUMPS_ONE_IN) {
            self.0.store(random.random_range(-SECONDS_MAX..SECONDS_MAX), Ordering::Relaxed);
        }
        SystemClock.now().plus_seconds(self.0.load(Ordering::Relaxed))
    }
}
