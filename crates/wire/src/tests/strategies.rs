//! Values for the property tests.

use std::borrow::Cow;

use domain::{
    Assignment, Attempt, Candidate, Channel, DeliveryLog, DeliveryReason, Event, EventId,
    EventStatus, Fact, FactKind, Hold, LaneKind, Lost, NotSupported, Outcome, OutcomeKind,
    RejectionReason, Revision, SourcePosition, Status, TemplateVersion, Timestamp,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::words::Word;

type Text = Cow<'static, str>;

/// Text with all that JSON escapes, and more than one byte a character.
pub(super) fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-zA-Z0-9 .@+-]{1,24}",
        "[\\x00-\\x7f]{1,12}",
        "\\PC{1,8}",
        "[\"\\\\/\n\u{1f600}é\u{2028}]{1,6}"
    ]
    .prop_map(Cow::Owned)
}

fn maybe_text() -> impl Strategy<Value = Option<Text>> {
    option::of(text())
}

fn event_id() -> impl Strategy<Value = EventId<'static>> {
    prop_oneof!["[a-z0-9:-]{1,40}", "[^\\p{Cc}]{1,20}"].prop_map(|text| EventId::new(text).unwrap())
}

fn attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![Just(1), 1..=u32::MAX].prop_map(|number| Attempt::new(number).unwrap())
}

fn channel() -> impl Strategy<Value = Channel<'static>> {
    "[a-z][a-z0-9-]{0,31}".prop_map(|name| Channel::new(name).unwrap())
}

fn reason() -> impl Strategy<Value = DeliveryReason<'static>> {
    "[a-z][a-z0-9_]{0,20}".prop_map(|word| DeliveryReason::new(word).unwrap())
}

/// Times of the years 1 to 9999.
pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        1_500_000_000_000_i64..2_000_000_000_000,
        -62_135_596_800_000_i64..=253_402_300_799_999,
        Just(0)
    ]
    .prop_map(Timestamp::from_millis)
}

fn word<W: Word + std::fmt::Debug>() -> impl Strategy<Value = W> {
    select(W::ALL)
}

fn version() -> impl Strategy<Value = TemplateVersion> {
    (1..500_u32).prop_map(TemplateVersion)
}

fn revision() -> impl Strategy<Value = Revision> {
    (0..i64::MAX).prop_map(Revision)
}

fn position() -> impl Strategy<Value = SourcePosition<'static>> {
    (select(&["rt-event", "batch-event"][..]), 0..i32::MAX, 0..i64::MAX, time()).prop_map(
        |(topic, partition, offset, timestamp)| SourcePosition {
            topic,
            partition,
            offset,
            timestamp,
        },
    )
}

/// Data for a template, as compact JSON.
pub(super) fn object() -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e9..1e9).prop_map(Into::into),
        text().prop_map(|text| text.into_owned().into()),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((key(), inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    });
    vec((key(), value), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[abc01]{1,2}", "[a.\"\\\\é]{0,3}"]
}

pub(super) fn event() -> impl Strategy<Value = Event<'static>> {
    let texts = vec(maybe_text(), 10);
    let times = vec(option::of(time()), 3);
    (event_id(), text(), option::of(channel()), texts, times, option::of(object())).prop_map(
        |(id, event_type, channel, texts, times, ctx)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().flatten();
            let ctx = ctx.map_or_else(Vec::new, |ctx| serde_json::to_vec(&ctx).unwrap());
            Event {
                id,
                event_type,
                channel,
                email: next(),
                mobile_phone: next(),
                registration_token: next(),
                mobile_app: next(),
                external_id: next(),
                origin: next(),
                tenant: next(),
                language: next(),
                country: next(),
                email_format: next(),
                occurred_at: times[0],
                scheduled: times[1],
                expiration: times[2],
                ctx: ctx.into(),
            }
        },
    )
}

pub(super) fn assignment() -> impl Strategy<Value = Assignment<'static>> {
    let numbers = (attempt(), version(), revision());
    let texts = (text(), text(), text(), vec(maybe_text(), 5));
    (event_id(), numbers, texts, channel(), option::of(time()), time(), object(), position())
        .prop_map(|(event_id, numbers, texts, channel, expiration, bound_at, ctx, source)| {
            let (attempt, version, revision) = numbers;
            let (event_type, template_id, address, more) = texts;
            let mut more = more.into_iter();
            let mut next = || more.next().flatten();
            Assignment {
                event_id,
                attempt,
                event_type,
                external_id: next(),
                origin: next(),
                tenant: next(),
                template_id,
                version,
                language: "fr-CA".into(),
                revision,
                channel,
                address,
                mobile_app: next(),
                email_format: next(),
                expiration,
                bound_at,
                ctx: Cow::Owned(serde_json::to_vec(&ctx).unwrap()),
                source,
            }
        })
}

fn hold() -> impl Strategy<Value = Hold<'static>> {
    prop_oneof![
        time().prop_map(|until| Hold::Scheduled { until }),
        text().prop_map(|template_id| Hold::Paused { template_id }),
    ]
}

fn bound() -> impl Strategy<Value = FactKind<'static>> {
    let loser =
        (text(), word::<Lost>()).prop_map(|(template_id, lost)| Candidate { template_id, lost });
    (text(), version(), channel(), revision(), vec(loser, 0..12)).prop_map(
        |(template_id, version, channel, revision, losers)| FactKind::Bound {
            template_id,
            version,
            channel,
            revision,
            losers: losers.into(),
        },
    )
}

