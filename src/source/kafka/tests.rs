//! Against librdkafka's broker in this process: groups, rebalances, offsets. The real broker's
//! tests are in `tests/integration`.
#![allow(clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::FutureRecord;
use rdkafka::util::Timeout;
use tokio::time::Instant;

use super::*;
use crate::setting::Secret;
use crate::source::config::RawTopic;
use crate::source::{
    EventLog, Extent, LogEntry, Message, Origin, Partition, Publisher, Source, Start, Step,
};
use crate::time::Timestamp;

const RAW: &str = "raw";
const ACCEPTED: &str = "accepted";
const WITHIN: Duration = Duration::from_secs(60);

type Broker = MockCluster<'static, DefaultProducerContext>;

fn broker(raw_partitions: i32) -> Broker {
    let broker = MockCluster::new(1).expect("a broker");
    broker.create_topic(RAW, raw_partitions, 1).expect("a topic");
    broker.create_topic(ACCEPTED, 1, 1).expect("a topic");
    broker.create_topic("anomalies", 1, 1).expect("a topic");
    broker
}

fn config(broker: &Broker) -> KafkaConfig {
    KafkaConfig {
        brokers: broker.bootstrap_servers(),
        raw_topics: vec![RawTopic { topic: RAW.to_owned(), namespace: "gateway".to_owned() }],
        accepted_topic: ACCEPTED.to_owned(),
        // The broker of these tests tells no topic ids.
        incarnation: Some("1".to_owned()),
        anomalies_topic: "anomalies".to_owned(),
        create_topics: false,
        properties: [
            ("heartbeat.interval.ms", "200"),
            ("session.timeout.ms", "6000"),
            ("compression.type", "none"),
        ]
        .map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())))
        .into(),
        ..KafkaConfig::default()
    }
}

async fn connect(config: &KafkaConfig) -> (KafkaSource, KafkaLog, KafkaPublisher) {
    let config = config.clone();
    let opened = tokio::task::spawn_blocking(move || open(&config)).await.expect("no panic");
    opened.expect("connected")
}

async fn produce(broker: &Broker, partition: i32, payloads: &[&[u8]]) {
    let producer = producer::connect(&config(broker)).expect("a producer");
    for payload in payloads {
        let headers = OwnedHeaders::new().insert(Header { key: "kind", value: Some("test") });
        let record = FutureRecord::to(RAW).partition(partition).key("k").payload(*payload);
        let record = record.timestamp(1_700_000_000_123).headers(headers);
        producer.send(record, Timeout::After(WITHIN)).await.expect("produced");
    }
}

/// Steps until `enough` says so.
async fn until<T>(source: &mut KafkaSource, mut enough: impl FnMut(Step) -> Option<T>) -> T {
    let deadline = Instant::now() + WITHIN;
    while Instant::now() < deadline {
        match source.next(100, Duration::from_millis(100)).await {
            Ok(step) => {
                if let Some(found) = enough(step) {
                    return found;
                }
            }
            Err(SourceError::Retryable { .. }) => {}
            Err(fatal) => panic!("{fatal}"),
        }
    }
    panic!("not within {WITHIN:?}")
}

async fn assigned(source: &mut KafkaSource) -> Vec<Arc<Partition>> {
    until(source, |step| match step {
        Step::Assigned(partitions) => Some(partitions),
        Step::Messages(messages) => panic!("messages before a seek: {messages:?}"),
        _ => None,
    })
    .await
}

async fn begin(source: &mut KafkaSource) -> Vec<Arc<Partition>> {
    let partitions = assigned(source).await;
    for partition in &partitions {
        source.seek(partition, Start::Earliest).await.expect("sought");
    }
    partitions
}

async fn read(source: &mut KafkaSource, count: usize) -> Vec<Message> {
    let mut all = Vec::new();
    until(source, |step| {
        if let Step::Messages(messages) = step {
            all.extend(messages);
        }
        (all.len() >= count).then_some(())
    })
    .await;
    all
}

fn of<'a>(partitions: &'a [Arc<Partition>], topic: &str, number: i32) -> &'a Arc<Partition> {
    let found = partitions.iter().find(|part| part.topic == topic && part.number == number);
    found.expect("an assigned partition")
}

