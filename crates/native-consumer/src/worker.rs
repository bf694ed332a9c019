//! Who fetches from one node: one request after the other.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use native_client::{CallError, Connection, Patience};
use tracing::{debug, info, warn};

use crate::aborted::Aborted;
use crate::header::{Framed, FramedBatch, next_batch};
use crate::records::RecordBatch;
use crate::shared::{Asked, Item, Shared};
use crate::verdict::Request;
use crate::{Fetched, Parked, Reason};

/// The last version that names topics by their names.
pub(crate) const FETCH: i16 = 12;
const READ_COMMITTED: i8 = 1;
/// Answers are no larger than this, but for a first batch that is.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Of one partition in one answer.
const PARTITION_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: i32,
}

impl Worker {
    /// Fetches until it is over.
    pub(crate) fn run(&self) {
        let wait_or_stop = |time| self.shared.wait_or_stop(time);
        let patience = Patience::endless(&wait_or_stop);
        let mut connection = None;
        let mut has_warned = false;
        while let Some(asked) = self.shared.next_fetch(self.node) {
            match self.fetch(&mut connection, &asked, &patience) {
                Ok(answer) => {
                    if std::mem::take(&mut has_warned) {
                        info!(node = self.node, "the broker can be fetched from again");
                    }
                    self.take_answer(&asked, answer);
                }
                Err(CallError::Over(_)) => return,
                Err(error) => {
                    connection = None;
                    if !has_warned {
                        has_warned = true;
                        let error = native_client::chain(&error);
                        warn!(
                            node = self.node,
                            error, "the broker cannot be fetched from; trying on"
                        );
                    }
                    let now = Instant::now();
                    for one in &asked {
                        self.shared.with(one, |partition| partition.lost(now));
                    }
                    self.shared.done(&asked);
                }
            }
        }
    }

    fn fetch(
        &self,
        open: &mut Option<Connection>,
        asked: &[Asked],
        patience: &Patience<'_>,
    ) -> Result<FetchResponse, CallError> {
        let client = &self.shared.settings.client;
        let address = self.shared.address(self.node).ok_or(CallError::Nobody)?;
        if open.as_ref().is_some_and(|connection| *connection.address() != address) {
            *open = None;
        }
        let connection = match open {
            Some(connection) => connection,
            None => open.insert(Connection::open(&address, client, patience)?),
        };
        let limit = client.request_timeout + self.shared.settings.fetch_wait;
        let answer = connection.call(FETCH, &self.request(asked), limit, patience)?;
        connection.throttle(answer.throttle_time_ms);
        Ok(answer)
    }

    fn request(&self, asked: &[Asked]) -> FetchRequest {
        let settings = &self.shared.settings;
        // One answer waits to be taken while the next is on its way.
        let bytes_max = (settings.buffer_bytes / 2).clamp(1, ANSWER_BYTES_MAX);
        let number = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
        // A topic may come several times: the order of partitions is the order they are served in.
        let topics = asked.chunk_by(|a, b| a.key.topic == b.key.topic).map(|run| {
            let partitions = run.iter().map(|one| {
                FetchPartition::default()
                    .with_partition(one.key.partition)
                    .with_current_leader_epoch(one.leader_epoch)
                    .with_fetch_offset(one.offset)
                    // A leader that has dropped what it knows of an epoch would answer that the offset
                    // is out of range. What was read is held against a new leader beforehand instead.
                    .with_last_fetched_epoch(-1)
                    .with_partition_max_bytes(number(bytes_max.min(PARTITION_BYTES_MAX)))
            });
            FetchTopic::default()
                .with_topic(TopicName(StrBytes::from_string(run[0].key.topic.to_string())))
                .with_partitions(partitions.collect())
        });
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(number(usize::try_from(settings.fetch_wait.as_millis()).unwrap_or(0)))
            .with_min_bytes(1)
            .with_max_bytes(number(bytes_max))
            .with_isolation_level(READ_COMMITTED)
            .with_session_epoch(-1)
            .with_topics(topics.collect())
            .with_rack_id(StrBytes::from_string(settings.rack.clone()))
    }

