use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::{ClientSettings, NextOffset, Offset, TopicPartition};
use native_consumer::{Appetite, ConnectError, Fetched, Fetcher, Given, Parked, Reset, Settings};
use rdkafka::error::KafkaError;
use tracing::{debug, warn};

use super::{BatchOffset, note_offset};
use crate::consumer::LaneConsumer;
use crate::lag::PartitionStatistics;
use crate::native_security::security;
use crate::{Batch, LaneSettings, OffsetReset, Stop, Subscription};

/// How long the group waits to be served while records come, and before the first partitions. Later it
/// waits for as long as the lane does: an idle lane need not look fifty times a second.
const SERVED_EVERY: Duration = Duration::from_millis(20);
/// How long a broker keeps a fetch that finds nothing. A partition assigned meanwhile waits for its end;
/// shorter, an idle lane would do little else than ask.
const FETCH_WAIT: Duration = Duration::from_millis(250);
/// How often a lane tells how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Records that a fetcher of our own has, by the batch as they were written.
pub(crate) struct NativeIntake<'c> {
    fetcher: Fetcher,
    /// Who is a member of the group. It fetches nothing.
    consumer: &'c LaneConsumer,
    served_at: Instant,
    told_at: Instant,
    is_at_rest: bool,
    /// Whether there ever was a partition.
    has_started: bool,
    fetched: Vec<Fetched>,
    /// Those whose records cannot be had. They are in the batch like records.
    parked: Vec<Parked>,
    n_records: usize,
    bytes: usize,
}

/// As [`super::Fetcher::connect`]; the error says why librdkafka has to fetch here.
pub(super) fn connect(
    client: &ClientSettings,
    lane: &LaneSettings,
    subscription: &Subscription,
    client_id: &str,
    stop: &Stop,
) -> Result<Option<Fetcher>, String> {
    let security = security(client)?;
    let settings = Settings {
        client: native_consumer::ClientSettings {
            bootstrap_servers: client.bootstrap_servers.clone(),
            client_id: client_id.to_owned(),
            request_timeout: Duration::from_millis(lane.socket_timeout_ms),
            security,
        },
        rack: client.properties.get("client.rack").cloned().unwrap_or_default(),
        reset: match subscription.offset_reset {
            OffsetReset::Earliest => Reset::Earliest,
            OffsetReset::Latest => Reset::Latest,
        },
        fetch_wait: FETCH_WAIT,
        buffer_bytes: usize::try_from(lane.prefetch_kib << 10).unwrap_or(usize::MAX),
        batch_bytes_max: lane.unpacked_bytes_max,
    };
    // Where the brokers do not trust this client or it not them, the other client may do, and waits
    // where it does not.
    Fetcher::connect(settings, &|time| stop.wait(time)).map_err(|error| match error {
        ConnectError::Security(distrust) => native_client::chain(&distrust),
        ConnectError::Unsupported(reason) => reason,
    })
}

impl<'c> NativeIntake<'c> {
    pub(super) fn new(fetcher: Fetcher, consumer: &'c LaneConsumer) -> Self {
        let now = Instant::now();
        Self {
            fetcher,
            consumer,
            served_at: now,
            told_at: now,
            is_at_rest: false,
            has_started: false,
            fetched: Vec::new(),
            parked: Vec::new(),
            n_records: 0,
            bytes: 0,
        }
    }

    pub(super) fn serve(&mut self, timeout: Duration) -> Result<(), KafkaError> {
        if self.is_at_rest {
            return self.serve_group(timeout.min(SERVED_EVERY));
        }
        let patience = if self.has_started { timeout } else { timeout.min(SERVED_EVERY) };
        let has_records = self.fetcher.wait(patience);
        if has_records && self.served_at.elapsed() < SERVED_EVERY {
            return Ok(());
        }
        self.serve_group(Duration::ZERO)
    }

    fn serve_group(&mut self, timeout: Duration) -> Result<(), KafkaError> {
        self.served_at = Instant::now();
        if let Some(message) = self.consumer.poll(timeout).transpose()? {
            // Fetched before it was told to rest. The same comes from the fetcher.
            drop(message);
        }
        Ok(())
    }

    pub(super) fn gather(&mut self, settings: &LaneSettings) -> bool {
        if self.is_at_rest {
            return false;
        }
        let appetite = Appetite {
            records_max: settings.records_max.saturating_sub(self.n_records),
            bytes_max: settings.bytes_max.saturating_sub(self.bytes),
        };
        match self.fetcher.take(appetite) {
            Some(Given::Records(fetched)) => {
                self.n_records += fetched.len();
                self.bytes += fetched.payload();
                self.fetched.push(fetched);
                true
            }
            Some(Given::Parked(parked)) => {
                warn!(
                    topic = &*parked.topic,
                    partition = parked.partition,
                    offset = parked.base_offset,
                    last_offset = parked.last_offset,
                    reason = parked.reason.as_str(),
                    "a batch is passed over: {}",
                    parked.reason
                );
                self.n_records += 1;
                self.bytes += parked.bytes.len();
                self.parked.push(parked);
                true
            }
            None => false,
        }
    }

