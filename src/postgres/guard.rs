//! What a malformed message does to the library that reads it: a panic, which ends here.
//!
//! The library trusts the lengths and counts inside of a message. Whatever a client sends, before
//! its login too, is an error of that client, and no line in the log of the server.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::task::Poll;

use futures::{Stream, StreamExt};
use pgwire::error::{PgWireError, PgWireResult};

use super::sqlstate::{self, PROTOCOL_VIOLATION};

thread_local! {
    /// Whether this thread reads a message, and a panic is an answer.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// The next message; what cannot be read is an error. `None`: the client is gone.
pub(super) async fn next<T>(
    messages: &mut (impl Stream<Item = Result<T, PgWireError>> + Unpin),
) -> Option<PgWireResult<T>> {
    be_silent_while_reading();
    std::future::poll_fn(|context| {
        IS_READING.set(true);
        let polled = catch_unwind(AssertUnwindSafe(|| messages.poll_next_unpin(context)));
        IS_READING.set(false);
        polled.unwrap_or_else(|_| Poll::Ready(Some(Err(malformed()))))
    })
    .await
}

fn malformed() -> PgWireError {
    let why = "a message is malformed: a length or a count in it is more than it holds";
    sqlstate::fatal(PROTOCOL_VIOLATION, why)
}

/// Panics are told as ever, but for those that [`next`] makes an error of.
fn be_silent_while_reading() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                told(panic);
            }
        }));
    });
}
