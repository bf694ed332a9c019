//! Who finds out where partitions are and where to begin with them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    BrokerId, ListOffsetsRequest, MetadataRequest, OffsetForLeaderEpochRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use native_client::{Address, Brokers, CallError, Patience};
use tracing::{debug, warn};

use crate::Reset;
use crate::partition::Need;
use crate::shared::{Asked, Shared};
use crate::verdict::Request;
use crate::worker::Worker;

pub(crate) const METADATA: i16 = 12;
pub(crate) const LIST_OFFSETS: i16 = 7;
pub(crate) const OFFSET_FOR_LEADER_EPOCH: i16 = 4;
const READ_COMMITTED: i8 = 1;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

pub(crate) struct Pilot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) brokers: Brokers,
}

impl Pilot {
    /// Runs errands until it is over.
    pub(crate) fn run(&mut self) {
        let shared = Arc::clone(&self.shared);
        let wait_or_stop = |time| shared.wait_or_stop(time);
        let patience = Patience::endless(&wait_or_stop);
        while let Some(errands) = shared.next_errands() {
            for node in errands.nodes {
                start_worker(&shared, node);
            }
            let mut lost: Vec<Asked> = Vec::new();
            let mut by_leader: BTreeMap<(bool, i32), Vec<Asked>> = BTreeMap::new();
            for asked in errands.asked {
                match asked.need {
                    Need::Leader | Need::Records { .. } => lost.push(asked),
                    Need::Position { leader } => {
                        by_leader.entry((false, leader)).or_default().push(asked);
                    }
                    Need::Validation { leader } => {
                        by_leader.entry((true, leader)).or_default().push(asked);
                    }
                }
            }
            if !lost.is_empty() {
                let found = self.find_leaders(&lost, &patience);
                self.finish(&lost, found);
            }
            for ((is_validation, leader), asked) in by_leader {
                let answered = if is_validation {
                    self.validate(leader, &asked, &patience)
                } else {
                    self.place(leader, &asked, &patience)
                };
                self.finish(&asked, answered);
            }
        }
    }

    /// Partitions of a request without an answer get one later, perhaps from another leader.
    fn finish(&self, asked: &[Asked], answered: Result<(), CallError>) {
        if let Err(error) = answered
            && !matches!(error, CallError::Over(_))
        {
            debug!(
                error = native_client::chain(&error),
                "no answer about partitions; asking again"
            );
            let now = Instant::now();
            for one in asked {
                self.shared.with(one, |partition| partition.lost(now));
            }
        }
        self.shared.done(asked);
    }

    fn find_leaders(&mut self, asked: &[Asked], patience: &Patience<'_>) -> Result<(), CallError> {
        let topics = asked.chunk_by(|a, b| a.key.topic == b.key.topic);
        let topics =
            topics.map(|run| MetadataRequestTopic::default().with_name(Some(name(&run[0]))));
        let request = MetadataRequest::default()
            .with_topics(Some(topics.collect()))
            .with_allow_auto_topic_creation(false);
        let answer = self.brokers.ask_any(METADATA, &request, patience)?;
        for broker in &answer.brokers {
            let (node, host) = (broker.node_id.0, broker.host.to_string());
            self.brokers.know(node, &host, broker.port);
            if let Ok(port) = u16::try_from(broker.port) {
                self.shared.know(node, Address { host, port });
            }
        }
        let now = Instant::now();
        let missing = kafka_protocol::ResponseError::UnknownTopicOrPartition.code();
        for one in asked {
            let of_topic = answer
                .topics
                .iter()
                .find(|topic| topic.name.as_ref().is_some_and(|name| ***name == *one.key.topic));
            let found = of_topic.and_then(|topic| {
                let mut partitions = topic.partitions.iter();
                partitions.find(|partition| partition.partition_index == one.key.partition)
            });
            let code = match (of_topic, found) {
                (Some(topic), _) if topic.error_code != 0 => topic.error_code,
                // An error with a leader is of a replica that is missing.
                (_, Some(partition)) if partition.leader_id.0 >= 0 => 0,
                (_, Some(partition)) if partition.error_code != 0 => partition.error_code,
                (_, Some(_)) => kafka_protocol::ResponseError::LeaderNotAvailable.code(),
                (_, None) => missing,
            };
            self.shared.with(one, |partition| match found {
                Some(found) if code == 0 => {
                    partition.led_by(found.leader_id.0, found.leader_epoch);
                }
                Some(_) | None => {
                    partition.answered(&one.key.to_string(), Request::Metadata, code, now);
                }
            });
        }
        Ok(())
    }

