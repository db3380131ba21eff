//! A server's start and end, on a socket of this machine.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::fixture::state;
use crate::api::{App, serve};
use crate::setting::Span;

#[tokio::test]
async fn a_silent_client_does_not_hold_up_the_end() {
    let mut state = state(Arc::default()).await;
    state.config.shutdown_notice = Span::millis(1);
    state.config.shutdown_drain = Span::millis(50);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let app = App::new(state).expect("a server");
    let server = tokio::spawn(serve(app, listener, shutdown.clone()));
    let mut client = TcpStream::connect(address).await.expect("a connection");
    let ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.write_all(ask).await.expect("sent");
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    // A request that never ends.
    let mut stuck = TcpStream::connect(address).await.expect("a connection");
    stuck.write_all(b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\n").await.expect("sent");
    shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), server).await;
    ended.expect("in time").expect("no panic").expect("a clean end");
    assert!(TcpStream::connect(address).await.is_err());
}
