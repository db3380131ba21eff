//! Logging in: the password is an API key, the user's and the database's names are free.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::auth::{
    DefaultServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use pgwire::api::{ClientInfo, PgWireConnectionState, PidSecretKeyGenerator};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::startup::Authentication;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::session::{Login, Session};
use super::sqlstate::{self, INVALID_AUTHORIZATION};
use crate::query::POSTGRES_SETTINGS;
use crate::setting::Secret;

#[async_trait]
impl StartupHandler for Session {
    async fn on_startup<C>(
        &self,
        client: &mut C,
        message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                if !client.is_secure() && !client.socket_addr().ip().is_loopback() {
                    let why = "a key must not come in clear: connect with `sslmode=require`";
                    return Err(sqlstate::fatal(INVALID_AUTHORIZATION, why));
                }
                if self.server().is_open() {
                    return self.welcome(client, Login::Open).await;
                }
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                let ask = Authentication::CleartextPassword;
                client.send(PgWireBackendMessage::Authentication(ask)).await?;
            }
            PgWireFrontendMessage::PasswordMessageFamily(password)
                if matches!(client.state(), PgWireConnectionState::AuthenticationInProgress) =>
            {
                let key = Secret::new(password.into_password()?.password);
                self.admitted(key.reveal())?;
                self.welcome(client, Login::Key(key)).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Session {
    async fn welcome<C>(&self, client: &mut C, login: Login) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (pid, secret) = self.server().names.generate(client);
        client.set_pid_and_secret_key(pid, secret.clone());
        let asked = client.metadata().clone();
        self.settings().begin(&asked);
        finish_authentication(client, &told()).await?;
        self.log_in(login, pid, secret);
        Ok(())
    }
}

/// What a client is told of the server.
fn told() -> DefaultServerParameterProvider {
    let known = |name: &str| {
        let found = POSTGRES_SETTINGS.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
    };
    let mut told = DefaultServerParameterProvider::default();
    told.server_version =
        format!("{} (tokenmeter {})", known("server_version"), env!("CARGO_PKG_VERSION"));
    told.search_path = known("search_path");
    told.is_superuser = false;
    told.default_transaction_read_only = true;
    told.time_zone = known("timezone");
    told.date_style = known("datestyle");
    told.interval_style = known("intervalstyle");
    told
}
