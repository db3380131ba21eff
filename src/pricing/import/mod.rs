//! Published price maps become book files.

mod litellm;

pub use litellm::{Import, ImportError, import_litellm};
