use std::fs;

use tempfile::TempDir;

use super::node::Secured;
use super::{Jvm, KafkaError, Node, RunningNode};
use crate::{Authority, Issued, Validity};

/// The one user of a [`SecuredNode`].
pub const USER: &str = "ada";
/// Her password.
pub const PASSWORD: &str = "lovelace-1815";

/// For how long the broker believes who said so by SCRAM-SHA-512, in milliseconds. Kafka wants to be told
/// again no sooner than after a second.
const SESSION_MS: u32 = 3_000;

/// An Apache Kafka of one test that knows its clients. Dropping it kills the broker and removes its data.
pub struct SecuredNode {
    node: RunningNode,
    sasl: String,
    mutual: String,
    authority: Authority,
    client: Issued,
    // After the broker: fields are dropped in order.
    _home: TempDir,
}

impl SecuredNode {
    /// Makes certificates and starts the broker.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn start() -> Self {
        let home = tempfile::Builder::new()
            .prefix("bindery-secured-")
            .tempdir()
            .expect("the temporary folder is writable");
        let authority = Authority::new();
        let broker = authority.issue(&["127.0.0.1"], Validity::Current);
        let client = authority.issue(&["client"], Validity::Current);
        let keystore = home.path().join("keystore.pem");
        let pem = |path| fs::read_to_string(path).expect("an authority writes files");
        let both = format!("{}{}", pem(&broker.key), pem(&broker.certificate));
        fs::write(&keystore, both).expect("the temporary folder is writable");
        let properties =
            properties(&keystore.display().to_string(), &authority.file().display().to_string());
        let scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
            .map(|mechanism| format!("{mechanism}=[name={USER},password={PASSWORD}]"));
        let secured = Secured {
            listeners: [("SECURED", "SASL_SSL"), ("MUTUAL", "SSL")],
            properties: &properties,
            scram: &scram,
        };
        let up = || -> Result<_, KafkaError> {
            let node = Node::format_secured(home.path(), Jvm::Quick, &secured)?;
            let (sasl, mutual) = (node.address_of(0), node.address_of(1));
            Ok((RunningNode::start(node)?, sasl, mutual))
        };
        let (node, sasl, mutual) = up().unwrap_or_else(|error| panic!("no Apache Kafka: {error}"));
        Self { node, sasl, mutual, authority, client, _home: home }
    }

    /// Where anybody connects, in plain text.
    pub fn plain(&self) -> String {
        self.node.bootstrap_servers()
    }

    /// Where [`USER`] connects by TLS, with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, or OAUTHBEARER with a
    /// token that nobody signed.
    pub fn sasl(&self) -> &str {
        &self.sasl
    }

    /// Where clients with a certificate of [`SecuredNode::authority`] connect by TLS.
    pub fn mutual(&self) -> &str {
        &self.mutual
    }

    /// Who signed the certificates of the broker and of [`SecuredNode::client`].
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A client's certificate.
    pub fn client(&self) -> &Issued {
        &self.client
    }
}

fn properties(keystore: &str, truststore: &str) -> String {
    const MODULES: &str = "org.apache.kafka.common.security";
    format!(
        "\
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.mutual.ssl.client.auth=required
listener.name.secured.ssl.client.auth=none
listener.name.secured.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.secured.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";
listener.name.secured.scram-sha-256.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
listener.name.secured.scram-sha-512.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
listener.name.secured.scram-sha-512.connections.max.reauth.ms={SESSION_MS}
listener.name.secured.oauthbearer.sasl.jaas.config={MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";
connection.failed.authentication.delay.ms=10
"
    )
}
