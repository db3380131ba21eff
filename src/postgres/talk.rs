//! One connection, from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use futures::SinkExt;
use pgwire::api::{ClientInfo, DefaultClient, NoopHandler, PgWireConnectionState};
use pgwire::error::{ErrorInfo, PgWireError};
use pgwire::messages::response::{GssEncResponse, SslResponse};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage, SslNegotiationMetaMessage};
use pgwire::tokio::server::{PgWireMessageServerCodec, process_error, process_message};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::cancel::Cancels;
use super::extended::{Extended, Prepared};
use super::guard;
use super::server::Server;
use super::session::Session;
use super::stream::Stream;
use crate::api::Connection;

/// How long a client may take until it is logged in.
const LOGIN_WITHIN: Duration = Duration::from_secs(30);

type Socket = Framed<Stream, PgWireMessageServerCodec<Prepared>>;

/// Serves a connection until it ends, or the server does.
pub(super) async fn talk(
    connection: Connection,
    peer: SocketAddr,
    server: Arc<Server>,
    shutdown: CancellationToken,
) {
    let watched = second_handle(&connection).ok();
    let login = tokio::time::sleep(LOGIN_WITHIN);
    tokio::pin!(login);
    let socket = tokio::select! {
        () = &mut login => return,
        () = shutdown.cancelled() => return,
        socket = negotiate(connection, peer, server.tls.as_ref()) => socket,
    };
    let session = Arc::new(Session::new(server, watched));
    let ended = match socket {
        Ok(Some(mut socket)) => {
            tokio::select! {
                ended = converse(&mut socket, &session, &shutdown) => ended,
                () = login_missed(&mut login, &session) => Ok(()),
            }
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of a PostgreSQL client broke off");
    }
}

/// Comes to an end when the client has had its time and is not logged in.
async fn login_missed(login: &mut std::pin::Pin<&mut tokio::time::Sleep>, session: &Session) {
    login.await;
    if session.is_logged_in() {
        std::future::pending::<()>().await;
    }
}

/// The same socket once more, to see it closed while nothing is read from it.
fn second_handle(connection: &Connection) -> io::Result<TcpStream> {
    let handle = connection.stream().as_fd().try_clone_to_owned()?;
    TcpStream::from_std(std::net::TcpStream::from(handle))
}

/// Agrees on TLS or none; `None`: the client is gone.
async fn negotiate(
    connection: Connection,
    peer: SocketAddr,
    tls: Option<&TlsAcceptor>,
) -> io::Result<Option<Socket>> {
    let codec = PgWireMessageServerCodec::new(DefaultClient::new(peer, false));
    let mut socket = Framed::new(Stream::clear(connection), codec);
    // One request for TLS and one for GSSAPI.
    for _ in 0..3 {
        let Some(asked) = guard::next(&mut socket).await else { return Ok(None) };
        let asked = match asked {
            Ok(PgWireFrontendMessage::SslNegotiation(asked)) => asked,
            Ok(_) => return Ok(None),
            Err(PgWireError::IoError(error)) => return Err(error),
            Err(error) => return process_error(&mut socket, error, false).await.map(|()| None),
        };
        match (asked, tls) {
            (SslNegotiationMetaMessage::PostgresSsl(_), Some(tls)) => {
                let yes = PgWireBackendMessage::SslResponse(SslResponse::Accept);
                socket.send(yes).await?;
                return encrypt(socket, peer, tls).await;
            }
            (SslNegotiationMetaMessage::PostgresSsl(_), None) => {
                let no = PgWireBackendMessage::SslResponse(SslResponse::Refuse);
                socket.send(no).await?;
            }
            (SslNegotiationMetaMessage::PostgresGss(_), _) => {
                let no = PgWireBackendMessage::GssEncResponse(GssEncResponse::Refuse);
                socket.send(no).await?;
            }
            (SslNegotiationMetaMessage::None, _) => {
                socket.set_state(PgWireConnectionState::AwaitingStartup);
                return Ok(Some(socket));
            }
        }
    }
    Ok(None)
}

async fn encrypt(
    socket: Socket,
    peer: SocketAddr,
    tls: &TlsAcceptor,
) -> io::Result<Option<Socket>> {
    let parts = socket.into_parts();
    // What came in clear must not be taken for what comes in TLS.
    if !parts.read_buf.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "data before the TLS handshake"));
    }
    let Some(connection) = parts.io.into_clear() else { return Ok(None) };
    let stream = Stream::tls(tls.accept(connection).await?);
    let codec = PgWireMessageServerCodec::new(DefaultClient::new(peer, true));
    let mut socket = Framed::new(stream, codec);
    socket.set_state(PgWireConnectionState::AwaitingStartup);
    Ok(Some(socket))
}

/// Answers messages until the client leaves.
async fn converse(
    socket: &mut Socket,
    session: &Arc<Session>,
    shutdown: &CancellationToken,
) -> io::Result<()> {
    let extended = Arc::new(Extended::new(Arc::clone(session)));
    let server = session.server();
    let answer_silence_max = server.app.state.config.connection_silence_max.0;
    let cancels: Arc<Cancels> = Arc::clone(&server.cancels);
    loop {
        socket.get_mut().expect_message(server.silence_max);
        let message = tokio::select! {
            message = guard::next(socket) => message,
            () = shutdown.cancelled() => {
                let why = "the server is shutting down".to_owned();
                let info = ErrorInfo::new("FATAL".to_owned(), "57P01".to_owned(), why);
                return socket.send(PgWireBackendMessage::ErrorResponse(info.into())).await;
            }
        };
        let message = match message {
            None | Some(Ok(PgWireFrontendMessage::Terminate(_))) => return Ok(()),
            Some(Err(PgWireError::IoError(error))) => return Err(error),
            Some(Err(error)) => return process_error(socket, error, false).await,
            Some(Ok(message)) => message,
        };
        // Whoever does not read an answer must not hold its question for long.
        socket.get_mut().allow_silence(answer_silence_max);
        let is_extended = message.is_extended_query();
        let done = process_message(
            message,
            socket,
            Arc::clone(session),
            Arc::clone(session),
            Arc::clone(&extended),
            Arc::new(NoopHandler),
            Arc::clone(&cancels),
        );
        if let Err(error) = done.await {
            process_error(socket, error, is_extended).await?;
        }
        if session.is_logged_in() {
            socket.get_mut().trust();
        }
    }
}