#[tokio::test]
async fn messages_come_with_all_that_their_record_says() {
    let broker = broker(2);
    produce(&broker, 1, &[b"one"]).await;
    let (mut source, log, publisher) = connect(&config(&broker)).await;
    let partitions = begin(&mut source).await;
    assert_eq!(partitions.len(), 3, "two of the raw topic, one of the accepted one");
    let entry = LogEntry {
        key: "id".to_owned(),
        payload: Bytes::from_static(b"two"),
        accepted_at: Timestamp::EPOCH,
    };
    assert_eq!(log.append(vec![entry]).await.expect("appended").entries, 1);
    publisher.publish("key", Bytes::from_static(b"{}")).await.expect("published");

    let mut messages = read(&mut source, 2).await;
    messages.sort_by_key(|message| message.partition.topic.clone());
    let [accepted, raw] = &messages[..] else { panic!("two messages, got {messages:?}") };
    assert_eq!(accepted.partition.origin, Origin::Envelopes);
    assert_eq!(accepted.payload.as_deref(), Some(b"two".as_slice()));
    assert_eq!(raw.partition.origin, Origin::Raw { namespace: "gateway".to_owned() });
    assert_eq!((raw.partition.number, raw.offset), (1, 0));
    assert_eq!(raw.accepted_at.millis(), 1_700_000_000_123);
    assert_eq!(raw.headers, [("kind".to_owned(), Bytes::from_static(b"test"))]);
    assert!(raw.partition.app_id.ends_with("/raw/1/1"), "{}", raw.partition.app_id);
    assert_eq!(source.extent(&raw.partition), Some(Extent { low: 0, high: 1 }));
    source.committed(&raw.partition, 1).await.expect("told");
    source.close().await;
}

#[tokio::test]
async fn reading_begins_where_the_lake_says_and_goes_back_when_asked() {
    let broker = broker(1);
    produce(&broker, 0, &[b"0", b"1", b"2", b"3"]).await;
    let (mut source, ..) = connect(&config(&broker)).await;
    let partitions = assigned(&mut source).await;
    let raw = of(&partitions, RAW, 0).clone();
    source.seek(&raw, Start::Offset(2)).await.expect("sought");
    source.seek(of(&partitions, ACCEPTED, 0), Start::Earliest).await.expect("sought");
    let offsets = |messages: Vec<Message>| -> Vec<i64> {
        messages.iter().map(|message| message.offset).collect()
    };
    assert_eq!(offsets(read(&mut source, 2).await), [2, 3]);
    source.seek(&raw, Start::Offset(1)).await.expect("sought back");
    assert_eq!(offsets(read(&mut source, 3).await), [1, 2, 3]);

    source.pause(true).expect("paused");
    produce(&broker, 0, &[b"4"]).await;
    let step = source.next(9, Duration::from_millis(300)).await.expect("a step");
    assert!(matches!(step, Step::Idle), "{step:?}");
    source.pause(false).expect("resumed");
    assert_eq!(offsets(read(&mut source, 1).await), [4]);
}

