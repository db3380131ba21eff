//! Runs a target on mutated seeds for a time, without a fuzzer: `TARGET [SECONDS] [SEED]`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::mutate::{Random, mutated};
use crate::seeds;

/// Runs until the time is over, or to the first input that panics, which is kept in `artifacts/`.
pub fn run(name: &str, target: fn(&[u8]) -> bool) {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (seconds, seed) = (arguments.next().unwrap_or(60), arguments.next().unwrap_or(1));
    let seeds = seeds::of(name);
    for seed in &seeds {
        target(seed);
    }
    let mut random = Random(seed);
    let (start, mut executions, mut taken) = (Instant::now(), 0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..256 {
            let bytes = mutated(&seeds, &mut random);
            match catch_unwind(AssertUnwindSafe(|| target(&bytes))) {
                Ok(accepted) => taken += u64::from(accepted),
                Err(_) => keep(name, &bytes),
            }
            executions += 1;
        }
    }
    println!("{name}: {executions} executions in {seconds} s, {taken} taken, no panic");
}

fn keep(name: &str, bytes: &[u8]) -> ! {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("panic");
    std::fs::write(&file, bytes).expect("a file");
    eprintln!("{name} panics on `{}`", file.display());
    std::process::exit(1);
}
