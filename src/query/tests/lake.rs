//! A small lake: two days, three tenants, a model without a price.

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::TempDir;

use crate::attribution::{Attribution, TenantSource};
use crate::charge::Charge;
use crate::event::{CallEvent, Identity, Lineage, RejectionCode, Who};
use crate::lake::{
    Batch, CallRow, Commit, DeadLetterRow, Lake, LakeConfig, Outcome, PriceRow, Row, Rows,
    TableName,
};
use crate::money::Usd;
use crate::pricing::{Cost, CostStatus};
use crate::query::{QueryConfig, QueryEngine};
use crate::time::{FixedClock, Timestamp};
use crate::usage::{Counters, Flags, TokenClass, Tokens, Usage, UsageStatus};

/// The table of calls.
pub const TABLE: TableName = TableName::Calls;

/// A lake in a directory that goes with it.
pub struct TestLake {
    pub lake: Arc<Lake>,
    _dir: TempDir,
}

/// One call: its id, tenant, team, model, hour of 2026-11-21 and cost in microdollars.
pub type Call<'a> = (&'a str, &'a str, &'a str, &'a str, i64, i128);

/// The calls of the lake; a cost below zero stands for no price.
pub const CALLS: [Call<'static>; 8] = [
    ("e1", "acme", "search", "gpt-5", 1, 1_250_000),
    ("e2", "acme", "search", "gpt-5", 2, 250_000),
    ("e3", "acme", "chat", "claude-5", 25, 3_000_001),
    ("e4", "acme", "chat", "mystery-1", 26, -1),
    ("e5", "globex", "", "gpt-5", 3, 40),
    ("e6", "globex", "ops", "claude-5", 27, 700_000),
    ("e7", "unattributed", "", "gpt-5", 28, 5_000),
    ("e8", "unattributed", "", "mystery-1", 4, -1),
];

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

impl TestLake {
    /// An empty lake.
    pub async fn empty() -> Self {
        let dir = TempDir::new().expect("a directory");
        let url = dir.path().to_str().expect("a UTF-8 path").to_owned();
        let clock = Arc::new(FixedClock(at("2026-11-23T12:00:00Z")));
        let config = LakeConfig { url, ..LakeConfig::default() };
        let lake = Lake::open(&config, clock).await.expect("the lake opens");
        Self { lake: Arc::new(lake), _dir: dir }
    }

    /// A lake with all calls.
    pub async fn full() -> Self {
        Self::with(|_| true).await
    }

