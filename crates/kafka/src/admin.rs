use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use tracing::{info, warn};

use crate::context::{Witness, asking, serve};
use crate::{ClientSettings, QuietContext, SettingsError, TopicSpec, Topics};

/// How long one administrative request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Why topics could not be looked at or changed, or are not as they have to be.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No broker answered in time.
    #[error(
        "no broker answers at `{bootstrap_servers}`; check the address and that it runs: {reason}"
    )]
    Unreachable {
        /// The address tried.
        bootstrap_servers: String,
        /// What went wrong last on the way there: refused, not resolved, no TLS.
        reason: String,
    },
    /// The client's settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The broker refused.
    #[error("the broker refused to {action} topic `{topic}`: {code}")]
    Refused {
        /// `create`, `describe`, `delete`.
        action: &'static str,
        /// Which.
        topic: String,
        /// Its answer.
        code: RDKafkaErrorCode,
    },
    /// The request itself failed.
    #[error("the broker did not answer an administrative request")]
    Request(#[source] KafkaError),
    /// A topic is missing or mis-shaped; the differences, and how to mend them.
    #[error("{}; {}", joined(.0), advice(.0))]
    Differs(Vec<Difference>),
}

/// One way in which a topic is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It does not exist.
    Missing {
        /// Which.
        topic: String,
    },
    /// It has another number of partitions.
    Partitions {
        /// Which.
        topic: String,
        /// How many it has to have.
        expected: i32,
        /// How many it has.
        found: i32,
    },
    /// A setting has another value.
    Config {
        /// Which.
        topic: String,
        /// The setting.
        key: String,
        /// What it has to be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// What [`apply`] did with one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its name.
    pub topic: String,
    /// What was done.
    pub change: Change,
}

/// What [`apply`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was missing and is there now.
    Created,
    /// It was there as it has to be.
    Unchanged,
    /// It is there and differs; left alone.
    Differs(Vec<Difference>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { topic } => write!(f, "topic `{topic}` does not exist"),
            Self::Partitions { topic, expected, found } => {
                write!(f, "topic `{topic}` has {found} partitions instead of {expected}")
            }
            Self::Config { topic, key, expected, found } => {
                write!(f, "topic `{topic}` has `{key}={found}` instead of `{expected}`")
            }
        }
    }
}

impl Difference {
    /// The topic it is about.
    pub fn topic(&self) -> &str {
        match self {
            Self::Missing { topic }
            | Self::Partitions { topic, .. }
            | Self::Config { topic, .. } => topic,
        }
    }

    /// Whether a service must not start on it: keys or facts would be lost. Other differences are
    /// only reported.
    pub fn forbids_start(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Partitions { .. } => true,
            Self::Config { key, .. } => key == "cleanup.policy",
        }
    }
}

/// What mends `differences`: only what is missing can be created without a decision.
fn advice(differences: &[Difference]) -> &'static str {
    let is_missing = |one: &Difference| matches!(one, Difference::Missing { .. });
    if differences.iter().all(is_missing) {
        "run `bindery topics apply`"
    } else {
        "change the topic or the configuration, then `bindery topics check` shows what is left"
    }
}

fn joined(differences: &[Difference]) -> String {
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Creates what is missing of `specs` and reports what differs; changes nothing that exists. Returns when the
/// broker shows what was created, so that a service may start right afterwards.
///
/// # Errors
/// [`AdminError::Unreachable`] when no broker answers, [`AdminError::Refused`] when it will not create one.
pub fn apply(settings: &ClientSettings, specs: &[TopicSpec]) -> Result<Vec<Applied>, AdminError> {
    let differences = check(settings, specs)?;
    let admin = admin_client(settings)?;
    let is_missing =
        |spec: &&TopicSpec| differences.contains(&Difference::Missing { topic: spec.name.clone() });
    let missing: Vec<NewTopic<'_>> = specs.iter().filter(is_missing).map(new_topic).collect();
    let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
    let options = options.operation_timeout(Some(REQUEST_TIMEOUT));
    if !missing.is_empty() {
        let answers = block_on(admin.create_topics(&missing, &options));
        for answer in answers.map_err(AdminError::Request)? {
            match answer {
                // Somebody else created it meanwhile.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(AdminError::Refused { action: "create", topic, code });
                }
            }
        }
        wait_until_shown(settings, &missing)?;
    }
    let applied = specs.iter().map(|spec| {
        let own = differences.iter().filter(|difference| difference.topic() == spec.name);
        let own: Vec<Difference> = own.cloned().collect();
        let change = match own.as_slice() {
            [] => Change::Unchanged,
            [Difference::Missing { .. }] => Change::Created,
            _ => Change::Differs(own),
        };
        Applied { topic: spec.name.clone(), change }
    });
    Ok(applied.collect())
}

