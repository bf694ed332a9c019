use std::borrow::Cow;

use domain::{
    Assignment, AssignmentId, Attempt, Binding, Catalogue, Decision, Event, EventId, Fact,
    FactKind, History, Hold, LaneKind, NotSupported, RejectionReason, Situation, SourcePosition,
    Timestamp, bind,
};
use lane::{Headers, Outbox, ParkedBatch, Record, TooLarge};
use service::LaneTraces;
use wire::Format;
use wire::event::Undecodable;
use wire::headers::{DeadLetter, Outgoing, Trace, kind};
use wire::held_event::{HeldEvent, RecordHeader};

use crate::assignment_id::AssignmentIdText;
use crate::handler::Outputs;
use crate::{Decisions, Formats};

/// Answers records, all at one time and from one catalogue: a fact for each, and an assignment if and
/// only if it is bound.
pub(crate) struct Answers<'a> {
    pub(crate) lane: LaneKind,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) formats: Formats,
    pub(crate) now: Timestamp,
}

impl Answers<'_> {
    pub(crate) fn answer(
        &self,
        record: &Record<'_>,
        outbox: &mut Outbox,
        decisions: &mut Decisions,
        traces: &mut LaneTraces,
    ) {
        let position = position_of(record);
        let headers = record.headers();
        let trace = Trace::of(headers.iter());
        let event = match wire::event::decode(record.value, headers.iter(), &position) {
            Ok(event) => event,
            Err(undecodable) => {
                decisions.count_rejection(RejectionReason::Undecodable);
                note(traces, record, &trace, &undecodable.event_id);
                let parked = park(record, &position, &undecodable, outbox);
                decisions.dead_letters += u64::from(parked);
                return self.refuse(&undecodable, trace, outbox);
            }
        };
        note(traces, record, &trace, &event.id);
        let situation = Situation {
            lane: self.lane,
            history: History::New,
            catalogue: self.catalogue,
            context: &wire::JsonContext,
            now: self.now,
        };
        let decision = bind(&event, &situation);
        let answered =
            Answered { record, headers: &headers, position: &position, event: &event, trace };
        let written = match &decision {
            Decision::Bound(binding) => self.assign(&answered, binding, outbox),
            Decision::Held(hold) => self.hold(&answered, hold, outbox),
            Decision::NotSupported(_)
            | Decision::Expired { .. }
            | Decision::Cancelled
            | Decision::Duplicate { .. } => Ok(()),
        };
        match written {
            Ok(()) => {
                decisions.count(&decision);
                self.journal(&answered, fact_of(decision), outbox);
            }
            Err(too_large) => {
                decisions.count_rejection(RejectionReason::TooLarge);
                self.journal(&answered, oversized(too_large), outbox);
            }
        }
    }
}

impl Answers<'_> {
    /// Answers a batch whose records cannot be had, as one that is no event: one dead letter and one
    /// fact, at the position of its first record.
    pub(crate) fn pass_over(
        &self,
        parked: &ParkedBatch<'_>,
        outbox: &mut Outbox,
        decisions: &mut Decisions,
    ) {
        let position = position_of(&parked.record);
        let undecodable = Undecodable {
            event_id: wire::event_id_of_position(&position),
            event_type: None,
            detail: Cow::Owned(parked.detail.clone()),
        };
        decisions.count_rejection(RejectionReason::Undecodable);
        let is_parked = park(&parked.record, &position, &undecodable, outbox);
        decisions.dead_letters += u64::from(is_parked);
        self.refuse(&undecodable, Trace::of(parked.record.headers().iter()), outbox);
    }
}

/// A record that is an event, and where it was read.
struct Answered<'r, 'e> {
    record: &'r Record<'e>,
    headers: &'r Headers<'e>,
    position: &'r SourcePosition<'e>,
    event: &'r Event<'e>,
    trace: Trace<'e>,
}

impl Answered<'_, '_> {
    /// The event's key, or its id where the producer gave none: an order to keep in either case.
    fn key(&self) -> &[u8] {
        self.record.key.unwrap_or(self.event.id.as_str().as_bytes())
    }
}

