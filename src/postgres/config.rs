//! What the door for PostgreSQL's clients is told: its address, certificate and limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Error};

use crate::setting::Span;

/// Settings of the door for PostgreSQL's clients.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresConfig {
    /// Where it listens, or `off`. Anything but a loopback address needs an API key, and a
    /// certificate: a key comes as a password.
    pub listen: Listen,
    /// The certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// The most connections at once; more wait in the listener's backlog.
    pub connections_max: usize,
    /// How long a connection may stay silent between statements.
    pub connection_silence_max: Span,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            listen: Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, 7432))),
            tls_cert: None,
            tls_key: None,
            connections_max: 128,
            connection_silence_max: Span::seconds(30 * 60),
        }
    }
}

/// Where a door is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// At an address.
    At(SocketAddr),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(Self::Off);
        }
        let wrong = || format!("`{text}` is neither an address such as `127.0.0.1:7432` nor `off`");
        text.parse().map(Self::At).map_err(|_| D::Error::custom(wrong()))
    }
}
