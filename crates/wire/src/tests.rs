//! Our decoders and encoders against prost and serde_json.

mod content;
mod context;
mod headers;
mod ids;
mod json_event;
mod json_scan;
mod messages;
mod protobuf_event;
mod schema;
mod strategies;
mod times;

use domain::{SourcePosition, Timestamp};

/// Where the tests' records were read.
const POSITION: SourcePosition<'static> = SourcePosition {
    topic: "rt-event",
    partition: 3,
    offset: 41,
    timestamp: Timestamp::from_millis(1_700_000_000_123),
};

/// The header that chooses a format.
fn content_type(name: &str) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
    std::iter::once(("content-type", Some(name.as_bytes())))
}
