//! `docs/columns.md` is the column dictionary: generated, and compared with the schema.

use super::*;

#[test]
fn the_column_dictionary_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/columns.md");
    let current = dictionary();
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found != current && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, &current).expect("the dictionary");
        return;
    }
    assert_eq!(found, current, "write docs/columns.md anew: UPDATE_DOCS=1 cargo test --lib lake");
}
