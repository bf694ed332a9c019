use std::fmt;
use std::sync::Arc;

/// The offset a record was read at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(i64);

/// What a commit carries: one past the last record answered.
///
/// Besides what a broker says was committed, only [`Offset::next`] makes one, so the protocol's
/// `+ 1` is written once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextOffset(i64);

impl Offset {
    /// The offset `offset`, as a record carries it.
    pub const fn new(offset: i64) -> Self {
        Self(offset)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// What is committed once the record at this offset is answered.
    pub const fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

impl NextOffset {
    /// The start of every partition that nothing was deleted from.
    pub const START: Self = Self(0);

    /// A position as a broker or a store of ours gave it.
    pub const fn from_committed(offset: i64) -> Self {
        Self(offset)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether the record at `offset` comes before this position, and so is answered already.
    pub const fn is_past(self, offset: Offset) -> bool {
        offset.0 < self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NextOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}
