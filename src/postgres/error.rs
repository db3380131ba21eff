//! Why PostgreSQL's clients cannot be served; an operator must act.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What is wrong with the door.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Others could reach it, and nobody would be asked for a key.
    #[error(
        "`postgres.listen` = `{0}` can be reached from other machines and no API key exists: make \
         one with `tokenmeter keys create`, set `TOKENMETER_FIRST_KEY`, listen on 127.0.0.1, or \
         set `postgres.listen` to `off`"
    )]
    NoKeys(SocketAddr),
    /// Keys would pass the network in clear.
    #[error(
        "`postgres.listen` = `{0}` can be reached from other machines, and API keys would come as \
         passwords in clear: set `postgres.tls_cert` and `postgres.tls_key`, or listen on 127.0.0.1"
    )]
    NoTls(SocketAddr),
    /// A certificate without its key, or a key without its certificate.
    #[error("`postgres.tls_cert` and `postgres.tls_key` go together: set both or neither")]
    HalfTls,
    /// A file of the certificate cannot be used.
    #[error("cannot use `{}` for TLS: {why}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The address cannot be listened on.
    #[error(
        "cannot listen on `{address}` for PostgreSQL clients: {source}; set `postgres.listen` \
         (`TOKENMETER_POSTGRES__LISTEN`) to another address, or to `off`"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
