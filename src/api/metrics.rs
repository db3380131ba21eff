//! What the server counts of requests and questions, in the registry it is handed.

use std::time::Duration;

use axum::http::StatusCode;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramTimer, HistogramVec, IntCounterVec, Opts, Registry};

/// How a question comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// HTTP.
    Http,
    /// PostgreSQL's wire.
    Postgres,
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Postgres => "postgres",
        }
    }
}

/// Metrics of the server.
#[derive(Debug, Clone)]
pub struct ApiMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    events: IntCounterVec,
    rejections: IntCounterVec,
    questions: IntCounterVec,
    question_seconds: HistogramVec,
}

impl ApiMetrics {
    /// Makes them and enters them in `registry`.
    ///
    /// # Errors
    /// When names clash with what is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("tokenmeter_http_requests_total", "HTTP requests answered"),
                &["route", "status"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new("tokenmeter_http_request_seconds", "Seconds to answer"),
                &["route"],
            )?,
            events: IntCounterVec::new(
                Opts::new("tokenmeter_http_events_total", "Events that front doors made durable"),
                &["door", "outcome"],
            )?,
            rejections: IntCounterVec::new(
                Opts::new(
                    "tokenmeter_http_rejections_total",
                    "Events rejected while decoding; their rejections are durable",
                ),
                &["door", "code"],
            )?,
            questions: IntCounterVec::new(
                Opts::new(
                    "tokenmeter_questions_total",
                    "Questions that were let in, by how they ended: answered whole (`ok`), \
                     `truncated` at a limit, `cancelled`, or with an error's code",
                ),
                &["protocol", "outcome"],
            )?,
            question_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "tokenmeter_question_seconds",
                    "Seconds from a question to the end of its answer",
                ),
                &["protocol"],
            )?,
        };
        for collector in metrics.collectors() {
            registry.register(collector)?;
        }
        Ok(metrics)
    }

    /// All of them.
    pub(crate) fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.requests.clone()),
            Box::new(self.seconds.clone()),
            Box::new(self.events.clone()),
            Box::new(self.rejections.clone()),
            Box::new(self.questions.clone()),
            Box::new(self.question_seconds.clone()),
        ]
    }

    /// Counts a question that has ended.
    pub(super) fn asked(&self, protocol: Protocol, outcome: &str, took: Duration) {
        self.questions.with_label_values(&[protocol.name(), outcome]).inc();
        self.question_seconds.with_label_values(&[protocol.name()]).observe(took.as_secs_f64());
    }

    pub(super) fn start(&self, route: &str) -> HistogramTimer {
        self.seconds.with_label_values(&[route]).start_timer()
    }

    pub(super) fn finish(&self, timer: HistogramTimer, route: &str, status: StatusCode) {
        timer.observe_duration();
        self.requests.with_label_values(&[route, status.as_str()]).inc();
    }

    /// Counts one event that was decoded and is durable.
    pub(super) fn accepted(&self, door: &str, events: usize) {
        let counter = self.events.with_label_values(&[door, "accepted"]);
        counter.inc_by(u64::try_from(events).unwrap_or(u64::MAX));
    }

    /// Counts one event that could not be decoded; its rejection is durable.
    pub(super) fn rejected(&self, door: &str, code: &str) {
        self.events.with_label_values(&[door, "rejected"]).inc();
        self.rejections.with_label_values(&[door, code]).inc();
    }
}
