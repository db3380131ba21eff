//! CancelRequest: a statement is ended from another connection, by who knows its connection's
//! secret.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use pgwire::api::cancel::CancelHandler;
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::SecretKey;
use tokio_util::sync::CancellationToken;

/// The statement that a connection runs at the moment, if any.
#[derive(Debug, Default)]
pub(super) struct Current(Mutex<CancellationToken>);

impl Current {
    /// A token for the next statement.
    pub fn next(&self) -> CancellationToken {
        let token = CancellationToken::new();
        token.clone_into(&mut self.token());
        token
    }

    fn token(&self) -> MutexGuard<'_, CancellationToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every connection that is logged in.
#[derive(Default)]
pub(super) struct Cancels(Mutex<HashMap<i32, (SecretKey, Arc<Current>)>>);

/// A connection's entry; taken out when it is dropped.
pub(super) struct Entered {
    pid: i32,
    cancels: Arc<Cancels>,
}

impl Cancels {
    /// Enters a connection under its number.
    pub fn enter(self: &Arc<Self>, pid: i32, secret: SecretKey, current: Arc<Current>) -> Entered {
        self.entries().insert(pid, (secret, current));
        Entered { pid, cancels: Arc::clone(self) }
    }

    /// Ends what the connection of that number runs, if the secret is its own.
    pub fn cancel(&self, pid: i32, secret: &SecretKey) {
        let entries = self.entries();
        if let Some((own, current)) = entries.get(&pid)
            && is_same(&own.to_bytes(), &secret.to_bytes())
        {
            current.token().cancel();
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<i32, (SecretKey, Arc<Current>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.cancels.entries().remove(&self.pid);
    }
}

/// Takes the same time wherever they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

#[async_trait]
impl CancelHandler for Cancels {
    async fn on_cancel_request(&self, request: CancelRequest) {
        self.cancel(request.pid, &request.secret_key);
    }
}
