use std::borrow::Cow;

use crate::{Attempt, Channel, DeliveryReason, EventId, LaneKind, TemplateVersion, Timestamp};

/// What became of an event, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Received, not decided yet; or kept for its scheduled time.
    Pending,
    /// Kept until a template is resumed.
    Paused,
    /// Bound; no delivery service has said how it ended.
    PendingDelivery,
    /// It came too late.
    Expired,
    /// It was called off.
    Cancelled,
    /// It cannot be bound.
    NotSupported,
    /// Not sent, on purpose.
    Ignored,
    /// Sent.
    Sent,
    /// Not sent, or came back.
    DeliveryError,
}

/// The languages a status is labelled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// The one of `[English, French]` that is in this language.
    pub(crate) const fn of(self, [en, fr]: [&'static str; 2]) -> &'static str {
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }
}

impl Status {
    /// All of them, by rank.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Paused,
        Self::PendingDelivery,
        Self::Expired,
        Self::Cancelled,
        Self::NotSupported,
        Self::Ignored,
        Self::Sent,
        Self::DeliveryError,
    ];

    /// The stable word: `PENDING`, `PENDING_DELIVERY`, ….
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Paused => "PAUSED",
            Self::PendingDelivery => "PENDING_DELIVERY",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::Ignored => "IGNORED",
            Self::Sent => "SENT",
            Self::DeliveryError => "DELIVERY_ERROR",
        }
    }

    /// The status of that stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The name in the product's REST interface: `processing`, `tooOld`, ….
    pub const fn rest_name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::PendingDelivery => "processing",
            Self::Expired => "tooOld",
            Self::Cancelled => "cancelled",
            Self::NotSupported => "routingFailed",
            Self::Ignored => "ignored",
            Self::Sent => "processed",
            Self::DeliveryError => "deliveryFailed",
        }
    }

    /// The words people see.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Pending, Language::En) => "Pending",
            (Self::Pending, Language::Fr) => "En attente",
            (Self::Paused, Language::En) => "Paused",
            (Self::Paused, Language::Fr) => "En pause",
            (Self::PendingDelivery, Language::En) => "Pending delivery",
            (Self::PendingDelivery, Language::Fr) => "En attente de diffusion",
            (Self::Expired, Language::En) => "Event expired",
            (Self::Expired, Language::Fr) => "Événement expiré",
            (Self::Cancelled, Language::En) => "Cancelled",
            (Self::Cancelled, Language::Fr) => "Annulé",
            (Self::NotSupported, Language::En) => "Event not supported",
            (Self::NotSupported, Language::Fr) => "Événement non pris en charge",
            (Self::Ignored, Language::En) => "Ignored by the delivery",
            (Self::Ignored, Language::Fr) => "Ignoré par la diffusion",
            (Self::Sent, Language::En) => "Sent",
            (Self::Sent, Language::Fr) => "Envoyé",
            (Self::DeliveryError, Language::En) => "Delivery error",
            (Self::DeliveryError, Language::Fr) => "Erreur de diffusion",
        }
    }

    /// What it weighs against another of the same attempt, 1 to 8; see [`EventStatus::rank`] for the
    /// one exception.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Pending => 1,
            Self::Paused => 2,
            Self::PendingDelivery => 3,
            Self::Expired | Self::Cancelled | Self::NotSupported => 4,
            Self::Ignored => 6,
            Self::Sent => 7,
            Self::DeliveryError => 8,
        }
    }

    /// Whether an event usually stays at it. A delivery service may still have the last word: a late
    /// bounce turns [`Status::Sent`] into [`Status::DeliveryError`].
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Paused | Self::PendingDelivery => false,
            Self::Expired
            | Self::Cancelled
            | Self::NotSupported
            | Self::Ignored
            | Self::Sent
            | Self::DeliveryError => true,
        }
    }

    pub(crate) fn rank_with(self, reason: &str) -> u8 {
        let no_receipt = DeliveryReason::NO_RECEIPT;
        if self == Self::DeliveryError && reason == no_receipt.as_str() { 5 } else { self.rank() }
    }
}

/// Where a status stands in the order of all that an event can have: of two, the greater is true.
///
/// The statuses published for one event never go down in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusKey<'a> {
    attempt: Attempt,
    rank: u8,
    occurred_at: Timestamp,
    reason: &'a str,
    /// Three statuses share a rank.
    status: Status,
}

impl<'a> StatusKey<'a> {
    pub(crate) fn new(
        attempt: Attempt,
        status: Status,
        occurred_at: Timestamp,
        reason: &'a str,
    ) -> Self {
        Self { attempt, rank: status.rank_with(reason), occurred_at, reason, status }
    }

    /// The decision it belongs to.
    pub const fn attempt(self) -> Attempt {
        self.attempt
    }

    /// The status.
    pub const fn status(self) -> Status {
        self.status
    }

    /// When it became true.
    pub const fn occurred_at(self) -> Timestamp {
        self.occurred_at
    }

    /// Why, as a stable word; empty where there is nothing to explain.
    pub const fn reason(self) -> &'a str {
        self.reason
    }
}

/// What is published for one event: the fold of its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct EventStatus<'a> {
    /// The event.
    pub event_id: EventId<'a>,
    /// What became of it.
    pub status: Status,
    /// The decision the status belongs to.
    pub attempt: Attempt,
    /// The stable word for why; empty where there is nothing to explain.
    pub reason: Cow<'a, str>,
    /// The template bound to.
    pub template_id: Option<Cow<'a, str>>,
    /// Its version.
    pub version: Option<TemplateVersion>,
    /// The channel chosen.
    pub channel: Option<Channel<'a>>,
    /// Whether an assignment was made for `attempt`; its id is `<event id>:<attempt>`.
    pub assigned: bool,
    /// The side the event came in by.
    pub lane: Option<LaneKind>,
    /// For whom.
    pub tenant: Option<Cow<'a, str>>,
    /// The producer's business key.
    pub external_id: Option<Cow<'a, str>>,
    /// The event's type.
    pub event_type: Option<Cow<'a, str>>,
    /// When the fact that set the status became true.
    pub occurred_at: Timestamp,
    /// A delivery log came for an event of which nothing else is known.
    pub orphan: bool,
}

impl EventStatus<'_> {
    /// What the status weighs against another of the same attempt, 1 to 8: that of [`Status::rank`],
    /// but less for a delivery error that only says that no receipt came.
    pub fn rank(&self) -> u8 {
        self.status.rank_with(&self.reason)
    }

    /// Its place in the order of statuses.
    pub fn key(&self) -> StatusKey<'_> {
        StatusKey::new(self.attempt, self.status, self.occurred_at, &self.reason)
    }
}

#[cfg(test)]
mod tests;
