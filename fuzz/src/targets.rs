//! The functions that must not panic. Each answers whether it took the bytes, for the runner's count.

use std::sync::LazyLock;

use tokenmeter::attribution::{Rules, Sender};
use tokenmeter::charge::meter;
use tokenmeter::event::{
    self, AvroDecoder, CALL_EVENT_AVRO, Envelope, WireFormat, decode_call_event, split_events,
};
use tokenmeter::pricing::{Layer, PriceBook};

/// A body of one or many events.
pub fn decode_json(bytes: &[u8]) -> bool {
    let events = split_events(bytes).unwrap_or_default();
    let taken = events.iter().filter(|event| decode_call_event(event).is_ok()).count();
    decode_call_event(bytes).is_ok() || taken > 0
}

/// A datum by our own schema, in the wire format or bare; and a schema that somebody registered.
pub fn decode_avro(bytes: &[u8]) -> bool {
    static OWN: LazyLock<AvroDecoder> =
        LazyLock::new(|| AvroDecoder::new(CALL_EVENT_AVRO).expect("our own schema"));
    if let Ok(WireFormat::Avro { body, .. }) = WireFormat::of([], bytes) {
        drop(OWN.decode(body));
    }
    let foreign = std::str::from_utf8(bytes).ok().and_then(|text| AvroDecoder::new(text).ok());
    if let Some(foreign) = &foreign {
        drop(foreign.decode(bytes));
    }
    OWN.decode(bytes).is_ok() || foreign.is_some()
}

/// One event of LiteLLM's callback.
pub fn decode_litellm(bytes: &[u8]) -> bool {
    event::decode_litellm(bytes).is_ok()
}

/// An envelope; one that is read is written and read again.
pub fn decode_envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::decode(bytes) else { return false };
    assert_eq!(Envelope::decode(&envelope.encode()).as_ref(), Ok(&envelope));
    true
}

/// An event, all the way to its cost.
pub fn rate(bytes: &[u8]) -> bool {
    static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
        let prices = include_str!("../../tests/bugs/prices.toml");
        PriceBook::load(&[Layer::new("prices.toml", prices.to_owned())]).expect("a book")
    });
    let Ok(event) = decode_call_event(bytes) else { return false };
    meter(event, &BOOK, &Rules::default(), &Sender::default()).is_ok()
}
