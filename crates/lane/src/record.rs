use kafka::{MessageHeaders, Offset, TopicPartition};
use rdkafka::Message;
use rdkafka::message::BorrowedMessage;

/// One record as it was read, borrowed from the client.
#[derive(Clone)]
pub struct Record<'a> {
    /// The topic it came from.
    pub topic: &'a str,
    /// The partition it came from.
    pub partition: i32,
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, in milliseconds since the epoch; 0 where it has none.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a null.
    pub value: Option<&'a [u8]>,
    headers: HeaderSource<'a>,
}

#[derive(Clone)]
enum HeaderSource<'a> {
    Message(&'a BorrowedMessage<'a>),
    List(&'a [(&'a str, Option<&'a [u8]>)]),
}

impl<'a> Record<'a> {
    /// A record at `offset` of `partition` of `topic`, of nothing but its position; for tests of handlers.
    pub fn at(topic: &'a str, partition: i32, offset: Offset) -> Self {
        let headers = HeaderSource::List(&[]);
        Self { topic, partition, offset, timestamp_ms: 0, key: None, value: None, headers }
    }

    /// The same record with these headers.
    pub fn with_headers(self, headers: &'a [(&'a str, Option<&'a [u8]>)]) -> Self {
        Self { headers: HeaderSource::List(headers), ..self }
    }

    pub(crate) fn of(message: &'a BorrowedMessage<'a>) -> Self {
        Self {
            topic: message.topic(),
            partition: message.partition(),
            offset: Offset::new(message.offset()),
            timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
            key: message.key(),
            value: message.payload(),
            headers: HeaderSource::Message(message),
        }
    }

    /// Its headers, in order; those whose name is not UTF-8 are left out.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let (list, message) = match self.headers {
            HeaderSource::List(list) => (list, None),
            HeaderSource::Message(message) => (&[][..], Some(MessageHeaders::of(message))),
        };
        list.iter().copied().chain(message.into_iter().flatten())
    }

    /// The partition it came from.
    pub fn topic_partition(&self) -> TopicPartition {
        TopicPartition::new(self.topic, self.partition)
    }
}

/// Records in the order they were read; within a partition that is the order of their offsets.
#[derive(Clone, Copy)]
pub struct Batch<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Messages(&'a [BorrowedMessage<'a>]),
    Records(&'a [Record<'a>]),
}

impl<'a> Batch<'a> {
    /// A batch of records made by hand; for tests of handlers.
    pub fn of(records: &'a [Record<'a>]) -> Self {
        Self(Source::Records(records))
    }

    pub(crate) fn read(messages: &'a [BorrowedMessage<'a>]) -> Self {
        Self(Source::Messages(messages))
    }

    /// The records.
    pub fn records(self) -> impl Iterator<Item = Record<'a>> {
        let (messages, records) = match self.0 {
            Source::Messages(messages) => (messages, &[][..]),
            Source::Records(records) => (&[][..], records),
        };
        messages.iter().map(Record::of).chain(records.iter().cloned())
    }

    /// How many there are.
    pub fn len(self) -> usize {
        match self.0 {
            Source::Messages(messages) => messages.len(),
            Source::Records(records) => records.len(),
        }
    }

    /// Whether there are none: a handler that only ticks.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}
