//! Which broker does what.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, FindCoordinatorRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use native_client::{Brokers, CallError, ClientSettings, Patience, unspoken};
use tracing::debug;

use crate::error::ConnectError;
use crate::{Settings, Topic};

/// What has a coordinator, as the protocol numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coordinator {
    Group = 0,
    Transaction = 1,
}

/// What is known of the cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) brokers: Brokers,
    /// The leader of each partition of each topic.
    pub(crate) leaders: Vec<Vec<Option<i32>>>,
    transaction_coordinator: Option<i32>,
    /// The group's name with it: another lane's producer may serve another group.
    group_coordinator: Option<(String, i32)>,
}

/// What one look at the cluster came to.
pub(crate) type Answer<T> = Result<Result<T, i16>, CallError>;

const METADATA: i16 = 12;
const FIND_COORDINATOR: i16 = 4;
/// The requests of transactions v2 and the versions that belong to it.
const NEEDED: [(ApiKey, i16); 6] = [
    (ApiKey::Metadata, METADATA),
    (ApiKey::FindCoordinator, FIND_COORDINATOR),
    (ApiKey::InitProducerId, crate::initialise::INIT_PRODUCER_ID),
    (ApiKey::TxnOffsetCommit, crate::offsets::TXN_OFFSET_COMMIT),
    (ApiKey::Produce, crate::produce::VERSION),
    (ApiKey::EndTxn, crate::producer::END_TXN),
];
/// The feature whose finalised level says which transactions the brokers speak.
const TRANSACTION_VERSION: &str = "transaction.version";

impl Cluster {
    pub(crate) fn new(settings: &Settings) -> Self {
        let partitions =
            |topic: &Topic| vec![None; usize::try_from(topic.partitions).unwrap_or_default()];
        Self {
            brokers: Brokers::new(ClientSettings {
                bootstrap_servers: settings.bootstrap_servers.clone(),
                client_id: settings.client_id.clone(),
                request_timeout: settings.request_timeout,
                security: settings.security.clone(),
            }),
            leaders: settings.topics.iter().map(partitions).collect(),
            transaction_coordinator: None,
            group_coordinator: None,
        }
    }

    /// Finds out whether the brokers speak transactions v2.
    ///
    /// # Errors
    /// The outer one: nobody answers. The inner one: they do not.
    pub(crate) fn check_abilities(
        &mut self,
        patience: &Patience<'_>,
    ) -> Result<Result<(), ConnectError>, CallError> {
        let answer = self.brokers.versions(patience)?;
        Ok(missing(&answer).map_or(Ok(()), |what| Err(ConnectError::Unsupported(what))))
    }

    /// Where a transactional id or a group is kept; the inner error is the broker's answer.
    pub(crate) fn coordinator(
        &mut self,
        kind: Coordinator,
        key: &str,
        patience: &Patience<'_>,
    ) -> Answer<i32> {
        let known = match (kind, &self.group_coordinator) {
            (Coordinator::Transaction, _) => self.transaction_coordinator,
            (Coordinator::Group, Some((group, node))) if group == key => Some(*node),
            (Coordinator::Group, _) => None,
        };
        if let Some(node) = known {
            return Ok(Ok(node));
        }
        let request = FindCoordinatorRequest::default()
            .with_key_type(kind as i8)
            .with_coordinator_keys(vec![StrBytes::from_string(key.to_owned())]);
        let answer = self.brokers.ask_any(FIND_COORDINATOR, &request, patience)?;
        let Some(found) = answer.coordinators.first() else {
            return Ok(Err(kafka_protocol::ResponseError::CoordinatorNotAvailable.code()));
        };
        if found.error_code != 0 {
            return Ok(Err(found.error_code));
        }
        let node = found.node_id.0;
        self.brokers.know(node, &found.host, found.port);
        debug!(?kind, key, node, "coordinator found");
        match kind {
            Coordinator::Transaction => self.transaction_coordinator = Some(node),
            Coordinator::Group => self.group_coordinator = Some((key.to_owned(), node)),
        }
        Ok(Ok(node))
    }

    /// The next question for this coordinator asks where it is.
    pub(crate) fn forget_coordinator(&mut self, kind: Coordinator) {
        match kind {
            Coordinator::Transaction => self.transaction_coordinator = None,
            Coordinator::Group => self.group_coordinator = None,
        }
    }

    /// Who leads a partition, as far as is known.
    pub(crate) fn leader(&self, topic: usize, partition: i32) -> Option<i32> {
        *self.leaders.get(topic)?.get(usize::try_from(partition).ok()?)?
    }

    /// Finds out who leads the partitions of `topics`. The inner error is the first one that the
    /// broker has for one of them.
    pub(crate) fn find_leaders(&mut self, topics: &[Topic], patience: &Patience<'_>) -> Answer<()> {
        let asked = topics.iter().map(|topic| {
            let name = TopicName(StrBytes::from_string(topic.name.to_string()));
            MetadataRequestTopic::default().with_name(Some(name))
        });
        let request = MetadataRequest::default()
            .with_topics(Some(asked.collect()))
            .with_allow_auto_topic_creation(false);
        let answer = self.brokers.ask_any(METADATA, &request, patience)?;
        for broker in &answer.brokers {
            self.brokers.know(broker.node_id.0, &broker.host, broker.port);
        }
        let mut failure = None;
        for (topic, leaders) in topics.iter().zip(&mut self.leaders) {
            let named =
                |one: &&kafka_protocol::messages::metadata_response::MetadataResponseTopic| {
                    one.name.as_ref().is_some_and(|name| **name == *topic.name)
                };
            let Some(found) = answer.topics.iter().find(named) else { continue };
            if found.error_code != 0 {
                failure = failure.or(Some(found.error_code));
            }
            for partition in &found.partitions {
                let index = usize::try_from(partition.partition_index).unwrap_or(usize::MAX);
                if let Some(leader) = leaders.get_mut(index) {
                    *leader = Some(partition.leader_id.0).filter(|node| *node >= 0);
                }
            }
        }
        Ok(failure.map_or(Ok(()), Err))
    }
}

/// What the brokers lack for transactions v2, if anything.
fn missing(answer: &ApiVersionsResponse) -> Option<String> {
    let level = answer.finalized_features.iter().find(|one| &*one.name == TRANSACTION_VERSION);
    let level = level.map_or(0, |feature| feature.max_version_level);
    if answer.error_code == 0 && level < 2 {
        return Some(format!("the cluster has finalised `{TRANSACTION_VERSION}` {level}"));
    }
    unspoken(answer, &NEEDED)
}
