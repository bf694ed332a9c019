//! The protocol itself: requests go out byte by byte, and both brokers have to answer alike.
//!
//! Whatever differs between the embedded broker and Apache Kafka on purpose is not asserted here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod classic_groups;
mod client;
mod consumer_groups;
mod fetching;
mod keeping;
mod limits;
mod offsets;
mod producing;
mod topics;
mod transactions;
mod transactions_v2;
