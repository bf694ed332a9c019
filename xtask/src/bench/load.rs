use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::{
    Channel, Event, EventId, Lanes, RequiredPath, Template, TemplateState, TemplateVersion,
    Timestamp,
};
use kafka::{ClientSettings, Sender, Topics};
use lane::{Outbox, OutputTopic, Publisher, TopicId};
use wire::Format;

const TYPES: usize = 200;
const CHANNELS: [&str; 4] = ["email", "sms", "ios", "android"];
const LANGUAGES: [&str; 8] = ["en", "fr", "de", "es", "it", "nl", "pt", "pl"];
const VARIABLES: [&str; 6] =
    ["order.number", "order.total", "order.currency", "customer.name", "shop.name", "link"];

/// The topics of one measurement, every one with `partitions` partitions where keys spread.
pub(crate) fn topics(prefix: &str, partitions: i32) -> Topics {
    let mut topics = Topics::with_prefix(prefix);
    for spec in topics.all_mut() {
        if spec.partitions > 1 {
            spec.partitions = partitions;
        }
    }
    topics
}

/// Templates of one event type: each channel in each language.
const PER_TYPE: usize = CHANNELS.len() * LANGUAGES.len();
/// Templates in one transaction.
const PER_PUBLICATION: usize = 10_000;

/// Publishes 6,400 templates: 200 event types, 4 channels, 8 languages.
pub(crate) fn publish_templates(client: &ClientSettings, topics: &Topics) -> anyhow::Result<()> {
    TemplatePublisher::connect(client, topics)?.publish_all(TYPES * PER_TYPE)?;
    Ok(())
}

/// Publishes templates as the command line does, in transactions.
pub(crate) struct TemplatePublisher {
    publisher: Publisher,
    outbox: Outbox,
}

impl TemplatePublisher {
    /// To the topic of templates of these.
    pub(crate) fn connect(client: &ClientSettings, topics: &Topics) -> anyhow::Result<Self> {
        let output = OutputTopic {
            name: topics.message_template.name.as_str().into(),
            partitions: 1,
            record_bytes_max: 1 << 20,
        };
        let id = format!("{}bench", topics.message_template.name);
        let outputs = std::slice::from_ref(&output);
        let publisher = Publisher::connect(client, &id, outputs, Duration::from_secs(30))?;
        Ok(Self { publisher, outbox: Outbox::new(Arc::from([output])) })
    }

    /// Publishes `n` templates, rounded down to whole event types; says how many these are and how
    /// many bytes of keys and values.
    pub(crate) fn publish_all(&mut self, n: usize) -> anyhow::Result<(usize, usize)> {
        let n = n / PER_TYPE * PER_TYPE;
        let mut bytes = 0;
        for from in (0..n).step_by(PER_PUBLICATION) {
            self.outbox.clear();
            for number in from..n.min(from + PER_PUBLICATION) {
                self.write(number)?;
            }
            let sizes = self.outbox.records().map(|record| {
                record.key.unwrap_or_default().len() + record.value.unwrap_or_default().len()
            });
            bytes += sizes.sum::<usize>();
            self.publisher.publish(&self.outbox)?;
        }
        Ok((n, bytes))
    }

    /// Publishes template number `number` in a transaction of its own.
    pub(crate) fn publish_one(&mut self, number: usize) -> anyhow::Result<()> {
        self.outbox.clear();
        self.write(number)?;
        Ok(self.publisher.publish(&self.outbox)?)
    }

    fn write(&mut self, number: usize) -> anyhow::Result<()> {
        let (kind, form) = (number / PER_TYPE, number % PER_TYPE);
        let template =
            template(kind, CHANNELS[form / LANGUAGES.len()], LANGUAGES[form % LANGUAGES.len()]);
        self.outbox
            .record(TopicId(0))
            .key(template.id.as_bytes())
            .header("content-type", content_type(Format::Protobuf).as_bytes())
            .value(|value| wire::template::encode(&template, Format::Protobuf, value))?;
        Ok(())
    }
}

fn template(kind: usize, channel: &str, language: &str) -> Template {
    let required = VARIABLES.iter().filter_map(|path| RequiredPath::new(path)).collect();
    Template {
        id: format!("type-{kind}-{channel}-{language}").into(),
        event_type: event_type(kind).into(),
        channel: Channel::new(channel.to_owned()).expect("a channel of the list above"),
        language: language.into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: Timestamp::from_millis(1_700_000_000_000),
        required,
        retained: Box::new([TemplateVersion(1)]),
    }
}

fn event_type(kind: usize) -> String {
    format!("shop.order.{kind}.shipped")
}

/// The bytes of event number `number`; one in a thousand has no template.
pub(crate) fn event(number: usize, format: Format) -> Vec<u8> {
    let kind = if number % 1000 == 999 { TYPES + 1 } else { number % TYPES };
    let channel = CHANNELS[number / 7 % CHANNELS.len()];
    let ctx = format!(
        r#"{{"order":{{"number":"A-{number:09}","total":"{}.{:02}","currency":"EUR"}},"customer":{{"name":"Ada Lovelace {number}"}},"shop":{{"name":"The Analytical Engine Shop"}},"link":"https://shop.example/orders/{number:09}?ref=mail"}}"#,
        number % 997,
        number % 100
    );
    let text = |text: String| Some(Cow::Owned(text));
    let event = Event {
        id: EventId::new(event_id(number)).expect("a short id"),
        event_type: Cow::Owned(event_type(kind)),
        channel: Some(Channel::new(channel).expect("a channel of the list above")),
        email: text(format!("customer-{number}@mail.example")),
        mobile_phone: text(format!("+33612{:06}", number % 1_000_000)),
        registration_token: text(format!("token-{number:032}")),
        mobile_app: None,
        external_id: text(format!("order-{number}")),
        origin: Some(Cow::Borrowed("shop")),
        tenant: None,
        language: Some(Cow::Borrowed(LANGUAGES[number / 31 % LANGUAGES.len()])),
        country: None,
        email_format: None,
        occurred_at: Some(Timestamp::from_millis(1_763_000_000_000)),
        scheduled: None,
        expiration: None,
        ctx: Cow::Borrowed(ctx.as_bytes()),
    };
    let mut bytes = Vec::with_capacity(640);
    wire::event::encode(&event, format, &mut bytes);
    bytes
}

/// The id of event number `number`.
pub(crate) fn event_id(number: usize) -> String {
    format!("evt-{number:012}")
}

/// Produces events `0..n` into `topic`.
pub(crate) fn preload(
    client: &ClientSettings,
    topic: &str,
    n: usize,
    format: Format,
) -> anyhow::Result<()> {
    let sender = Sender::new(client, &[("linger.ms", "20"), ("batch.size", "500000")])?;
    let content_type = content_type(format);
    for number in 0..n {
        let value = event(number, format);
        let key = format!("customer-{}", number % 100_000);
        let headers = [("content-type", content_type.as_bytes())];
        sender.send(topic, None, Some(key.as_bytes()), Some(&value), &headers)?;
    }
    sender.flush(Duration::from_secs(120)).context("the events could not all be preloaded")
}

pub(crate) fn content_type(format: Format) -> &'static str {
    match format {
        Format::Protobuf => "application/protobuf",
        Format::Json => "application/json",
    }
}
