//! Where a lane's records come from, and those it has and has not answered.

mod librdkafka;
mod native;

use std::collections::HashMap;
use std::time::Duration;

use kafka::{NextOffset, TopicPartition};
use rdkafka::error::KafkaError;
use tracing::{info, warn};

use self::librdkafka::LibrdkafkaIntake;
use self::native::NativeIntake;
use crate::consumer::LaneConsumer;
use crate::lag::PartitionStatistics;
use crate::{Batch, LaneSettings, ProducerClient, Stop, Subscription};

/// How a lane reads.
///
/// The group is the consumer's in either case: it says in [`Intake::serve`] which partitions are the
/// lane's. What differs is who fetches them.
pub(crate) enum Intake<'c> {
    /// The consumer itself.
    Librdkafka(LibrdkafkaIntake<'c>),
    /// A fetcher of our own; for the consumer all partitions rest.
    Native(Box<NativeIntake<'c>>),
}

/// A fetcher that waits for its consumer, if there is to be one.
pub(crate) struct Fetcher(Option<native_consumer::Fetcher>);

/// What there is of one partition in the batch.
pub(crate) struct BatchOffset {
    pub(crate) partition: TopicPartition,
    /// One past its last record.
    pub(crate) next: NextOffset,
    /// That record's timestamp, in milliseconds since the epoch.
    pub(crate) last_ms: i64,
    pub(crate) n_records: u64,
}

impl Fetcher {
    /// The fetcher that the settings ask for, as far as the brokers allow; `None` when `stop` came
    /// first.
    pub(crate) fn connect(
        client: &kafka::ClientSettings,
        lane: &LaneSettings,
        subscription: &Subscription,
        client_id: &str,
        stop: &Stop,
    ) -> Option<Self> {
        if lane.client == ProducerClient::Native {
            match native::connect(client, lane, subscription, client_id, stop) {
                Ok(fetcher) => {
                    let fetcher = fetcher?;
                    info!(client = "native", "fetching");
                    return Some(Self(Some(fetcher)));
                }
                Err(reason) => {
                    warn!(reason, "the native fetcher is not for here; librdkafka fetches");
                }
            }
        }
        Some(Self(None))
    }

    /// Whether the consumer is not to fetch.
    pub(crate) const fn is_native(&self) -> bool {
        self.0.is_some()
    }
}

impl<'c> Intake<'c> {
    /// Of what `consumer` is assigned.
    pub(crate) fn new(fetcher: Fetcher, consumer: &'c LaneConsumer) -> Self {
        match fetcher.0 {
            Some(fetcher) => Self::Native(Box::new(NativeIntake::new(fetcher, consumer))),
            None => Self::Librdkafka(LibrdkafkaIntake::new(consumer)),
        }
    }

    /// Whether a partition has to be [started](Intake::start) at a known position.
    pub(crate) const fn needs_positions(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Serves the group, and waits up to `timeout` for something to gather. Rebalances are noted now,
    /// and only now.
    pub(crate) fn serve(&mut self, timeout: Duration) -> Result<(), KafkaError> {
        match self {
            Self::Librdkafka(intake) => intake.serve(timeout),
            Self::Native(intake) => intake.serve(timeout),
        }
    }

    /// Adds to the batch what is there, up to what makes it full; says whether anything was.
    pub(crate) fn gather(&mut self, settings: &LaneSettings) -> bool {
        match self {
            Self::Librdkafka(intake) => intake.gather(),
            Self::Native(intake) => intake.gather(settings),
        }
    }

    /// From now on the records of this partition come, those from the group's position on.
    pub(crate) fn start(
        &mut self,
        partition: &TopicPartition,
        position: Option<NextOffset>,
    ) -> Result<(), KafkaError> {
        match self {
            Self::Librdkafka(intake) => intake.start(partition),
            Self::Native(intake) => {
                intake.start(partition, position);
                Ok(())
            }
        }
    }

    /// Nothing comes of these partitions until [`Intake::wake`].
    pub(crate) fn rest(&mut self, running: &[TopicPartition]) {
        match self {
            Self::Librdkafka(intake) => intake.rest(running),
            Self::Native(intake) => intake.rest(),
        }
    }

    /// Their records come again.
    pub(crate) fn wake(&mut self, running: &[TopicPartition]) {
        match self {
            Self::Librdkafka(intake) => intake.wake(running),
            Self::Native(intake) => intake.wake(),
        }
    }

    /// These are not the lane's any more: neither what is in the batch of them nor what was to come.
    pub(crate) fn revoke(&mut self, partitions: &[TopicPartition]) {
        match self {
            Self::Librdkafka(intake) => intake.retain(|at, _| !partitions.contains(at)),
            Self::Native(intake) => intake.revoke(partitions),
        }
    }

    /// Drops from the batch what comes before these positions.
    pub(crate) fn drop_before(&mut self, positions: &[(TopicPartition, Option<NextOffset>)]) {
        match self {
            Self::Librdkafka(intake) => intake.retain(|at, offset| {
                !positions.iter().any(|(of, position)| {
                    of == at && position.is_some_and(|position| position.is_past(offset))
                })
            }),
            Self::Native(intake) => {
                for (partition, position) in positions {
                    if let Some(position) = position {
                        intake.drop_before(partition, *position);
                    }
                }
            }
        }
    }

    /// The batch is answered.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Librdkafka(intake) => intake.clear(),
            Self::Native(intake) => intake.clear(),
        }
    }

    /// The batch: read and not committed. It stays after an abort.
    pub(crate) fn batch(&self) -> Batch<'_> {
        match self {
            Self::Librdkafka(intake) => intake.batch(),
            Self::Native(intake) => intake.batch(),
        }
    }

    /// How many records are in the batch; one that was passed over as a whole counts as one.
    pub(crate) fn n_records(&self) -> usize {
        match self {
            Self::Librdkafka(intake) => intake.n_records(),
            Self::Native(intake) => intake.n_records(),
        }
    }

    /// Bytes of their keys and values.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Librdkafka(intake) => intake.bytes(),
            Self::Native(intake) => intake.bytes(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n_records() == 0
    }

    /// What there is of each partition in the batch.
    pub(crate) fn next_offsets(&self) -> Vec<BatchOffset> {
        match self {
            Self::Librdkafka(intake) => intake.next_offsets(),
            Self::Native(intake) => intake.next_offsets(),
        }
    }

    /// Calls `each` with the timestamp of every record, in milliseconds since the epoch; 0 or less where it
    /// has none.
    pub(crate) fn timestamps(&self, each: impl FnMut(i64)) {
        match self {
            Self::Librdkafka(intake) => intake.timestamps(each),
            Self::Native(intake) => intake.timestamps(each),
        }
    }

    /// How far the partitions are fetched and how far they go, about once a second.
    pub(crate) fn take_statistics(
        &mut self,
    ) -> Option<HashMap<TopicPartition, PartitionStatistics>> {
        match self {
            Self::Librdkafka(intake) => intake.take_statistics(),
            Self::Native(intake) => intake.take_statistics(),
        }
    }
}

/// Counts one more record of a partition. Those of one come in runs, so the search nearly always ends
/// at once.
fn note_offset(
    offsets: &mut Vec<BatchOffset>,
    (topic, partition): (&str, i32),
    next: NextOffset,
    last_ms: i64,
    n_records: u64,
) {
    let is_of = |offset: &&mut BatchOffset| {
        offset.partition.partition == partition && *offset.partition.topic == *topic
    };
    match offsets.iter_mut().rev().find(is_of) {
        Some(offset) => {
            (offset.next, offset.last_ms) = (next, last_ms);
            offset.n_records += n_records;
        }
        None => {
            let partition = TopicPartition::new(topic, partition);
            offsets.push(BatchOffset { partition, next, last_ms, n_records });
        }
    }
}