/// Waits until the broker's metadata has what was created: it answers before, when it is busy. One that takes
/// longer than a request may is not waited for; whoever needs its topics says what is missing.
fn wait_until_shown(settings: &ClientSettings, created: &[NewTopic<'_>]) -> Result<(), AdminError> {
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let consumer = metadata_client(settings)?;
    loop {
        let metadata = metadata_by(&consumer, settings, REQUEST_TIMEOUT)?;
        let is_shown = |topic: &NewTopic<'_>| partitions_in(&metadata, topic.name).is_some();
        if created.iter().all(is_shown) || Instant::now() >= deadline {
            return Ok(());
        }
        serve(&consumer);
    }
}

/// Every way in which the cluster's topics are not as `specs` say.
///
/// # Errors
/// [`AdminError::Unreachable`] when no broker answers.
pub fn check(
    settings: &ClientSettings,
    specs: &[TopicSpec],
) -> Result<Vec<Difference>, AdminError> {
    let metadata = metadata(settings, REQUEST_TIMEOUT)?;
    let mut differences = Vec::new();
    let mut present = Vec::new();
    for spec in specs {
        match partitions_in(&metadata, &spec.name) {
            None => differences.push(Difference::Missing { topic: spec.name.clone() }),
            Some(found) => {
                present.push(spec);
                if found != spec.partitions {
                    differences.push(Difference::Partitions {
                        topic: spec.name.clone(),
                        expected: spec.partitions,
                        found,
                    });
                }
            }
        }
    }
    if !present.is_empty() {
        differences.extend(config_differences(settings, &present)?);
    }
    Ok(differences)
}

/// What a service does at boot: returns only if `specs` are there and none differs in a way that
/// would lose or misplace records.
///
/// # Errors
/// [`AdminError::Differs`] names all that is wrong, in one line that says what to do.
pub fn require(settings: &ClientSettings, specs: &[TopicSpec]) -> Result<(), AdminError> {
    let (fatal, others): (Vec<_>, Vec<_>) =
        check(settings, specs)?.into_iter().partition(Difference::forbids_start);
    for difference in others {
        warn!(%difference, "a topic is not as configured");
    }
    if fatal.is_empty() { Ok(()) } else { Err(AdminError::Differs(fatal)) }
}

/// Takes over from the broker how large a record each topic takes, so that no record is written that
/// it would refuse. Topics that do not exist keep what is configured.
///
/// # Errors
/// As [`check`].
pub fn adopt_limits(settings: &ClientSettings, topics: &mut Topics) -> Result<(), AdminError> {
    let admin = admin_client(settings)?;
    let metadata = metadata(settings, REQUEST_TIMEOUT)?;
    let exists = |spec: &&mut TopicSpec| partitions_in(&metadata, &spec.name).is_some();
    for spec in topics.all_mut().into_iter().filter(exists) {
        adopt_from(&admin, spec)?;
    }
    Ok(())
}

/// The same for one topic.
///
/// # Errors
/// As [`check`].
pub fn adopt_limit(settings: &ClientSettings, topic: &mut TopicSpec) -> Result<(), AdminError> {
    adopt_from(&admin_client(settings)?, topic)
}

fn adopt_from(admin: &AdminClient<QuietContext>, topic: &mut TopicSpec) -> Result<(), AdminError> {
    const LIMIT: &str = "max.message.bytes";
    let resource = [ResourceSpecifier::Topic(&topic.name)];
    let answers = block_on(admin.describe_configs(&resource, &AdminOptions::new()));
    for answer in answers.map_err(AdminError::Request)? {
        let limit = answer.ok().and_then(|topic| topic.get(LIMIT)?.value.clone());
        if let Some(limit) = limit {
            topic.config.insert(LIMIT.into(), limit);
        }
    }
    Ok(())
}

/// Deletes topics; those that do not exist are passed over.
///
/// # Errors
/// [`AdminError::Refused`] when the broker will not.
pub fn delete(settings: &ClientSettings, names: &[&str]) -> Result<(), AdminError> {
    let admin = admin_client(settings)?;
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
    let answers = block_on(admin.delete_topics(names, &options)).map_err(AdminError::Request)?;
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, code)) => {
                return Err(AdminError::Refused { action: "delete", topic, code });
            }
        }
    }
    Ok(())
}

