//! The events that are answered in benchmarks, and in the test that counts what that allocates.

use domain::{Channel, Event, EventId};
use kafka::Offset;
use lane::Record;
use wire::Format;

use crate::templates::{CHANNELS, LANGUAGES, NOW};

const CTX: &[u8] = br#"{"order":{"number":"A-000000001","total":"129.90","currency":"EUR"},"customer":{"name":"Ada Lovelace"},"shop":{"name":"The Analytical Engine Shop"},"link":"https://shop.example/orders/1?ref=mail"}"#;
/// What is looked for in each event's `ctx`.
pub(crate) const VARIABLES: [&str; 6] =
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

/// The bytes of `n` events that all have a template.
pub(crate) fn values(n: usize, format: Format) -> Vec<Vec<u8>> {
    (0..n).map(|number| event(number, format)).collect()
}

/// These as records of one partition.
pub(crate) fn records<'a>(
    values: &'a [Vec<u8>],
    headers: &'a [(&'a str, Option<&'a [u8]>)],
) -> Vec<Record<'a>> {
    let at = |(offset, value): (i64, &'a Vec<u8>)| {
        let mut record = Record::at("rt-event", 0, Offset::new(offset)).with_headers(headers);
        record.key = Some(b"customer-1");
        record.value = Some(value);
        record
    };
    (0..).zip(values).map(at).collect()
}