#[tokio::test]
async fn an_offset_beyond_the_end_says_that_the_topic_was_made_again() {
    let broker = broker(1);
    let (mut source, ..) = connect(&config(&broker)).await;
    let partitions = assigned(&mut source).await;
    let error = source.seek(of(&partitions, RAW, 0), Start::Offset(7)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
    assert!(error.to_string().contains("`raw`/0"), "{error}");
    assert!(error.to_string().contains("source.kafka.incarnation"), "{error}");
    // Dropped with the assignment unanswered: the client must not wait for the answer.
}

#[tokio::test]
async fn an_offset_that_others_have_read_to_meanwhile_is_known() {
    let broker = broker(1);
    let (mut source, ..) = connect(&config(&broker)).await;
    let partitions = assigned(&mut source).await;
    let raw = of(&partitions, RAW, 0);
    produce(&broker, 0, &[b"0", b"1", b"2"]).await;
    source.seek(raw, Start::Offset(3)).await.expect("sought");
    assert_eq!(source.extent(raw), Some(Extent { low: 0, high: 3 }));
    let error = source.seek(raw, Start::Offset(4)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
}

#[tokio::test]
async fn expired_offsets_name_topic_partition_and_gap() {
    let broker = broker(1);
    // The broker keeps 5 MiB of a partition.
    let large = vec![7_u8; 900_000];
    produce(&broker, 0, &[large.as_slice(); 10]).await;
    let (mut source, ..) = connect(&config(&broker)).await;
    let partitions = assigned(&mut source).await;
    let raw = of(&partitions, RAW, 0);
    let low = source.extent(raw).expect("an extent").low;
    assert!(low > 0, "the broker has dropped old records");
    let error = source.seek(raw, Start::Offset(0)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
    let gap = format!("`raw`/0: offsets 0 to {} have expired", low - 1);
    assert!(error.to_string().contains(&gap), "{error}");
}

#[tokio::test]
async fn partitions_move_between_instances_and_none_is_read_twice() {
    let broker = broker(1);
    // One topic with one partition: an instance that has none must answer the group, too.
    let only = KafkaConfig { raw_topics: Vec::new(), ..config(&broker) };
    let (mut first, log, _) = connect(&only).await;
    assert_eq!(begin(&mut first).await.len(), 1);
    let entry = |text: &'static str| LogEntry {
        key: text.to_owned(),
        payload: Bytes::from_static(text.as_bytes()),
        accepted_at: Timestamp::EPOCH,
    };
    log.append(vec![entry("a")]).await.expect("appended");
    assert_eq!(read(&mut first, 1).await[0].offset, 0);

    let (mut second, ..) = connect(&only).await;
    let mut has: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let deadline = Instant::now() + WITHIN;
    let mut settled = BTreeSet::new();
    while settled.len() < 2 {
        assert!(Instant::now() < deadline, "the group does not settle: {settled:?}");
        for (name, source) in [("first", &mut first), ("second", &mut second)] {
            match source.next(10, Duration::from_millis(50)).await {
                Ok(Step::Assigned(partitions)) => {
                    for partition in &partitions {
                        source.seek(partition, Start::Offset(1)).await.expect("sought");
                    }
                    let ids = partitions.iter().map(|part| part.app_id.clone()).collect();
                    has.insert(name, ids);
                    settled.insert(name);
                }
                Ok(Step::Revoked(_)) => {
                    has.remove(name);
                    settled.remove(name);
                }
                Ok(Step::Messages(messages)) => panic!("read again: {messages:?}"),
                Ok(Step::Idle) | Err(SourceError::Retryable { .. }) => {}
                Err(fatal) => panic!("{fatal}"),
            }
        }
    }
    let sizes: Vec<usize> = has.values().map(BTreeSet::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 1, "one instance has the partition: {has:?}");

    // Whoever has it leaves; the other takes over.
    let (mut leaving, mut staying) =
        if has["first"].is_empty() { (second, first) } else { (first, second) };
    leaving.close().await;
    drop(leaving);
    let partitions = assigned(&mut staying).await;
    staying.seek(&partitions[0], Start::Offset(1)).await.expect("sought");
    log.append(vec![entry("b")]).await.expect("appended");
    let messages = read(&mut staying, 1).await;
    assert_eq!((messages.len(), messages[0].offset), (1, 1));
}

#[tokio::test]
async fn a_seek_in_what_was_taken_away_waits_for_nothing() {
    let broker = broker(2);
    let (mut first, ..) = connect(&config(&broker)).await;
    let partitions = begin(&mut first).await;
    let (mut second, ..) = connect(&config(&broker)).await;
    let joining = tokio::spawn(async move { begin(&mut second).await });
    tokio::time::timeout(WITHIN, first.hear_of_a_revocation()).await.expect("a revocation");
    // The pipeline finds itself not the owner any more before it has heard why.
    for partition in &partitions {
        first.seek(partition, Start::Offset(0)).await.expect("nothing to seek in");
    }
    let step = first.next(9, Duration::ZERO).await.expect("a step");
    assert!(matches!(&step, Step::Revoked(gone) if gone.len() == 3), "{step:?}");
    begin(&mut first).await;
    joining.await.expect("joined");
}

#[test]
fn properties_on_which_the_promise_rests_are_refused() {
    let mut config = KafkaConfig::default();
    let error = open(&config).expect_err("no brokers");
    assert!(error.to_string().contains("`source.kafka.brokers` is required"), "{error}");
    config.brokers = "localhost:1".to_owned();
    let earliest = Secret::new("earliest".to_owned());
    config.properties.insert("auto.offset.reset".to_owned(), earliest);
    let error = open(&config).expect_err("a refusal");
    assert!(error.to_string().contains("may not set `auto.offset.reset`"), "{error}");
}

#[test]
fn a_wrong_value_is_not_shown() {
    let mut config = KafkaConfig { brokers: "localhost:1".to_owned(), ..KafkaConfig::default() };
    config.properties.insert("linger.ms".to_owned(), Secret::new("hunter2".to_owned()));
    let error = producer::connect(&config).err().expect("an error").to_string();
    assert!(error.contains("linger.ms") && !error.contains("hunter2"), "{error}");
}
