//! What is fuzzed: decoding and rating never panic, whatever the bytes.
//!
//! `cargo +nightly fuzz run TARGET` lets libFuzzer look for inputs; `cargo run --release --bin TARGET`
//! mutates the fixtures from a seed on any toolchain (`mutate.rs`, `run.rs`). Both call the same
//! function.

mod mutate;
pub mod run;
mod seeds;
pub mod targets;

#[cfg(fuzzing)]
pub use libfuzzer_sys;

/// The `main` of a target: libFuzzer's under `cargo fuzz`, the seeded runner elsewhere.
#[macro_export]
macro_rules! fuzz {
    ($target:ident) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            $crate::targets::$target(bytes);
        });

        #[cfg(not(fuzzing))]
        fn main() {
            $crate::run::run(stringify!($target), $crate::targets::$target);
        }
    };
}
