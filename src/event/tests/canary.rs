//! A prompt that is planted everywhere must be found nowhere.

use super::*;

const CANARY: &str = "CANARY";

/// The bytes that are kept of a delivery, whatever becomes of it: what goes to the log, to the
/// sender and to the dead letters.
fn kept(decoded: Result<CallEvent, Box<Undecoded>>) -> String {
    let body = match decoded {
        Ok(event) => EnvelopeBody::Event(Box::new(event)),
        Err(undecoded) => {
            let Undecoded { rejection, part } = *undecoded;
            EnvelopeBody::Rejected { index: 0, rejection, part }
        }
    };
    let said = format!("{body:?}");
    let envelope = Envelope {
        namespace: "n".to_owned(),
        asserted: Who::default(),
        claims_allowed: false,
        accepted_at: crate::time::Timestamp::EPOCH,
        max_age_seconds: None,
        replay_of: None,
        body,
    };
    let bytes = envelope.encode();
    assert_eq!(Envelope::decode(&bytes), Ok(envelope), "the log gives back what it was given");
    said + &String::from_utf8(bytes).expect("text")
}

#[test]
fn no_event_leaves_a_prompt_behind() {
    for event in [
        with(r#""prompt":"CANARY","messages":[{"content":"CANARY"}],"usage":{"input_tokens":1}"#),
        with(r#""usage":{"input_tokens":1,"text":"CANARY","list":["CANARY"],"o":{"x":"CANARY"}}"#),
        with(r#""usage":{"CANARY as a name":1,"prompt_tokens":"CANARY"}"#),
        with(r#""usage":[{"delta":{"text":"CANARY"}},{"usage":{"output_tokens":1}},"CANARY"]"#),
        with(r#""context":{"prompt":"CANARY","webSearchQueries":["CANARY"],"tools":["CANARY"]}"#),
        with(r#""usage":"CANARY""#),
        with(r#""context":["CANARY"]"#),
        with(r#""attempt":"CANARY","latency_ms":["CANARY"],"stream":{"a":"CANARY"}"#),
        with(r#""status":"CANARY","reported_cost":"CANARY","stream":"CANARY""#),
        with(r#""tags":["CANARY"]"#),
        with(r#""tags":{"a":["CANARY"],"b":"c"}"#),
        with(r#""occurred_at":"CANARY""#),
        with(r#""prompt":"CANARY","usage":{"a":1,"a":2}"#),
        with(r#""prompt":"CANARY","usage":{"n":1e999}"#),
        with(r#""prompt":"CANARY"#),
        with(r#""prompt":"CANARY \ud800","usage":CANARY"#),
        with(&format!(r#""model_":"{}","model":"again""#, "CANARY".repeat(100))),
        with(r#""operation":"x""#).replace(r#""x""#, &format!("\"{}\"", "CANARY".repeat(200))),
        r#"["CANARY"]"#.to_owned(),
        r#""CANARY""#.to_owned(),
        "CANARY".to_owned(),
    ] {
        let kept = kept(read_call_event(event.as_bytes()));
        assert!(!kept.contains(CANARY), "{event}\nleaves\n{kept}");
    }
}

#[test]
fn no_litellm_payload_leaves_a_prompt_behind() {
    let whole = &LITELLM[1..LITELLM.len() - 1];
    let texts = ["model", "id", "endTime", "status", "response_cost", "metadata", "response"];
    let broken = texts.into_iter().flat_map(|name| {
        let of = |value: &str| whole.replacen(&format!("\"{name}\": "), value, 1);
        let key = format!("\"{name}\": ");
        [of(&format!("{key}[\"CANARY\"], \"x\": ")), of(&format!("{key}CANARY"))]
    });
    for payload in broken.chain([whole.to_owned(), whole[..whole.len() - 1].to_owned()]) {
        let kept = kept(read_litellm(payload.as_bytes()));
        assert!(!kept.contains(CANARY), "{payload}\nleaves\n{kept}");
    }
}

#[test]
fn the_log_takes_what_is_as_deep_and_as_large_as_allowed() {
    let deep = format!("{}{}", "[".repeat(63), "]".repeat(63));
    let large = format!("[{}0]", "1234567,".repeat(30_000));
    for usage in [deep, large] {
        for rest in ["", r#","attempt":"x""#] {
            let event = with(&format!("\"usage\":{usage}{rest}"));
            kept(read_call_event(event.as_bytes()));
        }
    }
}

#[test]
fn a_part_is_no_larger_than_an_event_may_be() {
    let usage = format!("[{}0]", "1e-64,".repeat(20_000));
    let undecoded = read_call_event(with(&format!("\"usage\":{usage},\"attempt\":[]")).as_bytes());
    let undecoded = undecoded.expect_err("a rejection");
    assert_eq!(undecoded.rejection.code, RejectionCode::InvalidField);
    assert_eq!(undecoded.part, None, "it would be 1.3 MB");
    let undecoded = read_call_event(with(&format!("\"usage\":{usage}")).as_bytes());
    assert_eq!(undecoded.expect_err("a rejection").rejection.code, RejectionCode::EventTooLarge);
}

#[test]
fn a_part_keeps_what_could_be_read() {
    let text = with(r#""tenant":"acme","attempt":"CANARY","usage":{"input_tokens":7}"#);
    let undecoded = read_call_event(text.as_bytes()).expect_err("a rejection");
    let part = undecoded.part.expect("a part");
    assert_eq!(part.field("tenant").and_then(Json::as_text), Some("acme"));
    assert_eq!(part.field("usage").map(Json::to_string).as_deref(), Some(r#"{"input_tokens":7}"#));
    assert_eq!(part.field("attempt"), None);
}

#[test]
fn a_broken_event_is_named_whenever_its_id_can_be_read() {
    let before = |rest: &str| format!(r#"{{"event_id":"e-1","source":"s",{rest}"#);
    let after = |rest: &str| format!(r#"{{{rest},"event_id":"e-1"}}"#);
    for broken in [
        before(r#""usage":{"a":1,"a":2}}"#),
        after(r#""usage":{"a":1,"a":2}"#),
        after(r#""usage":{"n":1e999}"#),
        after(&format!("\"usage\":{}{}", "[".repeat(70), "]".repeat(70))),
        before(r#""usage":{"#),
        before(&format!("\"x\":\"{}\"}}", "x".repeat(1 << 20))),
        after(r#""model":["m"]"#),
    ] {
        let rejection = decode(&broken).expect_err("a rejection");
        assert_eq!(rejection.event_id.as_deref(), Some("e-1"), "{rejection}");
    }
    let mut bytes = before(r#""model":""#).into_bytes();
    bytes.push(0xff);
    let rejection = decode_call_event(&bytes).expect_err("a rejection");
    assert_eq!(rejection.event_id.as_deref(), Some("e-1"), "{rejection}");
}
