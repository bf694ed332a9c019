//! What it costs to read an event and to write an assignment and a fact: 520 bytes of JSON or 400 of
//! protobuf, six variables. For scale, sonic-rs going once through the same JSON without taking anything in.

#![expect(clippy::unwrap_used, reason = "a benchmark is a test of the same samples")]

use std::hint::black_box;

use divan::Bencher;
use domain::{
    Assignment, Attempt, Candidate, Channel, Context, Event, EventId, Fact, FactKind, LaneKind,
    Lost, RequiredPath, Revision, SourcePosition, TemplateVersion, Timestamp,
};
use wire::{Format, JsonContext, assignment, event, fact};

/// Shows whether anything was allocated.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const NOW: Timestamp = Timestamp::from_millis(1_763_924_345_678);
const POSITION: SourcePosition<'static> =
    SourcePosition { topic: "rt-event", partition: 5, offset: 1_234_567, timestamp: NOW };
const CTX: &[u8] = br#"{"customer":{"firstName":"Ada","lastName":"Lovelace"},"order":{"number":"2026-000012345","total":"129.90 EUR","carrier":"Example Express"},"trackingUrl":"https://track.example.com/parcels/2026-000012345"}"#;

fn sample() -> Event<'static> {
    let text = |text: &'static str| Some(text.into());
    Event {
        id: EventId::new("3f0c6e9a-5b1f-4c58-9d5e-2f1f0c9b7a11").unwrap(),
        event_type: "order.shipped".into(),
        channel: Some(Channel::EMAIL),
        email: text("ada.lovelace@example.com"),
        mobile_phone: text("+33123456789"),
        registration_token: None,
        mobile_app: None,
        external_id: text("2026-000012345"),
        origin: text("shop"),
        tenant: text("acme"),
        language: text("fr-FR"),
        country: text("FR"),
        email_format: None,
        occurred_at: Some(NOW),
        scheduled: None,
        expiration: Some(NOW.plus_millis(86_400_000)),
        ctx: CTX.into(),
    }
}

fn required() -> Vec<RequiredPath> {
    [
        "customer.firstName",
        "customer.lastName",
        "order.number",
        "order.total",
        "order.carrier",
        "trackingUrl",
    ]
    .into_iter()
    .map(|path| RequiredPath::new(path).unwrap())
    .collect()
}

fn encoded(format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    event::encode(&sample(), format, &mut bytes);
    bytes
}

#[divan::bench(sample_size = 100, args = [Format::Protobuf, Format::Json])]
fn decode_event(bencher: Bencher<'_, '_>, format: &Format) {
    let bytes = encoded(*format);
    let header = [("content-type", Some(format.content_type().as_bytes()))];
    bencher.bench_local(|| {
        let event = event::decode(Some(black_box(&bytes)), header.into_iter(), &POSITION);
        black_box(&event).is_ok()
    });
}

#[divan::bench(sample_size = 100)]
fn decode_event_with_sonic_rs(bencher: Bencher<'_, '_>) {
    let bytes = encoded(Format::Json);
    bencher.bench_local(|| {
        let mut n_fields = 0;
        for field in sonic_rs::to_object_iter(black_box(bytes.as_slice())) {
            black_box(field.unwrap());
            n_fields += 1;
        }
        n_fields
    });
}

#[divan::bench(sample_size = 100)]
fn check_context(bencher: Bencher<'_, '_>) {
    let required = required();
    bencher.bench_local(|| JsonContext.check(black_box(CTX), black_box(&required)).unwrap());
}

#[divan::bench(sample_size = 100, args = [Format::Protobuf, Format::Json])]
fn encode_assignment(bencher: Bencher<'_, '_>, format: &Format) {
    let event = sample();
    let assignment = Assignment {
        event_id: event.id.borrowed(),
        attempt: Attempt::FIRST,
        event_type: event.event_type.clone(),
        external_id: event.external_id.clone(),
        origin: event.origin.clone(),
        tenant: event.tenant.clone(),
        template_id: "order-shipped-email-fr".into(),
        version: TemplateVersion(17),
        language: "fr".into(),
        revision: Revision(6_400),
        channel: Channel::EMAIL,
        address: "ada.lovelace@example.com".into(),
        mobile_app: None,
        email_format: None,
        expiration: event.expiration,
        bound_at: NOW,
        ctx: event.ctx.clone(),
        source: POSITION,
    };
    let mut buffer = Vec::with_capacity(4_096);
    bencher.bench_local(|| {
        buffer.clear();
        assignment::encode(black_box(&assignment), *format, &mut buffer);
        black_box(buffer.len())
    });
}

fn sample_fact() -> Fact<'static> {
    Fact {
        event_id: EventId::new("3f0c6e9a-5b1f-4c58-9d5e-2f1f0c9b7a11").unwrap(),
        attempt: Attempt::FIRST,
        occurred_at: NOW,
        event_type: Some("order.shipped".into()),
        external_id: Some("2026-000012345".into()),
        tenant: Some("acme".into()),
        lane: Some(LaneKind::Rt),
        kind: FactKind::Bound {
            template_id: "order-shipped-email-fr".into(),
            version: TemplateVersion(17),
            channel: Channel::EMAIL,
            revision: Revision(6_400),
            losers: vec![
                Candidate { template_id: "order-shipped-email-en".into(), lost: Lost::Language },
                Candidate { template_id: "order-shipped-email-de".into(), lost: Lost::Language },
            ]
            .into(),
        },
    }
}

#[divan::bench(sample_size = 100, args = [Format::Protobuf, Format::Json])]
fn encode_fact(bencher: Bencher<'_, '_>, format: &Format) {
    let sample = sample_fact();
    let mut buffer = Vec::with_capacity(4_096);
    bencher.bench_local(|| {
        buffer.clear();
        fact::encode(black_box(&sample), *format, &mut buffer);
        black_box(buffer.len())
    });
}

#[divan::bench(sample_size = 100, args = [Format::Protobuf, Format::Json])]
fn decode_fact(bencher: Bencher<'_, '_>, format: &Format) {
    let mut bytes = Vec::new();
    fact::encode(&sample_fact(), *format, &mut bytes);
    let header = [("content-type", Some(format.content_type().as_bytes()))];
    bencher.bench_local(|| {
        let fact = fact::decode(Some(black_box(&bytes)), header.into_iter());
        black_box(&fact).is_ok()
    });
}