    /// Asks where partitions begin or end that have no position.
    fn place(
        &mut self,
        leader: i32,
        asked: &[Asked],
        patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        let timestamp = match self.shared.settings.reset {
            Reset::Earliest => EARLIEST,
            Reset::Latest => LATEST,
        };
        let topics = asked.chunk_by(|a, b| a.key.topic == b.key.topic).map(|run| {
            let partitions = run.iter().map(|one| {
                ListOffsetsPartition::default()
                    .with_partition_index(one.key.partition)
                    .with_current_leader_epoch(one.leader_epoch)
                    .with_timestamp(timestamp)
            });
            ListOffsetsTopic::default()
                .with_name(name(&run[0]))
                .with_partitions(partitions.collect())
        });
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(READ_COMMITTED)
            .with_topics(topics.collect());
        let answer = self.brokers.ask(leader, LIST_OFFSETS, &request, patience)?;
        for one in asked {
            let topics = answer.topics.iter().filter(|topic| **topic.name == *one.key.topic);
            let found = topics
                .flat_map(|topic| &topic.partitions)
                .find(|found| found.partition_index == one.key.partition)
                .map(|found| (found.error_code, found.offset));
            self.answered(one, Request::ListOffsets, found, |partition, offset| {
                partition.placed(offset);
            });
        }
        Ok(())
    }

    /// Asks new leaders how much they have of the time of which the last record was read.
    fn validate(
        &mut self,
        leader: i32,
        asked: &[Asked],
        patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        let topics = asked.chunk_by(|a, b| a.key.topic == b.key.topic).map(|run| {
            let partitions = run.iter().map(|one| {
                OffsetForLeaderPartition::default()
                    .with_partition(one.key.partition)
                    .with_current_leader_epoch(one.leader_epoch)
                    .with_leader_epoch(one.last_epoch)
            });
            OffsetForLeaderTopic::default()
                .with_topic(name(&run[0]))
                .with_partitions(partitions.collect())
        });
        let request = OffsetForLeaderEpochRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(topics.collect());
        let answer = self.brokers.ask(leader, OFFSET_FOR_LEADER_EPOCH, &request, patience)?;
        for one in asked {
            let topics = answer.topics.iter().filter(|topic| **topic.topic == *one.key.topic);
            let found = topics
                .flat_map(|topic| &topic.partitions)
                .find(|found| found.partition == one.key.partition)
                .map(|found| (found.error_code, (found.leader_epoch, found.end_offset)));
            self.answered(one, Request::OffsetForLeaderEpoch, found, |partition, (epoch, end)| {
                partition.validated(&one.key.to_string(), epoch, end);
            });
        }
        Ok(())
    }

    fn answered<T>(
        &self,
        asked: &Asked,
        request: Request,
        found: Option<(i16, T)>,
        take: impl FnOnce(&mut crate::partition::Partition, T),
    ) {
        let now = Instant::now();
        self.shared.with(asked, |partition| match found {
            Some((0, found)) => take(partition, found),
            Some((code, _)) => partition.answered(&asked.key.to_string(), request, code, now),
            None => partition.lost(now),
        });
    }
}

fn name(asked: &Asked) -> TopicName {
    TopicName(StrBytes::from_string(asked.key.topic.to_string()))
}

fn start_worker(shared: &Arc<Shared>, node: i32) {
    let worker = Worker { shared: Arc::clone(shared), node };
    let name = format!("fetch-{node}");
    let lane = tracing::Span::current();
    let run = move || lane.in_scope(|| worker.run());
    if let Err(error) = thread::Builder::new().name(name).spawn(run) {
        // Nothing would ever be fetched from there, and nobody would know.
        warn!(node, %error, "a thread could not be started");
        shared.wait_or_stop(Duration::from_secs(1));
        shared.forget_worker(node);
    }
}
