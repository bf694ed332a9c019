//! Between a record and its outbox nothing is allocated once there was a batch like it.

#![expect(clippy::unwrap_used, reason = "a test says so by panicking")]

#[path = "../benches/events/mod.rs"]
mod events;
#[path = "../../domain/benches/templates/mod.rs"]
mod templates;

use std::sync::Arc;

use catalogue::CatalogueHandle;
use domain::LaneKind;
use event_consumer::{DecisionCounts, EventHandler, Formats, Outputs, Side};
use kafka::Topics;
use lane::{Batch, Handler as _, Outbox};
use wire::Format;

const EVENTS: usize = 500;

#[track_caller]
fn check(format: Format) {
    let values = events::values(EVENTS, format);
    let content_type = [("content-type", Some(format.content_type().as_bytes()))];
    let records = events::records(&values, &content_type);
    let handle = CatalogueHandle::fixed(templates::catalogue(&events::VARIABLES));
    let counts = Arc::new(DecisionCounts::default());
    let mut handler = EventHandler::new(LaneKind::Rt, handle, Formats::default(), counts);
    let mut outbox = Outbox::new(Outputs::of(Side::Rt, &Topics::default()).topics());
    let mut answer = || {
        outbox.clear();
        let now_ms = templates::NOW.as_millis();
        handler.handle(Batch::of(&records), now_ms, &mut outbox).unwrap();
        outbox.len()
    };
    assert_eq!(answer(), 2 * EVENTS, "each event has a template");
    let allocated = allocation_counter::measure(|| assert_eq!(answer(), 2 * EVENTS));
    assert_eq!(allocated.count_total, 0, "{format:?}: {allocated:?}");
}

#[test]
fn answering_events_in_protobuf_allocates_nothing() {
    check(Format::Protobuf);
}

#[test]
fn answering_events_in_json_allocates_nothing() {
    check(Format::Json);
}
