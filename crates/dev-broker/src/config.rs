//! How a broker is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What a broker needs to know before it starts.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where topics, offsets and transactions are kept. Without one, a temporary directory is
    /// used and removed when the broker is dropped.
    pub data_dir: Option<PathBuf>,
    /// Where to listen. Anything but a loopback address is refused: the broker checks nobody's
    /// identity. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where clients are told that it is, when something on loopback stands in front of it; without one,
    /// where it listens.
    pub advertise: Option<SocketAddr>,
    /// How often members of KIP-848 groups are told to report. It bounds how long a rebalance
    /// takes, hence much shorter than Apache Kafka's five seconds.
    pub consumer_heartbeat_interval: Duration,
    /// How long a silent member of a KIP-848 group keeps its partitions.
    pub consumer_session_timeout: Duration,
    /// The finalised level of `transaction.version`: 2 tells clients to speak transactions v2, 1 or
    /// 0 keeps them at v1.
    pub transaction_version: i16,
}

impl Default for BrokerConfig {
    fn default() -> BrokerConfig {
        BrokerConfig {
            data_dir: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            advertise: None,
            consumer_heartbeat_interval: Duration::from_millis(500),
            consumer_session_timeout: Duration::from_secs(45),
            transaction_version: 2,
        }
    }
}
