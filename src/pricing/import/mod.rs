//! Published price maps become book files.

mod litellm;
mod write;

pub use litellm::{Import, ImportError, import_litellm};
