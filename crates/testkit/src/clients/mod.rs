//! Plain clients, as anybody outside would use them.

mod produce;
mod read;
mod topics;
mod transaction;

pub use produce::{produce, produce_compressed};
pub use read::{committed, end_offsets, read_all};
pub use topics::{NewTopicSpec, create_topics};
pub use transaction::OpenTransaction;

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;

use crate::wait::wait_until;

/// How long any of these calls may take: enough for a broker that comes up meanwhile.
const DEADLINE: Duration = Duration::from_secs(60);

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// What a consumer of the product sees: no aborted records, nothing behind an open transaction.
    ReadCommitted,
    /// Everything that is in the log.
    ReadUncommitted,
}

impl Isolation {
    fn level(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read_committed",
            Self::ReadUncommitted => "read_uncommitted",
        }
    }
}

pub(crate) fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "testkit")
        .set("socket.timeout.ms", "10000")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "500")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("topic.metadata.propagation.max.ms", "10000");
    config
}

fn consumer(bootstrap: &str, group: &str, isolation: Isolation) -> BaseConsumer {
    client(bootstrap)
        .set("group.id", group)
        .set("isolation.level", isolation.level())
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "50")
        .set("fetch.error.backoff.ms", "20")
        .create()
        .expect("the settings above are valid")
}

/// The partition numbers of `topic`, once the broker serves all of them.
#[track_caller]
fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    wait_until(&format!("the partitions of `{topic}`"), DEADLINE, || {
        let metadata = consumer
            .fetch_metadata(Some(topic), Duration::from_secs(5))
            .map_err(|error| error.to_string())?;
        let topic = metadata.topics().iter().find(|t| t.name() == topic).ok_or("not there")?;
        if let Some(error) = topic.error() {
            return Err(format!("{:?}", RDKafkaErrorCode::from(error)));
        }
        let partitions = topic.partitions();
        if partitions.is_empty() || partitions.iter().any(|partition| partition.leader() < 0) {
            return Err("a partition has no leader".to_owned());
        }
        Ok(partitions.iter().map(|partition| partition.id()).collect())
    })
}
