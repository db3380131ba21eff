//! Where the server listens: never openly without keys, never for more connections than stated.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::{ApiConfig, ApiError};
use crate::setting::Span;

/// Whether a server may listen there: on a loopback address, or once an API key exists.
///
/// # Errors
/// [`ApiError::NoKeys`], which says what to do.
pub const fn check_listen(address: SocketAddr, keys_exist: bool) -> Result<(), ApiError> {
    if address.ip().is_loopback() || keys_exist { Ok(()) } else { Err(ApiError::NoKeys(address)) }
}

/// Listens where the configuration says, if it may.
///
/// # Errors
/// [`ApiError`].
pub async fn bind(config: &ApiConfig, keys_exist: bool) -> Result<TcpListener, ApiError> {
    let address = config.listen;
    check_listen(address, keys_exist)?;
    TcpListener::bind(address).await.map_err(|source| ApiError::Listen { address, source })
}

/// A listener that accepts so many connections at once; the rest wait in the backlog.
pub(crate) struct Limited {
    listener: TcpListener,
    places: Arc<Semaphore>,
    silence_max: Duration,
}

impl Limited {
    /// So many connections, of which each may be silent for so long.
    pub(crate) fn new(listener: TcpListener, connections_max: usize, silence_max: Span) -> Self {
        let places = Arc::new(Semaphore::new(connections_max));
        Self { listener, places, silence_max: silence_max.0 }
    }
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so there is always a place in the end.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // A batch's answer is small and waited for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let silence = Box::pin(sleep(self.silence_max));
        let silence_max = self.silence_max;
        (Connection { stream, silence, silence_max, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when it is silent for too long, and gives its place back.
pub(crate) struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    silence_max: Duration,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// The stream below.
    pub(crate) const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// From now on it may be silent for so long.
    pub(crate) fn allow_silence(&mut self, max: Duration) {
        self.silence_max = max;
        self.silence.as_mut().reset(Instant::now() + max);
    }

    /// Passes on what the stream says, unless it said nothing for too long.
    fn heard<T>(&mut self, cx: &mut Context<'_>, step: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.silence.as_mut().reset(Instant::now() + self.silence_max);
            return step;
        }
        self.silence.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let step = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.heard(cx, step)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let step = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.heard(cx, step)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let step = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.heard(cx, step)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
