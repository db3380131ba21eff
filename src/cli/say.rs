//! Lines for whoever asked, on standard output.
//!
//! Who asked may stop listening (`| head`): then the command is over, and nothing went wrong.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes a line to standard output.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::say::line(format_args!($($part)*)) };
}
pub(crate) use say;

/// Writes a line to standard output; ends the process when nobody reads it any more.
#[allow(clippy::exit)]
pub(crate) fn line(text: Arguments<'_>) {
    let Err(error) = writeln!(std::io::stdout(), "{text}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("tokenmeter: writing to standard output: {error}");
    std::process::exit(1);
}

/// Whether an error only says that nobody reads the output any more.
pub fn is_nobody_listening(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
