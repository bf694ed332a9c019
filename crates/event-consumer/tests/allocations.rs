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
use lane::{Batch, Handler as _, Layout, Outbox};
use wire::Format;

const EVENTS: usize = 500;

/// Answers a batch a few times, and then once more with at most so many allocations for each partition
/// that is written to.
#[track_caller]
fn check(format: Format, layout: Layout, allocations_per_partition: u64) {
    let values = events::values(EVENTS, format);
    let content_type = [("content-type", Some(format.content_type().as_bytes()))];
    let records = events::records(&values, &content_type);
    let handle = CatalogueHandle::fixed(templates::catalogue(&events::VARIABLES));
    let counts = Arc::new(DecisionCounts::default());
    let mut handler = EventHandler::new(LaneKind::Rt, handle, Formats::default(), counts);
    let mut outbox = Outbox::new(Outputs::of(Side::Rt, &Topics::default()).topics());
    let mut answer = || {
        outbox.lay_out(layout);
        let now_ms = templates::NOW.as_millis();
        handler.handle(Batch::of(&records), now_ms, &mut outbox).unwrap();
        outbox.len()
    };
    for _ in 0..10 {
        assert_eq!(answer(), 2 * EVENTS, "each event has a template");
    }
    let allocated = allocation_counter::measure(|| assert_eq!(answer(), 2 * EVENTS));
    let written = outbox.counts().filter(|(_, records)| *records > 0);
    let n_partitions: u64 =
        written.map(|(topic, _)| u64::try_from(topic.partitions).unwrap()).sum();
    let allocations_max = allocations_per_partition * n_partitions;
    assert!(
        allocated.count_total <= allocations_max,
        "{format:?} {layout:?} {n_partitions}: {allocated:?}"
    );
}

#[test]
fn answering_events_in_protobuf_allocates_nothing() {
    check(Format::Protobuf, Layout::Arena, 0);
}

#[test]
fn answering_events_in_json_allocates_nothing() {
    check(Format::Json, Layout::Arena, 0);
}

#[test]
fn answering_events_into_batches_allocates_at_most_for_partitions_that_grow() {
    for format in [Format::Protobuf, Format::Json] {
        check(format, Layout::Batches, 2);
    }
}
