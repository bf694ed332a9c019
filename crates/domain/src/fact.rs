use std::borrow::Cow;

use crate::{
    Attempt, Channel, DeliveryReason, EventId, Hold, LaneKind, Losers, NotSupported, Outcome,
    OutcomeKind, Revision, TemplateVersion, Timestamp,
};

/// One entry of the journal: something known about one event. Carries neither `ctx` nor an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact<'a> {
    /// The event it is about.
    pub event_id: EventId<'a>,
    /// The decision it belongs to; [`Attempt::FIRST`] for Received.
    pub attempt: Attempt,
    /// When it became true: the decision's time, or the delivery service's own.
    pub occurred_at: Timestamp,
    /// The event's type, where it is known.
    pub event_type: Option<Cow<'a, str>>,
    /// The producer's business key, where it is known.
    pub external_id: Option<Cow<'a, str>>,
    /// For whom, where it is known.
    pub tenant: Option<Cow<'a, str>>,
    /// The side the event came in by, where it is known.
    pub lane: Option<LaneKind>,
    /// What happened.
    pub kind: FactKind<'a>,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq)]
pub enum FactKind<'a> {
    /// The event is in an intake topic.
    Received,
    /// It was bound; its assignment id is the fact's event id and attempt.
    Bound {
        /// The template's id.
        template_id: Cow<'a, str>,
        /// The version chosen.
        version: TemplateVersion,
        /// The channel chosen.
        channel: Channel<'a>,
        /// The catalogue it was chosen from.
        revision: Revision,
        /// The other candidates, as far as they are listed, and why each lost.
        losers: Losers<'a>,
    },
    /// It cannot be bound.
    NotSupported(NotSupported<'a>),
    /// It is kept for later.
    Held(Hold<'a>),
    /// It is no longer kept.
    Released,
    /// It came too late.
    Expired,
    /// It was called off.
    Cancelled,
    /// Somebody asked to call it off.
    CancelRequested,
    /// Another event had the same id.
    Duplicate {
        /// The decision it repeats.
        of: Attempt,
    },
    /// A delivery service reported.
    Delivery {
        /// What became of the assignment.
        outcome: Outcome,
        /// Why, where it says so.
        reason: Option<DeliveryReason<'a>>,
        /// Hard, soft or ignored, where it says so.
        kind: Option<OutcomeKind>,
        /// The provider that carried it.
        provider: Option<Cow<'a, str>>,
        /// That provider's own id of the message.
        provider_message_id: Option<Cow<'a, str>>,
    },
}
