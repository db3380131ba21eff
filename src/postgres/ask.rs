//! A question of a connection: asked as HTTP asks, with its audit line, place and entry among the
//! questions that run.

use std::sync::Arc;
use std::time::Duration;

use datafusion::scalar::ScalarValue;
use pgwire::error::PgWireError;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::sqlstate::{self, CONNECTION_LIMIT};
use crate::api::{App, Audit, Begun, Caller, Place, Protocol, request_of};
use crate::query::{Answer, Described, Dialect, QueryEngine, QueryError, SqlRequest};

/// How often a client that has sent something else already is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A question that is being answered. Dropping it ends it.
pub(super) struct Asked {
    pub answer: Answer,
    _audit: Audit,
    _turn: Turn,
}

/// What a question holds while it is planned and answered.
struct Turn {
    caller: Caller,
    cancel: CancellationToken,
    watch: Option<AbortHandle>,
    _begun: Option<Begun>,
    _place: Place,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

impl Session {
    /// Asks.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn ask(&self, sql: &str, parameters: Vec<ScalarValue>) -> Result<Asked, PgWireError> {
        let engine = engine(&self.server().app)?;
        let turn = self.turn(sql)?;
        let mut audit = self.audit(&turn, sql);
        let request = self.request(&turn, sql, parameters);
        match engine.ask(&request).await {
            Ok(answer) => {
                audit.answered(&answer);
                Ok(Asked { answer, _audit: audit, _turn: turn })
            }
            Err(why) => {
                audit.refused(&why);
                Err(sqlstate::of_query(&why))
            }
        }
    }

    /// Says what a question's answer would be like. Only a refusal is written down: nothing is
    /// read.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn describe(
        &self,
        sql: &str,
        parameters: Vec<ScalarValue>,
    ) -> Result<Described, PgWireError> {
        let turn = self.turn(sql)?;
        let request = self.request(&turn, sql, parameters);
        engine(&self.server().app)?.describe(&request).await.map_err(|why| {
            self.audit(&turn, sql).refused(&why);
            sqlstate::of_query(&why)
        })
    }

    fn turn(&self, sql: &str) -> Result<Turn, PgWireError> {
        let caller = self.caller()?;
        let app = &self.server().app;
        let place = Place::of_query(app).ok_or_else(|| {
            let why = "too many questions at once: try again in a moment";
            sqlstate::error(CONNECTION_LIMIT, why)
        })?;
        let cancel = self.current().next();
        let now = app.state.clock.now();
        let begun = app.running.begin_new(&caller, sql, now, cancel.clone());
        let watch = self.watched().map(|client| watch(client, cancel.clone()));
        Ok(Turn { caller, cancel, watch, _begun: begun, _place: place })
    }

    fn audit(&self, turn: &Turn, sql: &str) -> Audit {
        Audit::of(&self.server().app, Protocol::Postgres, &turn.caller, sql)
    }

    fn request(&self, turn: &Turn, sql: &str, parameters: Vec<ScalarValue>) -> SqlRequest {
        SqlRequest {
            parameters,
            dialect: Dialect::PostgreSql,
            timeout: self.settings().statement_timeout(),
            cancel: turn.cancel.clone(),
            ..request_of(&turn.caller, sql)
        }
    }
}

fn engine(app: &App) -> Result<&QueryEngine, PgWireError> {
    let none = || {
        sqlstate::of_query(&QueryError::Unavailable("this instance answers no questions".into()))
    };
    app.state.engine.as_deref().ok_or_else(none)
}

/// Cancels a question whose client is gone.
fn watch(client: Arc<TcpStream>, cancel: CancellationToken) -> AbortHandle {
    let watching = async move {
        // More than nothing is there: the next message, which waits for its turn.
        while matches!(client.peek(&mut [0]).await, Ok(1..)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        cancel.cancel();
    };
    tokio::spawn(watching).abort_handle()
}
