//! What a connection is between its messages: who logged in, what was set, what runs.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pgwire::error::PgWireError;
use tokio::net::TcpStream;

use super::cancel::{Current, Entered};
use super::names::Names;
use super::server::Server;
use super::settings::Settings;
use super::sqlstate::{self, INSUFFICIENT_PRIVILEGE, INVALID_PASSWORD};
use crate::api::Caller;
use crate::setting::Secret;

/// How a connection may ask.
#[derive(Debug)]
pub(super) enum Login {
    /// Nobody was asked for a key.
    Open,
    /// By this key.
    Key(Secret),
}

/// One connection's session.
pub(super) struct Session {
    server: Arc<Server>,
    login: OnceLock<Login>,
    settings: Mutex<Settings>,
    names: Names,
    current: Arc<Current>,
    entered: OnceLock<Entered>,
    /// To see the connection closed while a statement runs.
    watched: Option<Arc<TcpStream>>,
}

impl Session {
    pub fn new(server: Arc<Server>, watched: Option<TcpStream>) -> Self {
        Self {
            server,
            login: OnceLock::new(),
            settings: Mutex::default(),
            names: Names::default(),
            current: Arc::default(),
            entered: OnceLock::new(),
            watched: watched.map(Arc::new),
        }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn is_logged_in(&self) -> bool {
        self.login.get().is_some()
    }

    /// Lets the connection ask; what it runs can be cancelled by this number and secret.
    pub fn log_in(&self, login: Login, pid: i32, secret: pgwire::messages::startup::SecretKey) {
        let entered = self.server.cancels.enter(pid, secret, Arc::clone(&self.current));
        // A connection logs in once.
        drop(self.entered.set(entered));
        drop(self.login.set(login));
    }

    /// Who asks, looked up again: a key may have been revoked, or the first one made.
    ///
    /// # Errors
    /// What closes the connection.
    pub fn caller(&self) -> Result<Caller, PgWireError> {
        match self.login.get() {
            Some(Login::Key(key)) => self.admitted(key.reveal()),
            Some(Login::Open) if self.server.is_open() => Ok(Caller::local()),
            _ => {
                let why = "an API key is needed by now: connect again with one as the password";
                Err(sqlstate::fatal(INVALID_PASSWORD, why))
            }
        }
    }

    /// Whoever holds this key and may ask.
    ///
    /// # Errors
    /// What closes the connection.
    pub fn admitted(&self, key: &str) -> Result<Caller, PgWireError> {
        let caller = Caller::holding(&self.server.app, key)
            .map_err(|why| sqlstate::fatal(INVALID_PASSWORD, &why.to_string()))?;
        caller.that_may_ask().map_err(|why| sqlstate::fatal(INSUFFICIENT_PRIVILEGE, &why.detail))
    }

    pub fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statements and portals that it keeps.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// What is cancelled when the connection's client says so.
    pub fn current(&self) -> &Current {
        &self.current
    }

    pub fn watched(&self) -> Option<Arc<TcpStream>> {
        self.watched.clone()
    }
}
