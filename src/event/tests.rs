//! Decoding, from bytes to events and back.
#![allow(clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

mod avro;
mod canary;

const FULL: &str = r#"{
    "event_id": "e-1", "source": "gateway-1", "occurred_at": "2026-11-22T12:00:00.25Z",
    "provider": "openai", "api": "chat.completions", "model": "gpt-5-mini",
    "request_model": "gpt-5", "operation": "chat", "service_tier": "flex", "region": "eu",
    "usage": {"total_tokens": 15, "prompt_tokens": 10, "completion_tokens": 5,
              "prompt_tokens_details": {"cached_tokens": 4, "note": "CANARY"}},
    "context": {"base_url": "https://api.example", "prompt": "CANARY",
                "output_item_types": ["message", "web_search_call"]},
    "tags": {"feature": "search", "beta": true}, "tenant": "acme", "user_id": "u-1",
    "trace_id": "t", "attempt": 2, "status": "aborted", "http_status": 200, "latency_ms": 812,
    "stream": true, "reported_cost": 6.749999999999999e-4, "reported_cost_source": "gateway",
    "messages": [{"role": "user", "content": "CANARY"}], "provisional": true
}"#;

fn decode(text: &str) -> Result<CallEvent, Rejection> {
    decode_call_event(text.as_bytes())
}

