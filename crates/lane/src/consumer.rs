use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kafka::{QuietContext, SettingsError, TopicPartition};
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, TopicPartitionList};
use tracing::{info, warn};

use crate::{LaneSettings, Subscription};

pub(crate) type LaneConsumer = BaseConsumer<LaneContext>;

/// Which partitions rest: nothing of them is fetched until the lane resumes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rests {
    /// Newly assigned ones.
    pub(crate) at_first: bool,
    /// All, for ever: somebody else fetches them.
    pub(crate) always: bool,
}

/// What a rebalance did, in the order it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Assigned(Vec<TopicPartition>),
    /// `lost`: they had gone before anybody was asked.
    Revoked {
        partitions: Vec<TopicPartition>,
        lost: bool,
    },
}

/// Notes what the client tells inside a poll, for the lane to take after it.
pub(crate) struct LaneContext {
    quiet: QuietContext,
    rests: Rests,
    /// Whether there are changes to take: asked after every poll, so it costs no lock.
    has_changes: AtomicBool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    statistics: Option<Vec<u8>>,
}

impl LaneContext {
    /// Rebalances since the last call.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        if !self.has_changes.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner).changes)
    }

    /// The newest statistics, once.
    pub(crate) fn take_statistics(&self) -> Option<Vec<u8>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).statistics.take()
    }

    fn note(&self, change: Change) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).changes.push(change);
        self.has_changes.store(true, Ordering::Release);
    }
}

impl ClientContext for LaneContext {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, settings: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.quiet.generate_oauth_token(settings)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.statistics = Some(statistics.to_vec());
    }
}

impl ConsumerContext for LaneContext {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            let partitions = partitions(list);
            let lost = consumer.assignment_lost();
            info!(n_partitions = partitions.len(), lost, "partitions revoked");
            self.note(Change::Revoked { partitions, lost });
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                // A partition at rest when it was revoked comes back at rest: the client remembers
                // that over assignments.
                let rests = self.rests.at_first || self.rests.always;
                let set = if rests { consumer.pause(list) } else { consumer.resume(list) };
                if let Err(error) = set {
                    warn!(%error, "newly assigned partitions could not be paused or resumed");
                }
                let partitions = partitions(list);
                info!(n_partitions = partitions.len(), "partitions assigned");
                self.note(Change::Assigned(partitions));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => warn!(%error, "a rebalance failed"),
        }
    }
}

/// A consumer that is not subscribed yet.
pub(crate) fn connect(
    client: &kafka::ClientSettings,
    lane: &LaneSettings,
    subscription: &Subscription,
    client_id: &str,
    rests: Rests,
) -> Result<LaneConsumer, SettingsError> {
    let mut config = client.consumer_config(&subscription.group, client_id);
    let heartbeat_ms = lane.session_timeout_ms / 10;
    config
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", lane.session_timeout_ms.to_string())
        .set("heartbeat.interval.ms", heartbeat_ms.max(100).to_string())
        .set("max.poll.interval.ms", "120000")
        .set("auto.offset.reset", subscription.offset_reset.as_str())
        .set("fetch.wait.max.ms", "100")
        .set("fetch.min.bytes", "1")
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.error.backoff.ms", "50")
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", lane.prefetch_kib.to_string())
        // Who fetches counts.
        .set("statistics.interval.ms", if rests.always { "0" } else { "1000" });
    let context = LaneContext {
        quiet: QuietContext::new(client),
        rests,
        has_changes: AtomicBool::new(false),
        told: Mutex::default(),
    };
    config.create_with_context(context).map_err(SettingsError::from)
}

/// Leaves the group, giving back what is assigned; to be called before the client is closed.
///
/// A client that is closed while an assignment waits to be served may never end: serving it asks the
/// client about the group, which no longer answers (librdkafka issues 4041 and 4884). Once it has
/// unsubscribed, no assignment comes any more, and those that wait are served here.
pub(crate) fn leave(consumer: &LaneConsumer) {
    consumer.unsubscribe();
    while consumer.poll(Duration::ZERO).is_some() || !consumer.context().take_changes().is_empty() {
    }
}

pub(crate) fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    elements.iter().map(|one| TopicPartition::new(one.topic(), one.partition())).collect()
}

/// A list of `partitions` without offsets.
pub(crate) fn list_of<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for at in partitions {
        list.add_partition(&at.topic, at.partition);
    }
    list
}
