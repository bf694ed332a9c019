//! TLS by rustls.

use std::fmt;
use std::io::{self, IoSlice, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct,
    RootCertStore, SignatureScheme, Stream, StreamOwned,
};

use super::Unsupported;

/// How connections are encrypted. Shared by all connections of a client.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

/// An encrypted connection. The handshake is made with the first bytes that are sent.
pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// What [`Tls`] is made from; all texts as librdkafka takes them.
#[derive(Default)]
pub(super) struct TlsSettings<'a> {
    pub(super) ca_location: Option<&'a str>,
    pub(super) ca_pem: Option<&'a str>,
    pub(super) certificate_location: Option<&'a str>,
    pub(super) certificate_pem: Option<&'a str>,
    pub(super) key_location: Option<&'a str>,
    pub(super) key_pem: Option<&'a str>,
    pub(super) checks: Checks,
}

/// What is checked of a broker's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checks {
    /// Who signed it, and that it is for the name connected to.
    #[default]
    All,
    /// Who signed it.
    AnyName,
    /// Nothing: whoever is in between reads and writes along.
    Nothing,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    pub(super) fn new(settings: &TlsSettings<'_>) -> Result<Self, Unsupported> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable("security.protocol"))?;
        let algorithms = provider.signature_verification_algorithms;
        let lenient = |signed_by| Arc::new(Lenient { signed_by, algorithms });
        let builder = match settings.checks {
            Checks::All => builder.with_root_certificates(roots(settings)?),
            Checks::AnyName => {
                let roots = Arc::new(roots(settings)?);
                let signed_by = WebPkiServerVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(unusable("ssl.ca.location"))?;
                builder.dangerous().with_custom_certificate_verifier(lenient(Some(signed_by)))
            }
            Checks::Nothing => builder.dangerous().with_custom_certificate_verifier(lenient(None)),
        };
        let config = match identity(settings)? {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(unusable("ssl.certificate.location"))?,
            None => builder.with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn over(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(session, stream))
    }
}

/// Takes some of the bytes to send.
pub(super) fn write(stream: &mut TlsStream, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    // Owned, a stream would make a message of each part.
    let written = Stream::new(&mut stream.conn, &mut stream.sock).write_vectored(buffers)?;
    if written == 0 && stream.conn.wants_write() {
        // There is no room before what is there has left.
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(written)
}

/// The certificates that are trusted to sign those of brokers.
fn roots(settings: &TlsSettings<'_>) -> Result<RootCertStore, Unsupported> {
    // librdkafka's word for what it does by itself on most systems.
    const PROBE: &str = "probe";
    let mut roots = RootCertStore::empty();
    let location = settings.ca_location.filter(|location| *location != PROBE);
    if let Some(pem) = settings.ca_pem {
        for certificate in certificates_in(pem.as_bytes(), "ssl.ca.pem")? {
            roots.add(certificate).map_err(unusable("ssl.ca.pem"))?;
        }
    }
    if let Some(location) = location {
        for certificate in certificates_at(location, "ssl.ca.location")? {
            roots.add(certificate).map_err(unusable("ssl.ca.location"))?;
        }
    }
    if settings.ca_pem.is_none() && location.is_none() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let none = "the system has no certificates of its own; name a file";
            return Err(unusable("ssl.ca.location")(none));
        }
    }
    Ok(roots)
}

/// Who the client is to the broker, if it has a certificate.
fn identity(
    settings: &TlsSettings<'_>,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Unsupported> {
    let chain = match (settings.certificate_pem, settings.certificate_location) {
        (Some(pem), _) => Some(certificates_in(pem.as_bytes(), "ssl.certificate.pem")?),
        (None, Some(location)) => Some(certificates_at(location, "ssl.certificate.location")?),
        (None, None) => None,
    };
    let key = match (settings.key_pem, settings.key_location) {
        (Some(pem), _) => {
            Some(PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(no_key("ssl.key.pem"))?)
        }
        (None, Some(location)) => {
            Some(PrivateKeyDer::from_pem_file(location).map_err(no_key("ssl.key.location"))?)
        }
        (None, None) => None,
    };
    match (chain, key) {
        (Some(chain), Some(key)) => Ok(Some((chain, key))),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(unusable("ssl.certificate.location")("it has no `ssl.key.location`"))
        }
        (None, Some(_)) => {
            Err(unusable("ssl.key.location")("it has no `ssl.certificate.location`"))
        }
    }
}