fn with(field: &str) -> String {
    format!(r#"{{"event_id":"e","source":"s","occurred_at":0,"provider":"p","model":"m",{field}}}"#)
}

#[test]
fn keeps_what_is_listed_and_nothing_else() {
    let event = decode(FULL).expect("an event");
    assert_eq!(event.who.tenant.as_deref(), Some("acme"));
    assert_eq!(event.tags.get("beta").map(String::as_str), Some("true"));
    let cost = event.reported_cost.expect("a cost");
    assert_eq!(cost.to_string(), "0.0006749999999999999", "a float's text is kept exactly");
    insta::assert_snapshot!(event.canonical());
    assert!(!event.canonical().contains("CANARY"), "a prompt survived");
}

#[test]
fn the_canonical_form_gives_the_event_back() {
    let event = decode(FULL).expect("an event");
    assert_eq!(decode(&event.canonical()).expect("an event"), event);
}

#[test]
fn key_order_and_number_spelling_change_no_hash() {
    let plain = decode(&with(r#""usage":{"a":1000,"b":0.5}"#)).expect("an event");
    let other = decode(&with(r#""usage":{"b":5e-1,"a":1.0e3}"#)).expect("an event");
    assert_eq!(Identity::of(&plain, "n"), Identity::of(&other, "n"));
    assert_ne!(Identity::of(&plain, "n"), Identity::of(&plain, "m"), "the namespace counts");
}

#[test]
fn every_rejection_has_its_code_and_names_the_event() {
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let tags: Vec<String> = (0..17).map(|n| format!("\"k{n}\":\"v\"")).collect();
    for (text, code) in [
        (r#"{"event_id":"e""#.to_owned(), RejectionCode::InvalidJson),
        ("[]".to_owned(), RejectionCode::InvalidJson),
        (with(r#""usage":{"a":1,"a":2}"#), RejectionCode::DuplicateKey),
        (with(r#""model":"again""#), RejectionCode::DuplicateKey),
        (with(&format!("\"usage\":{deep}")), RejectionCode::TooDeep),
        (r#"{"event_id":"e"}"#.to_owned(), RejectionCode::MissingField),
        (with(r#""source_":1"#).replace("\"m\"", "\"\""), RejectionCode::MissingField),
        (with(r#""usage":"a text""#), RejectionCode::InvalidField),
        (with(r#""latency_ms":{"a":1}"#), RejectionCode::InvalidField),
        (with(r#""tags":{"a":["b"]}"#), RejectionCode::InvalidField),
        (with(r#""attempt":-1"#), RejectionCode::InvalidField),
        (with(r#""status":"fine""#), RejectionCode::InvalidField),
        (with(r#""usage":{"n":1e400}"#), RejectionCode::InvalidField),
        (with(&format!("\"tags\":{{{}}}", tags.join(","))), RejectionCode::TooManyTags),
        (with("\"x\":1").replace(":0,", ":\"today\","), RejectionCode::InvalidTimestamp),
        (with(&format!("\"x\":\"{}\"", "x".repeat(1 << 20))), RejectionCode::EventTooLarge),
    ] {
        let rejection = decode(&text).expect_err("a rejection");
        assert_eq!(rejection.code, code, "{rejection}: {}", &text[..text.len().min(120)]);
    }
    let rejection = decode(&with(r#""attempt":"CANARY""#)).expect_err("a rejection");
    assert_eq!(rejection.event_id.as_deref(), Some("e"));
    assert!(!rejection.to_string().contains("CANARY"));
}

#[test]
fn usage_may_be_absent_null_or_empty() {
    assert_eq!(decode(&with(r#""usage":null"#)).expect("an event").usage, None);
    assert_eq!(decode(&with(r#""x":1"#)).expect("an event").usage, None);
    let empty = decode(&with(r#""usage":{}"#)).expect("an event");
    assert_eq!(empty.usage, Some(Json::Object(Vec::new())));
}

#[test]
fn counts_as_text_and_numbers_of_queries_are_kept_and_their_texts_are_not() {
    let event = decode(
        r#"{"event_id":"e","source":"s","occurred_at":"2026-11-22T12:00:00Z","provider":"google",
            "model":"m","usage":{"prompt_tokens":"1000","note_tokens":"canary","text":"7"},
            "context":{"webSearchQueries":["canary","","canary","other"]}}"#,
    )
    .expect("a decodable event");
    let kept = |json: Option<Json>| json.map(|json| json.to_string());
    assert_eq!(kept(event.usage).as_deref(), Some(r#"{"prompt_tokens":1000}"#));
    assert_eq!(kept(event.context).as_deref(), Some(r#"{"webSearchQueries":2}"#));
}

#[test]
fn bodies_split_into_their_events() {
    for body in [r#"[{"a":1}, {"b":[2]} ,3]"#, "{\"a\":1}\n\n{\"b\":[2]}\r\n3"] {
        let events = split_events(body.as_bytes()).expect("events");
        assert_eq!(events, [&br#"{"a":1}"#[..], br#"{"b":[2]}"#, b"3"]);
    }
    assert_eq!(split_events(b"{\n \"a\": 1\n}").expect("one event").len(), 1);
    assert_eq!(split_events(b"[]").expect("no event").len(), 0);
    for wrong in ["", "  ", "hello", "[{\"a\":1}", "[1,2] 3"] {
        assert!(split_events(wrong.as_bytes()).is_err(), "`{wrong}` must be refused");
    }
}

#[test]
fn envelopes_come_back_as_they_went() {
    let event = decode(FULL).expect("an event");
    let asserted = Who { tenant: Some("acme".to_owned()), ..Who::default() };
    let rejection = Rejection::new(RejectionCode::TooDeep, "nested deeper than 64 levels").of("e");
    for body in [
        EnvelopeBody::Event(Box::new(event)),
        EnvelopeBody::Rejected { index: 3, rejection, part: None },
    ] {
        let envelope = Envelope {
            namespace: "team-a".to_owned(),
            asserted: asserted.clone(),
            claims_allowed: true,
            accepted_at: "2026-11-22T12:00:01Z".parse().expect("a timestamp"),
            max_age_seconds: Some(86_400),
            body,
        };
        assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
    }
    assert!(Envelope::decode(FULL.as_bytes()).is_err(), "an event is no envelope");
}

#[test]
fn examples_decode_and_the_schemas_name_what_is_kept() {
    let schemas = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut seen = 0;
    for file in std::fs::read_dir(schemas.join("examples")).expect("examples") {
        let path = file.expect("an example").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("call_event.") {
            decode_call_event(&std::fs::read(&path).expect("bytes")).expect("an event");
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} examples");
    let text = std::fs::read(schemas.join("call_event.v1.json")).expect("a schema");
    let schema = Json::parse(&text).expect("a schema");
    let properties = schema.field("properties").and_then(Json::as_object).expect("properties");
    let listed: Vec<&str> = field::FIELDS.iter().map(|field| field.name).collect();
    assert!(listed.is_sorted(), "the table is searched by name");
    assert_eq!(properties.iter().map(|(name, _)| name).collect::<Vec<_>>(), listed);
    let avro = Json::parse(CALL_EVENT_AVRO.as_bytes()).expect("a schema");
    let fields = avro.field("fields").and_then(Json::as_array).expect("fields");
    let name = |field: &Json| field.field("name").and_then(Json::as_text).map(str::to_owned);
    let mut names: Vec<String> = fields.iter().filter_map(name).collect();
    names.sort_unstable();
    assert_eq!(names, listed);
}

/// Made up along the payload's real layout; the real ones are read where they are at hand.
const LITELLM: &str = r#"[{
    "id": "chatcmpl-7_cache_hit1795367389.5", "trace_id": "t-7", "call_type": "acompletion",
    "cache_hit": true, "stream": true, "status": "success", "custom_llm_provider": "anthropic",
    "startTime": 1795367389.25, "endTime": 1795367390.5, "completionStartTime": 1795367389.75,
    "model": "claude-sonnet-4-5", "model_group": "sonnet", "response_cost": 3.9e-05,
    "model_map_information": {"model_map_value": {"input_cost_per_token": 3e-06}},
    "metadata": {"user_api_key_alias": "key-1", "user_api_key_team_id": "team-a",
        "spend_logs_metadata": {"cost_center": "cc1"},
        "usage_object": {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}},
    "request_tags": ["feature:search", "User-Agent: curl"], "end_user": null,
    "model_parameters": {"user": "customer-1"}, "messages": [{"content": "CANARY"}],
    "response": {"model": "claude-sonnet-4-5", "choices": [{"message": "CANARY"}]}
}]"#;

#[test]
fn litellm_payloads_become_events() {
    let [payload] = split_events(LITELLM.as_bytes()).expect("a list")[..] else {
        panic!("one payload")
    };
    let event = decode_litellm(payload).expect("an event");
    assert_eq!(event.provider_response_id.as_deref(), Some("chatcmpl-7"));
    assert_eq!(event.gateway_cache_hit, Some(true));
    assert_eq!((event.latency_ms, event.ttft_ms), (Some(1_250), Some(500)));
    assert_eq!(event.who.customer.as_deref(), Some("customer-1"));
    assert_eq!(event.who.feature.as_deref(), Some("search"));
    insta::assert_snapshot!(event.canonical());
    assert!(!event.canonical().contains("CANARY"));
}

#[test]
fn real_litellm_payloads_decode() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(body) = std::fs::read(folder.join("litellm_1.109.1_generic_api_batch.json")) else {
        eprintln!("SKIPPED: no real payloads at `{}`", folder.display());
        return;
    };
    let payloads = split_events(&body).expect("a list");
    let events: Vec<CallEvent> =
        payloads.iter().map(|payload| decode_litellm(payload).expect("an event")).collect();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].status, CallStatus::Failed);
    assert_eq!(events[2].usage, None, "a failed call's empty usage is unknown");
}

proptest! {
    #[test]
    fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        drop(decode_call_event(&bytes));
        drop(decode_litellm(&bytes));
        drop(Envelope::decode(&bytes));
        drop(split_events(&bytes));
    }

    #[test]
    fn broken_events_never_panic_or_leak(cut in 0..FULL.len(), byte in any::<u8>()) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[cut] = byte;
        for bytes in [&bytes[..], &bytes[..cut]] {
            match decode_call_event(bytes) {
                Ok(event) => prop_assert!(!event.canonical().contains("CANARY")),
                Err(rejection) => prop_assert!(!rejection.to_string().contains("CANARY")),
            }
        }
    }
}
