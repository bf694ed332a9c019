//! The state of the broker: topics, transactions, groups, and the journal that outlives them.
//!
//! One thread owns it. Nothing waits while it is borrowed, so every request sees and leaves a
//! consistent whole; a commit's markers and offsets appear at once.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kafka_protocol::ResponseError;
use uuid::Uuid;

use crate::group::Groups;
use crate::journal::{Entry, Journal};
use crate::log::Partition;
use crate::log::batch::Marker;
use crate::topic_config::TopicConfig;
use crate::transactions::{Producer, State, Transactions};

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    pub(crate) partitions: Vec<Partition>,
}

/// Producer ids are reserved in blocks, so that few of them need a line in the journal.
const PRODUCER_ID_BLOCK: i64 = 1000;

/// Everything the broker knows.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) cluster_id: String,
    directory: PathBuf,
    journal: Journal,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) topic_names: HashMap<Uuid, String>,
    next_producer_id: i64,
    reserved_producer_ids: i64,
    pub(crate) transactions: Transactions,
    pub(crate) groups: Groups,
    pub(crate) group_timing: GroupTiming,
    /// The finalised level of the feature `transaction.version`.
    pub(crate) transaction_version: i16,
}

/// The times of KIP-848, which the broker sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupTiming {
    pub(crate) heartbeat_interval: std::time::Duration,
    pub(crate) session_timeout: std::time::Duration,
}

/// Logs what the disk said and finds the word for it.
#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
pub(crate) fn storage(error: io::Error) -> ResponseError {
    tracing::error!(%error, "the broker's storage failed");
    ResponseError::KafkaStorageError
}

/// The code of an outcome.
pub(crate) fn code<T>(outcome: &Result<T, ResponseError>) -> i16 {
    outcome.as_ref().err().map_or(0, ResponseError::code)
}

impl Node {
    /// Opens a data directory, ending what a crash interrupted.
    pub(crate) fn open(
        directory: &Path,
        address: SocketAddr,
        group_timing: GroupTiming,
        transaction_version: i16,
        now_ms: i64,
    ) -> io::Result<Node> {
        std::fs::create_dir_all(directory)?;
        let (journal, entries) = Journal::open(directory)?;
        let mut node = Node {
            address,
            cluster_id: String::new(),
            directory: directory.to_owned(),
            journal,
            topics: BTreeMap::new(),
            topic_names: HashMap::new(),
            next_producer_id: 0,
            reserved_producer_ids: 0,
            transactions: Transactions::default(),
            groups: Groups::default(),
            group_timing,
            transaction_version,
        };
        node.replay(entries)?;
        node.next_producer_id = node.reserved_producer_ids;
        if node.cluster_id.is_empty() {
            node.cluster_id = Uuid::new_v4().simple().to_string();
            let id = node.cluster_id.clone();
            node.record(&[Entry::Cluster { id }])?;
        }
        node.finish_interrupted(now_ms)?;
        Ok(node)
    }

