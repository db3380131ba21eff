//! What was sent, and so what must be in the tables: every event follows from its number.
//!
//! Of twenty numbers one is sent twice, one is from tomorrow (a dead letter), one corrects an
//! earlier one: other tokens, another tenant, perhaps another date. Of two hundred one comes late,
//! for a day that nothing came for before: such a day is over, and closed at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];
const DAY_MS: i64 = 86_400_000;

/// Numbers below `sent` were acknowledged.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What ids begin with: each door has its own ledger.
    pub door: &'static str,
    /// When the world began, in milliseconds.
    pub began_ms: i64,
    pub sent: u64,
    /// Whether corrections are rare, and all events of the last hour: corrections rewrite files,
    /// and so does closing days.
    pub calm: bool,
}

/// Events and picodollars of each tenant.
pub type Sums = BTreeMap<String, (u64, i128)>;

/// What a number is.
enum Kind {
    Fresh,
    /// The same as an earlier one.
    Again(u64),
    /// From tomorrow.
    TooEarly,
    /// Changes an earlier one.
    Corrects(u64),
}

fn kind(number: u64, calm: bool) -> Kind {
    match number % 20 {
        7 => Kind::TooEarly,
        13 => Kind::Again(number - 1),
        17 if !calm || number % 1_000 == 17 => Kind::Corrects(number - 7),
        _ => Kind::Fresh,
    }
}

const fn tokens(number: u64) -> (u64, u64) {
    (100 + (number * 7_919) % 5_000, 1 + (number * 104_729) % 900)
}

/// gpt-4o-mini: 0.15 and 0.60 USD per million.
fn cost_pico(number: u64) -> i128 {
    let (input, output) = tokens(number);
    i128::from(input) * 150_000 + i128::from(output) * 600_000
}

fn tenant(number: u64) -> &'static str {
    TENANTS[(number % 5) as usize]
}

impl Ledger {
    pub fn new(door: &'static str, began_ms: i64, calm: bool) -> Self {
        Self { door, began_ms, sent: 0, calm }
    }

    /// An event's key and body. What is about one call has one key.
    pub fn event(&self, number: u64) -> (String, String) {
        let (id, content) = match kind(number, self.calm) {
            Kind::Again(earlier) => (earlier, earlier),
            Kind::Corrects(earlier) => (earlier, number),
            _ => (number, number),
        };
        let (input, output) = tokens(content);
        let hours = if self.calm { 1 } else { 30 };
        let late = if self.calm || content % 200 != 100 { 0 } else { 2 + content / 200 % 300 };
        let back = (content * 37_000 % (hours * 3_600_000)) as i64 + late as i64 * DAY_MS;
        let early =
            if matches!(kind(number, self.calm), Kind::TooEarly) { DAY_MS + back } else { 0 };
        let key = format!("{}-{id}", self.door);
        let mut body = json!({
            "event_id": key, "source": "torture", "occurred_at": self.began_ms - back + early,
            "provider": "openai", "api": "chat.completions", "model": "gpt-4o-mini",
            "tenant": tenant(content), "feature": "load",
            "usage": {"prompt_tokens": input, "completion_tokens": output,
                      "total_tokens": input + output},
        });
        if matches!(kind(number, self.calm), Kind::Corrects(_)) {
            body["corrects"] = Value::Bool(true);
        }
        (key, body.to_string())
    }

    /// Adds what `calls` must hold.
    pub fn add_to(&self, sums: &mut Sums) {
        let mut add = |number: u64, events: u64, cost: i128| {
            let sum = sums.entry(tenant(number).to_owned()).or_default();
            *sum = (sum.0.wrapping_add(events), sum.1 + cost);
        };
        for number in 0..self.sent {
            match kind(number, self.calm) {
                Kind::Fresh => add(number, 1, cost_pico(number)),
                Kind::Corrects(earlier) => {
                    add(earlier, u64::MAX, -cost_pico(earlier));
                    add(number, 1, cost_pico(number));
                }
                Kind::Again(_) | Kind::TooEarly => {}
            }
        }
    }

    /// How many ids must be in `dead_letters` as from tomorrow.
    pub fn too_early(&self) -> u64 {
        (self.sent + 12) / 20
    }
}
