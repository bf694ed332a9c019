use std::time::Duration;

use native_client::ClientSettings;

/// How partitions are fetched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How brokers are reached.
    pub client: ClientSettings,
    /// Where this client is, as brokers name places; empty for nowhere. Brokers that know it too may
    /// have it read from a follower near by.
    pub rack: String,
    /// Where reading goes on when there is no position, or it was deleted.
    pub reset: Reset,
    /// How long a broker waits for something to come before it answers that nothing did.
    pub fetch_wait: Duration,
    /// Bytes that are fetched ahead, unpacked. For each broker one batch more may be in memory, and one
    /// answer of at most half as much.
    pub buffer_bytes: usize,
    /// The largest that one batch may unpack to, in bytes; larger ones are parked.
    pub batch_bytes_max: usize,
}

/// Where reading goes on when there is no position, or it was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// At the oldest record there is.
    Earliest,
    /// With the next record that comes.
    Latest,
}
