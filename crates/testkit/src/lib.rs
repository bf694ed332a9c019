//! Builders, broker harness and helpers for tests.
