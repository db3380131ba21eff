//! Events as Avro: resolution, wire format, and what hostile schemas and bytes come to.

use apache_avro::Schema;
use apache_avro::types::{Record, Value};
use apache_avro::writer::datum::GenericDatumWriter;

use super::*;

fn encoded(schema: &str, set: impl FnOnce(&mut Record<'_>)) -> Vec<u8> {
    let schema = Schema::parse_str(schema).expect("a schema");
    let mut record = Record::new(&schema).expect("a record");
    set(&mut record);
    let writer = GenericDatumWriter::builder(&schema).build().expect("a writer");
    writer.write_value_to_vec(record).expect("a datum")
}

fn nullable(value: Value) -> Value {
    Value::Union(1, Box::new(value))
}

const WRITER: &str = r#"{"type": "record", "name": "CallEvent", "namespace": "io.tokenmeter",
    "fields": [
        {"name": "model", "type": "string"}, {"name": "event_id", "type": "string"},
        {"name": "source", "type": "string"}, {"name": "provider", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "usage", "type": ["null", "string"]}, {"name": "prompt", "type": "string"},
        {"name": "latency_ms", "type": ["null", "int"]}
    ]}"#;

fn fill(record: &mut Record<'_>) {
    let usage = r#"{"prompt_tokens": 10, "secret": "CANARY"}"#;
    record.put("model", "m");
    record.put("event_id", "e");
    record.put("source", "s");
    record.put("provider", "p");
    record.put("usage", nullable(Value::String(usage.to_owned())));
    record.put("prompt", "CANARY");
    record.put("latency_ms", nullable(Value::Int(7)));
}

fn sample(micros: i64) -> Vec<u8> {
    encoded(WRITER, |record| {
        fill(record);
        record.put("occurred_at", Value::TimestampMicros(micros));
    })
}

#[test]
fn an_avro_event_is_its_json_twin() {
    let body = sample(1_500);
    let event = AvroDecoder::new(WRITER).expect("a decoder").decode(&body).expect("an event");
    let twin = decode(
        r#"{"event_id":"e","source":"s","provider":"p","model":"m","latency_ms":7,
            "occurred_at":"1970-01-01T00:00:00.0015Z","usage":{"prompt_tokens":10}}"#,
    );
    assert_eq!(Ok(event), twin);
}

#[test]
fn broken_bytes_and_foreign_schemas_are_rejections() {
    let decoder = AvroDecoder::new(CALL_EVENT_AVRO).expect("a decoder");
    let cut = decoder.decode(&[4, b'e']).expect_err("a rejection");
    assert_eq!(cut.rejection.code, RejectionCode::InvalidAvro);
    for foreign in ["\"string\"", "not json", r#"{"type":"record","name":"X","fields":[]}"#] {
        let error = AvroDecoder::new(foreign).expect_err("a rejection");
        assert_eq!(error.code, RejectionCode::IncompatibleSchema);
    }
}

#[test]
fn the_schema_id_is_in_the_header_or_before_the_body() {
    let json = WireFormat::of([], b"{}").expect("a format");
    assert_eq!(json, WireFormat::Json);
    let number = WireFormat::of([], &[0, 0, 0, 1, 2, 9]).expect("a format");
    let expected = WireFormat::Avro { schema: SchemaId::Number(258), body: &[9] };
    assert_eq!(number, expected);
    let guid = uuid::Uuid::from_bytes([7; 16]);
    let header: Vec<u8> = [1].into_iter().chain([7; 16]).collect();
    let in_header = WireFormat::of([("__value_schema_id", &header[..])], &[9]);
    let expected = WireFormat::Avro { schema: SchemaId::Guid(guid), body: &[9] };
    assert_eq!(in_header.expect("a format"), expected);
    assert!(WireFormat::of([], &[0, 1]).is_err(), "a cut id");
}

/// Every field of ours, written with our own schema, as JSON and as Avro.
#[test]
fn every_field_is_the_same_in_both_formats() {
    let json = decode(FULL).expect("an event");
    let text = |text: &Option<String>| match text {
        Some(text) => nullable(Value::String(text.clone())),
        None => Value::Union(0, Box::new(Value::Null)),
    };
    let body = encoded(CALL_EVENT_AVRO, |record| {
        record.put("event_id", json.event_id.as_str());
        record.put("source", json.source.as_str());
        record.put("provider", json.provider.as_str());
        record.put("model", json.model.as_str());
        record.put("occurred_at", Value::TimestampMicros(json.occurred_at.micros()));
        let tags = json.tags.iter();
        let tags = tags.map(|(key, tag)| (key.clone(), Value::String(tag.clone()))).collect();
        record.put("tags", nullable(Value::Map(tags)));
        for (name, value) in [
            ("api", &json.api),
            ("request_model", &json.request_model),
            ("operation", &json.operation),
            ("service_tier", &json.service_tier),
            ("region", &json.region),
            ("tenant", &json.who.tenant),
            ("user_id", &json.who.user_id),
            ("trace_id", &json.trace_id),
            ("status", &Some("aborted".to_owned())),
            ("reported_cost", &Some("6.749999999999999e-4".to_owned())),
            ("reported_cost_source", &json.reported_cost_source),
            ("usage", &json.usage.as_ref().map(Json::to_string)),
            ("context", &json.context.as_ref().map(Json::to_string)),
        ] {
            record.put(name, text(value));
        }
        for (name, value) in [("attempt", 2), ("http_status", 200), ("latency_ms", 812)] {
            record.put(name, nullable(Value::Long(value)));
        }
        for name in ["stream", "provisional"] {
            record.put(name, nullable(Value::Boolean(true)));
        }
    });
    let event = AvroDecoder::new(CALL_EVENT_AVRO).expect("a decoder").decode(&body);
    let event = event.expect("an event");
    assert_eq!(event, json);
    assert_eq!(event.canonical(), json.canonical(), "hashes follow from it");
}

