//! Properties of every dialect, by counts made up in its own shape.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{metered, of};
use crate::event::{Json, RejectionCode};
use crate::usage::dialects::DIALECTS;
use crate::usage::{Tokens, UsageStatus, normalize};

/// Names of real counters, of every dialect.
const NAMES: &str = "
    prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details
    cached_tokens audio_tokens text_tokens image_tokens cached_tokens_details cache_write_tokens
    reasoning_tokens input_tokens output_tokens input_tokens_details output_tokens_details
    input_token_details output_token_details cache_read_input_tokens cache_creation_input_tokens
    cache_creation ephemeral_5m_input_tokens ephemeral_1h_input_tokens iterations
    thinking_tokens promptTokenCount candidatesTokenCount responseTokenCount thoughtsTokenCount
    toolUsePromptTokenCount promptTokensDetails cachedContentTokenCount cacheTokensDetails
    tokenCount inputTokens outputTokens totalTokens cacheReadInputTokens cacheWriteInputTokens
    cacheDetails inputTextTokenCount prompt_token_count results topicPolicyUnits billed_units
    search_units tokens seconds n size prompt_audio_seconds pages_processed
    prompt_cache_hit_tokens prompt_cache_miss_tokens cost_in_usd_ticks
    server_side_tool_usage_details web_search_calls cost cost_details is_byok
    upstream_inference_cost citation_tokens num_search_queries search_context_size cache_type
    input_token_count generated_token_count gen_ai.usage.input_tokens gen_ai.usage.output_tokens
    gen_ai.usage.cache_read.input_tokens gen_ai.usage.reasoning.output_tokens usage response
    message id type
";

/// Who answers in which shape.
type Maker = fn(&Parts) -> Value;

/// What one answer counts, each part on its own.
#[derive(Debug, Clone)]
struct Parts {
    fresh: u64,
    read: u64,
    written: u64,
    text: u64,
    thought: u64,
}

impl Parts {
    fn input(&self) -> u64 {
        self.fresh + self.read + self.written
    }

    fn output(&self) -> u64 {
        self.text + self.thought
    }
}

fn chat(parts: &Parts) -> Value {
    json!({
        "prompt_tokens": parts.input(), "completion_tokens": parts.output(),
        "total_tokens": parts.input() + parts.output(),
        "prompt_tokens_details": {
            "cached_tokens": parts.read, "cache_write_tokens": parts.written,
        },
        "completion_tokens_details": { "reasoning_tokens": parts.thought },
    })
}

fn xai_chat(parts: &Parts) -> Value {
    let mut usage = chat(parts);
    usage["completion_tokens"] = parts.text.into();
    usage
}

fn deepseek(parts: &Parts) -> Value {
    json!({
        "prompt_tokens": parts.input(), "completion_tokens": parts.output(),
        "total_tokens": parts.input() + parts.output(),
        "prompt_cache_hit_tokens": parts.read,
        "prompt_cache_miss_tokens": parts.fresh + parts.written,
    })
}

fn responses(parts: &Parts) -> Value {
    json!({
        "input_tokens": parts.input(), "output_tokens": parts.output(),
        "total_tokens": parts.input() + parts.output(),
        "input_tokens_details": {
            "cached_tokens": parts.read, "cache_write_tokens": parts.written,
        },
        "output_tokens_details": { "reasoning_tokens": parts.thought },
    })
}

fn realtime(parts: &Parts) -> Value {
    json!({
        "input_tokens": parts.input(), "output_tokens": parts.output(),
        "total_tokens": parts.input() + parts.output(),
        "input_token_details": {
            "audio_tokens": parts.fresh, "text_tokens": parts.read + parts.written,
            "cached_tokens": parts.read,
            "cached_tokens_details": { "text_tokens": parts.read },
        },
        "output_token_details": { "audio_tokens": parts.text, "text_tokens": parts.thought },
    })
}

fn anthropic(parts: &Parts) -> Value {
    json!({
        "input_tokens": parts.fresh, "cache_read_input_tokens": parts.read,
        "cache_creation_input_tokens": parts.written, "output_tokens": parts.output(),
        "output_tokens_details": { "thinking_tokens": parts.thought },
    })
}

fn converse(parts: &Parts) -> Value {
    json!({
        "inputTokens": parts.fresh, "cacheReadInputTokens": parts.read,
        "cacheWriteInputTokens": parts.written, "outputTokens": parts.output(),
        "totalTokens": parts.input() + parts.output(),
    })
}

fn google(parts: &Parts) -> Value {
    json!({
        "promptTokenCount": parts.fresh + parts.read, "cachedContentTokenCount": parts.read,
        "toolUsePromptTokenCount": parts.written, "candidatesTokenCount": parts.text,
        "thoughtsTokenCount": parts.thought, "totalTokenCount": parts.input() + parts.output(),
    })
}

fn live(parts: &Parts) -> Value {
    let mut usage = google(parts);
    usage["responseTokenCount"] = usage["candidatesTokenCount"].take();
    usage
}

fn cohere(parts: &Parts) -> Value {
    json!({ "billed_units": { "input_tokens": parts.input(), "output_tokens": parts.output() } })
}

fn watsonx(parts: &Parts) -> Value {
    json!({ "input_token_count": parts.input(), "generated_token_count": parts.output() })
}

