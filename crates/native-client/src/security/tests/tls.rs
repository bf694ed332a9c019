//! Against the embedded broker behind a server that speaks TLS.

use dev_broker::{Broker, BrokerConfig};
use testkit::{Authority, Issued, TlsProxy, Validity};

use super::{outcome, security};

/// A broker that shows one certificate.
struct Encrypted {
    broker: Broker,
    proxy: TlsProxy,
}

impl Encrypted {
    fn showing(issued: &Issued, clients: Option<&Authority>) -> Self {
        let mut proxy = TlsProxy::bind();
        let advertise = Some(proxy.address());
        let broker = Broker::start(BrokerConfig { advertise, ..BrokerConfig::default() }).unwrap();
        proxy.serve(broker.address(), issued, clients);
        Self { broker, proxy }
    }

    /// What a client with these properties, and TLS, comes to.
    #[track_caller]
    fn check(&self, properties: &[(&str, &str)], expected: &str) {
        let all = [&[("security.protocol", "SSL")], properties].concat();
        let said = outcome(&self.proxy.address().to_string(), security(&all, None));
        assert!(said.contains(expected), "{said}");
    }
}

fn text(path: impl AsRef<std::path::Path>) -> String {
    path.as_ref().display().to_string()
}

#[test]
fn a_broker_is_trusted_whose_certificate_is_for_its_name_and_of_an_authority_that_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    let broker = Encrypted::showing(&authority.issue(&["127.0.0.1"], Validity::Current), None);
    broker.check(&[("ssl.ca.location", &text(authority.file()))], "fine");
    let unknown = "for good: its certificate is signed by nobody who is trusted here; \
                   `ssl.ca.location` has to name";
    broker.check(&[("ssl.ca.location", &text(other.file()))], unknown);
    broker.check(
        &[
            ("ssl.ca.location", &text(other.file())),
            ("ssl.endpoint.identification.algorithm", "none"),
        ],
        unknown,
    );
    broker.check(&[("enable.ssl.certificate.verification", "false")], "fine");
}

#[test]
fn a_certificate_for_another_name_is_refused_unless_names_do_not_matter() {
    let authority = Authority::new();
    let broker = Encrypted::showing(&authority.issue(&["broker.example"], Validity::Current), None);
    let ca = text(authority.file());
    broker.check(
        &[("ssl.ca.location", &ca)],
        "for good: certificate not valid for name \"127.0.0.1\"; certificate is only valid for \
         DnsName(\"broker.example\"); connect by a name that is among its subjectAltNames",
    );
    broker.check(
        &[("ssl.ca.location", &ca), ("ssl.endpoint.identification.algorithm", "none")],
        "fine",
    );
}

#[test]
fn a_certificate_that_has_expired_may_be_replaced() {
    let authority = Authority::new();
    let broker = Encrypted::showing(&authority.issue(&["127.0.0.1"], Validity::Expired), None);
    let ca = text(authority.file());
    broker.check(&[("ssl.ca.location", &ca)], "passing: its certificate has expired");
}

#[test]
fn a_client_shows_its_certificate_where_it_is_wanted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let broker =
        Encrypted::showing(&authority.issue(&["127.0.0.1"], Validity::Current), Some(&authority));
    let ca = text(authority.file());
    let check = |client: &Issued, expected| {
        let (certificate, key) = (text(&client.certificate), text(&client.key));
        broker.check(
            &[
                ("ssl.ca.location", &ca),
                ("ssl.certificate.location", &certificate),
                ("ssl.key.location", &key),
            ],
            expected,
        );
    };
    let refused = "for good: it refuses this client's certificate, or the lack of one";
    check(&authority.issue(&["client"], Validity::Current), "fine");
    check(&other.issue(&["stranger"], Validity::Current), refused);
    broker.check(&[("ssl.ca.location", &ca)], refused);
}

#[test]
fn who_speaks_tls_and_who_does_not_find_out_about_each_other() {
    let authority = Authority::new();
    let broker = Encrypted::showing(&authority.issue(&["127.0.0.1"], Validity::Current), None);
    let address = broker.proxy.address().to_string();
    let said = outcome(&address, security(&[], None));
    let expected = "for good: it speaks TLS at this port; change `security.protocol` or the port";
    assert_eq!(said, expected);

    let tls = security(
        &[("security.protocol", "ssl"), ("ssl.ca.location", &text(authority.file()))],
        None,
    );
    let said = outcome(&broker.broker.bootstrap_servers(), tls);
    assert!(said.contains("check that it speaks TLS at this port"), "{said}");
}