    fn replay(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let mut log_starts: HashMap<(String, i32), i64> = HashMap::new();
        let mut counts: BTreeMap<String, i32> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Cluster { id } => self.cluster_id = id,
                Entry::Topic { name, id, partitions, config } => {
                    let config = TopicConfig::new(config).map_err(io::Error::other)?;
                    counts.insert(name.clone(), partitions);
                    self.topic_names.insert(id, name.clone());
                    self.topics.insert(name, Topic { id, config, partitions: Vec::new() });
                }
                Entry::Config { name, config } => {
                    let config = TopicConfig::new(config).map_err(io::Error::other)?;
                    if let Some(topic) = self.topics.get_mut(&name) {
                        topic.config = config;
                    }
                }
                Entry::Partitions { name, count } => {
                    counts.insert(name, count);
                }
                Entry::Deleted { name } => {
                    counts.remove(&name);
                    log_starts.retain(|(topic, _), _| *topic != name);
                    self.forget_topic(&name);
                }
                Entry::LogStart { topic, partition, offset } => {
                    log_starts.insert((topic, partition), offset);
                }
                Entry::ProducerIds { next } => self.reserved_producer_ids = next,
                Entry::Transaction { id, now } => self.replay_transaction(id, now),
                Entry::Offset { group, topic, partition, offset } => {
                    let group = self.groups.get_or_create(&group);
                    group.offsets.commit((topic, partition), offset);
                }
                Entry::PendingOffset { producer_id, group, topic, partition, offset } => {
                    self.groups.pending.add(producer_id, &group, (topic, partition), offset);
                }
                Entry::OffsetDeleted { group, topic, partition } => {
                    self.groups.get_or_create(&group).offsets.remove(&topic, partition);
                }
                Entry::GroupDeleted { group } => self.groups.remove(&group),
            }
        }
        for (name, count) in counts {
            for partition in 0..count {
                let start = log_starts.get(&(name.clone(), partition)).copied().unwrap_or(0);
                self.open_partition(&name, partition, start)?;
            }
        }
        Ok(())
    }

    fn replay_transaction(&mut self, id: String, now: crate::transactions::Transaction) {
        // The id that the ended transaction had: its epochs may have been used up by it.
        let ended = match now.previous_producer_id {
            ..0 => now.producer_id,
            previous => previous,
        };
        match now.state {
            State::CompleteCommit => self.apply_pending(ended),
            State::CompleteAbort => drop(self.groups.pending.take(ended)),
            State::Empty | State::Ongoing | State::PrepareCommit | State::PrepareAbort => {}
        }
        self.transactions.by_id.insert(id, now);
    }

    /// Ends decided transactions that a crash left half marked, and aborts what nobody owns.
    fn finish_interrupted(&mut self, now_ms: i64) -> io::Result<()> {
        let decided: Vec<(String, Marker)> = self
            .transactions
            .by_id
            .iter()
            .filter_map(|(id, transaction)| Some((id.clone(), transaction.state.decided()?)))
            .collect();
        for (id, marker) in decided {
            self.complete_transaction(&id, marker, now_ms)?;
        }
        let owners: HashMap<i64, &crate::transactions::Transaction> = self
            .transactions
            .by_id
            .values()
            .filter(|transaction| transaction.state == State::Ongoing)
            .map(|transaction| (transaction.producer_id, transaction))
            .collect();
        for (name, topic) in &mut self.topics {
            for (partition, number) in topic.partitions.iter_mut().zip(0..) {
                for producer_id in partition.open_producers() {
                    let covered = owners.get(&producer_id).is_some_and(|transaction| {
                        transaction.partitions.contains(&(name.clone(), number))
                    });
                    if covered {
                        continue;
                    }
                    let epoch = partition.producers().get(producer_id).map_or(0, |s| s.epoch);
                    partition.append_marker(
                        Marker::Abort,
                        producer_id,
                        epoch,
                        &topic.config,
                        now_ms,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Writes entries to the journal.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.journal.append(entries)
    }

    /// The names of all partitions.
    pub(crate) fn partitions(&self) -> Vec<(String, i32)> {
        let numbered = |(name, topic): (&String, &Topic)| {
            let name = name.clone();
            (0..).zip(&topic.partitions).map(move |(number, _)| (name.clone(), number)).collect()
        };
        self.topics.iter().flat_map::<Vec<_>, _>(numbered).collect()
    }

    /// A partition that exists.
    pub(crate) fn partition(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<&Partition, ResponseError> {
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        let found = self.topics.get(topic).and_then(|topic| topic.partitions.get(index));
        found.ok_or(ResponseError::UnknownTopicOrPartition)
    }

    /// A partition that exists, to be changed, and its topic's configuration.
    pub(crate) fn partition_mut(
        &mut self,
        topic: &str,
        partition: i32,
    ) -> Result<(&mut Partition, &TopicConfig), ResponseError> {
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        let topic = self.topics.get_mut(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let partition =
            topic.partitions.get_mut(index).ok_or(ResponseError::UnknownTopicOrPartition)?;
        Ok((partition, &topic.config))
    }

    fn open_partition(&mut self, name: &str, partition: i32, log_start: i64) -> io::Result<()> {
        let Some(topic) = self.topics.get_mut(name) else { return Ok(()) };
        let directory = self.directory.join("topics").join(topic.id.simple().to_string());
        let directory = directory.join(partition.to_string());
        topic.partitions.push(Partition::open(directory, log_start)?);
        Ok(())
    }

    /// Creates a topic whose name and numbers were checked.
    pub(crate) fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        config: TopicConfig,
    ) -> io::Result<Uuid> {
        let id = Uuid::new_v4();
        self.record(&[Entry::Topic {
            name: name.to_owned(),
            id,
            partitions,
            config: config.overrides().clone(),
        }])?;
        self.topics.insert(name.to_owned(), Topic { id, config, partitions: Vec::new() });
        self.topic_names.insert(id, name.to_owned());
        for partition in 0..partitions {
            self.open_partition(name, partition, 0)?;
        }
        Ok(id)
    }

    /// Adds partitions up to a count.
    pub(crate) fn grow_topic(&mut self, name: &str, count: i32) -> io::Result<()> {
        self.record(&[Entry::Partitions { name: name.to_owned(), count }])?;
        let present = self.topics.get(name).map_or(0, |topic| topic.partitions.len());
        for partition in i32::try_from(present).unwrap_or(count)..count {
            self.open_partition(name, partition, 0)?;
        }
        Ok(())
    }

    /// Deletes a topic with all that hangs on it.
    pub(crate) fn delete_topic(&mut self, name: &str) -> io::Result<()> {
        self.record(&[Entry::Deleted { name: name.to_owned() }])?;
        if let Some(mut topic) = self.forget_topic(name) {
            for partition in &mut topic.partitions {
                partition.delete()?;
            }
            let directory = self.directory.join("topics").join(topic.id.simple().to_string());
            if directory.exists() {
                std::fs::remove_dir_all(directory)?;
            }
        }
        Ok(())
    }

    fn forget_topic(&mut self, name: &str) -> Option<Topic> {
        let topic = self.topics.remove(name)?;
        self.topic_names.remove(&topic.id);
        self.groups.forget_topic(name);
        for transaction in self.transactions.by_id.values_mut() {
            transaction.partitions.retain(|(topic, _)| topic != name);
        }
        Some(topic)
    }

    /// Replaces a topic's configuration.
    pub(crate) fn configure_topic(&mut self, name: &str, config: TopicConfig) -> io::Result<()> {
        let overrides = config.overrides().clone();
        self.record(&[Entry::Config { name: name.to_owned(), config: overrides }])?;
        if let Some(topic) = self.topics.get_mut(name) {
            topic.config = config;
        }
        Ok(())
    }

    /// Removes records below an offset from view.
    pub(crate) fn advance_log_start(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> io::Result<()> {
        let entry = Entry::LogStart { topic: topic.to_owned(), partition, offset };
        self.record(&[entry])?;
        match self.partition_mut(topic, partition) {
            Ok((partition, _)) => partition.advance_log_start(offset),
            Err(_) => Ok(()),
        }
    }

    /// A producer id that was never given before.
    pub(crate) fn fresh_producer_id(&mut self) -> io::Result<i64> {
        if self.next_producer_id >= self.reserved_producer_ids {
            let next = self.next_producer_id + PRODUCER_ID_BLOCK;
            self.record(&[Entry::ProducerIds { next }])?;
            self.reserved_producer_ids = next;
        }
        self.next_producer_id += 1;
        Ok(self.next_producer_id - 1)
    }

    /// Writes the present state of a transactional id to the journal.
    pub(crate) fn record_transaction(&mut self, id: &str) -> io::Result<()> {
        match self.transactions.by_id.get(id).cloned() {
            Some(now) => self.record(&[Entry::Transaction { id: id.to_owned(), now }]),
            None => Ok(()),
        }
    }

    /// Marks a decided transaction in all its partitions, settles its offsets, and says so.
    pub(crate) fn complete_transaction(
        &mut self,
        id: &str,
        marker: Marker,
        now_ms: i64,
    ) -> io::Result<()> {
        let Some(transaction) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        let Producer { id: producer_id, epoch } = transaction.producer();
        let partitions = std::mem::take(&mut transaction.partitions);
        transaction.complete(marker);
        for (topic, number) in &partitions {
            if let Ok((partition, config)) = self.partition_mut(topic, *number) {
                partition.append_marker(marker, producer_id, epoch, config, now_ms)?;
            }
        }
        match marker {
            Marker::Commit => self.apply_pending(producer_id),
            Marker::Abort => drop(self.groups.pending.take(producer_id)),
        }
        self.record_transaction(id)?;
        for (topic, number) in &partitions {
            if let Ok(partition) = self.partition(topic, *number) {
                partition.wake();
            }
        }
        Ok(())
    }

    fn apply_pending(&mut self, producer_id: i64) {
        for ((group, partition), offset) in self.groups.pending.take(producer_id) {
            self.groups.get_or_create(&group).offsets.commit(partition, offset);
        }
    }

    /// Aborts a transaction on behalf of the broker; its producer is fenced by a higher epoch.
    pub(crate) fn fence_and_abort(&mut self, id: &str, now_ms: i64) -> io::Result<()> {
        let Some(transaction) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        transaction.fence();
        self.record_transaction(id)?;
        self.complete_transaction(id, Marker::Abort, now_ms)
    }

    /// Aborts what was open for too long.
    pub(crate) fn abort_expired(&mut self, now_ms: i64) -> io::Result<()> {
        for id in self.transactions.expired(now_ms) {
            tracing::info!(transactional_id = %id, "transaction timed out");
            self.fence_and_abort(&id, now_ms)?;
        }
        Ok(())
    }

    /// Rewrites the journal when most of it is outdated.
    pub(crate) fn tidy_journal(&mut self) -> io::Result<()> {
        if !self.journal.wants_rewrite() {
            return Ok(());
        }
        let entries = self.entries();
        self.journal.rewrite(&entries)
    }

    /// What a journal has to say for this state.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![
            Entry::Cluster { id: self.cluster_id.clone() },
            Entry::ProducerIds { next: self.reserved_producer_ids },
        ];
        for (name, topic) in &self.topics {
            let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
            entries.push(Entry::Topic {
                name: name.clone(),
                id: topic.id,
                partitions: count,
                config: topic.config.overrides().clone(),
            });
            for (partition, number) in topic.partitions.iter().zip(0..) {
                if partition.log_start() > 0 {
                    entries.push(Entry::LogStart {
                        topic: name.clone(),
                        partition: number,
                        offset: partition.log_start(),
                    });
                }
            }
        }
        for (group, state) in self.groups.iter() {
            for ((topic, partition), offset) in state.offsets.iter() {
                entries.push(Entry::Offset {
                    group: group.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                    offset: offset.clone(),
                });
            }
        }
        for (id, now) in &self.transactions.by_id {
            entries.push(Entry::Transaction { id: id.clone(), now: now.clone() });
        }
        for (producer_id, (group, (topic, partition)), offset) in self.groups.pending.iter() {
            entries.push(Entry::PendingOffset {
                producer_id,
                group: group.clone(),
                topic: topic.clone(),
                partition: *partition,
                offset: offset.clone(),
            });
        }
        entries
    }

    /// Hands everything to the disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        for partition in self.topics.values().flat_map(|topic| &topic.partitions) {
            partition.flush()?;
        }
        self.journal.flush()
    }
}
