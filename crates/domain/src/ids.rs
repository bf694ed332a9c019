use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

/// The name of one event, for as long as anything is known of it.
///
/// 1 to 255 bytes of printable text: no control characters. It survives retry, hold, release and
/// redrive, and is the key of `event-journal` and `event-status`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId<'a>(Cow<'a, str>);

/// Why a text is no event id. The caller replaces a long one by its UUIDv5 and ignores the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventIdFault {
    /// Nothing there.
    #[error("an event id has at least one byte")]
    Empty,
    /// More than [`EventId::BYTES_MAX`] bytes.
    #[error("an event id has at most 255 bytes")]
    TooLong,
    /// A control character, which no log line and no record key should carry.
    #[error("an event id has no control characters")]
    NotPrintable,
}

impl<'a> EventId<'a> {
    /// The longest event id, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 255;

    /// Checks `text` and makes it an event id.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, EventIdFault> {
        let text = text.into();
        if text.is_empty() {
            return Err(EventIdFault::Empty);
        }
        // Characters before length: an id that is long and broken is broken, and is not hashed.
        // Nearly all are plain ASCII, which is told many bytes at a time.
        let odd = text.bytes().fold(false, |odd, byte| odd | !matches!(byte, b' '..=b'~'));
        if odd && text.chars().any(char::is_control) {
            return Err(EventIdFault::NotPrintable);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(EventIdFault::TooLong);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same id, owning its text.
    pub fn into_owned(self) -> EventId<'static> {
        EventId(Cow::Owned(self.0.into_owned()))
    }

    /// The same id, borrowing from this one.
    pub fn borrowed(&self) -> EventId<'_> {
        EventId(Cow::Borrowed(&self.0))
    }
}

impl fmt::Display for EventId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 1 for the first decision on an event; a rebind or redrive adds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(NonZeroU32);

impl Attempt {
    /// The first decision on an event.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0, which no decision has.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, from 1.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// `<event id>:<attempt>`: names one assignment; anyone can compute it and take it apart.
///
/// Downstream uses it as its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssignmentId<'a> {
    /// The event the assignment was bound from.
    pub event_id: EventId<'a>,
    /// Which decision on that event made it.
    pub attempt: Attempt,
}

impl<'a> AssignmentId<'a> {
    /// Takes an assignment id apart at its last colon; `None` where there is none, or where what
    /// follows is no attempt or what precedes is no event id.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (event_id, attempt) = text.rsplit_once(':')?;
        // `u32::from_str` takes a leading `+` and zeros, which would give one assignment two names.
        if attempt.starts_with(['+', '0']) {
            return None;
        }
        Some(Self {
            event_id: EventId::new(event_id).ok()?,
            attempt: Attempt::new(attempt.parse().ok()?)?,
        })
    }
}

impl fmt::Display for AssignmentId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.event_id, self.attempt.get())
    }
}

/// Which of the two sides an event came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneKind {
    /// `rt-event`: committed as soon as something waits.
    Rt,
    /// `batch-event`: collected into large transactions.
    Batch,
}

impl LaneKind {
    /// `rt` or `batch`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rt => "rt",
            Self::Batch => "batch",
        }
    }
}

/// Where a record was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourcePosition<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition's number, from 0.
    pub partition: i32,
    /// The record's offset in it.
    pub offset: i64,
    /// The record's own timestamp; the epoch where the record has none.
    pub timestamp: crate::Timestamp,
}
