use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};

/// How to reach the brokers: what every client of a process shares.
///
/// `Debug` prints no secret; `Serialize` does not either.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// `host:port` of one or more brokers, separated by commas. Wrong ones: nothing starts, and
    /// `/ready` says that no broker answers.
    pub bootstrap_servers: String,
    /// Any other property of librdkafka, for all clients: security, timeouts, buffers. Those that
    /// exactly-once stands on are refused.
    #[serde(default, serialize_with = "redacted")]
    pub properties: BTreeMap<String, String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The guarantees stand on it.
    #[error("`{0}` is not configurable: exactly once stands on it; remove it")]
    Reserved(String),
    /// Nothing to connect to.
    #[error("`bootstrap_servers` is empty; set it to `host:port` of a broker")]
    NoBroker,
    /// librdkafka does not take it.
    #[error("the Kafka client refuses its settings")]
    Refused(#[source] rdkafka::error::KafkaError),
}

/// Properties whose value the guarantees stand on; see [`ClientSettings::validate`].
const RESERVED: [&str; 10] = [
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "isolation.level",
    "acks",
    "transactional.id",
    "enable.partition.eof",
];

/// Ends of property names whose values are never shown.
const SECRET: [&str; 7] =
    ["password", "secret", "pem", "passphrase", "config", "token", "private.key"];

impl ClientSettings {
    /// The brokers at `bootstrap_servers`, with librdkafka's defaults for all else.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self { bootstrap_servers: bootstrap_servers.into(), properties: BTreeMap::new() }
    }

    /// Refuses what can be known to be wrong without a broker.
    ///
    /// # Errors
    /// [`SettingsError::NoBroker`] and [`SettingsError::Reserved`].
    pub fn validate(&self) -> Result<(), SettingsError> {
        if self.bootstrap_servers.trim().is_empty() {
            return Err(SettingsError::NoBroker);
        }
        match self.properties.keys().find(|name| RESERVED.contains(&name.as_str())) {
            Some(name) => Err(SettingsError::Reserved(name.clone())),
            None => Ok(()),
        }
    }

    /// What all clients have in common, then `properties`.
    fn base(&self, client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("client.id", client_id)
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "2000")
            .set("topic.metadata.refresh.interval.ms", "60000")
            .set("client.dns.lookup", "use_all_dns_ips");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }

    /// For a consumer that is a member of `group`.
    pub fn consumer_config(&self, group: &str, client_id: &str) -> ClientConfig {
        let mut config = self.base(client_id);
        config
            .set("group.id", group)
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false");
        config
    }

    /// For a reader of assigned partitions, a member of no group.
    pub fn reader_config(&self, client_id: &str) -> ClientConfig {
        // librdkafka wants a group id for its consumer queue; nothing is ever committed under it.
        let mut config = self.consumer_config("bindery-reader", client_id);
        config
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "16384");
        config
    }

    /// For an idempotent producer without transactions.
    pub fn sender_config(&self, client_id: &str) -> ClientConfig {
        let mut config = self.base(client_id);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // As the Java client does, and `partition_of`.
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "2")
            .set("retry.backoff.ms", "20")
            .set("queue.buffering.max.kbytes", "65536");
        config
    }

    /// For administration.
    pub fn admin_config(&self) -> ClientConfig {
        self.base("bindery-admin")
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|end| name.ends_with(end))
}

fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { "<redacted>" } else { value }
}

fn redacted<S: serde::Serializer>(
    properties: &BTreeMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(properties.iter().map(|(name, value)| (name, shown(name, value))))
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("ClientSettings");
        printed.field("bootstrap_servers", &self.bootstrap_servers);
        for (name, value) in &self.properties {
            printed.field(name, &shown(name, value));
        }
        printed.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(property: &str, refused: bool) {
        let mut settings = ClientSettings::new("localhost:9092");
        settings.properties.insert(property.into(), "hunter2".into());
        assert_eq!(settings.validate().is_err(), refused, "{property}");
    }

    #[test]
    fn what_exactly_once_stands_on_cannot_be_configured() {
        check("isolation.level", true);
        check("transactional.id", true);
        check("sasl.username", false);
    }

    #[test]
    fn a_secret_is_never_printed() {
        for name in ["sasl.password", "ssl.key.pem", "sasl.oauthbearer.config"] {
            let mut settings = ClientSettings::new("localhost:9092");
            settings.properties.insert(name.into(), "hunter2".into());
            assert!(!format!("{settings:?}").contains("hunter2"), "{name}");
        }
    }
}
