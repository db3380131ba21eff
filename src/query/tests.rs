//! Questions over a small lake.
