//! Security, from librdkafka's names for it.

use super::sasl::{Login, Sasl};
use super::scram::Hash;
use super::tls::{Checks, Tls, TlsSettings};
use super::{Secret, Security, TokenSource};

/// What properties ask for and this client does not do. Another client may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// It knows nothing of a property about security.
    #[error("it does not know `{0}`")]
    Property(String),
    /// It does not know this value of a property that it knows.
    #[error("it does not know `{value}` for `{name}`")]
    Value {
        /// The property's name.
        name: &'static str,
        /// The value, which is no secret.
        value: String,
    },
    /// It cannot do anything with what a property has or names.
    #[error("it cannot use `{name}`: {said}")]
    Unusable {
        /// The property's name.
        name: &'static str,
        /// Why not, without the value.
        said: String,
    },
    /// OAUTHBEARER needs a token, for which there is no property.
    #[error("there is no token for OAUTHBEARER: neither a file nor a command for it is named")]
    NoToken,
    /// What one property asks for needs another.
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

/// Beginnings of the names of properties that are about security, known or not.
const OF_SECURITY: [&str; 7] =
    ["security.", "ssl", "enable.ssl", "sasl", "enable.sasl", "https", "oauthbearer"];

/// The properties about security that are known, as far as they are given.
#[derive(Default)]
struct Given<'a> {
    protocol: &'a str,
    verifies_certificate: Option<&'a str>,
    identification: Option<&'a str>,
    mechanism: Option<&'a str>,
    user: Option<&'a str>,
    password: Option<&'a str>,
    tls: TlsSettings<'a>,
}

impl Security {
    /// Security as librdkafka's properties ask for it; what they say of other things is passed over.
    /// `tokens` is for the mechanism OAUTHBEARER, for which there is no property. Files are read
    /// here, once.
    ///
    /// # Errors
    /// When there is a property, a value or a file that this client can do nothing with.
    pub fn from_properties<'a>(
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
        tokens: Option<TokenSource>,
    ) -> Result<Self, Unsupported> {
        let given = Given::of(properties)?;
        let (encrypts, authenticates) = match &*given.protocol.to_ascii_lowercase() {
            "" | "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            other => return Err(value("security.protocol", other)),
        };
        let tls = encrypts.then(|| given.tls()).transpose()?;
        let sasl = authenticates.then(|| given.sasl(tokens)).transpose()?;
        Ok(Self::new(tls, sasl))
    }
}

