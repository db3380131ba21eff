//! Published price maps become book files.

mod genai;
mod litellm;
mod outcome;
mod residue;
mod write;

pub use genai::import_genai_prices;
pub use litellm::import_litellm;
pub use outcome::{Import, ImportError};
