//! Which groups read which topics, and how far each has come.

use std::collections::BTreeMap;

use domain::Timestamp;
use kafka::{GroupProgress, TopicPartition};
use service::Failure;

use crate::config::Config;

/// One kind of lane: a consumer group and what it reads.
pub(super) struct Lane {
    /// `rt`, `batch`, `announce`, `collect`, `fold`.
    pub(super) name: &'static str,
    /// Its consumer group.
    pub(super) group: String,
    /// The members of the group; `None` where there has never been one.
    pub(super) members: Option<usize>,
    /// Every partition it reads.
    pub(super) partitions: Vec<Behind>,
}

/// How far a lane is behind in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    /// Which.
    pub(super) partition: TopicPartition,
    /// Whether the group has committed anything there.
    pub(super) has_begun: bool,
    /// Records that wait, as offsets: markers of transactions between them count.
    pub(super) records: u64,
    /// The age of the first record that waits, in milliseconds; `None` where none does, or where it
    /// could not be read.
    pub(super) age_ms: Option<i64>,
}

impl Lane {
    /// What waits in all partitions.
    pub(super) fn records(&self) -> u64 {
        self.partitions.iter().map(|behind| behind.records).sum()
    }

    /// The age of the oldest record that waits, in milliseconds.
    pub(super) fn age_ms(&self) -> Option<i64> {
        self.partitions.iter().filter_map(|behind| behind.age_ms).max()
    }

    /// The partition that is farthest behind: in time, and among equals in records.
    pub(super) fn worst(&self) -> Option<&Behind> {
        let waiting = self.partitions.iter().filter(|behind| behind.records > 0);
        waiting.max_by_key(|behind| (behind.age_ms, behind.records))
    }
}

/// All kinds of lanes, in the order an event passes them.
///
/// # Errors
/// 69 where no broker answers.
pub(super) fn all(config: &Config, now: Timestamp) -> Result<Vec<Lane>, Failure> {
    let topics = &config.topics;
    let present = kafka::partition_counts(&config.kafka)?;
    let counted = |names: &[&str]| -> BTreeMap<String, i32> {
        let named = present.iter().filter(|(topic, _)| names.contains(&topic.as_str()));
        named.map(|(topic, count)| (topic.clone(), *count)).collect()
    };
    let (rt, batch) = (topics.rt_event.name.as_str(), topics.batch_event.name.as_str());
    let log = topics.delivery_log.name.as_str();
    let logs: Vec<&str> =
        present.keys().map(String::as_str).filter(|name| is_log(name, log)).collect();
    let sync = |kind: &str| format!("{}-{kind}", config.groups.status_sync);
    let kinds = [
        ("rt", config.groups.rt.clone(), counted(&[rt])),
        ("batch", config.groups.batch.clone(), counted(&[batch])),
        ("announce", sync("announce"), counted(&[rt, batch])),
        ("collect", sync("collect"), counted(&logs)),
        ("fold", sync("fold"), counted(&[topics.event_journal.name.as_str()])),
    ];
    let measure = |(name, group, inputs): (&'static str, String, BTreeMap<String, i32>)| {
        let progress = kafka::group_progress(&config.kafka, &group, &inputs)?;
        Ok(lane(name, group, progress, now))
    };
    kinds.into_iter().map(measure).collect()
}

/// Whether a topic is that of delivery logs, or one of a provider's own.
fn is_log(topic: &str, log: &str) -> bool {
    let rest = topic.strip_prefix(log);
    rest.is_some_and(|rest| rest.is_empty() || (rest.len() > 1 && rest.starts_with('.')))
}

fn lane(name: &'static str, group: String, progress: GroupProgress, now: Timestamp) -> Lane {
    let partitions = progress.partitions.into_iter().map(|(partition, progress)| Behind {
        partition,
        has_begun: progress.committed.is_some(),
        records: progress.waiting,
        age_ms: progress.first_waiting_ms.map(|first| now.as_millis().saturating_sub(first).max(0)),
    });
    Lane { name, group, members: progress.members, partitions: partitions.collect() }
}