impl<'a> Given<'a> {
    fn of(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Unsupported> {
        let mut given = Self::default();
        for (name, value) in properties {
            match name {
                "security.protocol" => given.protocol = value,
                "ssl.ca.location" => given.tls.ca_location = Some(value),
                "ssl.ca.pem" => given.tls.ca_pem = Some(value),
                "ssl.certificate.location" => given.tls.certificate_location = Some(value),
                "ssl.certificate.pem" => given.tls.certificate_pem = Some(value),
                "ssl.key.location" => given.tls.key_location = Some(value),
                "ssl.key.pem" => given.tls.key_pem = Some(value),
                "ssl.endpoint.identification.algorithm" => given.identification = Some(value),
                "enable.ssl.certificate.verification" => given.verifies_certificate = Some(value),
                "sasl.mechanism" | "sasl.mechanisms" => given.mechanism = Some(value),
                "sasl.username" => given.user = Some(value),
                "sasl.password" => given.password = Some(value),
                other if OF_SECURITY.iter().any(|beginning| other.starts_with(beginning)) => {
                    return Err(Unsupported::Property(other.to_owned()));
                }
                _ => {}
            }
        }
        Ok(given)
    }

    fn tls(&self) -> Result<Tls, Unsupported> {
        let verifies = match self.verifies_certificate.map(str::to_ascii_lowercase).as_deref() {
            None | Some("true" | "t" | "1") => true,
            Some("false" | "f" | "0") => false,
            Some(other) => return Err(value("enable.ssl.certificate.verification", other)),
        };
        let any_name = match self.identification.map(str::to_ascii_lowercase).as_deref() {
            None | Some("https") => false,
            Some("none") => true,
            Some(other) => return Err(value("ssl.endpoint.identification.algorithm", other)),
        };
        let checks = match (verifies, any_name) {
            (false, _) => Checks::Nothing,
            (true, true) => Checks::AnyName,
            (true, false) => Checks::All,
        };
        Tls::new(&TlsSettings { checks, ..self.tls })
    }

    fn sasl(&self, tokens: Option<TokenSource>) -> Result<Sasl, Unsupported> {
        // As librdkafka has it.
        const DEFAULT: &str = "GSSAPI";
        match self.mechanism.unwrap_or(DEFAULT) {
            "PLAIN" => Ok(Sasl::Plain(self.login()?)),
            "SCRAM-SHA-256" => Ok(Sasl::Scram(Hash::Sha256, self.login()?)),
            "SCRAM-SHA-512" => Ok(Sasl::Scram(Hash::Sha512, self.login()?)),
            "OAUTHBEARER" => tokens.map(Sasl::OauthBearer).ok_or(Unsupported::NoToken),
            other => Err(value("sasl.mechanism", other)),
        }
    }

    fn login(&self) -> Result<Login, Unsupported> {
        let user = self.user.ok_or(Unsupported::Missing("sasl.username"))?;
        let password = self.password.ok_or(Unsupported::Missing("sasl.password"))?;
        Ok(Login { user: user.to_owned(), password: Secret::new(password) })
    }
}

fn value(name: &'static str, value: &str) -> Unsupported {
    Unsupported::Value { name, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SASL: (&str, &str) = ("security.protocol", "SASL_PLAINTEXT");
    const SSL: (&str, &str) = ("security.protocol", "ssl");
    const USER: (&str, &str) = ("sasl.username", "ada");
    const PASSWORD: (&str, &str) = ("sasl.password", "hunter2");

    /// Properties in, what came of them out.
    #[track_caller]
    fn check(properties: &[(&str, &str)], expected: &str) {
        let tokens = TokenSource::new(|_: Duration| Ok("hunter2".to_owned()));
        let security = Security::from_properties(properties.iter().copied(), Some(tokens));
        let said = match security {
            Ok(security) => format!("{security:?}"),
            Err(unsupported) => unsupported.to_string(),
        };
        assert!(!said.contains("hunter2"), "{said}");
        assert!(said.contains(expected), "{properties:?}: {said}");
    }

    #[test]
    fn plain_text_is_what_there_is_without_a_protocol() {
        check(&[], "tls: None, sasl: None");
        check(&[("security.protocol", "PLAINTEXT")], "tls: None, sasl: None");
        check(&[("socket.timeout.ms", "1000"), USER], "tls: None, sasl: None");
        check(&[("security.protocol", "tls")], "it does not know `tls` for `security.protocol`");
    }

    #[test]
    fn mechanisms_are_known_by_either_name_of_their_property() {
        let mechanism = |name, value| [SASL, USER, PASSWORD, (name, value)];
        check(&mechanism("sasl.mechanism", "PLAIN"), "Plain(Login { user: \"ada\"");
        check(&mechanism("sasl.mechanisms", "SCRAM-SHA-256"), "Scram(Sha256");
        check(&mechanism("sasl.mechanism", "SCRAM-SHA-512"), "Scram(Sha512");
        check(&mechanism("sasl.mechanism", "OAUTHBEARER"), "OauthBearer(TokenSource)");
        check(&mechanism("sasl.mechanism", "GSSAPI"), "it does not know `GSSAPI` for");
        check(&[SASL, USER, PASSWORD], "it does not know `GSSAPI` for `sasl.mechanism`");
        check(&[SASL, ("sasl.mechanism", "PLAIN"), USER], "`sasl.password` is missing");
        check(&[SASL, ("sasl.mechanism", "PLAIN"), PASSWORD], "`sasl.username` is missing");
        let oauth = [SASL, ("sasl.mechanism", "OAUTHBEARER")];
        let none = Security::from_properties(oauth, None).map(|_| ());
        assert_eq!(none, Err(Unsupported::NoToken));
    }

    #[test]
    fn what_is_not_known_of_security_is_named() {
        for name in [
            "ssl.cipher.suites",
            "ssl.key.password",
            "ssl.keystore.location",
            "ssl_key",
            "sasl.kerberos.principal",
            "sasl.oauthbearer.method",
            "enable.sasl.oauthbearer.unsecure.jwt",
        ] {
            check(&[(name, "hunter2")], &format!("it does not know `{name}`"));
        }
    }

    #[test]
    fn certificates_are_read_at_once_and_what_is_wrong_with_them_is_said() {
        let verification = "enable.ssl.certificate.verification";
        let identification = "ssl.endpoint.identification.algorithm";
        check(&[SSL, (verification, "false")], "tls: Some(Tls), sasl: None");
        check(&[SSL, (verification, "maybe")], "it does not know `maybe` for `enable.ssl.");
        check(&[SSL, (identification, "ldaps")], "it does not know `ldaps` for `ssl.endpoint.");
        check(&[SSL, ("ssl.ca.location", "/nowhere")], "it cannot use `ssl.ca.location`: ");
        check(&[SSL, ("ssl.ca.pem", "")], "`ssl.ca.pem`: there is no certificate in it");

        let authority = testkit::Authority::new();
        let client = authority.issue(&["client"], testkit::Validity::Current);
        let path = |path: &std::path::Path| path.display().to_string();
        let (ca, folder) = (path(&authority.file()), path(authority.file().parent().unwrap()));
        let (certificate, key) = (path(&client.certificate), path(&client.key));
        let trusting = [SSL, ("ssl.ca.location", &*ca)];
        check(&trusting, "Some(Tls)");
        check(&[SSL, ("ssl.ca.location", &folder)], "Some(Tls)");
        check(&[SSL, ("ssl.ca.location", &key)], "there is no certificate in it");
        let with = |more: [(&'static str, &str); 2]| {
            let more = more.map(|(name, value)| (name, value.to_owned()));
            let all = trusting.map(|(name, value)| (name, value.to_owned()));
            [all, more].concat()
        };
        let check_with = |more, expected| {
            let all = with(more);
            let all: Vec<_> = all.iter().map(|(name, value)| (*name, &**value)).collect();
            check(&all, expected);
        };
        let (of_certificate, of_key) = ("ssl.certificate.location", "ssl.key.location");
        check_with([(of_certificate, &certificate), (of_key, &key)], "Some(Tls)");
        check_with([(of_certificate, &certificate), (of_key, &ca)], "no private key in it");
        check_with([(of_certificate, &ca), (of_key, &key)], "it cannot use `ssl.certificate.");
        check_with([(of_certificate, &certificate), ("client.id", "x")], "it has no `ssl.key.");
        check_with([(of_key, &key), ("client.id", "x")], "it has no `ssl.certificate.location`");
    }
}