    fn take_answer(&self, asked: &[Asked], answer: FetchResponse) {
        let now = Instant::now();
        let mut unanswered: Vec<&Asked> = asked.iter().collect();
        for topic in answer.responses {
            for data in topic.partitions {
                let is_of = |one: &&Asked| {
                    one.key.partition == data.partition_index && *one.key.topic == **topic.topic
                };
                if let Some(index) = unanswered.iter().position(is_of) {
                    // In its place the order stays, and the answer has the same.
                    let one = unanswered.remove(index);
                    self.take_partition(one, data);
                    // It need not wait for the rest of the answer.
                    self.shared.done([one]);
                }
            }
        }
        let request = Request::Fetch;
        for one in &unanswered {
            self.shared.with(one, |partition| match answer.error_code {
                0 => partition.corrupt(&one.key.to_string(), "nothing is said of it", now),
                code => partition.answered(&one.key.to_string(), request, code, now),
            });
        }
        // Not those before: somebody else may be asking for them by now.
        self.shared.done(unanswered);
    }

    fn take_partition(&self, asked: &Asked, data: PartitionData) {
        let now = Instant::now();
        let name = || asked.key.to_string();
        if data.error_code != 0 {
            debug!(partition = %asked.key, error = data.error_code, "a fetch was answered with an error");
            let (request, code) = (Request::Fetch, data.error_code);
            self.shared.with(asked, |partition| partition.answered(&name(), request, code, now));
            return;
        }
        let diverging = &data.diverging_epoch;
        if diverging.epoch >= 0 && diverging.end_offset >= 0 {
            let (epoch, end) = (diverging.epoch, diverging.end_offset);
            self.shared.with(asked, |partition| partition.validated(&name(), epoch, end));
            return;
        }
        self.shared.with(asked, |partition| {
            partition.went_well();
            // A follower tells its own, which may be behind.
            let progress = &mut partition.progress;
            progress.high_watermark = data.high_watermark;
            progress.last_stable_offset = data.last_stable_offset;
            progress.log_start_offset = data.log_start_offset;
            let replica = data.preferred_read_replica.0;
            if replica >= 0 && replica != self.node {
                debug!(partition = %asked.key, replica, "reading from a follower near by");
                partition.read_from(replica, now);
            }
        });
        let aborted = data.aborted_transactions.unwrap_or_default();
        let aborted = aborted.iter().map(|one| (one.producer_id.0, one.first_offset));
        let read = self.read(asked, Aborted::new(aborted), data.records.unwrap_or_default());
        if let Err(what) = read {
            self.shared.with(asked, |partition| partition.corrupt(&name(), what, now));
        }
    }

    /// Reads batch after batch, as far as there is room.
    fn read(
        &self,
        asked: &Asked,
        mut aborted: Aborted,
        mut bytes: Bytes,
    ) -> Result<(), &'static str> {
        let mut position = asked.offset;
        let is_empty = bytes.is_empty();
        loop {
            let batch = match next_batch(&mut bytes) {
                Framed::Batch(batch) => batch,
                Framed::Old { offset, bytes } => {
                    if offset >= position {
                        position = offset + 1;
                        self.park_old(asked, offset, bytes);
                    }
                    continue;
                }
                Framed::Corrupt(what) => return Err(what),
                Framed::End if position == asked.offset && !is_empty => {
                    return Err("not even one batch is whole");
                }
                Framed::End => return Ok(()),
            };
            let shows = aborted.shows(&batch);
            if batch.last_offset < position {
                continue;
            }
            if shows && !self.shared.wait_for_room(asked) {
                return Ok(());
            }
            let item = if shows { self.open(asked, &batch, position) } else { None };
            position = batch.last_offset + 1;
            self.shared.queue(asked, position, batch.leader_epoch, item);
        }
    }

    /// The records of a batch from `position` on; `None` where there are none.
    fn open(&self, asked: &Asked, batch: &FramedBatch, position: i64) -> Option<Item> {
        let (topic, partition) = (Arc::clone(&asked.key.topic), asked.key.partition);
        match RecordBatch::read(batch, position, self.shared.settings.batch_bytes_max) {
            Ok(read) => {
                let range = 0..read.len();
                let fetched = Fetched { topic, partition, batch: Arc::new(read), range };
                (!fetched.is_empty()).then_some(Item::Fetched(fetched))
            }
            Err(reason) => Some(Item::Parked(Parked {
                topic,
                partition,
                base_offset: batch.base_offset,
                last_offset: batch.last_offset,
                timestamp_ms: batch.max_timestamp,
                reason,
                bytes: batch.body.clone(),
            })),
        }
    }

    fn park_old(&self, asked: &Asked, offset: i64, bytes: Bytes) {
        let parked = Parked {
            topic: Arc::clone(&asked.key.topic),
            partition: asked.key.partition,
            base_offset: offset,
            last_offset: offset,
            timestamp_ms: -1,
            reason: Reason::OldFormat,
            bytes,
        };
        self.shared.queue(asked, offset + 1, -1, Some(Item::Parked(parked)));
    }
}
