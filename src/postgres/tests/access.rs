//! Who gets in, as whom, and for how long.

use super::client::{code, rows};
use super::wire::Wire;
use crate::api::keys::KeyScope;
use crate::postgres::{Listen, PostgresConfig, PostgresError, bind};
use crate::query::QueryConfig;

const TENANTS: &str = "SELECT DISTINCT tenant FROM calls ORDER BY tenant";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_the_password_and_says_whose_rows_are_seen() {
    let wire = Wire::full(QueryConfig::default()).await;
    // Before the first key, this machine is let in without one.
    let mut open = wire.client(None).await.expect("let in");
    assert_eq!(rows(&open.ask(TENANTS).await).len(), 3);
    let (mut acme, key) = wire.of_acme().await;
    assert_eq!(rows(&acme.ask(TENANTS).await), [["acme"]]);
    assert_eq!(code(&acme.ask("SELECT * FROM control").await), "42P01");
    let admin = wire.key(&[KeyScope::Admin], |_| {}).await;
    let mut admin = wire.client(Some(&admin)).await.expect("let in");
    assert_eq!(rows(&admin.ask(TENANTS).await).len(), 3);
    // Whoever came without a key is asked for one from now on.
    assert_eq!(code(&open.ask(TENANTS).await), "28P01");
    assert_eq!(open.next().await, None, "the connection is closed");
    let refused = wire.client(None).await.err().expect("a refusal");
    assert_eq!((refused.field('C'), refused.field('S')), ("28P01".into(), "FATAL".into()));
    for wrong in ["", "tm_0123", &key[1..], &format!("{key}0")] {
        let refused = wire.client(Some(wrong)).await.err().expect("a refusal");
        assert_eq!(refused.field('C'), "28P01", "{wrong}");
        assert!(!refused.field('M').contains("0123"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_ask_or_has_ended_opens_nothing() {
    let wire = Wire::full(QueryConfig::default()).await;
    let ingest = wire.key(&[KeyScope::Ingest], |_| {}).await;
    let refused = wire.client(Some(&ingest)).await.err().expect("a refusal");
    assert_eq!(refused.field('C'), "42501");
    let now = wire.server.now();
    let expired = wire.key(&[KeyScope::Admin], |key| key.expires_at = Some(now)).await;
    let refused = wire.client(Some(&expired)).await.err().expect("a refusal");
    assert_eq!(refused.field('C'), "28P01");
    assert!(refused.field('M').contains("expired"), "{refused:?}");
    // A key that is revoked while a connection has it answers nothing more, a SET included.
    for sql in [TENANTS, "SET search_path = public"] {
        let (mut acme, key) = wire.of_acme().await;
        assert_eq!(code(&acme.ask(sql).await), "");
        let keys = &wire.server.app.state.keys;
        let id = keys.admit(&key).expect("a live key").key_id;
        keys.revoke(&id).await.expect("revoked");
        assert_eq!(code(&acme.ask(sql).await), "28P01", "{sql}");
        assert_eq!(acme.next().await, None, "the connection is closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_others_can_reach_needs_keys_and_a_certificate() {
    let config = |listen: &str| PostgresConfig {
        listen: Listen::At(listen.parse().expect("an address")),
        ..PostgresConfig::default()
    };
    let open = config("0.0.0.0:0");
    assert!(matches!(bind(&open, false).await, Err(PostgresError::NoKeys(_))));
    let refused = bind(&open, true).await.expect_err("keys in clear").to_string();
    assert!(refused.contains("postgres.tls_cert"), "{refused}");
    let half = PostgresConfig { tls_cert: Some("a.pem".into()), ..config("127.0.0.1:0") };
    assert!(matches!(bind(&half, true).await, Err(PostgresError::HalfTls)));
    let lost = PostgresConfig { tls_key: Some("no.pem".into()), ..half };
    let refused = bind(&lost, true).await.expect_err("no such file").to_string();
    assert!(refused.contains("a.pem"), "{refused}");
    let off = PostgresConfig { listen: Listen::Off, ..open };
    assert!(bind(&off, false).await.expect("nothing to do").is_none());
    let taken = bind(&config("127.0.0.1:0"), false).await.expect("a port").expect("a door");
    let again = config(&taken.address().to_string());
    let refused = bind(&again, false).await.expect_err("a taken port").to_string();
    assert!(refused.contains("postgres.listen"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_counted_by_how_they_end() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut acme, _) = wire.of_acme().await;
    for sql in [TENANTS, TENANTS, "SELECT no_such_column FROM calls", "DROP TABLE calls"] {
        acme.ask(sql).await;
    }
    let metrics = wire.server.get("/metrics", &[]).await.text();
    for (outcome, times) in [("ok", 2), ("sql_invalid", 1), ("not_read_only", 1)] {
        let labels = format!(r#"{{outcome="{outcome}",protocol="postgres"}}"#);
        let line = format!("tokenmeter_questions_total{labels} {times}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}