/// How many partitions `topic` has; `None` where it does not exist.
///
/// # Errors
/// [`AdminError::Unreachable`] when no broker answers.
pub fn partition_count(settings: &ClientSettings, topic: &str) -> Result<Option<i32>, AdminError> {
    Ok(partitions_in(&metadata(settings, REQUEST_TIMEOUT)?, topic))
}

/// Every topic of the cluster that can be used, with its number of partitions.
///
/// # Errors
/// [`AdminError::Unreachable`] when no broker answers.
pub fn partition_counts(settings: &ClientSettings) -> Result<BTreeMap<String, i32>, AdminError> {
    let metadata = metadata(settings, REQUEST_TIMEOUT)?;
    let names = metadata.topics().iter().map(MetadataTopic::name);
    let counted = |name: &str| Some((name.to_owned(), partitions_in(&metadata, name)?));
    Ok(names.filter_map(counted).collect())
}

/// The cluster's own id, which tells it from every other; `None` where it has none.
///
/// # Errors
/// [`AdminError::Unreachable`] when no broker answers.
pub fn cluster_id(settings: &ClientSettings) -> Result<Option<String>, AdminError> {
    metadata(settings, REQUEST_TIMEOUT)?;
    let consumer = metadata_client(settings)?;
    Ok(consumer.client().fetch_cluster_id(REQUEST_TIMEOUT))
}

/// Asks the brokers for an answer, for as long as `patience`: for a person who waits and wants to know
/// what is wrong with the address. `false` when `stop` said to give up.
///
/// # Errors
/// [`AdminError::Unreachable`] says what went wrong on the way.
pub fn reach(
    settings: &ClientSettings,
    patience: Duration,
    stop: impl Fn() -> bool,
) -> Result<bool, AdminError> {
    const ATTEMPT: Duration = Duration::from_millis(250);
    let consumer = metadata_client(settings)?;
    let started = Instant::now();
    while !stop() {
        match consumer.fetch_metadata(Some(""), ATTEMPT) {
            Ok(_) => return Ok(true),
            Err(error) if started.elapsed() >= patience => {
                return Err(unreachable(settings, &consumer, &error));
            }
            Err(_) => {}
        }
    }
    Ok(false)
}

/// Waits until a broker answers, saying once that it waits; `false` when `stop` said to give up.
///
/// # Errors
/// [`AdminError::Settings`] when the client refuses its settings: waiting would not help.
pub fn wait_for_broker(
    settings: &ClientSettings,
    stop: impl Fn() -> bool,
) -> Result<bool, AdminError> {
    const ATTEMPT: Duration = Duration::from_millis(500);
    let consumer = metadata_client(settings)?;
    let mut said = None;
    while !stop() {
        match consumer.fetch_metadata(Some(""), ATTEMPT) {
            Ok(_) => {
                if said.is_some() {
                    info!(bootstrap_servers = settings.bootstrap_servers, "a broker answers");
                }
                return Ok(true);
            }
            Err(error) => {
                serve(&consumer);
                let error = consumer.context().seen().unwrap_or_else(|| error.to_string());
                if said.as_ref() != Some(&error) {
                    let bootstrap_servers = &settings.bootstrap_servers;
                    warn!(bootstrap_servers, %error, "no broker answers yet; waiting");
                    said = Some(error);
                }
            }
        }
    }
    Ok(false)
}

