//! `docs/crash_matrix.md`: what the runs found is written between its markers.

use std::path::Path;
use std::time::Duration;

/// Puts a text in the place of a section, where `UPDATE_DOCS` is set; prints it in any case.
pub fn section(name: &str, text: &str) {
    eprintln!("{text}");
    if std::env::var("UPDATE_DOCS").is_err() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/crash_matrix.md");
    let document = std::fs::read_to_string(&path).expect("the document");
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = document.split_once(&begin).expect("the section's begin");
    let (_, after) = rest.split_once(&end).expect("the section's end");
    let machine = format!("{} cores, {} build", cores(), build());
    let document = format!("{before}{begin}{text}\n\nMeasured on {machine}.\n{end}{after}");
    std::fs::write(path, document).expect("written");
}

/// The middle and the longest, in seconds.
pub fn spread(took: &[Duration]) -> String {
    let mut took = took.to_vec();
    took.sort_unstable();
    let at = |index: usize| took.get(index).map_or(0.0, Duration::as_secs_f64);
    format!("median {:.1} s, longest {:.1} s", at(took.len() / 2), at(took.len().wrapping_sub(1)))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn build() -> &'static str {
    let binary = std::env::var("TOKENMETER_TORTURE_BINARY").unwrap_or_default();
    if binary.contains("release") { "a release" } else { "a debug" }
}