    /// A lake with the calls that are wanted, a commit each, and their companions.
    pub async fn with(wanted: impl Fn(&Call<'_>) -> bool) -> Self {
        let test = Self::empty().await;
        for (offset, call) in CALLS.iter().enumerate().filter(|(_, call)| wanted(call)) {
            let offset = i64::try_from(offset).expect("a small number");
            test.write(TableName::Calls, vec![call_row(call, offset)], offset + 1).await;
        }
        let letters = ["acme", "globex"]
            .iter()
            .filter(|tenant| CALLS.iter().any(|call| call.1 == **tenant && wanted(call)));
        let letters = letters.map(|tenant| dead_letter(tenant)).collect();
        test.write(TableName::DeadLetters, letters, 1).await;
        let tenants = [None, Some("acme"), Some("globex")].into_iter().filter(|tenant| {
            tenant.is_none_or(|tenant| CALLS.iter().any(|call| call.1 == tenant && wanted(call)))
        });
        test.write(TableName::Prices, tenants.map(price).collect(), 1).await;
        test
    }

    /// An engine with the default limits.
    pub fn engine(&self) -> QueryEngine {
        self.engine_with(QueryConfig::default())
    }

    /// An engine with these limits.
    pub fn engine_with(&self, config: QueryConfig) -> QueryEngine {
        QueryEngine::new(Arc::clone(&self.lake), config).expect("an engine")
    }

    /// Commits rows to a table.
    pub async fn write<R: Row>(&self, table: TableName, rows: Vec<R>, next: i64) {
        let mut batches = Rows::<R>::default();
        rows.iter().for_each(|row| batches.push(row));
        self.write_batches(table, batches.finish().expect("batches"), next).await;
    }

    /// Commits batches to a table.
    pub async fn write_batches(&self, table: TableName, batches: Vec<Batch>, next: i64) {
        let table = self.lake.table(table);
        let staged = table.write(batches).await.expect("files");
        let commit = Commit::append(staged, vec![("test".to_owned(), next)]);
        let outcome =
            table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit");
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
}

fn lineage(offset: i64) -> Lineage {
    Lineage { topic: "llm.calls.raw".to_owned(), partition: 0, offset, index: 0 }
}

/// A row of `calls`.
pub fn call_row(call: &Call<'_>, offset: i64) -> CallRow {
    let (event_id, tenant, team, model, hour, micros) = *call;
    let occurred_at = at("2026-11-21T00:00:00.000001Z").plus_seconds(hour * 3_600);
    let provider = if model.starts_with("claude") { "anthropic" } else { "openai" };
    let mut event = CallEvent::new(event_id, "gateway-1", occurred_at, provider, model);
    event.tags = BTreeMap::from([("note".to_owned(), "=1+1".to_owned())]);
    let (cost, reported) = cost(model, micros);
    let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let who = Who {
        tenant: named(tenant),
        team: named(team),
        feature: named(if team == "search" { "answers" } else { "" }),
        customer: (tenant == "acme").then(|| format!("customer-{}", hour % 2)),
        ..Who::default()
    };
    let nobody = tenant == "unattributed";
    let tenant_source = if nobody { TenantSource::None } else { TenantSource::Asserted };
    let identity = Identity::of(&event, "local");
    let attribution = Attribution {
        who,
        tenant_source,
        sources: Vec::new(),
        claimed_who: BTreeMap::new(),
        claims_allowed: false,
    };
    let usage = usage(hour, reported);
    let namespace = "local".to_owned();
    let charge = Charge { event, identity, namespace, usage, cost, attribution };
    CallRow::new(charge, lineage(offset), at("2026-11-23T12:00:00Z")).expect("a row")
}

fn usage(hour: i64, reported: Option<Usd>) -> Usage {
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, 100 * hour.unsigned_abs());
    tokens.set(TokenClass::CacheReadText, 300);
    tokens.set(TokenClass::CacheWrite30m, 7);
    tokens.set(TokenClass::OutputText, 50);
    Usage {
        requests: vec![Counters { tokens, ..Counters::default() }],
        status: UsageStatus::Complete,
        dialect: "openai/chat.completions".to_owned(),
        service_tier: None,
        facts: BTreeMap::new(),
        reported_cost: reported.map(|cost| (cost.to_decimal(), "gateway".to_owned())),
        flags: Flags::default(),
    }
}

/// The cost, and what the sender says that it is: five percent more for one model.
fn cost(model: &str, micros: i128) -> (Cost, Option<Usd>) {
    if micros < 0 {
        return (Cost::unknown(CostStatus::Unpriced), None);
    }
    let usd = |micros: i128| Some(Usd::from_pico(micros * 1_000_000));
    let cost = Cost {
        cost: usd(micros),
        input_cost: usd(micros / 2),
        cache_cost: usd(micros / 10),
        output_cost: usd(micros - micros / 2 - micros / 10),
        fees_cost: usd(0),
        list_cost: usd(micros),
        computed_cost: usd(micros),
        priced_model: Some(model.to_owned()),
        ..Cost::unknown(CostStatus::Priced)
    };
    let reported = if model == "gpt-5" { micros } else { micros + micros / 20 };
    (cost, usd(reported))
}

pub fn dead_letter(tenant: &str) -> DeadLetterRow {
    DeadLetterRow {
        app_id: "main/cluster/llm.calls.raw/1/0".to_owned(),
        lineage: lineage(9),
        received_at: at("2026-11-22T00:00:00Z"),
        ingested_at: at("2026-11-22T00:00:01Z"),
        reason: RejectionCode::InvalidUsage,
        message: "`usage` is not an object".to_owned(),
        namespace: "local".to_owned(),
        source: None,
        event_id: None,
        tenant: Some(tenant.to_owned()),
        occurred_at: None,
        identity_hash: None,
        content_hash: [7; 16],
        size_bytes: 12,
        event: None,
        sender: None,
        raw: None,
        replayed_at: None,
    }
}

pub fn price(tenant: Option<&str>) -> PriceRow {
    PriceRow {
        price_id: format!("p-{}", tenant.unwrap_or("list")),
        tenant: tenant.map(str::to_owned),
        ..PriceRow::default()
    }
}
