//! What a batch costs from bytes to outbox: decode, bind among 6,400 templates, check `ctx`, encode an
//! assignment and a fact. The first batch has given the outbox its memory, as in a lane at work.

#![expect(clippy::unwrap_used, reason = "a benchmark is a test of the same samples")]

#[path = "../../domain/benches/templates/mod.rs"]
mod templates;

use std::hint::black_box;

use catalogue::CatalogueHandle;
use divan::Bencher;
use divan::counter::ItemsCount;
use domain::{Channel, Event, EventId, LaneKind};
use event_consumer::{DecisionCounts, EventHandler, Formats, Outputs, Side};
use kafka::{Offset, Topics};
use lane::{Batch, Handler as _, Outbox, Record};
use templates::{CHANNELS, LANGUAGES, NOW, catalogue};
use wire::Format;

/// Shows whether anything was allocated.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const EVENTS: usize = 1_000;
const CTX: &[u8] = br#"{"order":{"number":"A-000000001","total":"129.90","currency":"EUR"},"customer":{"name":"Ada Lovelace"},"shop":{"name":"The Analytical Engine Shop"},"link":"https://shop.example/orders/1?ref=mail"}"#;
const VARIABLES: [&str; 6] =
    ["order.number", "order.total", "order.currency", "customer.name", "shop.name", "link"];

fn event(number: usize, format: Format) -> Vec<u8> {
    let text = |text: String| Some(text.into());
    let event = Event {
        id: EventId::new(format!("evt-{number:012}")).unwrap(),
        event_type: format!("shop.order.{}.shipped", number % 200).into(),
        channel: Some(Channel::new(CHANNELS[number / 7 % CHANNELS.len()]).unwrap()),
        email: text(format!("customer-{number}@mail.example")),
        mobile_phone: text(format!("+33612{number:06}")),
        registration_token: text(format!("token-{number:032}")),
        mobile_app: None,
        external_id: text(format!("order-{number}")),
        origin: text("shop".into()),
        tenant: None,
        language: Some(LANGUAGES[number / 31 % LANGUAGES.len()].into()),
        country: None,
        email_format: None,
        occurred_at: Some(NOW),
        scheduled: None,
        expiration: None,
        ctx: CTX.into(),
    };
    let mut bytes = Vec::new();
    wire::event::encode(&event, format, &mut bytes);
    bytes
}

#[divan::bench(args = [Format::Protobuf, Format::Json])]
fn answer_1000_events(bencher: Bencher<'_, '_>, format: &Format) {
    let values: Vec<_> = (0..EVENTS).map(|number| event(number, *format)).collect();
    let content_type = [("content-type", Some(format.content_type().as_bytes()))];
    let at = |(offset, value)| {
        let mut record = Record::at("rt-event", 0, Offset::new(offset)).with_headers(&content_type);
        record.key = Some(b"customer-1");
        record.value = Some(value);
        record
    };
    let records: Vec<_> = (0_i64..).zip(values.iter().map(Vec::as_slice)).map(at).collect();
    let handle = CatalogueHandle::fixed(catalogue(&VARIABLES));
    let counts = std::sync::Arc::new(DecisionCounts::default());
    let mut handler = EventHandler::new(LaneKind::Rt, handle, Formats::default(), counts);
    let mut outbox = Outbox::new(Outputs::of(Side::Rt, &Topics::default()).topics());
    handler.handle(Batch::of(&records), NOW.as_millis(), &mut outbox).unwrap();
    assert_eq!(outbox.len(), 2 * EVENTS, "each event has a template");
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        outbox.clear();
        handler.handle(black_box(Batch::of(&records)), NOW.as_millis(), &mut outbox).unwrap();
        black_box(outbox.len())
    });
}
