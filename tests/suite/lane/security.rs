//! Lanes on brokers that want TLS, and to know who somebody is.

use std::path::Path;
use std::time::{Duration, Instant};

use dev_broker::{Broker, BrokerConfig};
use kafka::ClientSettings;
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;
use lane::ProducerClient;
use native_client::{Address, Brokers, Connection, Patience, Security};
use testkit::kafka::{PASSWORD, SecuredNode, USER};
use testkit::{Authority, TlsProxy, Validity};

use super::copying::Copying;

/// Claims of a token that nobody signed: `{"sub":"ada","exp":2000000000}`.
const UNSIGNED_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.";

/// What a client has to be told to reach a broker, as users write it.
type Properties<'a> = &'a [(&'a str, &'a str)];

fn settings(address: &str, properties: Properties<'_>) -> ClientSettings {
    let mut settings = ClientSettings::new(address);
    let owned = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    settings.properties = owned.collect();
    settings
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Copies with lanes that reach the broker by `settings`, and demands that it is the native client that
/// writes.
#[track_caller]
fn check_copying(plain: &str, name: &str, settings: ClientSettings) {
    check_copying_by(ProducerClient::Native, plain, name, settings);
}

/// The same, and demands that it is `client` that writes where the native one is asked for.
#[track_caller]
fn check_copying_by(client: ProducerClient, plain: &str, name: &str, settings: ClientSettings) {
    let copying = Copying { client: ProducerClient::Native, settings, ..Copying::on(plain, name) };
    let instance = copying.start("0");
    copying.produce(0..300);
    copying.check_copied_once(300);
    assert_eq!(instance.status.client(), Some(client), "{name}");
    instance.stop();
}

#[test]
fn both_clients_of_a_lane_reach_a_broker_by_tls() {
    let mut proxy = TlsProxy::bind();
    let advertise = Some(proxy.address());
    let broker = Broker::start(BrokerConfig { advertise, ..BrokerConfig::default() }).unwrap();
    let authority = Authority::new();
    let issued = authority.issue(&["127.0.0.1"], Validity::Current);
    proxy.serve_plain_too(broker.address(), &issued, Some(&authority));
    let client = authority.issue(&["client"], Validity::Current);
    let address = proxy.address().to_string();
    let settings = settings(
        &address,
        &[
            ("security.protocol", "ssl"),
            ("ssl.ca.location", &text(&authority.file())),
            ("ssl.certificate.location", &text(&client.certificate)),
            ("ssl.key.location", &text(&client.key)),
        ],
    );
    check_copying(&address, "tls", settings);
}

#[test]
fn where_only_librdkafka_trusts_the_broker_librdkafka_writes() {
    let mut proxy = TlsProxy::bind();
    let advertise = Some(proxy.address());
    let broker = Broker::start(BrokerConfig { advertise, ..BrokerConfig::default() }).unwrap();
    let authority = Authority::new();
    proxy.serve_plain_too(broker.address(), &authority.itself(), None);
    let address = proxy.address().to_string();
    let ca = text(&authority.file());
    let settings = settings(&address, &[("security.protocol", "ssl"), ("ssl.ca.location", &ca)]);
    check_copying_by(ProducerClient::Librdkafka, &address, "own-authority", settings);
}

/// Apache Kafka that knows its clients, where this run has Apache Kafka at all: the embedded broker asks
/// nobody who they are.
fn secured_node() -> Option<SecuredNode> {
    testkit::runs_on_kafka().then(SecuredNode::start)
}

#[test]
fn lanes_reach_apache_kafka_by_certificate_and_by_every_mechanism() {
    let Some(node) = secured_node() else { return };
    let ca = text(&node.authority().file());
    let by = |mechanism| {
        [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", &ca),
            ("sasl.mechanism", mechanism),
            ("sasl.username", USER),
            ("sasl.password", PASSWORD),
        ]
    };
    for (name, mechanism) in
        [("plain", "PLAIN"), ("sha-256", "SCRAM-SHA-256"), ("sha-512", "SCRAM-SHA-512")]
    {
        check_copying(&node.plain(), name, settings(node.sasl(), &by(mechanism)));
    }

    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, UNSIGNED_TOKEN).unwrap();
    let mut bearer = settings(node.sasl(), &by("OAUTHBEARER")[..3]);
    bearer.token_file = Some(token.clone());
    check_copying(&node.plain(), "bearer-file", bearer.clone());
    bearer.token_file = None;
    bearer.token_command = Some(format!("cat {}", token.display()));
    check_copying(&node.plain(), "bearer-command", bearer);

    let client = node.client();
    let mutual = settings(
        node.mutual(),
        &[
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &ca),
            ("ssl.certificate.location", &text(&client.certificate)),
            ("ssl.key.location", &text(&client.key)),
        ],
    );
    check_copying(&node.plain(), "mutual", mutual);
}

