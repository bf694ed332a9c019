use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;
use uuid::Uuid;

/// A certificate authority of one test, made when it is needed. Its files go with it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate that an [`Authority`] signed, and its key: paths of PEM files, that live as long as it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key, PKCS #8.
    pub key: PathBuf,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Current,
    /// Until the year 2001.
    Expired,
}

impl Authority {
    /// A new one that nobody knows.
    ///
    /// # Panics
    ///
    /// When the temporary folder is not writable.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("the system has random numbers");
        let names = vec!["127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("the name is valid");
        // Two of one name would be taken for each other until a signature is looked at.
        params.distinguished_name.push(DnType::CommonName, Uuid::new_v4().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).expect("the parameters are valid");
        let folder = tempfile::Builder::new()
            .prefix("bindery-certificates-")
            .tempdir()
            .expect("the temporary folder is writable");
        write(&folder.path().join("ca.pem"), &certificate.pem());
        write(&folder.path().join("ca-key.pem"), &key.serialize_pem());
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// The PEM file with its own certificate: what a client has to trust.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What a server on 127.0.0.1 shows that is its own authority. Some clients do not take it.
    pub fn itself(&self) -> Issued {
        Issued { certificate: self.file(), key: self.folder.path().join("ca-key.pem") }
    }

    /// A certificate for servers and clients alike, with `names` and addresses as its subjectAltNames. The
    /// first is also what it is called, and its files.
    ///
    /// # Panics
    ///
    /// When there is no name or one of them cannot be in a certificate.
    pub fn issue(&self, names: &[&str], validity: Validity) -> Issued {
        let name = *names.first().expect("a certificate has a name");
        let key = KeyPair::generate().expect("the system has random numbers");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if validity == Validity::Expired {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("the parameters are valid");
        let path = |end: &str| self.folder.path().join(format!("{name}-{validity:?}{end}"));
        let issued = Issued { certificate: path(".pem"), key: path("-key.pem") };
        write(&issued.certificate, &certificate.pem());
        write(&issued.key, &key.serialize_pem());
        issued
    }
}

fn write(path: &Path, pem: &str) {
    std::fs::write(path, pem).expect("the temporary folder is writable");
}
