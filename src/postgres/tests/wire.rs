//! A server with its door, over a test's lake.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::{Client, Message};
use crate::api::ApiState;
use crate::api::keys::{KeyScope, NewKey};
use crate::api::tests::access;
use crate::api::tests::fixture::Server;
use crate::postgres::{Listen, PostgresConfig, bind};
use crate::query::QueryConfig;
use crate::query::tests::lake::TestLake;

pub struct Wire {
    pub server: Server,
    pub address: SocketAddr,
    _lake: TestLake,
    _open: DropGuard,
}

impl Wire {
    /// Over a lake, with these limits of a query.
    pub async fn over(lake: TestLake, config: QueryConfig) -> Self {
        let engine = Arc::new(lake.engine_with(config));
        let server = Server::with(|state: &mut ApiState| state.engine = Some(engine)).await;
        let listen = Listen::At("127.0.0.1:0".parse().expect("an address"));
        let config = PostgresConfig { listen, ..PostgresConfig::default() };
        let door = bind(&config, false).await.expect("a port").expect("a door");
        let (address, shutdown) = (door.address(), CancellationToken::new());
        tokio::spawn(door.serve(Arc::clone(&server.app), shutdown.clone()));
        Self { server, address, _lake: lake, _open: shutdown.drop_guard() }
    }

    /// Over the lake of all calls.
    pub async fn full(config: QueryConfig) -> Self {
        Self::over(TestLake::full().await, config).await
    }

    pub async fn key(&self, scopes: &[KeyScope], change: impl FnOnce(&mut NewKey)) -> String {
        access::make(&self.server, scopes, change).await
    }

    /// A connection of the tenant `acme`.
    pub async fn of_acme(&self) -> (Client, String) {
        let tenant = |key: &mut NewKey| key.tenants = ["acme".to_owned()].into();
        let key = self.key(&[KeyScope::Query], tenant).await;
        (self.client(Some(&key)).await.expect("let in"), key)
    }

    pub async fn client(&self, key: Option<&str>) -> Result<Client, Message> {
        Client::connect(self.address, key).await
    }
}
