//! Which requests of a schedule fail, and how many did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use object_store::ObjectStore;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::lake::faulty::{Fault, FaultyStore, Request};

/// Kinds of faults: those of writes, on data files and on log entries, and those of reads.
pub(super) const KINDS: usize = 2 * WRITES.len() + 3;

const WRITES: [Fault; 6] =
    [Fault::Before, Fault::After, Fault::AfterAndAgain, Fault::Late, Fault::Slow, Fault::Full];

/// The faults of one schedule.
#[derive(Debug, Default)]
pub(super) struct Faults {
    are_on: AtomicBool,
    fired: Mutex<BTreeMap<String, u64>>,
}

impl Faults {
    pub fn begin(&self) {
        self.are_on.store(true, Ordering::Relaxed);
    }

    pub fn end(&self) {
        self.are_on.store(false, Ordering::Relaxed);
    }

    pub fn fired(&self) -> BTreeMap<String, u64> {
        self.fired.lock().expect("the faults").clone()
    }

    /// A store that fails by a seed while faults are on.
    pub fn over(self: &Arc<Self>, store: Arc<dyn ObjectStore>, seed: u64) -> FaultyStore {
        let (faults, mut random) = (Arc::clone(self), StdRng::seed_from_u64(seed));
        FaultyStore::new(store, move |request| {
            let (fault, where_) = draw(&mut random, request)?;
            if !faults.are_on.load(Ordering::Relaxed) {
                return None;
            }
            let mut fired = faults.fired.lock().expect("the faults");
            *fired.entry(format!("{fault:?} {where_}")).or_insert(0) += 1;
            Some(fault)
        })
    }
}

fn draw(random: &mut StdRng, request: Request<'_>) -> Option<(Fault, &'static str)> {
    match request {
        Request::Put(path) => {
            let is_entry = path.as_ref().contains("_delta_log/");
            let fault = WRITES[random.random_range(0..WRITES.len())];
            let (place, share) = if is_entry { ("log", 0.3) } else { ("data", 0.5) };
            random.random_bool(share).then_some((fault, place))
        }
        Request::Get => random.random_bool(0.005).then_some((Fault::Unread, "read")),
        Request::List => random.random_bool(0.07).then(|| match random.random_range(0..10) {
            0..2 => (Fault::Unread, "read"),
            2..7 => (Fault::Stale, "list"),
            _ => (Fault::Holed, "list"),
        }),
    }
}
