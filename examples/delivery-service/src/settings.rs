//! Where the topics are, and what to do with the messages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::mix::Mix;

/// Everything this service has to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `host:port` of one or more brokers.
    pub bootstrap_servers: String,
    /// Any other property of librdkafka: security, timeouts.
    pub properties: BTreeMap<String, String>,
    /// The consumer group: instances of the same group share the work.
    pub group: String,
    /// The topics of assignments to read.
    pub assignments: Vec<String>,
    /// The topic of template contents.
    pub template_content: String,
    /// The topic to report to.
    pub delivery_log: String,
    /// The folder messages are written to.
    pub out: PathBuf,
    /// How many messages are written there; those after are rendered and dropped.
    pub files_max: usize,
    /// What becomes of the messages.
    pub mix: Mix,
    /// How long after the sending a late bounce is reported.
    pub bounce_after: Duration,
}

impl Settings {
    /// What every client of this service has in common.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config: ClientConfig =
            self.properties.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        config.set("bootstrap.servers", &self.bootstrap_servers).set("client.id", &self.group);
        config
    }
}
