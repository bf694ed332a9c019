//! Bytes to domain types and back: protobuf, JSON, CloudEvents.
