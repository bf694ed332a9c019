//! Loads a catalogue of many templates and says what that costs in time and memory:
//! `cargo run --release -p catalogue --example load [number]`.

#![expect(clippy::print_stdout, reason = "what it measures is for whoever runs it")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use catalogue::Applying;
use domain::{
    Catalogue, CatalogueBuilder, Channel, Lanes, RequiredPath, Revision, Template, TemplateState,
    TemplateVersion, Timestamp,
};
use wire::Format;

const LANGUAGES: [&str; 4] = ["", "fr", "de", "fr-CA"];
const PATHS: [&str; 3] = ["order.number", "order.items.0.name", "customer.name"];

fn template(number: usize, per_type: usize) -> Template {
    Template {
        id: format!("shop-{number}-confirmation").into(),
        event_type: format!("shop{}.order.shipped", number / per_type).into(),
        channel: Channel::EMAIL,
        language: LANGUAGES[number % LANGUAGES.len()].into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(3),
        canary: None,
        published_at: Timestamp::from_millis(1_700_000_000_000),
        required: PATHS.iter().filter_map(|path| RequiredPath::new(path)).collect(),
        retained: [1, 2, 3].map(TemplateVersion).into(),
    }
}

/// Resident memory in KiB, of Linux; 0 elsewhere.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn longest(times: usize, mut work: impl FnMut(usize)) -> Duration {
    let time = |number| {
        let started = Instant::now();
        work(number);
        started.elapsed()
    };
    (0..times).map(time).max().unwrap_or_default()
}

fn load(records: &[(String, Vec<u8>)]) -> Catalogue {
    let content_type = Some(Format::Protobuf.content_type().as_bytes());
    let mut applying = Applying::default();
    for (offset, (key, value)) in (0..).zip(records) {
        let headers = [("content-type", content_type)].into_iter();
        applying.apply(offset, Some(key.as_bytes()), Some(value), headers);
    }
    applying.settle().unwrap_or_default()
}

fn measure(number: usize, per_type: usize) {
    let encode = |number| {
        let template = template(number, per_type);
        let mut value = Vec::new();
        wire::template::encode(&template, Format::Protobuf, &mut value);
        (template.id.to_string(), value)
    };
    let records: Vec<_> = (0..number).map(encode).collect();
    let bytes: usize = records.iter().map(|(key, value)| key.len() + value.len()).sum();
    let before = resident_kib();
    let started = Instant::now();
    let catalogue = load(&records);
    let loaded = started.elapsed();
    let resident = resident_kib().saturating_sub(before);
    assert_eq!(catalogue.len(), number);
    let types = catalogue.event_types().len();
    println!("{number} templates of {types} event types: {loaded:?}");
    println!("  {} KiB of records, {resident} KiB resident", bytes / 1024);
    let same = longest(100, |_| {
        let mut builder = CatalogueBuilder::from(&catalogue);
        builder.publish(template(number / 2, per_type));
        black_box(builder.build(Revision(0)));
    });
    let new = longest(20, |_| {
        let mut builder = CatalogueBuilder::from(&catalogue);
        builder.publish(template(number * 2, per_type));
        black_box(builder.build(Revision(0)));
    });
    println!("  one publication at most {same:?}, of a new event type {new:?}");
    let mut found = 0;
    let nearest = longest(1000, |number| {
        found += usize::from(catalogue.nearest(&format!("shop{number}.ordr.shiped")).is_some());
    });
    println!("  nearest name at most {nearest:?}, {found} of 1000 found");
}

fn main() {
    let number = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    measure(number, 1);
    measure(number, 8);
    measure(number, number);
}
