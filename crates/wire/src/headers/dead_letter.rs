use domain::SourcePosition;

/// The headers of a dead letter: the record's own, as read, and after them why it is one and where it
/// was read. Whoever sends it back needs nothing else.
#[derive(Clone, Debug)]
pub struct DeadLetter<'a> {
    reason: &'static str,
    detail: &'a str,
    event_id: &'a str,
    topic: &'a str,
    partition: Digits,
    offset: Digits,
    timestamp: Digits,
}

/// A number as text.
#[derive(Clone, Debug)]
struct Digits {
    bytes: [u8; Self::LENGTH_MAX],
    length: usize,
}

impl<'a> DeadLetter<'a> {
    /// What the names of all headers of ours start with.
    pub const PREFIX: &'static str = "bindery-";
    /// The stable word for why.
    pub const REASON: &'static str = "bindery-reason";
    /// What is wrong, as one line for a person.
    pub const DETAIL: &'static str = "bindery-detail";
    /// The event's id, where there is one.
    pub const EVENT_ID: &'static str = "bindery-event-id";
    /// The topic it was read from.
    pub const SOURCE_TOPIC: &'static str = "bindery-source-topic";
    /// The partition, in digits.
    pub const SOURCE_PARTITION: &'static str = "bindery-source-partition";
    /// The offset, in digits.
    pub const SOURCE_OFFSET: &'static str = "bindery-source-offset";
    /// The record's own timestamp, in milliseconds, in digits.
    pub const SOURCE_TIMESTAMP: &'static str = "bindery-source-timestamp";

    /// Says that the record at `position` is a dead letter for `reason`; `event_id` is empty where it is
    /// no event.
    pub fn new(
        reason: &'static str,
        detail: &'a str,
        event_id: &'a str,
        position: &SourcePosition<'a>,
    ) -> Self {
        Self {
            reason,
            detail,
            event_id,
            topic: position.topic,
            partition: Digits::of(position.partition),
            offset: Digits::of(position.offset),
            timestamp: Digits::of(position.timestamp.as_millis()),
        }
    }

    /// All headers to write. Of the record's own, those that an earlier parking added are left out.
    pub fn headers<'h, H>(
        &'h self,
        own: H,
    ) -> impl Iterator<Item = (&'h str, Option<&'h [u8]>)> + use<'h, 'a, H>
    where
        H: Iterator<Item = (&'h str, Option<&'h [u8]>)>,
    {
        own.filter(|(name, _)| !name.starts_with(Self::PREFIX)).chain(self.ours())
    }

    fn ours(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        [
            (Self::REASON, self.reason.as_bytes()),
            (Self::DETAIL, self.detail.as_bytes()),
            (Self::EVENT_ID, self.event_id.as_bytes()),
            (Self::SOURCE_TOPIC, self.topic.as_bytes()),
            (Self::SOURCE_PARTITION, self.partition.as_bytes()),
            (Self::SOURCE_OFFSET, self.offset.as_bytes()),
            (Self::SOURCE_TIMESTAMP, self.timestamp.as_bytes()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, Some(value)))
    }
}

impl Digits {
    /// A sign and the nineteen digits of an `i64`.
    const LENGTH_MAX: usize = 20;

    fn of(number: impl Into<i64>) -> Self {
        let mut text = itoa::Buffer::new();
        let text = text.format(number.into()).as_bytes();
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Self { bytes, length: text.len() }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
