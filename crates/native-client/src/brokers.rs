use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::{Request, StrBytes};

use crate::Security;
use crate::connection::{Address, Connection};
use crate::error::CallError;
use crate::patience::Patience;

const API_VERSIONS: i16 = 3;

/// How brokers are reached.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// `host:port` of one or more brokers, separated by commas.
    pub bootstrap_servers: String,
    /// What brokers call the client in their logs and quotas.
    pub client_id: String,
    /// Time one request may take before its connection is given up.
    pub request_timeout: Duration,
    /// Encryption and authentication.
    pub security: Security,
}

/// The brokers of one cluster as far as they are known, and a connection to each that is needed.
#[derive(Debug)]
pub struct Brokers {
    settings: ClientSettings,
    /// By node id; those to begin with have negative ones.
    addresses: BTreeMap<i32, Address>,
    connections: HashMap<i32, Connection>,
}

impl Brokers {
    /// Knows those to begin with, and is connected to none.
    pub fn new(settings: ClientSettings) -> Self {
        let addresses = settings.bootstrap_servers.split(',').filter_map(address_of);
        let addresses = (1..).map(|number: i32| -number).zip(addresses).collect();
        Self { settings, addresses, connections: HashMap::new() }
    }

    /// The connection to a broker, opened if there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or nobody knows where the broker is.
    pub fn connection(
        &mut self,
        node: i32,
        patience: &Patience<'_>,
    ) -> Result<&mut Connection, CallError> {
        if !self.connections.contains_key(&node) {
            let address = self.addresses.get(&node).ok_or(CallError::Nobody)?;
            let opened = Connection::open(address, &self.settings, patience)?;
            self.connections.insert(node, opened);
        }
        self.connections.get_mut(&node).ok_or(CallError::Nobody)
    }

    /// Gives a connection up: a request of it may have no answer any more.
    pub fn disconnect(&mut self, node: i32) {
        self.connections.remove(&node);
    }

    /// Asks one broker. A connection that fails is given up.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask<R: Request>(
        &mut self,
        node: i32,
        version: i16,
        request: &R,
        patience: &Patience<'_>,
    ) -> Result<R::Response, CallError> {
        let limit = self.settings.request_timeout;
        let connection = self.connection(node, patience)?;
        let answer = connection.call(version, request, limit, patience);
        if answer.is_err() {
            self.disconnect(node);
        }
        answer
    }

    /// Asks whoever answers, those first that there is a connection to.
    ///
    /// # Errors
    /// When nobody does: what the last one failed with.
    pub fn ask_any<R: Request>(
        &mut self,
        version: i16,
        request: &R,
        patience: &Patience<'_>,
    ) -> Result<R::Response, CallError> {
        let connected = self.connections.keys().copied();
        let known = self.addresses.keys().rev().copied();
        let nodes: Vec<i32> = connected.chain(known).collect();
        let mut failure = CallError::Nobody;
        for node in nodes {
            match self.ask(node, version, request, patience) {
                Ok(answer) => return Ok(answer),
                Err(over @ CallError::Over(_)) => return Err(over),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Asks whoever answers what it speaks.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn versions(&mut self, patience: &Patience<'_>) -> Result<ApiVersionsResponse, CallError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("bindery"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        self.ask_any(API_VERSIONS, &request, patience)
    }

    /// Takes note of where a broker is.
    pub fn know(&mut self, node: i32, host: &str, port: i32) {
        let Ok(port) = u16::try_from(port) else { return };
        let address = Address { host: host.to_owned(), port };
        if self.addresses.get(&node) != Some(&address) {
            self.disconnect(node);
            self.addresses.insert(node, address);
        }
    }
}

/// What brokers that answered ApiVersions with `answer` do not speak of `needed`, requests and their
/// versions; `None` when they speak it all.
pub fn unspoken(answer: &ApiVersionsResponse, needed: &[(ApiKey, i16)]) -> Option<String> {
    if answer.error_code != 0 {
        return Some(format!("ApiVersions is answered with error {}", answer.error_code));
    }
    needed.iter().find_map(|(api, version)| {
        let spoken = answer.api_keys.iter().any(|one| {
            one.api_key == *api as i16 && (one.min_version..=one.max_version).contains(version)
        });
        (!spoken).then(|| format!("the broker does not speak {api:?} {version}"))
    })
}

/// `host:port`, `[v6]:port` or `protocol://host:port`; without a port it is Kafka's usual one.
fn address_of(text: &str) -> Option<Address> {
    const USUAL_PORT: u16 = 9092;
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, address)| address);
    if text.is_empty() {
        return None;
    }
    let with_port = text.rsplit_once(':').filter(|(host, _)| !host.ends_with(':'));
    let (host, port) = match with_port {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            (host, port.parse().ok()?)
        }
        Some(_) | None => (text, USUAL_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Address { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, u16)>) {
        let found = address_of(text);
        let expected = expected.map(|(host, port)| Address { host: host.to_owned(), port });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_are_read_as_librdkafka_reads_them() {
        check("localhost:9093", Some(("localhost", 9093)));
        check(" broker ", Some(("broker", 9092)));
        check("PLAINTEXT://broker:1", Some(("broker", 1)));
        check("[::1]:9094", Some(("::1", 9094)));
        check("::1", Some(("::1", 9092)));
        check("broker:port", None);
        check("", None);
    }
}
