//! What all connections share.

use std::sync::Arc;
use std::time::Duration;

use pgwire::api::RandomPidSecretKeyGenerator;
use tokio_rustls::TlsAcceptor;

use super::cancel::Cancels;
use crate::api::App;

/// The server behind the door.
pub(super) struct Server {
    /// Keys, limits, the engine and the questions that run: HTTP's.
    pub app: Arc<App>,
    /// `None`: it has no certificate.
    pub tls: Option<TlsAcceptor>,
    /// Whether only this machine can reach it.
    pub is_local: bool,
    /// How long a connection may stay silent between statements.
    pub silence_max: Duration,
    /// What may be cancelled from outside its connection.
    pub cancels: Arc<Cancels>,
    /// Names connections.
    pub names: RandomPidSecretKeyGenerator,
}

impl Server {
    pub fn new(
        app: Arc<App>,
        tls: Option<TlsAcceptor>,
        is_local: bool,
        silence_max: Duration,
    ) -> Self {
        let (cancels, names) = (Arc::default(), RandomPidSecretKeyGenerator::default());
        Self { app, tls, is_local, silence_max, cancels, names }
    }

    /// Whether nobody is asked for a key: as HTTP does it, on this machine only and before the
    /// first key was made.
    pub fn is_open(&self) -> bool {
        let http_is_local = self.app.state.config.listen.ip().is_loopback();
        self.is_local && http_is_local && self.app.state.keys.is_empty()
    }
}