/// The example beside our schema, in Avro's JSON encoding, where a union's value names its type.
#[test]
fn the_avro_example_is_the_twin_of_the_json_example() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/examples");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("an example");
    let example: serde_json::Value =
        serde_json::from_slice(&read("call_event.openai_chat.avro.json")).expect("JSON");
    let body = encoded(CALL_EVENT_AVRO, |record| {
        for (name, value) in example.as_object().expect("an object") {
            let value = match value {
                serde_json::Value::Object(union) => match union.iter().next().expect("a type") {
                    (_, serde_json::Value::Object(map)) => {
                        let text =
                            |value: &serde_json::Value| value.as_str().expect("a text").into();
                        let map =
                            map.iter().map(|(key, tag)| (key.clone(), Value::String(text(tag))));
                        nullable(Value::Map(map.collect()))
                    }
                    (_, serde_json::Value::Bool(truth)) => nullable(Value::Boolean(*truth)),
                    (_, serde_json::Value::Number(number)) => {
                        nullable(Value::Long(number.as_i64().expect("a long")))
                    }
                    (_, text) => nullable(Value::String(text.as_str().expect("a text").into())),
                },
                serde_json::Value::Number(number) => {
                    Value::TimestampMicros(number.as_i64().expect("a long"))
                }
                text => Value::String(text.as_str().expect("a text").into()),
            };
            record.put(name, value);
        }
    });
    let event = AvroDecoder::new(CALL_EVENT_AVRO).expect("a decoder").decode(&body);
    let twin = decode_call_event(&read("call_event.openai_chat.json")).expect("an event");
    assert_eq!(event, Ok(twin));
}

/// The library reads nulls behind the end of the bytes: usage would vanish without a word.
#[test]
fn an_event_that_breaks_off_or_goes_on_is_refused() {
    let decoder = AvroDecoder::new(WRITER).expect("a decoder");
    let whole = sample(1_500);
    assert!(decoder.decode(&whole).is_ok());
    for end in 0..whole.len() {
        let undecoded = decoder.decode(&whole[..end]).expect_err("cut short");
        assert_eq!(undecoded.rejection.code, RejectionCode::InvalidAvro, "{end}");
    }
    let longer = [&whole[..], b"x"].concat();
    assert!(decoder.decode(&longer).is_err(), "goes on");
}

#[test]
fn milliseconds_of_a_writer_are_milliseconds() {
    let writer = WRITER.replace("timestamp-micros", "timestamp-millis");
    let body = encoded(&writer, |record| {
        fill(record);
        record.put("occurred_at", Value::TimestampMillis(1_500));
    });
    let event = AvroDecoder::new(&writer).expect("a decoder").decode(&body).expect("an event");
    assert_eq!(event.occurred_at.micros(), 1_500_000);
}

#[test]
fn broken_usage_text_names_its_event_and_not_its_text() {
    let body = encoded(WRITER, |record| {
        fill(record);
        record.put("occurred_at", Value::TimestampMicros(1_500));
        record.put("usage", nullable(Value::String("{\"prompt_tokens\": CANARY".to_owned())));
    });
    let undecoded = AvroDecoder::new(WRITER).expect("a decoder").decode(&body).expect_err("broken");
    assert_eq!(undecoded.rejection.code, RejectionCode::InvalidJson);
    assert_eq!(undecoded.rejection.event_id.as_deref(), Some("e"));
    assert!(!format!("{undecoded:?}").contains("CANARY"));
}

#[test]
fn schemas_of_which_few_bytes_fill_the_memory_are_refused() {
    let extra = |extra: &str| {
        let field = format!(r#"{{"name": "prompt", "type": {extra}}}"#);
        WRITER.replace(r#"{"name": "prompt", "type": "string"}"#, &field)
    };
    let nulls = r#"{"type": "array", "items": "null"}"#;
    let itself = r#"{"type": "record", "name": "io.x.Node", "fields": [
        {"name": "next", "type": ["null", "io.x.Node"]}]}"#;
    let fixed = r#"{"type": "fixed", "name": "Large", "size": 1000000000}"#;
    let doubling = (0..40).fold("\"null\"".to_owned(), |inner, level| {
        let name = format!("L{level}");
        format!(
            r#"{{"type": "record", "name": "{name}A", "fields": [
                {{"name": "a", "type": {inner}}}, {{"name": "b", "type": "{again}"}}]}}"#,
            again = if level == 0 { "null".to_owned() } else { format!("L{}A", level - 1) }
        )
    });
    for hostile in [nulls, itself, fixed, &doubling] {
        let error = AvroDecoder::new(&extra(hostile)).expect_err("a rejection");
        assert_eq!(error.code, RejectionCode::IncompatibleSchema);
        assert!(error.message.starts_with("the registered schema has"), "{error}");
    }
    let messages = r#"{"type": "array", "items": {"type": "record", "name": "Message", "fields": [
        {"name": "role", "type": "string"}, {"name": "content", "type": ["null", "string"]}]}}"#;
    assert!(AvroDecoder::new(&extra(messages)).is_ok(), "a writer may send more than is ours");
}

proptest! {
    #[test]
    fn decoding_avro_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let headers = [("__value_schema_id", &bytes[..])];
        drop(WireFormat::of(headers, &bytes));
        drop(WireFormat::of([], &bytes));
        for schema in [CALL_EVENT_AVRO, WRITER] {
            drop(AvroDecoder::new(schema).expect("a decoder").decode(&bytes));
        }
    }
}