impl Answers<'_> {
    fn assign(
        &self,
        answered: &Answered<'_, '_>,
        binding: &Binding<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), TooLarge> {
        let event = answered.event;
        let assignment = Assignment {
            event_id: event.id.borrowed(),
            attempt: Attempt::FIRST,
            event_type: borrowed(&event.event_type),
            external_id: event.external_id.as_deref().map(borrowed),
            origin: event.origin.as_deref().map(borrowed),
            tenant: event.tenant.as_deref().map(borrowed),
            template_id: Cow::Borrowed(&binding.template.id),
            version: binding.version,
            language: Cow::Borrowed(&binding.template.language),
            revision: binding.revision,
            channel: binding.channel.borrowed(),
            address: Cow::Borrowed(binding.address.as_str()),
            mobile_app: event.mobile_app.as_deref().map(borrowed),
            email_format: event.email_format.as_deref().map(borrowed),
            expiration: event.expiration,
            bound_at: self.now,
            ctx: Cow::Borrowed(&event.ctx),
            source: *answered.position,
        };
        let format = self.formats.assignment;
        let id = AssignmentIdText::of(&AssignmentId {
            event_id: event.id.borrowed(),
            attempt: Attempt::FIRST,
        });
        outbox
            .record(Outputs::ASSIGNMENT)
            .key(answered.key())
            .headers(self.outgoing(kind::ASSIGNMENT, id.as_str(), format, answered.trace))
            .value(|value| wire::assignment::encode(&assignment, format, value))
    }

    fn hold(
        &self,
        answered: &Answered<'_, '_>,
        hold: &Hold<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), TooLarge> {
        let event = answered.event;
        let held = HeldEvent {
            event_id: event.id.borrowed(),
            attempt: Attempt::FIRST,
            lane: self.lane,
            hold: hold.clone(),
            held_at: self.now,
            key: answered.record.key.map(Cow::Borrowed),
            value: Cow::Borrowed(answered.record.value.unwrap_or_default()),
            headers: answered.headers.iter().map(header_as_read).collect(),
            source: *answered.position,
        };
        let format = self.formats.held_event;
        let id = event.id.as_str();
        outbox
            .record(Outputs::HELD_EVENT)
            .key(id.as_bytes())
            .headers(self.outgoing(kind::HELD_EVENT, id, format, answered.trace))
            .value(|value| wire::held_event::encode(&held, format, value))
    }

    /// The one decision fact of an event.
    fn journal<'r>(&self, answered: &Answered<'r, '_>, kind: FactKind<'r>, outbox: &mut Outbox) {
        let event = answered.event;
        let fact = Fact {
            event_id: event.id.borrowed(),
            attempt: Attempt::FIRST,
            occurred_at: self.now,
            event_type: Some(borrowed(&event.event_type)),
            external_id: event.external_id.as_deref().map(borrowed),
            tenant: event.tenant.as_deref().map(borrowed),
            lane: Some(self.lane),
            kind,
        };
        self.write_fact(fact, answered.trace, outbox);
    }

    /// The fact of a record that is no event.
    fn refuse(&self, undecodable: &Undecodable<'_>, trace: Trace<'_>, outbox: &mut Outbox) {
        let fact = Fact {
            event_id: undecodable.event_id.borrowed(),
            attempt: Attempt::FIRST,
            occurred_at: self.now,
            event_type: undecodable.event_type.as_deref().map(borrowed),
            external_id: None,
            tenant: None,
            lane: Some(self.lane),
            kind: FactKind::NotSupported(NotSupported {
                reason: RejectionReason::Undecodable,
                detail: borrowed(&undecodable.detail),
                nearest: None,
            }),
        };
        self.write_fact(fact, trace, outbox);
    }

    /// The headers of a record that answers one of this trace.
    fn outgoing<'h>(
        &self,
        kind: &'static str,
        id: &'h str,
        format: Format,
        trace: Trace<'h>,
    ) -> impl Iterator<Item = (&'static str, &'h [u8])> + use<'h> {
        let source = match self.lane {
            LaneKind::Rt => "/bindery/rt-event-consumer",
            LaneKind::Batch => "/bindery/batch-event-consumer",
        };
        wire::headers::outgoing(Outgoing { kind, id, source, format, trace })
    }

    fn write_fact(&self, fact: Fact<'_>, trace: Trace<'_>, outbox: &mut Outbox) {
        if self.try_write_fact(&fact, trace, outbox).is_ok() {
            return;
        }
        // Only what the producer named can be that large. The decision has to be written all the
        // same, or the event would be lost.
        let bare = Fact { event_type: None, external_id: None, tenant: None, ..fact };
        self.try_write_fact(&bare, trace, outbox)
            .expect("a fact without the producer's own words is smaller than any topic's limit");
    }

    fn try_write_fact(
        &self,
        fact: &Fact<'_>,
        trace: Trace<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), TooLarge> {
        let format = self.formats.fact;
        let id = fact.event_id.as_str();
        outbox
            .record(Outputs::JOURNAL)
            .key(id.as_bytes())
            .headers(self.outgoing(kind::FACT, id, format, trace))
            .value(|value| wire::fact::encode(fact, format, value))
    }
}

