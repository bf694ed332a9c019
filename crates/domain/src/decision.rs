use std::borrow::Cow;

use crate::{
    Address, Attempt, Channel, EventId, Losers, Revision, Template, TemplateVersion, Timestamp,
};

/// What binding came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision<'a> {
    /// There is a message to send: write one assignment and a Bound fact.
    Bound(Binding<'a>),
    /// Not now: write the event to `held-event` and a Held fact.
    Held(Hold<'a>),
    /// Never, unless somebody asks for a rebind: write a NotSupported fact.
    NotSupported(NotSupported<'a>),
    /// Too late: write an Expired fact.
    Expired {
        /// The expiration that has passed.
        expiration: Timestamp,
    },
    /// Called off before it was bound: write a Cancelled fact.
    Cancelled,
    /// The id was seen before: write a Duplicate fact and nothing else.
    Duplicate {
        /// The first decision on that id.
        of: Attempt,
    },
}

/// What is already known of an event's id when it is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Nothing.
    New,
    /// A cancellation came at this time.
    Cancelled(Timestamp),
    /// It was decided before, within the window.
    Seen(Attempt),
}

/// One event bound to one version of one template.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding<'a> {
    /// The template that won.
    pub template: &'a Template,
    /// Its stable version, or the canary for the events the canary takes.
    pub version: TemplateVersion,
    /// The channel chosen.
    pub channel: Channel<'a>,
    /// Where to send to.
    pub address: Address<'a>,
    /// The catalogue it was chosen from.
    pub revision: Revision,
    /// The other templates of the same event type and channel, and why each lost.
    pub losers: Losers<'a>,
}

/// Why and how long an event is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold<'a> {
    /// Until its scheduled time.
    Scheduled {
        /// That time.
        until: Timestamp,
    },
    /// Until a template is resumed.
    Paused {
        /// The one that would have won.
        template_id: Cow<'a, str>,
    },
}

/// Why an event cannot be bound: the record's fault, not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSupported<'a> {
    /// The stable word for it.
    pub reason: RejectionReason,
    /// For a person: names the field or path, never its value.
    pub detail: Cow<'a, str>,
    /// The nearest event type that has a template, for `no_template`.
    pub nearest: Option<Cow<'a, str>>,
}

/// Every reason an event is not supported; the word is the same in the fact, the metric's label
/// and the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectionReason {
    /// The bytes are no event.
    Undecodable,
    /// The chosen channel's address is not there, or no channel could be derived.
    AddressMissing,
    /// The chosen channel's address is not well formed.
    AddressInvalid,
    /// No template is published for this event type, channel and lane.
    NoTemplate,
    /// `ctx` lacks a path the template requires.
    VariableMissing,
    /// `ctx` is no JSON object.
    CtxInvalid,
    /// The assignment would be larger than the output topic takes.
    TooLarge,
}

impl RejectionReason {
    /// All of them, in the order of the binding rules.
    pub const ALL: [Self; 7] = [
        Self::Undecodable,
        Self::AddressMissing,
        Self::AddressInvalid,
        Self::NoTemplate,
        Self::CtxInvalid,
        Self::VariableMissing,
        Self::TooLarge,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::AddressMissing => "address_missing",
            Self::AddressInvalid => "address_invalid",
            Self::NoTemplate => "no_template",
            Self::VariableMissing => "variable_missing",
            Self::CtxInvalid => "ctx_invalid",
            Self::TooLarge => "too_large",
        }
    }
}

impl Decision<'_> {
    /// The decision's own word: `bound`, `held`, `not_supported`, `expired`, `cancelled`, `duplicate`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Bound(_) => "bound",
            Self::Held(_) => "held",
            Self::NotSupported(_) => "not_supported",
            Self::Expired { .. } => "expired",
            Self::Cancelled => "cancelled",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

impl<'a> Binding<'a> {
    /// The assignment's id for `event_id` at `attempt`.
    pub fn assignment_id<'e>(
        event_id: &'e EventId<'_>,
        attempt: Attempt,
    ) -> crate::AssignmentId<'e> {
        crate::AssignmentId { event_id: event_id.borrowed(), attempt }
    }
}
