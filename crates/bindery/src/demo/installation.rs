//! Where the demo runs: the embedded broker, or a corner of its own on a cluster.

use std::time::Duration;

use dev_broker::{Broker, BrokerConfig};
use kafka::{ClientSettings, Topics};
use service::Failure;

use crate::broker::of_broker;
use crate::config::Config;

/// A broker and the topics on it.
pub(super) struct Installation {
    /// How to reach the broker.
    pub(super) client: ClientSettings,
    /// The topics.
    pub(super) topics: Topics,
    /// What the names of topics and groups begin with; empty on the embedded broker.
    pub(super) prefix: String,
    embedded: Option<Broker>,
}

impl Installation {
    /// Takes the cluster that was named, or starts the embedded broker, and creates the topics.
    ///
    /// # Errors
    /// 69 where no broker answers, 78 where a topic cannot be created.
    pub(super) fn open(cluster: Option<Config>) -> Result<Self, Failure> {
        let installation = match cluster {
            Some(config) => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                let prefix = format!("bindery-demo-{}.", &id[..8]);
                let mut topics = config.topics;
                for spec in topics.all_mut() {
                    spec.name.insert_str(0, &prefix);
                }
                Self { client: config.kafka, topics, prefix, embedded: None }
            }
            None => {
                let broker = Broker::start(BrokerConfig::default()).map_err(of_broker)?;
                Self {
                    client: ClientSettings::new(broker.bootstrap_servers()),
                    topics: Topics::default(),
                    prefix: String::new(),
                    embedded: Some(broker),
                }
            }
        };
        kafka::apply(&installation.client, &installation.topics.specs()).map_err(Failure::from)?;
        Ok(installation)
    }

    /// `embedded`, or the address.
    pub(super) fn broker(&self) -> &str {
        match self.embedded {
            Some(_) => "embedded",
            None => &self.client.bootstrap_servers,
        }
    }

    /// Leaves nothing behind: deletes the topics on a cluster, stops the embedded broker.
    ///
    /// # Errors
    /// Where the broker will not.
    pub(super) fn close(self, keep_topics: bool) -> Result<(), Failure> {
        if let Some(broker) = self.embedded {
            return broker.stop().map_err(of_broker);
        }
        if keep_topics {
            return Ok(());
        }
        let names: Vec<&str> =
            self.topics.all().into_iter().map(|spec| spec.name.as_str()).collect();
        kafka::delete(&self.client, &names).map_err(Failure::from)
    }
}

/// How long closing may take after somebody asked to stop; then the process is left as it is.
pub(super) const CLOSE_LIMIT: Duration = Duration::from_secs(20);
