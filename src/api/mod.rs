//! HTTP: front doors, queries, health.
