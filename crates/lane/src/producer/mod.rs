mod chosen;
mod librdkafka;
mod native;
mod offset_sender;

use std::time::Instant;

use kafka::{ClientSettings, GroupMembership, NextOffset, SettingsError, TopicPartition};
use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;

use crate::consumer::LaneConsumer;
use crate::{
    LaneSettings, Layout, Outbox, OutputTopic, ProducerClient, RenewalReason, StepTimes, Stop,
};

pub(crate) use chosen::ChosenProducer;
pub(crate) use librdkafka::LibrdkafkaProducer;
pub(crate) use native::NativeProducer;

/// Everything a transactional producer is made from.
#[derive(Clone, Debug)]
pub(crate) struct ProducerSpec {
    pub(crate) client: ClientSettings,
    pub(crate) lane: LaneSettings,
    /// Unique among living producers and stable over restarts: the successor's first act is to end
    /// what its predecessor left open.
    pub(crate) transactional_id: String,
    /// What is written to; an outbox names them by their index.
    pub(crate) topics: Vec<OutputTopic>,
    /// No record is larger; the client's own limit has to be above it.
    pub(crate) record_bytes_max: usize,
    /// A batch is refused like a record, so several records together may not be larger than the
    /// topic that takes least.
    pub(crate) batch_bytes_max: usize,
}

impl ProducerSpec {
    pub(crate) fn new(
        client: &ClientSettings,
        lane: &LaneSettings,
        transactional_id: &str,
        topics: &[OutputTopic],
    ) -> Self {
        const BATCH_BYTES_MAX: usize = 1_000_000;
        let limits = || topics.iter().map(|topic| topic.record_bytes_max);
        Self {
            client: client.clone(),
            lane: lane.clone(),
            transactional_id: transactional_id.into(),
            topics: topics.to_vec(),
            record_bytes_max: limits().max().unwrap_or(0),
            batch_bytes_max: limits().min().unwrap_or(BATCH_BYTES_MAX).min(BATCH_BYTES_MAX),
        }
    }
}

/// The input that an outbox answers.
pub(crate) struct Input<'a> {
    pub(crate) offsets: &'a [(TopicPartition, NextOffset)],
    /// Who read it.
    pub(crate) member: &'a Member<'a>,
}

/// The member of a consumer group that a lane is.
///
/// It is asked for each transaction, after the last poll: a generation can move without any callback.
pub(crate) struct Member<'a> {
    consumer: &'a LaneConsumer,
    membership: GroupMembership,
}

impl<'a> Member<'a> {
    /// Which member it is now.
    pub(crate) fn now(consumer: &'a LaneConsumer) -> Self {
        Self { consumer, membership: GroupMembership::of(consumer).expect(HAS_GROUP) }
    }

    /// Which member it was when it was asked.
    pub(crate) const fn membership(&self) -> &GroupMembership {
        &self.membership
    }

    /// Whether it was one. Offsets without generation and member id would be taken by the broker from
    /// anybody, also for partitions that were given to somebody else meanwhile.
    pub(crate) fn is_in_group(&self) -> bool {
        self.membership.generation >= 0 && !self.membership.member_id.is_empty()
    }

    /// The same as librdkafka's own producer takes it.
    pub(crate) fn metadata(&self) -> ConsumerGroupMetadata {
        self.consumer.group_metadata().expect(HAS_GROUP)
    }
}

const HAS_GROUP: &str = "a consumer with a group has metadata";

/// Writes an outbox and next offsets in one transaction, or says by kind why not.
///
/// Nothing outside of an implementation depends on which one runs.
pub(crate) trait TransactionalProducer: Sized {
    /// A producer that has fenced its predecessors and ended what they left open. Waits for a broker
    /// as long as it takes; `None` when `stop` came first.
    fn connect(spec: &ProducerSpec, stop: &Stop) -> Result<Option<Self>, ConnectError>;

    /// How it takes records.
    fn layout(&self) -> Layout;

    /// All of it, visible together, or nothing. Bounded by the transaction's timeout. The outbox, laid out
    /// as [`TransactionalProducer::layout`] says, is to be cleared before it is written again.
    fn write(&mut self, outbox: &mut Outbox, input: Option<&Input<'_>>) -> Result<(), WriteError>;

    /// What each step of the last `write` took, as far as it came.
    fn times(&self) -> StepTimes;

    /// When it should write next at the earliest: what comes until then goes with it.
    fn ready_at(&self) -> Option<Instant> {
        None
    }

    /// Which client it is, for those who watch.
    fn client(&self) -> ProducerClient;
}

/// Why there is no producer and waiting would not help.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The client refuses its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The broker refuses the transactional id.
    #[error("transactional id `{transactional_id}` was refused; check the ACLs of the principal")]
    Refused {
        /// Which.
        transactional_id: String,
        /// What the client said.
        #[source]
        source: KafkaError,
    },
    /// The native producer cannot be.
    #[error(
        "there is no producer for transactional id `{transactional_id}`; check ACLs and security settings"
    )]
    Native {
        /// Which.
        transactional_id: String,
        /// What it said.
        #[source]
        source: native_producer::ConnectError,
    },
}

/// Why an outbox was not, or may not have been, written. One variant per decision the lane makes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Nothing was written and the transaction is ended: the batch may be taken again.
    #[error("the transaction was aborted")]
    Aborted(#[source] Cause),
    /// This producer must not be used again, and only the committed offsets say what became of the
    /// transaction.
    #[error("the outcome of the transaction is unknown")]
    Unsettled(#[source] Cause),
}

/// What lies under a [`WriteError`].
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A call failed.
    #[error("{phase} failed")]
    Call {
        /// Which step of the transaction.
        phase: &'static str,
        /// What the client said.
        #[source]
        source: KafkaError,
    },
    /// A call succeeded, but took so long that a copy of its request may still be on its way, to end
    /// a later transaction of the same epoch.
    #[error(
        "{phase} took {elapsed_ms} ms, longer than the {bound_ms} ms after which a request may be sent again"
    )]
    Slow {
        /// Which step of the transaction.
        phase: &'static str,
        /// How long it took.
        elapsed_ms: u128,
        /// What is allowed.
        bound_ms: u128,
    },
    /// A connection broke during the transaction, so a copy of a request may still be on its way.
    #[error("a connection broke during the transaction")]
    Disconnected,
    /// What the native producer says.
    #[error(transparent)]
    Native(native_producer::Cause),
    /// The lane was put out of its group; its next poll tells it which partitions it lost.
    #[error("the consumer is not in its group at the moment")]
    NotInGroup,
    /// The broker did not acknowledge every record in time.
    #[error("{0} records were not acknowledged in time")]
    NotDrained(u64),
}

impl Cause {
    /// The stable word for it.
    pub(crate) const fn reason(&self) -> RenewalReason {
        match self {
            Self::Call { .. } | Self::Native(_) | Self::NotInGroup => RenewalReason::Failed,
            Self::Slow { .. } => RenewalReason::Slow,
            Self::Disconnected => RenewalReason::Disconnected,
            Self::NotDrained(_) => RenewalReason::NotAcknowledged,
        }
    }
}
