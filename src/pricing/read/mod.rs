//! Reading a book file: TOML to rows, every error with its line and what was expected.

mod amount;
mod block;
mod fields;
mod file;
mod scope;

pub(super) use file::{Book, line_of, read};
