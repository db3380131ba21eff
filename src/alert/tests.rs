//! What was found is published, whatever the topic and the clock do.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use object_store::memory::InMemory;

use super::{AlertConfig, Alerts};
use crate::anomaly::{Anomaly, IncidentState, Scope};
use crate::lake::Lake;
use crate::money::Usd;
use crate::pipeline::Watermarks;
use crate::source::{Publisher, SourceError};
use crate::time::{Clock, Timestamp, Window};

const NOON: &str = "2026-11-20T12:00:00Z";

/// A topic that is down for so many messages.
#[derive(Debug, Default)]
struct Topic {
    down_for: AtomicUsize,
    taken: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Publisher for Topic {
    async fn publish(&self, key: &str, _: Bytes) -> Result<(), SourceError> {
        let is_down = |left: usize| left.checked_sub(1);
        if self.down_for.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_down).is_ok() {
            let (what, why) = ("publishing".to_owned(), "the topic is down".to_owned());
            return Err(SourceError::Retryable { what, why });
        }
        self.taken.lock().expect("messages").push(key.to_owned());
        Ok(())
    }
}

/// A clock that a test sets, in seconds from noon.
#[derive(Debug, Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        noon().plus_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn noon() -> Timestamp {
    NOON.parse().expect("a timestamp")
}

fn anomaly(number: u128) -> Anomaly {
    Anomaly {
        anomaly_id: uuid::Uuid::from_u128(number),
        revision: 0,
        state: IncidentState::Open,
        scope: Scope::Tenant { tenant: "acme".to_owned() },
        detector: "p95x3/1".to_owned(),
        window: Window::hour_of(noon()),
        actual: Usd::from_pico(9),
        expected: Usd::from_pico(2),
        threshold: Usd::from_pico(6),
        contributors: Vec::new(),
        explanation: "more than usual".to_owned(),
    }
}

/// Alerts over a new lake, its topic and its clock.
async fn alerts() -> (Alerts, Arc<Topic>, Arc<HandClock>) {
    let (topic, clock) = (Arc::new(Topic::default()), Arc::new(HandClock::default()));
    let root = url::Url::parse("memory:///lake/").expect("a URL");
    let lake = Lake::open_in(root, Arc::new(InMemory::new()), clock.clone()).await;
    let lake = Arc::new(lake.expect("a lake"));
    let watermarks = Arc::new(Mutex::new(Watermarks::default()));
    let alerts =
        Alerts::new(AlertConfig::default(), lake, watermarks, topic.clone(), clock.clone());
    (alerts, topic, clock)
}

/// Stores what was found as a round does.
async fn store(alerts: &Alerts, found: &[u128]) {
    let on = alerts.table().refresh().await.expect("a version");
    let stored = super::stored(alerts.table(), &on).await.expect("rows");
    let after = stored.last().map(|stored| stored.written_at);
    let found = found.iter().copied().map(anomaly).collect();
    alerts.store(&on, found, after, (noon(), on.version())).await.expect("stored");
}

fn keys(numbers: &[u128]) -> Vec<String> {
    numbers.iter().map(|number| uuid::Uuid::from_u128(*number).to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_down_gets_everything() {
    let (mut alerts, topic, _) = alerts().await;
    store(&alerts, &[1, 2, 3]).await;
    topic.down_for.store(2, Ordering::SeqCst);
    for _ in 0..2 {
        alerts.round().await.expect_err("the topic is down");
        assert!(topic.taken.lock().expect("messages").is_empty());
    }
    alerts.round().await.expect("the topic is back");
    alerts.round().await.expect("nothing is left to do");
    assert_eq!(*topic.taken.lock().expect("messages"), keys(&[1, 2, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_hides_nothing() {
    let (mut alerts, topic, clock) = alerts().await;
    store(&alerts, &[1, 2]).await;
    alerts.round().await.expect("published");
    for (seconds, number) in [(-86_400, 3), (7_200, 4), (-60, 5)] {
        clock.0.store(seconds, Ordering::SeqCst);
        store(&alerts, &[number]).await;
        alerts.round().await.expect("published");
    }
    assert_eq!(*topic.taken.lock().expect("messages"), keys(&[1, 2, 3, 4, 5]));
}
