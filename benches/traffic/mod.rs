//! Made-up calls for the benches: the same ones on every run, and said to be made up.
//!
//! Three providers' counters with caches and thoughts, tags and claims, about 700 bytes a call. The
//! prices are the benches' own, so that another program can be given the same ones.

use std::fmt::Write;
use std::ops::Range;

use tokenmeter::pricing::{Layer, PriceBook};

/// Provider, model, and USD per million tokens by class.
type Prices = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// All that the calls need.
pub const PRICES: [Prices; 3] = [
    (
        "openai",
        "gpt-5-mini",
        &[("input_text", "0.25"), ("cache_read_text", "0.025"), ("output_text", "2.00")],
    ),
    (
        "anthropic",
        "claude-sonnet-4-5",
        &[
            ("input_text", "3.00"),
            ("cache_read_text", "0.30"),
            ("cache_write_5m", "3.75"),
            ("cache_write_1h", "6.00"),
            ("output_text", "15.00"),
        ],
    ),
    (
        "google",
        "gemini-2.5-flash",
        &[("input_text", "0.30"), ("cache_read_text", "0.075"), ("output_text", "2.50")],
    ),
];

/// The book of these prices alone.
pub fn book() -> PriceBook {
    let layers: Vec<Layer> = PRICES.iter().map(layer).collect();
    PriceBook::from_layers(&layers).expect("a price book")
}

fn layer((provider, model, rates): &Prices) -> Layer {
    let rates: Vec<String> =
        rates.iter().map(|(class, usd)| format!("{class} = \"{usd}\"")).collect();
    let text = format!(
        "provider = \"{provider}\"\nsource_url = \"https://example.com/made-up\"\n\
         fetched_at = 2026-01-01\n[[model]]\nname = \"{model}\"\neffective_from = 2025-01-01\n\
         rates = {{ {} }}\n",
        rates.join(", ")
    );
    Layer::new(format!("{provider}.toml"), text)
}

/// A day's calls close to each other, from 2026-11-18 on.
const DENSE: Pace = Pace { start: 1_795_000_000_000, millis: 40 };

/// When calls come.
#[derive(Clone, Copy)]
pub struct Pace {
    /// The first one, in milliseconds since the epoch.
    pub start: u64,
    /// Milliseconds from one to the next.
    pub millis: u64,
}

/// So many calls, one a line.
pub fn ndjson(calls: u64) -> Vec<u8> {
    ndjson_of(0..calls, DENSE)
}

/// The calls of these numbers.
pub fn ndjson_of(calls: Range<u64>, pace: Pace) -> Vec<u8> {
    let mut random = Random(0x5eed + calls.start);
    let mut lines = String::new();
    for number in calls {
        call(&mut lines, number, pace, &mut random).expect("room for a line");
    }
    lines.into_bytes()
}

fn call(line: &mut String, number: u64, pace: Pace, random: &mut Random) -> std::fmt::Result {
    let at = pace.start + number * pace.millis;
    let (tenant, team) = (random.below(50), random.below(8));
    let place = usize::try_from(number % 3).unwrap_or_default();
    let (provider, model, _) = PRICES[place];
    let api = ["chat.completions", "messages", "generateContent"][place];
    write!(
        line,
        r#"{{"event_id":"{}","source":"gateway-{}","occurred_at":{at},"#,
        event_id(number),
        number % 4
    )?;
    write!(line, r#""provider":"{provider}","api":"{api}","model":"{model}","#)?;
    write!(line, r#""operation":"chat","stream":true,"status":"ok","http_status":200,"#)?;
    write!(line, r#""tenant":"tenant-{tenant}","team":"team-{team}","feature":"search","#)?;
    write!(line, r#""environment":"production","user_id":"u-{}","#, random.below(10_000))?;
    write!(line, r#""tags":{{"app":"checkout","release":"2026.11.{}"}},"#, random.below(30))?;
    write!(line, r#""trace_id":"{:032x}","provider_response_id":"resp-{number:08}","#, number)?;
    write!(line, r#""latency_ms":{},"ttft_ms":{},"#, 400 + random.below(9_000), random.below(400))?;
    let mut block = String::new();
    usage(&mut block, place, random)?;
    // Wrapped above for its readers; a line is one line.
    writeln!(line, r#""usage":{}}}"#, block.replace(['\n', ' '], ""))
}

fn usage(line: &mut String, place: usize, random: &mut Random) -> std::fmt::Result {
    let (fresh, cached) = (50 + random.below(4_000), random.below(20_000));
    let (answer, thoughts) = (1 + random.below(900), random.below(600));
    let (input, output) = (fresh + cached, answer + thoughts);
    match place {
        0 => write!(
            line,
            r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{},
            "prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":0}},
            "completion_tokens_details":{{"reasoning_tokens":{thoughts},"audio_tokens":0,
            "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#,
            input + output
        ),
        1 => {
            let (short, long) = (random.below(800), random.below(300));
            write!(
                line,
                r#"{{"input_tokens":{fresh},"cache_read_input_tokens":{cached},
                "cache_creation_input_tokens":{},"output_tokens":{answer},
                "cache_creation":{{"ephemeral_5m_input_tokens":{short},
                "ephemeral_1h_input_tokens":{long}}},"service_tier":"standard"}}"#,
                short + long
            )
        }
        _ => write!(
            line,
            r#"{{"promptTokenCount":{input},"cachedContentTokenCount":{cached},
            "candidatesTokenCount":{answer},"thoughtsTokenCount":{thoughts},
            "totalTokenCount":{},"trafficType":"ON_DEMAND"}}"#,
            input + output
        ),
    }
}

/// An id as gateways make them: without order, different for different numbers.
fn event_id(number: u64) -> String {
    let high = mixed(number);
    let digits = format!("{high:016x}{:016x}", mixed(high));
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]).join("-")
}

/// Steele, Lea and Flood's SplitMix64: another number for each number.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Marsaglia's xorshift: enough for made-up numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
