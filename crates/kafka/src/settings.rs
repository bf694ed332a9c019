use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TokenSource;

/// How to reach the brokers: what every client of a process shares.
///
/// `Debug` prints no secret; `Serialize` does not either.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// `host:port` of one or more brokers, separated by commas. Wrong ones: nothing starts, and
    /// `/ready` says that no broker answers.
    pub bootstrap_servers: String,
    /// Any other property of librdkafka, for all clients: security, timeouts, buffers. Those that
    /// exactly-once stands on are refused.
    #[serde(default, serialize_with = "redacted")]
    pub properties: BTreeMap<String, String>,
    /// A file with the token that `sasl.mechanism` `OAUTHBEARER` shows to brokers, kept up to date by
    /// something else: it is read anew whenever a token is needed. Wrong: no broker lets the process in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Instead of a file, a command for `sh -c` that writes the token to its standard output within ten
    /// seconds. It is shown with all other settings: secrets belong into what it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_command: Option<String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The guarantees stand on it.
    #[error("`{0}` is not configurable: exactly once stands on it; remove it")]
    Reserved(String),
    /// Nothing to connect to.
    #[error(
        "no broker is named; give `--bootstrap-servers host:port`, or set KAFKA_BOOTSTRAP_SERVERS or \
         `kafka.bootstrap_servers`"
    )]
    NoBroker,
    /// A token cannot come from two places.
    #[error("`kafka.token_file` and `kafka.token_command` are both set; remove one")]
    TwoTokens,
    /// librdkafka does not know a property, or not this value of it.
    #[error("the setting `kafka.properties.{name}` cannot be used: {said}")]
    Property {
        /// Its name.
        name: String,
        /// What librdkafka said. It repeats a value only where it knows all that there are.
        said: String,
    },
    /// librdkafka does not take them together, or finds no file where they say.
    #[error("the Kafka client refuses its settings: {0}")]
    Refused(String),
}

impl From<KafkaError> for SettingsError {
    /// What librdkafka says, without the value: it may be a secret under a misspelt name.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a client that is made fails in two ways")]
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, said, name, _) => Self::Property { name, said },
            KafkaError::ClientCreation(said) => Self::Refused(said),
            other => Self::Refused(other.to_string()),
        }
    }
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
const SECRET: [&str; 8] =
    ["password", "secret", "pem", "passphrase", "config", "token", "key", "credentials"];

impl ClientSettings {
    /// The brokers at `bootstrap_servers`, with librdkafka's defaults for all else.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.into(),
            properties: BTreeMap::new(),
            token_file: None,
            token_command: None,
        }
    }

    /// Refuses what can be known to be wrong without a broker and without the files that properties
    /// name: those are read when a client is made.
    ///
    /// # Errors
    /// Any [`SettingsError`].
    pub fn validate(&self) -> Result<(), SettingsError> {
        if self.bootstrap_servers.trim().is_empty() {
            return Err(SettingsError::NoBroker);
        }
        if let Some(name) = self.properties.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(SettingsError::Reserved(name.clone()));
        }
        if self.token_file.is_some() && self.token_command.is_some() {
            return Err(SettingsError::TwoTokens);
        }
        self.reader_config("bindery-check").create_native_config()?;
        self.sender_config("bindery-check").create_native_config()?;
        Ok(())
    }

    /// Where tokens for OAUTHBEARER come from, if anywhere.
    pub fn tokens(&self) -> Option<TokenSource> {
        let file = self.token_file.clone().map(TokenSource::File);
        file.or_else(|| self.token_command.clone().map(TokenSource::Command))
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
        printed.field("tokens", &self.tokens()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(property: &str, value: &str) -> ClientSettings {
        let mut settings = ClientSettings::new("localhost:9092");
        settings.properties.insert(property.into(), value.into());
        settings
    }

    /// A property in, what is wrong with it out.
    #[track_caller]
    fn check(property: &str, value: &str, expected: &str) {
        let validated = with(property, value).validate();
        let said = validated.map_or_else(|error| error.to_string(), |()| "fine".to_owned());
        assert_eq!(said, expected, "{property}");
    }

    #[test]
    fn what_exactly_once_stands_on_cannot_be_configured() {
        for property in RESERVED {
            let expected =
                format!("`{property}` is not configurable: exactly once stands on it; remove it");
            check(property, "1", &expected);
        }
        check("sasl.username", "ada", "fine");
    }

    #[test]
    fn a_token_comes_from_one_place() {
        let mut settings = ClientSettings::new("localhost:9092");
        assert_eq!(settings.tokens(), None);
        settings.token_command = Some("cat token".into());
        assert_eq!(settings.tokens(), Some(TokenSource::Command("cat token".into())));
        settings.token_file = Some("token".into());
        let said = settings.validate().unwrap_err().to_string();
        assert_eq!(said, "`kafka.token_file` and `kafka.token_command` are both set; remove one");
    }

    #[test]
    fn what_the_client_does_not_take_is_refused_without_its_value() {
        check(
            "sasl.pasword",
            "hunter2",
            "the setting `kafka.properties.sasl.pasword` cannot be used: No such configuration \
             property: \"sasl.pasword\"",
        );
        check(
            "security.protocol",
            "tls",
            "the setting `kafka.properties.security.protocol` cannot be used: Invalid value \"tls\" for \
             configuration property \"security.protocol\"",
        );
        let refused = with("ssl.key.pem", "hunter2");
        let refused = ClientSettings {
            properties: refused
                .properties
                .into_iter()
                .chain([("security.protocol".into(), "ssl".into())])
                .collect(),
            ..refused
        };
        assert!(refused.validate().is_ok(), "a key is looked at when a client is made");
        let said = crate::Sender::new(&refused, &[]).map(|_| ()).unwrap_err().to_string();
        assert!(said.starts_with("the Kafka client refuses its settings: "), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    /// Every property whose value librdkafka 2.12 keeps to itself, but for paths and user names, and
    /// those that its documentation calls a password, a secret, a key or a token.
    const SECRETS: [&str; 14] = [
        "https.ca.pem",
        "sasl.jaas.config",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.password",
        "ssl.ca.pem",
        "ssl.certificate.pem",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "ssl_key",
    ];

    #[test]
    fn a_secret_is_never_printed() {
        for name in SECRETS {
            let settings = with(name, "hunter2");
            assert!(!format!("{settings:?}").contains("hunter2"), "{name}");
            let written = serde_json::to_string(&settings).unwrap();
            assert!(!written.contains("hunter2") && written.contains("<redacted>"), "{name}");
        }
        let open = serde_json::to_string(&with("security.protocol", "ssl")).unwrap();
        assert!(open.contains(r#""security.protocol":"ssl""#), "{open}");
    }
}
