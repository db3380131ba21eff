//! Tracing and metrics start-up.
