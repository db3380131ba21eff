//! Which identities have been counted: every one of `calls`, looked up exactly, in little memory.
//!
//! In: the rows of a version of `calls`. Out: what an event is to them. The latest are held in
//! memory; the others in sorted files without a name beside the data, which end with the process
//! and are made anew from the table. Never: an identity forgotten for its age, or a guess.

mod counted;
mod run;
mod seen;

pub use counted::CountedIdentities;
pub use seen::{Seen, Verdict};
