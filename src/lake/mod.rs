//! The open tables: Arrow schemas, commits with offsets, snapshots, maintenance.