    pub(super) fn start(&mut self, partition: &TopicPartition, position: Option<NextOffset>) {
        debug!(%partition, position = position.map(NextOffset::get), "fetching a partition");
        let start = position.map(NextOffset::get);
        self.has_started = true;
        self.fetcher.assign(Arc::clone(&partition.topic), partition.partition, start);
    }

    pub(super) const fn rest(&mut self) {
        self.is_at_rest = true;
    }

    pub(super) const fn wake(&mut self) {
        self.is_at_rest = false;
    }

    pub(super) fn revoke(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.fetcher.revoke(Arc::clone(&partition.topic), partition.partition);
            self.fetched.retain(|fetched| !is_of(partition, &fetched.topic, fetched.partition));
            self.parked.retain(|parked| !is_of(partition, &parked.topic, parked.partition));
        }
        self.count();
    }

    pub(super) fn drop_before(&mut self, partition: &TopicPartition, position: NextOffset) {
        for fetched in &mut self.fetched {
            if is_of(partition, &fetched.topic, fetched.partition) {
                fetched.skip_to(position.get());
            }
        }
        self.fetched.retain(|fetched| !fetched.is_empty());
        self.parked.retain(|parked| {
            !is_of(partition, &parked.topic, parked.partition)
                || !position.is_past(Offset::new(parked.last_offset))
        });
        self.count();
    }

    fn count(&mut self) {
        let records = self.fetched.iter().map(Fetched::len).sum::<usize>();
        self.n_records = records + self.parked.len();
        let parked = self.parked.iter().map(|parked| parked.bytes.len()).sum::<usize>();
        self.bytes = self.fetched.iter().map(Fetched::payload).sum::<usize>() + parked;
    }

    pub(super) fn clear(&mut self) {
        self.fetched.clear();
        self.parked.clear();
        (self.n_records, self.bytes) = (0, 0);
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch::fetched(&self.fetched, &self.parked)
    }

    pub(super) const fn n_records(&self) -> usize {
        self.n_records
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next_offsets(&self) -> Vec<BatchOffset> {
        let mut offsets = Vec::new();
        for fetched in &self.fetched {
            let Some(last) = fetched.records().next_back() else { continue };
            let (next, n_records) = (Offset::new(last.offset).next(), fetched.len() as u64);
            let at = (&*fetched.topic, fetched.partition);
            note_offset(&mut offsets, at, next, last.timestamp_ms.max(0), n_records);
        }
        for parked in &self.parked {
            let next = Offset::new(parked.last_offset).next();
            let at = (&*parked.topic, parked.partition);
            let known = offsets
                .iter()
                .find(|known| is_of(&known.partition, &parked.topic, parked.partition));
            // Records were kept apart from it: the later of the two is where the partition is.
            let (next, last_ms) = known
                .filter(|known| known.next > next)
                .map_or((next, parked.timestamp_ms.max(0)), |known| (known.next, known.last_ms));
            note_offset(&mut offsets, at, next, last_ms, 1);
        }
        offsets
    }

    pub(super) fn timestamps(&self, each: impl FnMut(i64)) {
        let records = self.fetched.iter().flat_map(Fetched::records);
        records.map(|record| record.timestamp_ms).for_each(each);
    }

    pub(super) fn take_statistics(
        &mut self,
    ) -> Option<HashMap<TopicPartition, PartitionStatistics>> {
        if self.told_at.elapsed() < TOLD_EVERY {
            return None;
        }
        self.told_at = Instant::now();
        let mut statistics = HashMap::new();
        self.fetcher.progress(|topic, number, progress| {
            let partition = TopicPartition::new(Arc::clone(topic), number);
            let known = PartitionStatistics {
                next_offset: progress.next_offset.unwrap_or(-1),
                ls_offset: progress.last_stable_offset,
                hi_offset: progress.high_watermark,
                lo_offset: progress.log_start_offset,
                // Whoever started it asked for it, and knows.
                committed_offset: -1,
                fetchq_cnt: i64::try_from(progress.n_waiting).unwrap_or(i64::MAX),
            };
            statistics.insert(partition, known);
        });
        Some(statistics)
    }
}

fn is_of(at: &TopicPartition, topic: &str, partition: i32) -> bool {
    at.partition == partition && *at.topic == *topic
}