/// Where a record was read.
fn position_of<'a>(record: &Record<'a>) -> SourcePosition<'a> {
    SourcePosition {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset.get(),
        timestamp: Timestamp::from_millis(record.timestamp_ms),
    }
}

/// The bytes as read go to `dead-letter`; says whether they could.
fn park(
    record: &Record<'_>,
    position: &SourcePosition<'_>,
    undecodable: &Undecodable<'_>,
    outbox: &mut Outbox,
) -> bool {
    let reason = RejectionReason::Undecodable.as_str();
    let event_id = undecodable.event_id.as_str();
    let why = DeadLetter::new(reason, &undecodable.detail, event_id, position);
    let parked = |outbox: &mut Outbox, with_value: bool| {
        let as_read = record.headers();
        let headers = why.headers(as_read.iter());
        let letter = outbox
            .record(Outputs::DEAD_LETTER)
            .headers_as_read(headers.map(|(name, value)| (name, value.unwrap_or_default())));
        let letter = match record.key {
            Some(key) => letter.key(key),
            None => letter,
        };
        match record.value {
            Some(bytes) if with_value => letter.value(|value| value.extend_from_slice(bytes)),
            Some(_) | None => letter.tombstone(),
        }
    };
    // A record as large as its own topic allows can be too large with our headers on it; the
    // position says where the bytes still are.
    let is_parked = parked(outbox, true).is_ok() || parked(outbox, false).is_ok();
    if !is_parked {
        tracing::warn!(
            topic = record.topic,
            partition = record.partition,
            offset = record.offset.get(),
            "a dead letter is too large even without its value; its fact alone is written"
        );
    }
    is_parked
}

/// Has the record traced if its producer asked for it.
fn note(traces: &mut LaneTraces, record: &Record<'_>, trace: &Trace<'_>, id: &EventId<'_>) {
    if let Some(parent) = trace.parent().filter(|_| trace.is_sampled()) {
        traces.note(record, parent, trace.state(), Some(id.as_str()));
    }
}

/// A header that a held event needs to be decided as if it had just been read.
fn header_as_read<'a>((name, value): (&'a str, Option<&'a [u8]>)) -> RecordHeader<'a> {
    RecordHeader { name: Cow::Borrowed(name), value: value.map(Cow::Borrowed) }
}

fn fact_of(decision: Decision<'_>) -> FactKind<'_> {
    match decision {
        Decision::Bound(binding) => FactKind::Bound {
            template_id: Cow::Borrowed(&binding.template.id),
            version: binding.version,
            channel: binding.channel,
            revision: binding.revision,
            losers: binding.losers,
        },
        Decision::Held(hold) => FactKind::Held(hold),
        Decision::NotSupported(not_supported) => FactKind::NotSupported(not_supported),
        Decision::Expired { .. } => FactKind::Expired,
        Decision::Cancelled => FactKind::Cancelled,
        Decision::Duplicate { of } => FactKind::Duplicate { of },
    }
}

fn oversized<'a>(too_large: TooLarge) -> FactKind<'a> {
    FactKind::NotSupported(NotSupported {
        reason: RejectionReason::TooLarge,
        detail: Cow::Owned(too_large.to_string()),
        nearest: None,
    })
}

fn borrowed(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
