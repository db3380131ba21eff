//! The tables, a file each: every column with its type, unit, meaning and source.

mod anomalies;
mod call_revisions;
mod calls;
mod control;
mod day_closes;
mod dead_letters;
mod prices;
mod spec;

pub use anomalies::AnomalyRow;
pub use call_revisions::{Correction, Revision, Side};
pub use calls::{CallRow, SCHEMA_VERSION};
pub use control::ControlRow;
pub use day_closes::DayCloseRow;
pub use dead_letters::DeadLetterRow;
pub use prices::PriceRow;
pub use spec::{DATE, TableName, TableSpec};
