use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one lane paces itself. Each number has a bound so that nothing in a lane grows without end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaneSettings {
    /// How long a batch waits for more after its first record, in ms. 0: it is committed as soon as
    /// the previous commit ended and something waits. More: fewer, larger transactions, and
    /// everything is later by as much.
    pub linger_ms: u64,
    /// Most records in one transaction. Too many: a commit takes long and so does every retry.
    pub records_max: usize,
    /// Most bytes of keys and values in one transaction. Bounds the lane's memory.
    pub bytes_max: usize,
    /// Time the broker gives a transaction before it aborts it, in ms; 10,000 to 60,000. Longer: a
    /// dead instance hides its partitions from every reader for longer.
    pub transaction_timeout_ms: u64,
    /// Time one request may take, in ms; less than the transaction. A transaction call that takes
    /// longer than half of it costs a new producer.
    pub socket_timeout_ms: u64,
    /// Time without a heartbeat after which the group gives a member's partitions away, in ms.
    pub session_timeout_ms: u64,
    /// How long the producer gathers records for one request, in ms. Adds to every commit.
    pub producer_linger_ms: u64,
    /// `librdkafka` or `native`: which client fetches records and writes transactions. `native` bounds
    /// what a batch unpacks to, lays out record batches itself and speaks transactions v2, which Apache
    /// Kafka has from 4.0 on; where the brokers, the compression or the security settings are not for
    /// it, librdkafka fetches or writes and a line says why.
    pub client: ProducerClient,
    /// `none`, `lz4`, `zstd`, `snappy` or `gzip`: how what is written is compressed.
    pub compression: String,
    /// Bytes fetched ahead, in KiB, per lane. Too few: the lane waits for the network.
    pub prefetch_kib: u64,
    /// The largest that one compressed batch of records may unpack to, in bytes. A larger one is
    /// parked and passed over, all its records together. librdkafka has no such limit: with it, half
    /// a megabyte can become half a gigabyte of memory.
    pub unpacked_bytes_max: usize,
    /// Aborts in a row after which the lane gives up and the process leaves.
    pub aborts_max: u32,
    /// New producers within ten minutes after which the lane gives up and the process leaves.
    pub renewals_max: usize,
}

impl LaneSettings {
    /// For real-time events and whatever should be seen at once: commits as soon as something waits.
    pub fn real_time() -> Self {
        Self {
            linger_ms: 0,
            records_max: 2_000,
            bytes_max: 2 << 20,
            transaction_timeout_ms: 15_000,
            socket_timeout_ms: 10_000,
            session_timeout_ms: 10_000,
            producer_linger_ms: 1,
            client: ProducerClient::Librdkafka,
            compression: "none".into(),
            prefetch_kib: 2 << 10,
            unpacked_bytes_max: 64 << 20,
            aborts_max: 100,
            renewals_max: 30,
        }
    }

    /// For large amounts: waits 100 ms, a count or a size.
    pub fn batch() -> Self {
        Self {
            linger_ms: 100,
            records_max: 10_000,
            bytes_max: 8 << 20,
            prefetch_kib: 8 << 10,
            producer_linger_ms: 5,
            ..Self::real_time()
        }
    }

    /// Refuses relations between fields that cannot work.
    ///
    /// # Errors
    /// One sentence that names the fields.
    pub fn validate(&self) -> Result<(), String> {
        if !(10_000..=60_000).contains(&self.transaction_timeout_ms) {
            return Err("`transaction_timeout_ms` has to be 10000 to 60000".into());
        }
        if self.socket_timeout_ms >= self.transaction_timeout_ms {
            return Err("`socket_timeout_ms` has to be less than `transaction_timeout_ms`".into());
        }
        if self.linger_ms > 10_000 {
            return Err("`linger_ms` has to be at most 10000".into());
        }
        if self.unpacked_bytes_max < 1 << 20 {
            return Err("`unpacked_bytes_max` has to be at least 1048576".into());
        }
        if self.records_max == 0 || self.bytes_max == 0 {
            return Err("`records_max` and `bytes_max` have to be at least 1".into());
        }
        Ok(())
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(crate) fn transaction_timeout(&self) -> Duration {
        Duration::from_millis(self.transaction_timeout_ms)
    }

    /// A transaction call that takes longer than this may have a request of its own still under way.
    pub(crate) fn slow(&self) -> Duration {
        Duration::from_millis(self.socket_timeout_ms / 2)
    }
}

/// Which client fetches records and writes transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProducerClient {
    /// librdkafka, by transactions v1.
    Librdkafka,
    /// Our own, by transactions v2.
    Native,
}

impl ProducerClient {
    /// Its name in settings, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Librdkafka => "librdkafka",
            Self::Native => "native",
        }
    }
}

/// Where a group starts that has committed nothing yet, and where one goes whose position was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OffsetReset {
    /// The oldest record there is: nothing is skipped.
    Earliest,
    /// The next record to come: what is there already is skipped.
    Latest,
}

impl OffsetReset {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
        }
    }
}

/// What a lane reads and as whom.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The consumer group.
    pub group: String,
    /// Topics, each by its name, or by a regular expression that starts with `^`.
    pub topics: Vec<String>,
    /// Where a new group starts.
    pub offset_reset: OffsetReset,
}
