use kafka::{Offset, ReadRecord, TopicPartition};
use native_consumer::{Fetched, Parked};

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
    Read(&'a ReadRecord<'a>),
    Fetched(native_consumer::Headers<'a>),
    List(&'a [(&'a str, Option<&'a [u8]>)]),
}

/// The headers of one record, read for this value and gone with it.
pub struct Headers<'a>(Kept<'a>);

enum Kept<'a> {
    Read(kafka::Headers<'a>),
    Fetched(native_consumer::Headers<'a>),
    List(&'a [(&'a str, Option<&'a [u8]>)]),
}

/// A batch as it was written that was passed over, because its records cannot be had: it unpacks to
/// more than a lane takes, or to no records.
#[derive(Clone)]
pub struct ParkedBatch<'a> {
    /// In place of its records: the bytes as read, still compressed, at the offset of the first.
    pub record: Record<'a>,
    /// The offset of the last.
    pub last: Offset,
    /// What is wrong, as one line for a person.
    pub detail: String,
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

    pub(crate) fn of(read: &'a ReadRecord<'a>) -> Self {
        Self {
            topic: read.topic(),
            partition: read.partition(),
            offset: read.offset(),
            timestamp_ms: read.timestamp_ms(),
            key: read.key(),
            value: read.value(),
            headers: HeaderSource::Read(read),
        }
    }

    fn fetched(topic: &'a str, partition: i32, record: &native_consumer::Record<'a>) -> Self {
        Self {
            topic,
            partition,
            offset: Offset::new(record.offset),
            timestamp_ms: record.timestamp_ms.max(0),
            key: record.key,
            value: record.value,
            headers: HeaderSource::Fetched(record.headers()),
        }
    }

    /// Its headers. librdkafka allocates for each, so whoever needs them twice keeps them.
    pub fn headers(&self) -> Headers<'a> {
        Headers(match &self.headers {
            HeaderSource::Read(read) => Kept::Read(read.headers()),
            HeaderSource::Fetched(headers) => Kept::Fetched(headers.clone()),
            HeaderSource::List(list) => Kept::List(list),
        })
    }

    /// The partition it came from.
    pub fn topic_partition(&self) -> TopicPartition {
        TopicPartition::new(self.topic, self.partition)
    }
}

impl Headers<'_> {
    /// The names and values, in order; those whose name is not UTF-8 are left out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let (list, read, fetched) = match &self.0 {
            Kept::List(list) => (*list, None, None),
            Kept::Read(headers) => (&[][..], Some(headers.iter()), None),
            Kept::Fetched(headers) => (&[][..], None, Some(headers.clone())),
        };
        let list = list.iter().copied();
        list.chain(read.into_iter().flatten()).chain(fetched.into_iter().flatten())
    }
}

/// Records in the order they were read; within a partition that is the order of their offsets.
#[derive(Clone, Copy)]
pub struct Batch<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Read(&'a [ReadRecord<'a>]),
    Fetched(&'a [Fetched], &'a [Parked]),
    Records(&'a [Record<'a>]),
}

impl<'a> Batch<'a> {
    /// A batch of records made by hand; for tests of handlers.
    pub fn of(records: &'a [Record<'a>]) -> Self {
        Self(Source::Records(records))
    }

    pub(crate) fn read(records: &'a [ReadRecord<'a>]) -> Self {
        Self(Source::Read(records))
    }

    pub(crate) fn fetched(fetched: &'a [Fetched], parked: &'a [Parked]) -> Self {
        Self(Source::Fetched(fetched, parked))
    }

    /// The records.
    pub fn records(self) -> impl Iterator<Item = Record<'a>> {
        let (read, fetched, records) = match self.0 {
            Source::Read(read) => (read, &[][..], &[][..]),
            Source::Fetched(fetched, _) => (&[][..], fetched, &[][..]),
            Source::Records(records) => (&[][..], &[][..], records),
        };
        let fetched = fetched.iter().flat_map(|run| {
            let record = |record| Record::fetched(&run.topic, run.partition, &record);
            run.records().map(record)
        });
        read.iter().map(Record::of).chain(fetched).chain(records.iter().cloned())
    }

    /// What was passed over among them: a handler answers it as it answers a record. Their offsets are
    /// committed with those of the records.
    pub fn parked(self) -> impl Iterator<Item = ParkedBatch<'a>> {
        let parked = match self.0 {
            Source::Read(_) | Source::Records(_) => &[][..],
            Source::Fetched(_, parked) => parked,
        };
        parked.iter().map(ParkedBatch::of)
    }

    /// How many records there are.
    pub fn len(self) -> usize {
        match self.0 {
            Source::Read(read) => read.len(),
            Source::Fetched(fetched, _) => fetched.iter().map(Fetched::len).sum(),
            Source::Records(records) => records.len(),
        }
    }

    /// Whether there are none: a handler that only ticks, or only has to answer what was passed over.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl<'a> ParkedBatch<'a> {
    fn of(parked: &'a Parked) -> Self {
        let mut record =
            Record::at(&parked.topic, parked.partition, Offset::new(parked.base_offset));
        record.timestamp_ms = parked.timestamp_ms.max(0);
        record.value = Some(&parked.bytes);
        let (first, last) = (parked.base_offset, parked.last_offset);
        let detail = format!("offsets {first} to {last} were passed over: {}", parked.reason);
        Self { record, last: Offset::new(last), detail }
    }
}
