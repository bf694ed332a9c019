//! What a batch costs from bytes to outbox: decode, bind among 6,400 templates, check `ctx`, encode an
//! assignment and a fact, laid out in an arena or in batches. The first batch has given the outbox its
//! memory, as in a lane at work.

#![expect(clippy::unwrap_used, reason = "a benchmark is a test of the same samples")]

mod events;
#[path = "../../domain/benches/templates/mod.rs"]
mod templates;

use std::hint::black_box;

use catalogue::CatalogueHandle;
use divan::Bencher;
use divan::counter::ItemsCount;
use domain::LaneKind;
use event_consumer::{DecisionCounts, EventHandler, Formats, Outputs, Side};
use events::VARIABLES;
use kafka::Topics;
use lane::{Batch, Handler as _, Layout, Outbox};
use templates::{NOW, catalogue};
use wire::Format;

/// Shows whether anything was allocated.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const EVENTS: usize = 1_000;

#[divan::bench(args = [Format::Protobuf, Format::Json], consts = [false, true])]
fn answer_1000_events<const IN_BATCHES: bool>(bencher: Bencher<'_, '_>, format: &Format) {
    let values = events::values(EVENTS, *format);
    let content_type = [("content-type", Some(format.content_type().as_bytes()))];
    let records = events::records(&values, &content_type);
    let handle = CatalogueHandle::fixed(catalogue(&VARIABLES));
    let counts = std::sync::Arc::new(DecisionCounts::default());
    let mut handler = EventHandler::new(LaneKind::Rt, handle, Formats::default(), counts);
    let mut outbox = Outbox::new(Outputs::of(Side::Rt, &Topics::default()).topics());
    let layout = if IN_BATCHES { Layout::Batches } else { Layout::Arena };
    outbox.lay_out(layout);
    handler.handle(Batch::of(&records), NOW.as_millis(), &mut outbox).unwrap();
    assert_eq!(outbox.len(), 2 * EVENTS, "each event has a template");
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        outbox.lay_out(layout);
        handler.handle(black_box(Batch::of(&records)), NOW.as_millis(), &mut outbox).unwrap();
        black_box(outbox.len())
    });
}
