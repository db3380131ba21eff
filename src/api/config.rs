//! What the HTTP server is told: its address, limits and times.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

use crate::setting::{ByteSize, Span};

/// Settings of the HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Where it listens. Anything but a loopback address needs an API key first.
    pub listen: SocketAddr,
    /// The largest request body, after decompression.
    pub body_bytes_max: ByteSize,
    /// The most events in one request.
    pub events_per_request_max: usize,
    /// The most connections at once; more wait in the listener's backlog.
    pub connections_max: usize,
    /// How long a connection may stay silent, both ways.
    pub connection_silence_max: Span,
    /// The most ingest requests at once; more are answered 503 with `Retry-After`.
    pub ingest_requests_max: usize,
    /// The most query requests at once; more are answered 503 with `Retry-After`.
    pub query_requests_max: usize,
    /// The longest an ingest request may take, its body included.
    pub ingest_timeout: Span,
    /// The longest a query request may take; a query's own deadline is the query room's.
    pub query_timeout: Span,
    /// How often API keys are read again from the `control` table.
    pub keys_refresh: Span,
    /// How long requests are still taken after readiness went to 503 at a shutdown.
    pub shutdown_notice: Span,
    /// How long requests under way may take to finish at a shutdown.
    pub shutdown_drain: Span,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)),
            body_bytes_max: ByteSize(16 << 20),
            events_per_request_max: 20_000,
            connections_max: 1_024,
            connection_silence_max: Span::seconds(120),
            ingest_requests_max: 32,
            query_requests_max: 32,
            ingest_timeout: Span::seconds(30),
            query_timeout: Span::seconds(90),
            keys_refresh: Span::seconds(5),
            shutdown_notice: Span::millis(250),
            shutdown_drain: Span::seconds(4),
        }
    }
}
