//! The requests, by what they are about. Each handler turns one request into one response.

#![expect(clippy::needless_pass_by_value, reason = "a handler is given its request to use up")]

pub(crate) mod classic_groups;
pub(crate) mod cluster;
pub(crate) mod configs;
pub(crate) mod consumer_groups;
pub(crate) mod fetch;
pub(crate) mod group_admin;
pub(crate) mod list_offsets;
pub(crate) mod offsets;
pub(crate) mod produce;
pub(crate) mod topics;
pub(crate) mod transactions;

use kafka_protocol::messages::BrokerId;
use kafka_protocol::protocol::StrBytes;

/// The id of the only node.
pub(crate) const NODE_ID: BrokerId = BrokerId(1);

/// A string of the protocol.
fn text(value: impl Into<String>) -> StrBytes {
    StrBytes::from_string(value.into())
}

/// An optional string of ours.
fn owned(value: Option<&StrBytes>) -> Option<String> {
    value.map(ToString::to_string)
}
