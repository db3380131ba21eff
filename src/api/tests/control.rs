//! Keys in a real `control` table.

use std::sync::Arc;

use crate::api::keys::{ControlKeys, KeyRefusal, KeyRing, KeyScope, NewKey};
use crate::lake::{Lake, LakeConfig, TableName};
use crate::time::SystemClock;

async fn open(directory: &std::path::Path) -> (Lake, KeyRing) {
    let clock = Arc::new(SystemClock);
    let url = directory.to_string_lossy().into_owned();
    let config = LakeConfig { url, ..LakeConfig::default() };
    let lake = Lake::open(&config, clock.clone()).await.expect("a lake");
    let keys = ControlKeys::new(lake.table(TableName::Control).clone());
    let ring = KeyRing::open(Arc::new(keys), clock).await.expect("keys");
    (lake, ring)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_the_process_and_reach_other_instances() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_lake, ring) = open(directory.path()).await;
    assert!(ring.is_empty());
    let mut new = NewKey {
        owner: "acme".into(),
        label: "the gateway".into(),
        scopes: [KeyScope::Ingest, KeyScope::Query].into(),
        tenants: ["t-1".into()].into(),
        expires_at: "2999-01-01T00:00:00Z".parse().ok(),
        ..NewKey::default()
    };
    new.asserted.environment = Some("production".into());
    let (record, text) = ring.create(new).await.expect("a key");
    assert_eq!(record.terms.asserted.tenant.as_deref(), Some("t-1"));
    let (_, other) = open(directory.path()).await;
    assert_eq!(other.admit(text.reveal()), Ok(record.clone()));
    other.ensure_first("0123456789abcdef0123456789abcdef").await.expect("another key");
    assert_eq!(ring.records().len(), 1);
    ring.refresh().await.expect("read again");
    assert_eq!(ring.records().len(), 2);
    ring.revoke(&record.key_id).await.expect("revoked");
    assert_eq!(other.admit(text.reveal()), Ok(record));
    other.refresh().await.expect("read again");
    assert_eq!(other.admit(text.reveal()), Err(KeyRefusal::Revoked));
    assert!(ring.revoke("nothing").await.is_err());
    assert!(!files_hold(directory.path(), text.reveal().as_bytes()));
}

/// Whether any file below holds these bytes.
fn files_hold(directory: &std::path::Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).any(|path| {
        if path.is_dir() {
            return files_hold(&path, bytes);
        }
        let content = std::fs::read(path).expect("a file");
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