fn certificates_in(
    pem: &[u8],
    name: &'static str,
) -> Result<Vec<CertificateDer<'static>>, Unsupported> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    some(found.map_err(unusable(name))?, name)
}

/// From a file, or from all files of a folder.
fn certificates_at(
    location: &str,
    name: &'static str,
) -> Result<Vec<CertificateDer<'static>>, Unsupported> {
    if Path::new(location).is_dir() {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(Path::new(location)));
        return some(found.certs, name);
    }
    let found = CertificateDer::pem_file_iter(location).and_then(Iterator::collect);
    some(found.map_err(unusable(name))?, name)
}

fn some(
    found: Vec<CertificateDer<'static>>,
    name: &'static str,
) -> Result<Vec<CertificateDer<'static>>, Unsupported> {
    if found.is_empty() { Err(unusable(name)("there is no certificate in it")) } else { Ok(found) }
}

fn unusable<E: fmt::Display>(name: &'static str) -> impl Fn(E) -> Unsupported {
    move |said| Unsupported::Unusable { name, said: said.to_string() }
}

fn no_key(name: &'static str) -> impl Fn(rustls::pki_types::pem::Error) -> Unsupported {
    #[expect(clippy::wildcard_enum_match_arm, reason = "others are not told apart")]
    move |said| match said {
        rustls::pki_types::pem::Error::NoItemsFound => {
            unusable(name)("there is no private key in it that is not encrypted")
        }
        // What a key has instead of what it should is nobody's business.
        rustls::pki_types::pem::Error::Io(said) => unusable(name)(said),
        _ => unusable(name)("it is not PEM"),
    }
}

/// What a failed connection says of trust, in words that say what to do, and whether it may pass.
#[expect(clippy::wildcard_enum_match_arm, reason = "others are not told apart")]
pub(super) fn explain(stream: &TlsStream, error: &io::Error) -> Option<(String, bool)> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(inner) = inner else {
        let is_end = error.kind() == io::ErrorKind::UnexpectedEof;
        return (is_end && stream.conn.is_handshaking()).then(|| {
            let what = "it closes the connection during the TLS handshake; check that it speaks \
                        TLS at this port";
            (what.to_owned(), true)
        });
    };
    Some(match inner {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(_) => {
            let what = "it does not speak TLS at this port; change `security.protocol` or the port";
            (what.to_owned(), false)
        }
        other => (format!("no TLS: {other}"), true),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "others are not told apart")]
fn of_certificate(error: &CertificateError) -> (String, bool) {
    match error {
        // Signed badly, it claims the name of one who is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let what = "its certificate is signed by nobody who is trusted here; `ssl.ca.location` \
                        has to name the certificate of who signed it";
            (what.to_owned(), false)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("its certificate has expired; the broker needs a new one".to_owned(), true)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its certificate is not valid yet; check the clocks of both sides".to_owned(), true)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let what = "connect by a name that is among its subjectAltNames, or give the broker a \
                        certificate for this one";
            (format!("{error}; {what}"), false)
        }
        other => (format!("its certificate is not taken: {other}"), false),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "others are not told apart")]
fn of_alert(alert: AlertDescription) -> (String, bool) {
    match alert {
        AlertDescription::CertificateRequired
        | AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            let what = format!(
                "it refuses this client's certificate, or the lack of one ({alert:?}); check \
                 `ssl.certificate.location` and `ssl.key.location`"
            );
            (what, false)
        }
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => {
            let what = format!(
                "it and this client have no cipher of TLS 1.2 or 1.3 in common, or it wants a \
                 certificate of the client ({alert:?})"
            );
            (what, false)
        }
        other => (format!("it ends the TLS connection ({other:?})"), true),
    }
}

/// Takes a certificate whatever name it is for, or any certificate at all. Who shows one has its key in
/// either case.
#[derive(Debug)]
struct Lenient {
    /// Who is trusted to have signed it; `None`: it does not matter, as
    /// `enable.ssl.certificate.verification=false` asks for.
    signed_by: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(signed_by) = &self.signed_by else { return Ok(ServerCertVerified::assertion()) };
        let verified = signed_by.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is looked at last: all else was right.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ))
            | Ok(_) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