fn fact_kind() -> impl Strategy<Value = FactKind<'static>> {
    let rejection = (select(&RejectionReason::ALL[..]), text(), maybe_text()).prop_map(
        |(reason, detail, nearest)| {
            FactKind::NotSupported(NotSupported { reason, detail, nearest })
        },
    );
    let kind = option::of(word::<OutcomeKind>());
    let delivery = (word::<Outcome>(), option::of(reason()), kind, maybe_text(), maybe_text())
        .prop_map(|(outcome, reason, kind, provider, provider_message_id)| FactKind::Delivery {
            outcome,
            reason,
            kind,
            provider,
            provider_message_id,
        });
    prop_oneof![
        Just(FactKind::Received),
        bound(),
        rejection,
        hold().prop_map(FactKind::Held),
        Just(FactKind::Released),
        Just(FactKind::Expired),
        Just(FactKind::Cancelled),
        Just(FactKind::CancelRequested),
        attempt().prop_map(|of| FactKind::Duplicate { of }),
        delivery,
    ]
}

pub(super) fn fact() -> impl Strategy<Value = Fact<'static>> {
    let texts = (maybe_text(), maybe_text(), maybe_text());
    (event_id(), attempt(), time(), texts, option::of(word::<LaneKind>()), fact_kind()).prop_map(
        |(event_id, attempt, occurred_at, texts, lane, kind)| Fact {
            event_id,
            attempt,
            occurred_at,
            event_type: texts.0,
            external_id: texts.1,
            tenant: texts.2,
            lane,
            kind,
        },
    )
}

pub(super) fn status() -> impl Strategy<Value = EventStatus<'static>> {
    let texts = (maybe_text(), maybe_text(), maybe_text(), maybe_text());
    let options = (option::of(version()), option::of(channel()), option::of(word::<LaneKind>()));
    let reason = option::of(text()).prop_map(Option::unwrap_or_default);
    let flags = (any::<bool>(), any::<bool>());
    (event_id(), word::<Status>(), attempt(), reason, texts, options, flags, time()).prop_map(
        |(event_id, status, attempt, reason, texts, options, flags, occurred_at)| EventStatus {
            event_id,
            status,
            attempt,
            reason,
            template_id: texts.0,
            version: options.0,
            channel: options.1,
            assigned: flags.0,
            lane: options.2,
            tenant: texts.1,
            external_id: texts.2,
            event_type: texts.3,
            occurred_at,
            orphan: flags.1,
        },
    )
}

pub(super) fn delivery_log() -> impl Strategy<Value = DeliveryLog<'static>> {
    let kind = option::of(word::<OutcomeKind>());
    let said = (word::<Outcome>(), option::of(reason()), kind, option::of(time()));
    (event_id(), attempt(), said, maybe_text(), maybe_text()).prop_map(
        |(event_id, attempt, said, provider, provider_message_id)| DeliveryLog {
            event_id,
            attempt,
            outcome: said.0,
            reason: said.1,
            kind: said.2,
            occurred_at: said.3,
            provider,
            provider_message_id,
        },
    )
}

pub(super) fn held_event() -> impl Strategy<Value = crate::held_event::HeldEvent<'static>> {
    use crate::held_event::{HeldEvent, RecordHeader};
    let bytes = || vec(any::<u8>(), 0..40).prop_map(Cow::<[u8]>::Owned);
    let header =
        (text(), option::of(bytes())).prop_map(|(name, value)| RecordHeader { name, value });
    let record = (option::of(bytes()), bytes(), vec(header, 0..3));
    (event_id(), attempt(), hold(), time(), word::<LaneKind>(), position(), record).prop_map(
        |(event_id, attempt, hold, held_at, lane, source, (key, value, headers))| HeldEvent {
            event_id,
            attempt,
            hold,
            held_at,
            lane,
            source,
            key,
            value,
            headers: headers.into(),
        },
    )
}

pub(super) fn cancellation() -> impl Strategy<Value = crate::cancellation::Cancellation<'static>> {
    (event_id(), option::of(time()), maybe_text(), maybe_text()).prop_map(
        |(event_id, requested_at, requested_by, reason)| crate::cancellation::Cancellation {
            event_id,
            requested_at,
            requested_by,
            reason,
        },
    )
}

pub(super) fn template_content()
-> impl Strategy<Value = crate::template_content::TemplateContent<'static>> {
    (text(), version(), vec(maybe_text(), 4), option::of(object())).prop_map(
        |(template_id, version, mut texts, schema)| {
            let mut next = || texts.pop().flatten();
            crate::template_content::TemplateContent {
                template_id,
                version,
                subject: next(),
                text: next(),
                html: next(),
                title: next(),
                schema: schema
                    .map_or_else(Vec::new, |schema| serde_json::to_vec(&schema).unwrap())
                    .into(),
            }
        },
    )
}

pub(super) fn template() -> impl Strategy<Value = domain::Template> {
    use domain::{Canary, Lanes, RequiredPath, Template, TemplateState};
    let canary = option::of(
        (version(), 0..=100_u8).prop_map(|(version, percentage)| Canary { version, percentage }),
    );
    let lanes = select(&[(true, true), (true, false), (false, true)][..])
        .prop_map(|(rt, batch)| Lanes { rt, batch });
    let paths = vec("[a-z0-9é\"]{1,4}(\\.[a-z0-9]{1,4}){0,3}", 0..6);
    let state = (lanes, word::<TemplateState>(), version(), canary);
    (text(), text(), channel(), state, time(), paths, vec(version(), 0..5)).prop_map(
        |(id, event_type, channel, state, published_at, paths, retained)| Template {
            id: id.into(),
            event_type: event_type.into(),
            channel,
            language: "en".into(),
            lanes: state.0,
            state: state.1,
            stable: state.2,
            canary: state.3,
            published_at,
            required: paths.iter().map(|path| RequiredPath::new(path).unwrap()).collect(),
            retained: retained.into(),
        },
    )
}