/// A patience that ends with the test's own.
fn patience() -> Patience<'static> {
    Patience::until(Instant::now() + Duration::from_secs(60), &|time| {
        std::thread::park_timeout(time);
        false
    })
}

/// What asking the broker what it speaks comes to, in one line.
#[track_caller]
fn check_refused(address: &str, properties: Properties<'_>, expected: &str) {
    let security = Security::from_properties(properties.iter().copied(), None)
        .expect("the native client knows all of this");
    let mut brokers = Brokers::new(native_client::ClientSettings {
        bootstrap_servers: address.to_owned(),
        client_id: "refused".to_owned(),
        request_timeout: Duration::from_secs(10),
        security,
    });
    let said = match brokers.versions(&patience()) {
        Ok(_) => "fine".to_owned(),
        Err(refused) => native_client::chain(&refused),
    };
    assert!(said.starts_with(&format!("`{address}` and this client do not trust")), "{said}");
    assert!(said.contains(expected), "{said}");
}

#[test]
fn apache_kafka_and_the_native_client_say_why_they_do_not_trust_each_other() {
    let Some(node) = secured_node() else { return };
    let ca = text(&node.authority().file());
    let by = |mechanism, password| {
        [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", &ca),
            ("sasl.mechanism", mechanism),
            ("sasl.username", USER),
            ("sasl.password", password),
        ]
    };
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let expected = format!("it refuses user `{USER}` by {mechanism}; check `sasl.username`");
        check_refused(node.sasl(), &by(mechanism, "wrong"), &expected);
    }
    let authority = Authority::new();
    let other = text(&authority.file());
    let mut stranger = by("PLAIN", PASSWORD);
    stranger[1].1 = &other;
    check_refused(node.sasl(), &stranger, "signed by nobody who is trusted here");
    let anonymous = [("security.protocol", "SSL"), ("ssl.ca.location", &*ca)];
    check_refused(node.mutual(), &anonymous, "refuses this client's certificate, or the lack");
    let unencrypted = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", USER),
        ("sasl.password", PASSWORD),
    ];
    check_refused(&node.plain(), &unencrypted, "it asks nobody who they are at this port");

    // The broker forgets after three seconds who this is, and closes a connection that goes on.
    let (patience, limit) = (patience(), Duration::from_secs(10));
    let settings = native_client::ClientSettings {
        bootstrap_servers: node.sasl().to_owned(),
        client_id: "session".to_owned(),
        request_timeout: limit,
        security: Security::from_properties(by("SCRAM-SHA-512", PASSWORD), None).unwrap(),
    };
    let (host, port) = node.sasl().split_once(':').unwrap();
    let address = Address { host: host.to_owned(), port: port.parse().unwrap() };
    let mut connection = Connection::open(&address, &settings, &patience).unwrap();
    let name = StrBytes::from_static_str("bindery");
    let request = ApiVersionsRequest::default()
        .with_client_software_name(name.clone())
        .with_client_software_version(name);
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        connection.call(3, &request, limit, &patience).unwrap();
        std::thread::park_timeout(Duration::from_millis(100));
    }
}
