use std::borrow::Cow;

use crate::{Attempt, EventId, Timestamp};

/// What a delivery service says became of one assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryLog<'a> {
    /// The event.
    pub event_id: EventId<'a>,
    /// The decision that made the assignment.
    pub attempt: Attempt,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<DeliveryReason<'a>>,
    /// Hard, soft or ignored.
    pub kind: Option<OutcomeKind>,
    /// When, by the delivery service's clock.
    pub occurred_at: Option<Timestamp>,
    /// The provider that carried it.
    pub provider: Option<Cow<'a, str>>,
    /// That provider's own id of the message.
    pub provider_message_id: Option<Cow<'a, str>>,
}

/// What became of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The message was made.
    Prepared,
    /// A provider took it.
    Accepted,
    /// It left.
    Sent,
    /// It arrived.
    Received,
    /// It was not sent, on purpose.
    Ignored,
    /// It could not be sent, or came back.
    Failed,
    /// It was called off at the delivery service.
    Cancelled,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Prepared,
        Self::Accepted,
        Self::Sent,
        Self::Received,
        Self::Ignored,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How lasting a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// Trying again is of no use.
    Hard,
    /// Trying again may succeed.
    Soft,
    /// Does not count against the address.
    Ignored,
}

impl OutcomeKind {
    /// `hard`, `soft` or `ignored`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Ignored => "ignored",
        }
    }
}

/// A delivery service's word for why: `mailbox_full`, `user_unknown`, …
///
/// An open set of `[a-z][a-z0-9_]{0,63}`; delivery services may have words of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryReason<'a>(Cow<'a, str>);

impl<'a> DeliveryReason<'a> {
    /// Of a DELIVERY_ERROR that only says that no receipt came: it weighs less than SENT and IGNORED.
    pub const NO_RECEIPT: DeliveryReason<'static> = DeliveryReason(Cow::Borrowed("no_receipt"));

    /// `None` where `word` is not of the form above.
    pub fn new(word: impl Into<Cow<'a, str>>) -> Option<Self> {
        let word = word.into();
        let well_formed = word.len() <= 64
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        well_formed.then_some(Self(word))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same reason, owning its word.
    pub fn into_owned(self) -> DeliveryReason<'static> {
        DeliveryReason(Cow::Owned(self.0.into_owned()))
    }
}
