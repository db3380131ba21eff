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
    let narrow = Narrow {
        from: Some(at("2026-11-21T02:00:00.000001Z")),
        to: Some(at("2026-11-22T02:00:00.000001Z")),
        ..Narrow::default()
    };
    let request = CostsRequest { narrow, ..by(&["tenant"]) };
    let answer = csv(&engine, &request).await;
    let calls: Vec<&str> = answer.lines().skip(1).collect();
    assert_eq!(calls.len(), 3, "{answer}");
    assert!(calls[0].starts_with("acme,2,2,0,3.250001,"), "{answer}");
    assert!(calls[1].starts_with("globex,1,1,0,0.00004,"), "{answer}");
    assert!(calls[2].starts_with("unattributed,1,0,1,,"), "{answer}");
    let filters = [("team".to_owned(), "unattributed".to_owned())].into();
    let narrow = Narrow { filters, ..Narrow::default() };
    let answer = csv(&engine, &CostsRequest { narrow, ..by(&["tenant"]) }).await;
    assert!(answer.contains("\nglobex,1,") && !answer.contains("acme"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_column_names_the_nearest_one() {
    let test = TestLake::empty().await;
    let error = test.engine().costs(&by(&["taem"])).await.expect_err("refused");
    assert_eq!(error.code(), "unknown_name");
    assert!(error.to_string().contains("`team`"), "{error}");
}

/// Calls around a clock change, an hour apart; each costs a microdollar more.
async fn around(first: &str, hours: i64) -> TestLake {
    let test = TestLake::empty().await;
    let first = at(first);
    let rows = (0..hours).map(|hour| {
        let id = format!("h{hour:02}");
        let cost = i128::from(hour) + 1;
        let mut row = super::lake::call_row(&(&id, "acme", "ops", "gpt-5", 1, cost), hour);
        row.charge.event.occurred_at = first.plus_seconds(hour * 3_600);
        row
    });
    test.write(super::lake::TABLE, rows.collect(), 1).await;
    test
}

/// The first three columns.
async fn periods(test: &TestLake, terms: &[(&str, &str)]) -> Vec<String> {
    let terms = terms.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let request = CostsRequest::read(terms.collect()).expect("terms");
    let answer = csv(&test.engine(), &request).await;
    let cells = |line: &str| line.split(',').take(3).collect::<Vec<_>>().join(" ");
    answer.lines().skip(1).map(cells).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_as_long_as_its_clocks_make_it() {
    let zone = ("time_zone", "America/New_York");
    // Back: from 04:00 UTC, midnight there, to 05:00 UTC of the day after.
    let autumn = around("2026-11-01T04:00:00Z", 26).await;
    let expected = [
        "2026-11-01T04:00:00Z 2026-11-01T00:00:00-04:00 25",
        "2026-11-02T05:00:00Z 2026-11-02T00:00:00-05:00 1",
    ];
    assert_eq!(periods(&autumn, &[zone, ("interval", "day")]).await, expected);
    let hours = periods(&autumn, &[zone, ("interval", "hour")]).await;
    assert_eq!(hours.len(), 26, "the hour from one to two is there twice: {hours:?}");
    assert_eq!(hours[1], "2026-11-01T05:00:00Z 2026-11-01T01:00:00-04:00 1");
    assert_eq!(hours[2], "2026-11-01T06:00:00Z 2026-11-01T01:00:00-05:00 1");
    let window = [zone, ("interval", "day"), ("from", "2026-11-01"), ("to", "2026-11-02")];
    assert_eq!(periods(&autumn, &window).await, [expected[0]]);
    let weeks = periods(&autumn, &[("interval", "week")]).await;
    assert_eq!(weeks.len(), 2, "{weeks:?}");
    assert!(weeks[0].starts_with("2026-10-26T00:00:00Z 20 "), "{weeks:?}");
    // Forward: from 05:00 UTC to 04:00 UTC of the day after.
    let spring = around("2026-03-08T05:00:00Z", 24).await;
    let expected = [
        "2026-03-08T05:00:00Z 2026-03-08T00:00:00-05:00 23",
        "2026-03-09T04:00:00Z 2026-03-09T00:00:00-04:00 1",
    ];
    assert_eq!(periods(&spring, &[zone, ("interval", "day")]).await, expected);
    let hours = periods(&spring, &[zone, ("interval", "hour")]).await;
    assert_eq!(hours[2], "2026-03-08T07:00:00Z 2026-03-08T03:00:00-04:00 1");
    let months = periods(&spring, &[zone, ("interval", "month")]).await;
    assert_eq!(months, ["2026-03-01T05:00:00Z 2026-03-01T00:00:00-05:00 24"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_time_zone_gets_into_a_statement_that_is_none() {
    let test = TestLake::empty().await;
    let engine = test.engine();
    for zone in ["'; DROP TABLE calls; --", "UTC') FROM calls --", "", "Mars/Olympus"] {
        let time_zone = Some(zone.to_owned());
        let request = CostsRequest { time_zone, interval: Interval::Day, ..by(&[]) };
        assert_eq!(engine.costs(&request).await.expect_err(zone).code(), "unknown_name");
    }
}
