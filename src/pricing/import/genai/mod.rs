//! genai-prices' published prices become a book file: the module `genai_prices/data.py` of the PyPI
//! package, or the JSON that the project publishes beside it. Read 2026-11-23 in version 0.2.3;
//! the meaning of its fields is that of `genai_prices/types.py` there.

mod catalog;
mod key;
mod model;
mod naming;
mod python;

pub use catalog::import_genai_prices;
