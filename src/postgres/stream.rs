//! A connection's bytes, in clear or in TLS, with a limit of what a message may bring.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::api::Connection;

/// The most bytes of a message before the client is known.
const STRANGER_BYTES_MAX: usize = 32 << 10;
/// The most bytes of a message.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// What a client sends and gets.
pub(super) struct Stream {
    inner: Inner,
    /// What may still be read before the message must be complete.
    left: usize,
    left_each: usize,
}

enum Inner {
    Clear(Connection),
    Tls(Box<TlsStream<Connection>>),
}

impl Stream {
    pub fn clear(connection: Connection) -> Self {
        Self::of(Inner::Clear(connection))
    }

    pub fn tls(stream: TlsStream<Connection>) -> Self {
        Self::of(Inner::Tls(Box::new(stream)))
    }

    fn of(inner: Inner) -> Self {
        Self { inner, left: STRANGER_BYTES_MAX, left_each: STRANGER_BYTES_MAX }
    }

    /// The connection, while it is in clear.
    pub fn into_clear(self) -> Option<Connection> {
        match self.inner {
            Inner::Clear(connection) => Some(connection),
            Inner::Tls(_) => None,
        }
    }

    /// A new message begins, and may be silent for so long.
    pub fn expect_message(&mut self, silence_max: Duration) {
        self.left = self.left_each;
        self.allow_silence(silence_max);
    }

    /// From now on it may be silent for so long.
    pub fn allow_silence(&mut self, max: Duration) {
        match &mut self.inner {
            Inner::Clear(connection) => connection.allow_silence(max),
            Inner::Tls(tls) => tls.get_mut().0.allow_silence(max),
        }
    }

    /// The client is known: it may send more at a time.
    pub const fn trust(&mut self) {
        self.left_each = MESSAGE_BYTES_MAX;
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buffer.filled().len();
        let step = match &mut this.inner {
            Inner::Clear(connection) => Pin::new(connection).poll_read(cx, buffer),
            Inner::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        };
        this.left = this.left.saturating_sub(buffer.filled().len() - before);
        step
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Clear(connection) => Pin::new(connection).poll_write(cx, bytes),
            Inner::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Clear(connection) => Pin::new(connection).poll_flush(cx),
            Inner::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Clear(connection) => Pin::new(connection).poll_shutdown(cx),
            Inner::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
