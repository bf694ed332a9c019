use std::sync::Arc;
use std::time::Duration;

use native_client::{Compression, Security};

/// What a producer is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `host:port` of one or more brokers, separated by commas.
    pub bootstrap_servers: String,
    /// What brokers call the client in their logs and quotas.
    pub client_id: String,
    /// Unique among living producers and stable over restarts.
    pub transactional_id: String,
    /// Time the broker gives a transaction before it aborts it; no transaction is tried for longer.
    pub transaction_timeout: Duration,
    /// Time one request may take before its connection is given up.
    pub request_timeout: Duration,
    /// How records are compressed.
    pub compression: Compression,
    /// Encryption and authentication.
    pub security: Security,
    /// The topics that are written to; records name them by their index.
    pub topics: Vec<Topic>,
}

/// A topic that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// How many partitions it has.
    pub partitions: i32,
    /// The largest batch it takes, before compression; a single record may be larger.
    pub batch_bytes_max: usize,
}
