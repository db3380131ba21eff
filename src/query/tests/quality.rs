//! Data quality against a known mix: ten calls and eight dead letters.

use super::lake::{TABLE, at, call_row, dead_letter};
use super::*;
use crate::attribution::TenantSource;
use crate::event::RejectionCode;
use crate::lake::{CallRow, DeadLetterRow, TableName};
use crate::pricing::{Cost, CostStatus};
use crate::usage::UsageStatus;

/// Ten calls of 2026-11-21: one without a price, one of unknown usage, one estimated and
/// provisional, one of nobody, one two hours late and one two days late, two of another team's that
/// is reported five percent dearer.
fn calls() -> Vec<CallRow> {
    let calls = [
        ("c0", "acme", "search", "gpt-5", 1, 1_000_000),
        ("c1", "acme", "search", "gpt-5", 2, 1_000_000),
        ("c2", "acme", "search", "gpt-5", 3, 1_000_000),
        ("c3", "acme", "chat", "claude-5", 4, 2_000_000),
        ("c4", "acme", "chat", "claude-5", 5, 2_000_000),
        ("unpriced", "acme", "search", "mystery-1", 6, -1),
        ("unknown", "acme", "search", "gpt-5", 7, 1_000_000),
        ("estimated", "acme", "search", "gpt-5", 8, 1_000_000),
        ("nobody", "unattributed", "", "gpt-5", 9, 1_000_000),
        ("late", "acme", "search", "gpt-5", 10, 1_000_000),
    ];
    let rows = calls.iter().zip(0..).map(|(call, offset)| {
        let row = call_row(call, offset);
        let mut charge = row.charge;
        let occurred_at = charge.event.occurred_at;
        let delay = match call.0 {
            "c0" => 7_200,
            "late" => 172_800,
            _ => 2,
        };
        match call.0 {
            "unknown" => {
                charge.cost = Cost::unknown(CostStatus::UnknownUsage);
                charge.usage.status = UsageStatus::UnknownUsage;
                charge.usage.requests.clear();
                charge.usage.reported_cost = None;
            }
            "estimated" => {
                charge.usage.status = UsageStatus::Estimated;
                charge.event.provisional = true;
            }
            "nobody" => charge.attribution.tenant_source = TenantSource::None,
            _ => {}
        }
        CallRow::new(charge, row.lineage, occurred_at.plus_seconds(delay)).expect("a row")
    });
    rows.collect()
}

/// Three duplicates, a conflict, two too old of which one was replayed, an impossible one.
fn letters() -> Vec<DeadLetterRow> {
    use RejectionCode::{Conflict, Duplicate, InvalidUsage, TooOld};
    let reasons = [Duplicate, Duplicate, Duplicate, Conflict, TooOld, TooOld, InvalidUsage];
    let letter = |(reason, offset): (RejectionCode, i64)| {
        let mut letter = dead_letter("acme");
        letter.lineage.offset = offset;
        letter.source = Some("gateway-1".to_owned());
        DeadLetterRow { reason, ..letter }
    };
    let mut letters: Vec<DeadLetterRow> = reasons.into_iter().zip(100..).map(letter).collect();
    let mut replayed = letter((TooOld, 104));
    replayed.replayed_at = Some(at("2026-11-22T06:00:00Z"));
    letters.push(replayed);
    letters
}

async fn told(engine: &QueryEngine, name: &str, scope: Scope) -> Value {
    let question = Question::named(name).expect("a question");
    let asked = question.asked(Terms::new(), at("2026-11-23T00:00:00Z")).expect("understood");
    let request = SqlRequest { scope, ..asked.to_sql().expect("a statement") };
    ask(engine, &request).await.expect(name).get("rows").expect("rows").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_mix_has_its_figures() {
    let test = TestLake::empty().await;
    test.write(TABLE, calls(), 1).await;
    test.write(TableName::DeadLetters, letters(), 1).await;
    let engine = test.engine();
    let rows = async |name: &str| told(&engine, name, Scope::All).await;
    // The first cells of each row.
    let first = |rows: &Value, cells: usize| {
        let rows = rows.as_array().expect("rows").iter();
        let cut = rows.map(|row| row.as_array().expect("a row").iter().take(cells).cloned());
        Value::Array(cut.map(|row| Value::Array(row.collect())).collect()).to_string()
    };
    let letter = r#""2026-11-22T00:00:00Z""#;
    for (name, cells, expected) in [
        // Calls, priced, unpriced, unknown, partial, estimated, of nobody, waiting letters.
        ("data_quality", 8, "[[10,8,1,1,0,1,1,6]]".to_owned()),
        ("unattributed_spend", 5, r#"[["gateway-1",null,1,"1","10"]]"#.to_owned()),
        ("duplicates", 6, format!(r#"[["local","gateway-1",3,10,"23.0769",{letter}]]"#)),
        ("conflicts", 6, format!(r#"[["local","gateway-1","acme",1,1,{letter}]]"#)),
        ("late_events", 8, r#"[["local","gateway-1",10,2,1,"20",172800,2]]"#.to_owned()),
        (
            "drift_against_reported",
            8,
            r#"[["anthropic","claude-5","gateway",2,"4","4.2","-0.2","-4.7619"]]"#.to_owned(),
        ),
        (
            "priced_share",
            3,
            r#"[["priced",8,"80"],["unknown_usage",1,"10"],["unpriced",1,"10"]]"#.to_owned(),
        ),
        (
            "estimated_share",
            4,
            r#"[["complete",8,"80",0],["estimated",1,"10",1],["unknown_usage",1,"10",0]]"#
                .to_owned(),
        ),
        ("unpriced_by_model", 5, r#"[["openai","mystery-1",1,957,"10"]]"#.to_owned()),
        (
            "dead_letters_by_reason",
            3,
            r#"[["duplicate",3,3],["too_old",2,1],["conflict",1,1],["invalid_usage",1,1]]"#
                .to_owned(),
        ),
    ] {
        assert_eq!(first(&rows(name).await, cells), expected, "{name}");
    }
    // Of nobody; of no team; no product at all; no feature of two teams.
    let named = rows("unattributed_columns").await;
    assert!(
        first(&named, 2).starts_with(r#"[["tenant",1],["team",1],["product",10],["feature",3]"#),
        "{named}"
    );
    assert_eq!(named[0][4], "10", "a tenth of the cost: {named}");
    // The newest call was at ten, and is asked about at the midnight after the next.
    let fresh = rows("freshness").await;
    assert_eq!((&fresh[0][2], &fresh[0][5]), (&10.into(), &(38 * 3_600 - 1).into()), "{fresh}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_told_of_its_own_only() {
    let test = TestLake::empty().await;
    test.write(TABLE, calls(), 1).await;
    test.write(TableName::DeadLetters, letters(), 1).await;
    let engine = test.engine();
    for name in QUALITY {
        let told = told(&engine, name, of_tenants(&["globex"])).await.to_string();
        assert!(!told.contains("acme") && !told.contains("gateway-1"), "{name}: {told}");
        if name == "data_quality" {
            assert_eq!(told, "[[0,0,0,0,0,0,0,0]]");
        }
    }
}
