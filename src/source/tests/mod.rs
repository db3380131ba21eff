//! The embedded log and the registry's client; Kafka's tests are beside its code, and against a
//! real broker in `tests/integration`.

mod registry;
mod spool;
