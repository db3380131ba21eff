//! "As billed then" and "as known now", both in SQL.

use super::jobs::Fixture;
use super::*;
use crate::money::Usd;
use crate::query::{Format, QueryConfig, QueryEngine, SqlRequest, encode};

/// The sums of `then_usd` and `now_usd`, and how many calls each is of.
async fn then_and_now(lake: &Lake, at: &str) -> (Usd, i64, Usd, i64) {
    let engine = QueryEngine::new(Arc::new(lake.clone()), QueryConfig::default()).expect("engine");
    let request = SqlRequest {
        parameters: vec![at.into()],
        ..SqlRequest::new(include_str!("../../../sql/billed_then_and_now.sql"))
    };
    let mut answer = engine.ask(&request).await.expect("an answer");
    let csv = encode(&mut answer, Format::Csv).await.expect("rows");
    let csv = String::from_utf8(csv).expect("text");
    let mut sums = (Usd::ZERO, 0, Usd::ZERO, 0);
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        let [_, _, calls_then, then, calls_now, now, _] = cells[..] else { panic!("{line}") };
        let usd = |text: &str| text.parse::<Usd>().unwrap_or_default();
        sums.0 = sums.0.checked_add(usd(then)).expect("a sum");
        sums.1 += calls_then.parse::<i64>().expect("a count");
        sums.2 = sums.2.checked_add(usd(now)).expect("a sum");
        sums.3 += calls_now.parse::<i64>().expect("a count");
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn each_moment_has_its_bill() {
    let fixture = Fixture::new().await;
    let (cheap, dearer) = books();
    let rules = || Some(rules("[[rules]]\ncopy = { tenant = \"tag.org\" }"));
    let scope = Scope::default();
    let noon = |hours: i64| now().plus_seconds(hours * 3_600);
    let author = |hours| Author { by: "f".into(), reason: "r".into(), at: noon(hours) };
    let mut totals = vec![fixture.total().await];
    let steps = [terms(dearer.clone(), None), terms(dearer, rules()), terms(cheap, None)];
    for (hours, terms) in (1..).zip(&steps) {
        apply(&fixture.lake, &scope, terms, &author(hours)).await.expect("a revision");
        totals.push(fixture.total().await);
    }
    assert_ne!(totals[0], totals[1]);
    assert_eq!((totals[1], totals[0]), (totals[2], totals[3]));
    let now_usd = Usd::from_pico(totals[3]);
    for (hours, total) in (0..).zip(&totals) {
        let at = noon(hours).plus_seconds(1_800).to_string();
        let expected = (Usd::from_pico(*total), 720, now_usd, 720);
        assert_eq!(then_and_now(&fixture.lake, &at).await, expected, "after step {hours}");
    }
    let before = then_and_now(&fixture.lake, "2026-11-23T11:00:00Z").await;
    assert_eq!(before, (Usd::ZERO, 0, Usd::ZERO, 0), "nothing was taken in then");
}
