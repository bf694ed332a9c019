//! Bytes to domain types and back: protobuf, JSON, CloudEvents.
//!
//! A record's value is read where it lies: text borrows from it, and the event's data is passed on as
//! the bytes it came in. `proto/bindery/v1` is the contract. Each message's module has one table of
//! its fields, held against that contract by a test, one function that takes a field in and one that
//! writes them out; the two formats share all three.
//!
//! Nothing outside this crate sees a wire format.

mod content;
mod context;
mod event_id;
mod format;
mod json;
mod malformed;
mod message;
mod position;
mod protobuf;
mod rfc3339;
mod value;
mod words;

pub mod assignment;
pub mod cancellation;
pub mod delivery_log;
pub mod event;
pub mod fact;
pub mod headers;
pub mod held_event;
pub mod status;
pub mod template;
pub mod template_content;

#[cfg(test)]
mod proto;
#[cfg(test)]
mod tests;

pub use context::JsonContext;
pub use domain::SourcePosition as Position;
pub use event_id::{event_id_of_position, event_id_of_text};
pub use format::Format;
pub use malformed::Malformed;

/// The compiled `proto/bindery/v1`, as an encoded `google.protobuf.FileDescriptorSet`: for tools that
/// print records without knowing this crate.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
