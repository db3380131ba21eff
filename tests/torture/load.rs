//! Senders that never give up: each batch is sent again until it is acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::task::JoinHandle;

use crate::ledger::Ledger;

/// How much is sent.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub events: u64,
    pub pause: Duration,
}

/// Where to send: the door of whichever process serves now.
pub type Address = Arc<Mutex<String>>;

/// A sender under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Ledger>,
}

impl Load {
    /// No batch begins any more; the one under way is sent until it is acknowledged.
    pub fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Ends, and gives the ledger back once all is acknowledged.
    pub async fn stop(self) -> Ledger {
        self.end();
        self.task.await.expect("the sender")
    }
}

/// Posts batches to `/v1/events`.
pub fn over_http(mut ledger: Ledger, address: Address, pace: Pace) -> Load {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build();
        let client = client.expect("a client");
        while !stopped.load(Ordering::SeqCst) {
            let upto = ledger.sent + pace.events;
            let events = (ledger.sent..upto).map(|number| ledger.event(number).1);
            let body = events.collect::<Vec<_>>().join("\n");
            while !posted(&client, &address, &body).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            ledger.sent = upto;
            tokio::time::sleep(pace.pause).await;
        }
        ledger
    });
    Load { stop, task }
}

async fn posted(client: &reqwest::Client, address: &Address, body: &str) -> bool {
    let url = address.lock().expect("an address").clone();
    let request = client.post(format!("{url}/v1/events")).body(body.to_owned());
    let answer = request.header("content-type", "application/x-ndjson").send().await;
    answer.is_ok_and(|answer| answer.status().as_u16() == 202)
}

/// A topic, and who produces to it: each event once and in order, however long the broker is away.
#[derive(Clone)]
pub struct Topic {
    pub name: String,
    producer: FutureProducer,
}

impl Topic {
    pub fn new(brokers: &str, name: &str) -> Self {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("reconnect.backoff.max.ms", "500")
            .create()
            .expect("a producer");
        Self { name: name.to_owned(), producer }
    }
}

/// Produces batches to a topic.
pub fn over_kafka(mut ledger: Ledger, topic: Topic, pace: Pace) -> Load {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        while !stopped.load(Ordering::SeqCst) {
            let upto = ledger.sent + pace.events;
            let batch: Vec<_> = (ledger.sent..upto).map(|number| ledger.event(number)).collect();
            let sent = batch.iter().map(|(key, event)| {
                let record = FutureRecord::to(&topic.name).key(key).payload(event);
                topic.producer.send(record, Duration::from_secs(60))
            });
            for delivery in futures::future::join_all(sent).await {
                delivery.expect("delivered within five minutes");
            }
            ledger.sent = upto;
            tokio::time::sleep(pace.pause).await;
        }
        ledger
    });
    Load { stop, task }
}
