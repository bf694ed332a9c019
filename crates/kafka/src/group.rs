use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::context::asking;
use crate::{
    AdminError, ClientSettings, NextOffset, QuietContext, ReadEvent, Reader, SettingsError,
    TopicPartition,
};

/// How long one question to the cluster may take.
const QUESTION: Duration = Duration::from_secs(15);
/// How long the first waiting records of a topic may take to come.
const FIRST_RECORDS: Duration = Duration::from_secs(10);
/// One record is wanted of each partition, not many.
const SMALL: [(&str, &str); 3] = [
    ("fetch.message.max.bytes", "65536"),
    ("queued.max.messages.kbytes", "1024"),
    ("queued.min.messages", "1"),
];

/// How far a consumer group has come, as an onlooker sees it who is no member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupProgress {
    /// Its members now; `None` where the cluster knows no such group.
    pub members: Option<usize>,
    /// Each partition asked for.
    pub partitions: BTreeMap<TopicPartition, PartitionProgress>,
}

/// How far a group has come in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    /// What it has committed; `None` where nothing yet.
    pub committed: Option<NextOffset>,
    /// The last stable offset: as far as the group can read.
    pub end: NextOffset,
    /// Offsets not committed yet. Markers of transactions between the records count, those behind
    /// the last record do not.
    pub waiting: u64,
    /// When the first record that waits was written, in milliseconds since the epoch; `None` where
    /// none does, or it could not be read in time.
    pub first_waiting_ms: Option<i64>,
}

/// How far `group` has come in every partition of `topics`, each with its number of partitions. A
/// partition without a commit counts from its oldest record, as for a group that starts there.
///
/// # Errors
/// [`AdminError::Request`] where no broker answers in time.
pub fn group_progress(
    settings: &ClientSettings,
    group: &str,
    topics: &BTreeMap<String, i32>,
) -> Result<GroupProgress, AdminError> {
    let onlooker = GroupOnlooker::of(settings, group)?;
    let members = onlooker.members().map_err(AdminError::Request)?;
    let committed = onlooker.committed(topics)?;
    let mut partitions = BTreeMap::new();
    for (topic, count) in topics {
        let reader = Reader::open(settings, topic, &[]).map_err(of_settings)?;
        let mut of_topic = BTreeMap::new();
        for partition in 0..*count {
            let key = TopicPartition::new(topic.as_str(), partition);
            let (low, end) = reader.bounds(partition, QUESTION).map_err(AdminError::Request)?;
            let committed = committed.get(&key).copied();
            let from = committed.map_or(low, NextOffset::get).max(low);
            let waiting = u64::try_from(end - from).unwrap_or(0);
            let end = NextOffset::from_committed(end);
            of_topic.insert(
                partition,
                PartitionProgress { committed, end, waiting, first_waiting_ms: None },
            );
        }
        find_first_waiting(settings, topic, &mut of_topic)?;
        let keyed = of_topic.into_iter().map(|(partition, progress)| {
            (TopicPartition::new(topic.as_str(), partition), progress)
        });
        partitions.extend(keyed);
    }
    Ok(GroupProgress { members, partitions })
}

/// Sees what a consumer group has committed, again and again. It belongs to the group by name only: it
/// never subscribes, so it never joins.
pub struct GroupOnlooker {
    consumer: BaseConsumer<QuietContext>,
    group: String,
}

impl GroupOnlooker {
    /// An onlooker of `group`, which need not be there yet.
    ///
    /// # Errors
    /// [`SettingsError`] where the client refuses the settings.
    pub fn of(settings: &ClientSettings, group: &str) -> Result<Self, SettingsError> {
        let mut config = settings.consumer_config(group, "bindery-lag");
        // Under read_committed the question waits for transactions that are about to commit an offset.
        config.set("isolation.level", "read_uncommitted");
        let consumer = asking(&config, QuietContext::new(settings), settings)?;
        Ok(Self { consumer, group: group.to_owned() })
    }

    /// What the group has committed in `topics`, each with its number of partitions; partitions
    /// without a commit are left out.
    ///
    /// # Errors
    /// [`AdminError::Request`] where no broker answers in time.
    pub fn committed(
        &self,
        topics: &BTreeMap<String, i32>,
    ) -> Result<BTreeMap<TopicPartition, NextOffset>, AdminError> {
        let mut wanted = TopicPartitionList::new();
        for (topic, count) in topics {
            for partition in 0..*count {
                wanted.add_partition(topic, partition);
            }
        }
        let offsets = self.consumer.committed_offsets(wanted, QUESTION);
        let offsets = offsets.map_err(AdminError::Request)?;
        let known = offsets.elements().into_iter().filter_map(|element| {
            let offset = element.offset().to_raw().filter(|offset| *offset >= 0)?;
            let partition = TopicPartition::new(element.topic(), element.partition());
            Some((partition, NextOffset::from_committed(offset)))
        });
        Ok(known.collect())
    }

    fn members(&self) -> Result<Option<usize>, KafkaError> {
        let groups = self.consumer.fetch_group_list(Some(&self.group), QUESTION)?;
        let found = groups.groups().iter().find(|found| found.name() == self.group);
        // A group that nobody knows is described as a dead one.
        let alive = found.filter(|found| !matches!(found.state(), "" | "Dead"));
        Ok(alive.map(|found| found.members().len()))
    }
}

/// Reads the first record that waits in each partition. Where there are only markers of transactions,
/// nothing waits.
fn find_first_waiting(
    settings: &ClientSettings,
    topic: &str,
    partitions: &mut BTreeMap<i32, PartitionProgress>,
) -> Result<(), AdminError> {
    let waiting = partitions.iter().filter(|(_, progress)| progress.waiting > 0);
    let positions: Vec<(i32, NextOffset)> = waiting
        .map(|(partition, progress)| {
            let waiting = i64::try_from(progress.waiting).unwrap_or(i64::MAX);
            (*partition, NextOffset::from_committed(progress.end.get().saturating_sub(waiting)))
        })
        .collect();
    let mut unread: BTreeSet<i32> = positions.iter().map(|(partition, _)| *partition).collect();
    if unread.is_empty() {
        return Ok(());
    }
    let reader = Reader::open_with(settings, topic, &positions, &SMALL).map_err(of_settings)?;
    let started = Instant::now();
    while !unread.is_empty() && started.elapsed() < FIRST_RECORDS {
        match reader.poll(Duration::from_millis(100)) {
            Ok(Some(ReadEvent::Record(record))) => {
                if unread.remove(&record.partition())
                    && let Some(progress) = partitions.get_mut(&record.partition())
                {
                    progress.first_waiting_ms = Some(record.timestamp_ms());
                }
            }
            Ok(Some(ReadEvent::End(partition))) => {
                if unread.remove(&partition)
                    && let Some(progress) = partitions.get_mut(&partition)
                {
                    progress.waiting = 0;
                }
            }
            Ok(None) => {}
            // It was deleted meanwhile; what is known of it stands.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

fn of_settings(error: crate::ReadError) -> AdminError {
    match error {
        crate::ReadError::Settings(error) => AdminError::Settings(error),
        crate::ReadError::Failed { source, .. } => AdminError::Request(source),
        // Neither is an answer to opening a reader.
        crate::ReadError::UnknownTopic(_) | crate::ReadError::TimedOut { .. } => {
            AdminError::Request(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopic))
        }
    }
}
