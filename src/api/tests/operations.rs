//! Health, problem documents and the ways out.

use axum::body::Body;

use super::Server;
use crate::api::{ReadyCheck, check_listen};

fn check(answer: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> ReadyCheck {
    ReadyCheck { name: "lake", check: Box::new(answer) }
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let server = Server::with(|state| state.checks.push(check(|| Ok(())))).await;
    assert_eq!(server.get("/healthz", &[]).await.status, 200);
    assert_eq!(server.get("/readyz", &[]).await.json()["ready"], true);
    let broken = Server::with(|state| state.checks.push(check(|| Err("no space left".into()))));
    let answer = broken.await.get("/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["ready"]), (503, &false.into()));
    assert_eq!(answer.json()["reasons"][0], "lake: no space left");
    server.app.stop();
    assert_eq!(server.get("/readyz", &[]).await.status, 503);
    assert_eq!(server.get("/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_problem_document() {
    let server = Server::with(|state| state.checks.push(check(|| panic!("a secret")))).await;
    let answer = server.get("/v1/nothing", &[("x-request-id", "mine-1")]).await;
    answer.is_problem(404, "not_found");
    assert_eq!(answer.json()["request_id"], "mine-1");
    let strange = server.get("/v1/nothing", &[("x-request-id", "a b")]).await;
    assert_eq!(strange.header("x-request-id").len(), 36);
    let answer = server.ask("DELETE", "/healthz", &[], Body::empty()).await;
    answer.is_problem(405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"));
    let answer = server.get("/readyz", &[]).await;
    answer.is_problem(500, "internal");
    assert!(!answer.text().contains("secret"));
}

#[tokio::test]
async fn metrics_show_requests_by_route() {
    let server = Server::new().await;
    server.get("/healthz", &[]).await;
    server.get("/no/such/thing", &[]).await;
    let text = server.get("/metrics", &[]).await.text();
    for line in [
        r#"tokenmeter_http_requests_total{route="/healthz",status="200"} 1"#,
        r#"tokenmeter_http_requests_total{route="unknown",status="404"} 1"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(server.get("/version", &[]).await.json()["version"].is_string());
}

#[test]
fn open_addresses_need_a_key_first() {
    let loopback = ["127.0.0.1:7070", "127.8.8.8:1", "[::1]:7070"];
    let open = ["0.0.0.0:7070", "[::]:7070", "192.168.1.4:7070"];
    for address in loopback {
        assert!(check_listen(address.parse().expect("an address"), false).is_ok());
    }
    for address in open {
        let address = address.parse().expect("an address");
        let why = check_listen(address, false).expect_err("refused").to_string();
        assert!(why.contains("tokenmeter keys create") && check_listen(address, true).is_ok());
    }
}
