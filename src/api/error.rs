//! Why the server cannot start, or not go on.

use std::net::SocketAddr;

/// What is wrong with the server itself; an operator must act.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Others could reach it, and nobody would be asked for a key.
    #[error(
        "`{0}` can be reached from other machines and no API key exists: make one with `tokenmeter \
         keys create`, set `TOKENMETER_FIRST_KEY`, or listen on 127.0.0.1"
    )]
    NoKeys(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The listener broke.
    #[error("the HTTP server stopped: {0}")]
    Broken(#[from] std::io::Error),
    /// A metric's name is taken.
    #[error("cannot register the HTTP metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}
