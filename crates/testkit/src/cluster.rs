use std::sync::OnceLock;

use dev_broker::{Broker, BrokerConfig};
use uuid::Uuid;

/// The cluster all tests of one process share.
pub struct Cluster {
    bootstrap_servers: String,
    embedded: Option<Broker>,
}

/// The cluster of this test process: the one `KAFKA_BOOTSTRAP_SERVERS` names, else one embedded
/// broker, started by the first call and kept until the process ends.
///
/// # Panics
///
/// When the embedded broker does not start.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Cluster {
    fn start() -> Self {
        if let Ok(address) = std::env::var("KAFKA_BOOTSTRAP_SERVERS")
            && !address.is_empty()
        {
            return Self { bootstrap_servers: address, embedded: None };
        }
        let broker = Broker::start(BrokerConfig::default())
            .unwrap_or_else(|error| panic!("the embedded broker does not start: {error}"));
        Self { bootstrap_servers: broker.bootstrap_servers(), embedded: Some(broker) }
    }

    /// Where clients connect.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Whether it is the embedded broker.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// The embedded broker, for what only it can do; `None` on any other cluster.
    pub fn embedded(&self) -> Option<&Broker> {
        self.embedded.as_ref()
    }

    /// A topic name no other test has: `base` with a random end. It creates nothing.
    pub fn topic(&self, base: &str) -> String {
        format!("{base}-{}", unique())
    }

    /// A prefix no other test has, for topics, groups and transactional ids; ends in a hyphen.
    pub fn prefix(&self) -> String {
        format!("t{}-", unique())
    }
}

/// Twelve random hexadecimal digits: the rest of a version 4 UUID adds no luck that tests need.
fn unique() -> String {
    let mut id = Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}
