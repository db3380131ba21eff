//! Costs by any columns.

use super::lake::at;
use super::*;

async fn csv(engine: &QueryEngine, request: &CostsRequest) -> String {
    let mut answer = engine.costs(request).await.expect("an answer");
    let csv = encode(&mut answer, Format::Csv).await.expect("an answer");
    String::from_utf8(csv).expect("text").replace("\r\n", "\n")
}

fn by(names: &[&str]) -> CostsRequest {
    let group_by = names.iter().map(|name| (*name).to_owned()).collect();
    CostsRequest { group_by, ..CostsRequest::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_add_up_however_they_are_grouped() {
    let test = TestLake::full().await;
    let engine = test.engine();
    insta::assert_snapshot!("costs_by_nothing", csv(&engine, &by(&[])).await);
    insta::assert_snapshot!("costs_by_team_and_model", csv(&engine, &by(&["team", "model"])).await);
    let by_day = CostsRequest { interval: Interval::Day, ..by(&["tenant"]) };
    insta::assert_snapshot!("costs_by_tenant_and_day", csv(&engine, &by_day).await);
    for (name, _) in COST_COLUMNS {
        let answer = csv(&engine, &by(&[name])).await;
        assert!(answer.starts_with(&format!("{name},calls,")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_hold_to_their_window_and_filters() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let request = CostsRequest {
        from: Some(at("2026-11-21T02:00:00.000001Z")),
        to: Some(at("2026-11-22T02:00:00.000001Z")),
        ..by(&["tenant"])
    };
    let answer = csv(&engine, &request).await;
    let calls: Vec<&str> = answer.lines().skip(1).collect();
    assert_eq!(calls.len(), 3, "{answer}");
    assert!(calls[0].starts_with("acme,2,2,0,3.250001,"), "{answer}");
    assert!(calls[1].starts_with("globex,1,1,0,0.00004,"), "{answer}");
    assert!(calls[2].starts_with("unattributed,1,0,1,,"), "{answer}");
    let filters = [("team".to_owned(), "unattributed".to_owned())].into();
    let answer = csv(&engine, &CostsRequest { filters, ..by(&["tenant"]) }).await;
    assert!(answer.contains("\nglobex,1,") && !answer.contains("acme"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_column_names_the_nearest_one() {
    let test = TestLake::empty().await;
    let error = test.engine().costs(&by(&["taem"])).await.expect_err("refused");
    assert_eq!(error.code(), "unknown_name");
    assert!(error.to_string().contains("`team`"), "{error}");
}
