//! Where mutation starts: the golden fixtures, the cases of known bugs, the schemas' examples.

use std::path::{Path, PathBuf};

use apache_avro::Schema;
use apache_avro::types::{Record, Value as Avro};
use apache_avro::writer::datum::GenericDatumWriter;
use serde_json::{Value, json};
use tokenmeter::event::{
    CALL_EVENT_AVRO, Envelope, EnvelopeBody, Lineage, RejectionCode, ReplayOf, Who, read_call_event,
};

fn json_files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(json_files(path.to_str().expect("UTF-8")));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Events as JSON, with all that is required.
fn events() -> Vec<Value> {
    let mut events = Vec::new();
    for path in json_files("tests/fixtures").iter().chain(&json_files("tests/bugs")) {
        let file = read(path);
        let cases = file["cases"].as_array().cloned().unwrap_or_else(|| vec![file]);
        for event in cases.into_iter().map(|case| case["event"].clone()) {
            let mut whole = json!({
                "event_id": "evt-1", "source": "fuzz", "model": "gpt-x",
                "occurred_at": "2026-11-22T12:00:00Z",
            });
            let Some(fields) = event.as_object() else { continue };
            whole.as_object_mut().expect("an object").extend(fields.clone());
            events.push(whole);
        }
    }
    events.extend(json_files("schemas/examples").iter().map(|path| read(path)));
    events
}

/// What a target starts from.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let text = |value: &Value| value.to_string().into_bytes();
    match target {
        "decode_avro" => avro(),
        "decode_litellm" => events().iter().map(|event| text(&litellm(event))).collect(),
        "decode_envelope" => events().iter().map(envelope).collect(),
        _ => events().iter().map(text).collect(),
    }
}

/// The shape of LiteLLM's callback.
fn litellm(event: &Value) -> Value {
    json!({
        "id": event["event_id"], "model": event["model"], "custom_llm_provider": event["provider"],
        "call_type": "acompletion", "endTime": 1_763_812_800.25, "startTime": 1_763_812_799,
        "response_cost": 0.0012, "status": "success", "stream": false, "cache_hit": null,
        "metadata": {"usage_object": event["usage"], "user_api_key_alias": "key"},
        "prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12,
        "messages": [{"role": "user", "content": "a prompt"}],
    })
}

/// What a front door writes for an event, or for what is none.
fn envelope(event: &Value) -> Vec<u8> {
    let body = match read_call_event(event.to_string().as_bytes()) {
        Ok(event) => EnvelopeBody::Event(Box::new(event)),
        Err(undecoded) => {
            EnvelopeBody::Rejected { index: 7, rejection: undecoded.rejection, part: None }
        }
    };
    let accepted_at = "2026-11-22T12:00:01Z".parse().expect("a time");
    let asserted = Who { tenant: Some("acme".to_owned()), ..Who::default() };
    let (namespace, max_age_seconds) = ("gateway".to_owned(), Some(3_600));
    let lineage = Lineage { topic: "spool".to_owned(), partition: 0, offset: 17, index: 3 };
    let (app_id, reason) = ("tokenmeter/spool/1".to_owned(), RejectionCode::InvalidUsage);
    let replay_of = Some(ReplayOf { lineage, app_id, received_at: accepted_at, reason });
    let envelope = Envelope {
        namespace,
        asserted,
        claims_allowed: true,
        accepted_at,
        max_age_seconds,
        replay_of,
        body,
    };
    envelope.encode()
}

/// Our own schema and two data of it.
fn avro() -> Vec<Vec<u8>> {
    let schema = Schema::parse_str(CALL_EVENT_AVRO).expect("our own schema");
    let writer = GenericDatumWriter::builder(&schema).build().expect("a writer");
    let mut seeds = vec![CALL_EVENT_AVRO.as_bytes().to_vec()];
    for usage in ["{\"prompt_tokens\":10,\"completion_tokens\":2}", "[{\"usage\":{\"a\":1}}]"] {
        let mut record = Record::new(&schema).expect("a record");
        for (_, value) in &mut record.fields {
            *value = Avro::Union(0, Box::new(Avro::Null));
        }
        for name in ["event_id", "source", "provider", "model"] {
            record.put(name, "a-text");
        }
        record.put("occurred_at", Avro::TimestampMicros(1_763_812_800_000_000));
        record.put("usage", Avro::Union(1, Box::new(Avro::String(usage.to_owned()))));
        let datum = writer.write_value_to_vec(record).expect("a datum");
        seeds.push([&[0, 0, 0, 0, 1], &datum[..]].concat());
        seeds.push(datum);
    }
    seeds
}
