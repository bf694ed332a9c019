//! The headers of what Bindery writes: CloudEvents 1.0 binary mode, W3C trace context, and why a record
//! is a dead letter. All borrow; none allocates.

mod dead_letter;
mod trace;

use crate::format::Format;

pub use dead_letter::DeadLetter;
pub use trace::Trace;

/// The CloudEvents types of what Bindery writes.
pub mod kind {
    /// An event.
    pub const EVENT: &str = "io.bindery.event.v1";
    /// An assignment.
    pub const ASSIGNMENT: &str = "io.bindery.assignment.v1";
    /// A fact.
    pub const FACT: &str = "io.bindery.fact.v1";
    /// A status.
    pub const EVENT_STATUS: &str = "io.bindery.event-status.v1";
    /// A delivery log.
    pub const DELIVERY_LOG: &str = "io.bindery.delivery-log.v1";
    /// A template.
    pub const MESSAGE_TEMPLATE: &str = "io.bindery.message-template.v1";
    /// A template's content.
    pub const TEMPLATE_CONTENT: &str = "io.bindery.template-content.v1";
    /// A held event.
    pub const HELD_EVENT: &str = "io.bindery.held-event.v1";
    /// A cancellation.
    pub const CANCELLATION: &str = "io.bindery.cancellation.v1";
}

/// What the headers of one record say.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// One of [`kind`].
    pub kind: &'static str,
    /// Names the record among those of `source`: an assignment id, an event id.
    pub id: &'a str,
    /// Who writes it, as a URI reference: `/bindery/rt-event-consumer`.
    pub source: &'a str,
    /// How the value is written.
    pub format: Format,
    /// The trace that goes on.
    pub trace: Trace<'a>,
}

/// The headers of a record: `content-type`, `ce_specversion`, `ce_id`, `ce_source`, `ce_type` and, where
/// the event had them, `traceparent` and `tracestate`.
pub fn outgoing(record: Outgoing<'_>) -> impl Iterator<Item = (&'static str, &[u8])> {
    let Outgoing { kind, id, source, format, trace } = record;
    [
        ("content-type", format.content_type().as_bytes()),
        ("ce_specversion", b"1.0".as_slice()),
        ("ce_id", id.as_bytes()),
        ("ce_source", source.as_bytes()),
        ("ce_type", kind.as_bytes()),
    ]
    .into_iter()
    .chain(trace.headers())
}
