//! SQL and cost questions over the lake's snapshots.
