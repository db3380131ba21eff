//! Senders of made-up calls to a server of our own, at a rate or as fast as it takes them.

use std::time::{Duration, Instant};

use crate::server::Server;
use crate::traffic::{self, Pace};

const SENDERS: u64 = 2;

/// How much is sent.
#[derive(Clone, Copy)]
pub struct Load {
    /// Events of one request.
    pub batch: u64,
    /// For so long.
    pub during: Duration,
    /// Events a second; `None`: as fast as they are taken.
    pub rate: Option<f64>,
}

impl Load {
    /// Sends the events from a number on; how many were acknowledged.
    pub async fn send(self, server: &Server, first: u64) -> u64 {
        let started = Instant::now();
        let of_one = |sender: u64| async move {
            let mut sent = 0;
            while started.elapsed() < self.during {
                self.post(server, self.number(first, sender, sent)).await;
                sent += self.batch;
                if let Some(rate) = self.rate {
                    let due = Duration::from_secs_f64((sent * SENDERS) as f64 / rate);
                    tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
                }
            }
            sent
        };
        // All send as many, so that no number is left out.
        let mut counts = futures::future::join_all((0..SENDERS).map(of_one)).await;
        let most = counts.iter().copied().max().unwrap_or_default();
        for (sender, sent) in (0..).zip(&mut counts) {
            while *sent < most {
                self.post(server, self.number(first, sender, *sent)).await;
                *sent += self.batch;
            }
        }
        most * SENDERS
    }

    /// The first number of a sender's next batch.
    const fn number(self, first: u64, sender: u64, sent: u64) -> u64 {
        first + (sent / self.batch * SENDERS + sender) * self.batch
    }

    /// Sends one batch until it is acknowledged.
    async fn post(self, server: &Server, number: u64) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let start = u64::try_from(now.expect("a clock").as_millis()).expect("an age");
        let body = traffic::ndjson_of(number..number + self.batch, Pace { start, millis: 0 });
        loop {
            match server.post("/v1/events", body.clone()).await {
                (202, _) => return,
                (429 | 503, _) => tokio::time::sleep(Duration::from_millis(50)).await,
                (status, answer) => panic!("{status}: {answer}"),
            }
        }
    }
}

/// The rows that can be queried.
pub async fn rows(server: &Server) -> u64 {
    server.cell("SELECT count(*) FROM calls").await.parse().expect("a count")
}

/// Waits until so many rows can be queried.
pub async fn wait(server: &Server, wanted: u64) {
    while rows(server).await < wanted {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
