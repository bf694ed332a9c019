use std::time::Duration;

use anyhow::Context as _;
use domain::{
    Attempt, Candidate, Channel, EventId, Fact, FactKind, LaneKind, Lost, Outcome, Revision,
    TemplateVersion, Timestamp,
};
use kafka::{ClientSettings, Sender};
use wire::Format;
use wire::headers::{Outgoing, Trace, kind};

use super::load;

/// Facts of one event: received, bound, sent.
pub(crate) const PER_EVENT: usize = 3;
/// The template that every event is bound to.
pub(crate) const TEMPLATE: &str = "shop.order.shipped-email-en";

/// Writes the facts of events `0..n` into `topic`; between two facts of one event lie those of `between`
/// others.
pub(crate) fn preload(
    client: &ClientSettings,
    topic: &str,
    n: usize,
    between: usize,
) -> anyhow::Result<()> {
    let sender = Sender::new(client, &[("linger.ms", "20"), ("batch.size", "500000")])?;
    let mut value = Vec::new();
    for from in (0..n).step_by(between.max(1)) {
        for which in 0..PER_EVENT {
            for number in from..n.min(from + between.max(1)) {
                let id = load::event_id(number);
                value.clear();
                let facts = facts(&EventId::new(id.as_str())?, number);
                wire::fact::encode(&facts[which], Format::Protobuf, &mut value);
                send(&sender, topic, &id, kind::FACT, &value)?;
            }
        }
    }
    sender.flush(Duration::from_secs(120)).context("the facts could not all be preloaded")
}

/// Sends a record as the services write it.
pub(crate) fn send(
    sender: &Sender,
    topic: &str,
    id: &str,
    kind: &'static str,
    value: &[u8],
) -> anyhow::Result<()> {
    let source = "/bindery/status-sync";
    let trace = Trace::NONE;
    let outgoing = Outgoing { kind, id, source, format: Format::Protobuf, trace };
    let headers: Vec<(&str, &[u8])> = wire::headers::outgoing(outgoing).collect();
    Ok(sender.send(topic, None, Some(id.as_bytes()), Some(value), &headers)?)
}

/// A moment of event number `number`.
pub(crate) fn moment(number: usize, after_ms: i64) -> Timestamp {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Timestamp::from_millis(1_763_000_000_000).plus_millis(number).plus_millis(after_ms)
}

/// The facts of event number `number`.
pub(crate) fn facts<'a>(event_id: &EventId<'a>, number: usize) -> [Fact<'a>; PER_EVENT] {
    let fact = |after_ms, kind| Fact {
        event_id: event_id.clone(),
        attempt: Attempt::FIRST,
        occurred_at: moment(number, after_ms),
        event_type: Some("shop.order.shipped".into()),
        external_id: Some(format!("order-{number}").into()),
        tenant: None,
        lane: Some(LaneKind::Rt),
        kind,
    };
    let losers =
        vec![Candidate { template_id: "shop.order.shipped-email-fr".into(), lost: Lost::Language }];
    [
        fact(0, FactKind::Received),
        fact(
            20,
            FactKind::Bound {
                template_id: TEMPLATE.into(),
                version: TemplateVersion(3),
                channel: Channel::EMAIL,
                revision: Revision(6_400),
                losers: losers.into(),
            },
        ),
        fact(
            300,
            FactKind::Delivery {
                outcome: Outcome::Sent,
                reason: None,
                kind: None,
                provider: Some("example".into()),
                provider_message_id: Some(format!("{number:032x}").into()),
            },
        ),
    ]
}
