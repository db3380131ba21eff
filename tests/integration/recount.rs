//! Generated events, metered here and counted again in Python by another reading of the rules.

use crate::parts::python;

/// Rows, classes, statuses, units, costs and the sums of tenants.
#[test]
fn a_second_reading_of_the_rules_comes_to_the_same() {
    let arguments = [env!("CARGO_BIN_EXE_tokenmeter"), "20000"];
    let Some(verdict) = python::script("recount_meter.py", &arguments) else { return };
    assert!(verdict.starts_with("equal: 20000 rows"), "{verdict}");
    eprintln!("{verdict}");
}