fn otel(parts: &Parts) -> Value {
    json!({
        "gen_ai.usage.input_tokens": parts.input(), "gen_ai.usage.output_tokens": parts.output(),
        "gen_ai.usage.cache_read.input_tokens": parts.read,
        "gen_ai.usage.cache_creation.input_tokens": parts.written,
        "gen_ai.usage.reasoning.output_tokens": parts.thought,
    })
}

fn titan(parts: &Parts) -> Value {
    json!({ "inputTextTokenCount": parts.input(), "results": [{ "tokenCount": parts.output() }] })
}

/// The shape of a dialect's counters; none for those that count no tokens.
fn maker(dialect: &str) -> Option<Maker> {
    Some(match dialect {
        "anthropic/messages" => anthropic,
        "google/generateContent" => google,
        "google/live" => live,
        "openai/responses" | "xai/responses" | "openai/images" => responses,
        "openai/realtime" | "openai/audio" => realtime,
        "bedrock/converse" => converse,
        "bedrock/invoke_model" => titan,
        "cohere/chat" => cohere,
        "watsonx/text.generation" => watsonx,
        "otel/span" => otel,
        "xai/chat.completions" => xai_chat,
        "deepseek/chat.completions" => deepseek,
        "openai/videos" | "bedrock/apply_guardrail" | "mistral/ocr" | "cohere/rerank" => {
            return None;
        }
        _ => chat,
    })
}

/// Provider, API and shape of every dialect that counts tokens.
fn makers() -> Vec<(&'static str, &'static str, Maker)> {
    let all = DIALECTS.iter().filter_map(|dialect| {
        let (provider, _) = dialect.name.split_once('/')?;
        Some((provider, dialect.apis[0], maker(dialect.name)?))
    });
    all.collect()
}

fn parts() -> impl Strategy<Value = Parts> {
    let counts = [1_u64..5_000, 0..5_000, 0..5_000, 0..5_000, 0..5_000];
    counts.prop_map(|[fresh, read, written, text, thought]| Parts {
        fresh,
        read,
        written,
        text,
        thought,
    })
}

/// Any JSON, with the names of real counters in it as often as not.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.to_string().parse().expect("a number"))),
        (0_u32..400).prop_map(|n| Json::Number(u64::from(n).into())),
        "[0-9.e-]{0,6}".prop_map(Json::Text),
    ];
    let name = prop_oneof![
        "[a-z]{1,3}",
        prop::sample::select(NAMES.split_whitespace().collect::<Vec<_>>()).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn classes_sum_to_the_totals_of_every_dialect(parts in parts()) {
        for (provider, api, make) in makers() {
            let metered = metered(&of(provider, api, make(&parts)));
            let tokens = metered.tokens().expect("no overflow");
            prop_assert_eq!(tokens.total_input(), Some(parts.input()), "{}", metered.dialect);
            prop_assert_eq!(tokens.total_output(), Some(parts.output()), "{}", metered.dialect);
            prop_assert!(metered.flags.is_empty(), "{}: {:?}", metered.dialect, metered.flags);
        }
    }

    #[test]
    fn repeating_an_answer_changes_nothing_in_any_dialect(parts in parts(), times in 2_usize..5) {
        for (provider, api, make) in makers() {
            let chunk = json!({ "id": "r", "usage": make(&parts) });
            let once = metered(&of(provider, api, json!([chunk])));
            let often = metered(&of(provider, api, vec![chunk; times].into()));
            prop_assert_eq!(once, often);
        }
    }

    #[test]
    fn the_order_of_a_batch_changes_nothing_in_any_dialect(
        answers in prop::collection::vec(parts(), 1..5), turn in 0_usize..5,
    ) {
        for (provider, api, make) in makers() {
            let line = |(number, parts): (usize, &Parts)| {
                json!({ "id": format!("r{number}"), "usage": make(parts) })
            };
            let mut lines: Vec<Value> = answers.iter().enumerate().map(line).collect();
            let whole = metered(&of(provider, api, lines.clone().into())).tokens();
            let middle = turn % lines.len();
            lines.rotate_left(middle);
            prop_assert_eq!(&whole, &metered(&of(provider, api, lines.into())).tokens());
            let mut sum = Tokens::default();
            for parts in &answers {
                let one = metered(&of(provider, api, make(parts))).tokens().expect("no overflow");
                sum.add_all(&one).expect("no overflow");
            }
            prop_assert_eq!(whole, Some(sum));
        }
    }
}

proptest! {
    #[test]
    fn anything_is_metered_or_refused_without_a_panic(
        usage in any_json(), context in any_json(),
        place in 0..DIALECTS.len(), is_known in any::<bool>(),
    ) {
        let dialect = DIALECTS[place];
        let (provider, _) = dialect.name.split_once('/').expect("two parts");
        let provider = if is_known { provider } else { "new" };
        let mut event = of(provider, dialect.apis[0], Value::Null);
        event.usage = Some(usage);
        event.context = Some(context);
        match normalize(&event) {
            Ok(usage) => {
                let is_unknown = usage.status == UsageStatus::UnknownUsage;
                prop_assert_eq!(usage.requests.is_empty(), is_unknown);
                prop_assert!(usage.tokens().and_then(|tokens| tokens.total_input()).is_some());
            }
            Err(rejection) => prop_assert!(matches!(
                rejection.code, RejectionCode::InvalidUsage | RejectionCode::UnsupportedDialect
            )),
        }
    }
}