fn config_differences(
    settings: &ClientSettings,
    specs: &[&TopicSpec],
) -> Result<Vec<Difference>, AdminError> {
    let admin = admin_client(settings)?;
    let resources: Vec<_> = specs.iter().map(|spec| ResourceSpecifier::Topic(&spec.name)).collect();
    let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
    let answers =
        block_on(admin.describe_configs(&resources, &options)).map_err(AdminError::Request)?;
    let mut differences = Vec::new();
    for (spec, answer) in specs.iter().zip(answers) {
        let refused =
            |code| AdminError::Refused { action: "describe", topic: spec.name.clone(), code };
        let resource = answer.map_err(refused)?;
        debug_assert_eq!(resource.specifier, OwnedResourceSpecifier::Topic(spec.name.clone()));
        // Every topic has settings: the client shows the broker's refusal as an answer without any.
        if resource.entries.is_empty() {
            return Err(refused(RDKafkaErrorCode::TopicAuthorizationFailed));
        }
        for (key, expected) in &spec.config {
            let found = resource.get(key).and_then(|entry| entry.value.clone());
            let found = found.unwrap_or_default();
            if !same_setting(expected, &found) {
                differences.push(Difference::Config {
                    topic: spec.name.clone(),
                    key: key.clone(),
                    expected: expected.clone(),
                    found,
                });
            }
        }
    }
    Ok(differences)
}

/// Lists such as `compact,delete` are the same in any order.
fn same_setting(expected: &str, found: &str) -> bool {
    let parts = |list: &str| {
        let mut parts: Vec<String> = list.split(',').map(|part| part.trim().to_owned()).collect();
        parts.sort();
        parts
    };
    parts(expected) == parts(found)
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(spec.replication.into());
    let topic = NewTopic::new(&spec.name, spec.partitions, replication);
    spec.config.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
}

fn partitions_in(metadata: &Metadata, topic: &str) -> Option<i32> {
    let found = metadata.topics().iter().find(|found| found.name() == topic)?;
    let count = i32::try_from(found.partitions().len()).unwrap_or(i32::MAX);
    (found.error().is_none() && count > 0).then_some(count)
}

fn metadata(settings: &ClientSettings, timeout: Duration) -> Result<Metadata, AdminError> {
    metadata_by(&metadata_client(settings)?, settings, timeout)
}

/// The same with a client that is there already.
fn metadata_by(
    consumer: &BaseConsumer<Witness>,
    settings: &ClientSettings,
    timeout: Duration,
) -> Result<Metadata, AdminError> {
    let metadata = consumer.fetch_metadata(None, timeout);
    metadata.map_err(|error| unreachable(settings, consumer, &error))
}

fn metadata_client(settings: &ClientSettings) -> Result<BaseConsumer<Witness>, SettingsError> {
    asking(&settings.admin_config(), Witness::new(settings), settings)
}

/// What the client met on its way says more than that it gave up.
fn unreachable(
    settings: &ClientSettings,
    consumer: &BaseConsumer<Witness>,
    error: &KafkaError,
) -> AdminError {
    const EVENTS_MAX: usize = 1000;
    const PAUSE: Duration = Duration::from_millis(20);
    // Polling serves what the client met; the answers themselves say less. Without time to wait it would
    // end behind the first line of the log.
    for _ in 0..EVENTS_MAX {
        if consumer.poll(PAUSE).is_none() {
            break;
        }
    }
    AdminError::Unreachable {
        bootstrap_servers: settings.bootstrap_servers.clone(),
        reason: consumer.context().seen().unwrap_or_else(|| error.to_string()),
    }
}

fn admin_client(settings: &ClientSettings) -> Result<AdminClient<QuietContext>, SettingsError> {
    let context = QuietContext::new(settings);
    settings.admin_config().create_with_context(context).map_err(SettingsError::from)
}
