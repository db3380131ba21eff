//! The door: where connections come in, and how they all end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::{Listen, PostgresConfig};
use super::error::PostgresError;
use super::server::Server;
use super::talk;
use crate::api::{App, Limited};

/// How clients name the protocol inside TLS.
const ALPN: &[u8] = b"postgresql";

/// A door that listens.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    config: PostgresConfig,
}

/// Listens where the configuration says, if it may; `None`: it is switched off.
///
/// # Errors
/// [`PostgresError`].
pub async fn bind(
    config: &PostgresConfig,
    keys_exist: bool,
) -> Result<Option<Door>, PostgresError> {
    let Listen::At(address) = config.listen else { return Ok(None) };
    let tls = match (&config.tls_cert, &config.tls_key) {
        (Some(certificate), Some(key)) => Some(acceptor(certificate, key)?),
        (None, None) => None,
        _ => return Err(PostgresError::HalfTls),
    };
    if !address.ip().is_loopback() {
        if !keys_exist {
            return Err(PostgresError::NoKeys(address));
        }
        if tls.is_none() {
            return Err(PostgresError::NoTls(address));
        }
    }
    let failed = |source| PostgresError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Some(Door { listener, address, tls, config: config.clone() }))
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, PostgresError> {
    let unusable = |path: &Path, why: String| PostgresError::Tls { path: path.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| unusable(certificate, why.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "it holds no certificate".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| unusable(key, why.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|why| unusable(key, why.to_string()))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Door {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; statements under way may then finish, for as long as HTTP's may.
    pub async fn serve(self, app: Arc<App>, shutdown: CancellationToken) {
        let Self { listener, address, tls, config } = self;
        let silence_max = config.connection_silence_max;
        let mut listener = Limited::new(listener, config.connections_max, silence_max);
        let limits = &app.state.config;
        let leave_within = limits.shutdown_notice.0 + limits.shutdown_drain.0;
        let is_local = address.ip().is_loopback();
        let server = Arc::new(Server::new(app, tls, is_local, silence_max.0));
        let (connections, ended) = (TaskTracker::new(), CancellationToken::new());
        while let Some((connection, peer)) = shutdown.run_until_cancelled(listener.accept()).await {
            let talk = talk::talk(connection, peer, Arc::clone(&server), shutdown.clone());
            let ended = ended.clone();
            connections.spawn(async move { ended.run_until_cancelled(talk).await });
        }
        drop(listener);
        connections.close();
        if tokio::time::timeout(leave_within, connections.wait()).await.is_err() {
            ended.cancel();
            connections.wait().await;
        }
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("address", &self.address).finish_non_exhaustive()
    }
}
