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
fn a_base_url_keeps_no_secret() {
    for (sent, kept) in [
        ("https://api.example/v1?key=SECRET#x", "https://api.example/v1"),
        ("https://user:SECRET@api.example/v1/a@b", "https://api.example/v1/a@b"),
        ("https://eu.api.example", "https://eu.api.example"),
        ("not a url", "not a url"),
    ] {
        let event = decode(&with(&format!(r#""context":{{"base_url":"{sent}"}}"#)));
        let event = event.expect("an event");
        assert_eq!(event.fact("base_url").and_then(Json::as_text), Some(kept));
    }
}

#[test]
fn bodies_split_into_their_events() {
    for body in [r#"[{"a":1}, {"b":[2]} ,3]"#, "{\"a\":1}\n\n{\"b\":[2]}\r\n3"] {
        let events = split_events(body.as_bytes()).expect("events");
        assert_eq!(events, [&br#"{"a":1}"#[..], br#"{"b":[2]}"#, b"3"]);
    }
    assert_eq!(split_events(b"{\n \"a\": 1\n}").expect("one event").len(), 1);
    assert_eq!(split_events(b"{\n \"a\": 1,\n \"b\":\n").expect("one event").len(), 1, "broken");
    assert_eq!(split_events(b"{\"a\":\n{\"b\":1}\n{").expect("events").len(), 3);
    assert_eq!(split_events(b"[]").expect("no event").len(), 0);
    for wrong in ["", "  ", "hello", "[{\"a\":1}", "[1,2] 3"] {
        assert!(split_events(wrong.as_bytes()).is_err(), "`{wrong}` must be refused");
    }
}

fn replay_of() -> ReplayOf {
    ReplayOf {
        lineage: Lineage { topic: "raw".to_owned(), partition: 3, offset: 1 << 40, index: 2 },
        app_id: "main/cluster/raw/1/3".to_owned(),
        received_at: "2026-11-20T08:00:00.000001Z".parse().expect("a timestamp"),
        reason: RejectionCode::TooOld,
    }
}

#[test]
fn the_terms_of_a_sender_come_back_as_they_went() {
    for terms in [
        SenderTerms::default(),
        SenderTerms {
            asserted: Who { tenant: Some("ac\"me".to_owned()), ..Who::default() },
            claims_allowed: true,
            max_age_seconds: Some(7_776_000),
        },
    ] {
        assert_eq!(SenderTerms::from_json(&terms.to_json()), Ok(terms));
    }
    for wrong in ["", "[]x", r#"{"asserted": {"tenant": "a", "nobody": "b"}}"#] {
        assert!(SenderTerms::from_json(wrong).is_err(), "`{wrong}` must be refused");
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
            replay_of: Some(replay_of()),
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
        if name.starts_with("call_event.") && !name.ends_with(".avro.json") {
            let event = decode_call_event(&std::fs::read(&path).expect("bytes")).expect("an event");
            assert_eq!(decode(&event.canonical()), Ok(event), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} examples");
    let text = std::fs::read(schemas.join("call_event.v1.json")).expect("a schema");
    let schema = Json::parse(&text).expect("a schema");
    let properties = schema.field("properties").and_then(Json::as_object).expect("properties");
    let listed: Vec<&str> = field::FIELDS.iter().map(|field| field.name).collect();
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

/// A body as LiteLLM really posted it, where one is at hand.
fn real_post(name: &str) -> Option<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let body = std::fs::read(folder.join(name)).ok();
    if body.is_none() {
        eprintln!("SKIPPED: no real payloads at `{}`", folder.display());
    }
    body
}

fn litellm_events(body: &[u8]) -> Vec<CallEvent> {
    let payloads = split_events(body).expect("a list");
    payloads.iter().map(|payload| decode_litellm(payload).expect("an event")).collect()
}

#[test]
fn a_real_batch_of_litellm_decodes() {
    let Some(body) = real_post("litellm_1.109.1_generic_api_batch.json") else { return };
    let [cached, streamed, failed] = &litellm_events(&body)[..] else { panic!("three events") };
    let cost = cached.reported_cost.map(|cost| cost.to_string());
    assert_eq!(cost.as_deref(), Some("0.0006749999999999999"), "LiteLLM's float, as written");
    assert_eq!(cached.who.team.as_deref(), Some("team-a"));
    assert_eq!(cached.who.customer.as_deref(), Some("customer-123"), "`end_user` is null");
    assert_eq!(cached.who.feature.as_deref(), Some("search"));
    assert_eq!(cached.who.cost_center.as_deref(), Some("cc1"));
    assert_eq!(cached.occurred_at.to_string(), "2026-11-22T17:09:49.705694Z");
    assert!(!cached.corrects, "`cost_finalized: false` means nothing");
    assert_eq!(streamed.fact("custom_llm_provider").and_then(Json::as_text), Some("anthropic"));
    assert_eq!((streamed.latency_ms, streamed.ttft_ms), (Some(709), Some(550)));
    assert_eq!(failed.status, CallStatus::Failed);
    assert_eq!(failed.usage, None, "a failed call's empty usage is unknown");
    assert_eq!(failed.error_type.as_deref(), Some("InternalServerError"));
    assert_eq!((failed.http_status, &failed.provider_response_id), (Some(500), &None));
}

#[test]
fn a_real_post_of_litellm_leaves_no_prompt() {
    let Some(post) = real_post("litellm_1.106.2_generic_api_post.json") else { return };
    let post: serde_json::Value = serde_json::from_slice(&post).expect("JSON");
    let body = post["body"].as_str().map_or_else(|| post["body"].to_string(), str::to_owned);
    assert!(body.contains("PROMPT-CANARY"), "the post has one");
    let events = litellm_events(body.as_bytes());
    assert_eq!(events.len(), 2);
    for event in events {
        assert!(!event.canonical().contains("CANARY"));
        assert_eq!(event.who.customer.as_deref(), Some("acme"), "the caller's own word");
        assert_eq!(event.tags.get("customer").map(String::as_str), Some("acme"));
    }
}

#[test]
fn three_bad_events_of_five_hundred_are_three_rejections() {
    let event = |number: usize| match number {
        7 => r#"{"event_id":"bad-7","source":"s"}"#.to_owned(),
        250 => r#"{"event_id":"bad-250","event_id":"again"}"#.to_owned(),
        499 => "42".to_owned(),
        _ => with(r#""usage":{"prompt_tokens":1}"#),
    };
    let events: Vec<String> = (0..500).map(event).collect();
    for body in [format!("[{}]", events.join(",")), events.join("\n")] {
        let parts = split_events(body.as_bytes()).expect("events");
        let decoded = parts.iter().map(|part| decode_call_event(part)).enumerate();
        let bad: Vec<_> =
            decoded.filter_map(|(number, event)| Some((number, event.err()?))).collect();
        let told: Vec<_> =
            bad.iter().map(|(number, why)| (*number, why.code, why.event_id.as_deref())).collect();
        assert_eq!(parts.len(), 500);
        assert_eq!(
            told,
            [
                (7, RejectionCode::MissingField, Some("bad-7")),
                (250, RejectionCode::DuplicateKey, Some("bad-250")),
                (499, RejectionCode::InvalidJson, None),
            ]
        );
    }
}

/// Counters of any shape.
fn counters() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|number: f64| Value::from(number)),
        "[a-z ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("id|type|model|[a-zA-Z_.]{1,8}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
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
    fn the_canonical_form_is_a_fixed_point(
        usage in counters(), context in counters(), text in any::<String>(), at in any::<i64>(),
    ) {
        let mut document = serde_json::json!({
            "event_id": "e", "source": "s", "provider": "p", "model": "m", "step": text,
            "occurred_at": at / 1_000_000, "tags": {"k": "v", "n": 1.50},
        });
        if usage.is_object() || usage.is_array() {
            document["usage"] = usage;
        }
        if context.is_object() {
            document["context"] = context;
        }
        if let Ok(event) = decode(&document.to_string()) {
            let canonical = event.canonical();
            let again = decode(&canonical).expect("its own form");
            prop_assert_eq!(again.canonical(), canonical);
            prop_assert_eq!(again, event);
        }
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
