use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::{Authority, Issued};

/// Speaks TLS to clients and hands on what they say to a broker that does not. Dropping it closes all
/// connections.
pub struct TlsProxy {
    address: SocketAddr,
    listener: Option<TcpListener>,
    runtime: Runtime,
}

impl TlsProxy {
    /// Takes a free loopback port, so that the broker can be told of it. Nobody is served before
    /// [`TlsProxy::serve`].
    ///
    /// # Panics
    ///
    /// When there is no port.
    pub fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads can be started");
        Self { address, listener: Some(listener), runtime }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the broker at `target` as whom `issued` says. With `clients`, only to clients with a
    /// certificate of that authority.
    ///
    /// # Panics
    ///
    /// When it does so already, or the certificates are none.
    pub fn serve(&mut self, target: SocketAddr, issued: &Issued, clients: Option<&Authority>) {
        self.start(target, issued, clients, false);
    }

    /// The same, and hands on what is said in plain text as well: the broker tells everybody of this one
    /// address, the clients of the test too.
    ///
    /// # Panics
    ///
    /// As [`TlsProxy::serve`].
    pub fn serve_plain_too(
        &mut self,
        target: SocketAddr,
        issued: &Issued,
        clients: Option<&Authority>,
    ) {
        self.start(target, issued, clients, true);
    }

    fn start(
        &mut self,
        target: SocketAddr,
        issued: &Issued,
        clients: Option<&Authority>,
        takes_plain: bool,
    ) {
        let acceptor = TlsAcceptor::from(Arc::new(config(issued, clients)));
        let listener = self.listener.take().expect("it serves one broker");
        listener.set_nonblocking(true).expect("a socket can be");
        let _entered = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime is there");
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // What breaks here breaks for the client, which tells.
                    let _ = pass_on(stream, target, &acceptor, takes_plain).await;
                });
            }
        });
    }
}

async fn pass_on(
    mut stream: TcpStream,
    target: SocketAddr,
    acceptor: &TlsAcceptor,
    takes_plain: bool,
) -> std::io::Result<()> {
    // The first byte of a TLS handshake. A Kafka request begins with its size.
    const HANDSHAKE: u8 = 22;
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first).await?;
    if takes_plain && first != [HANDSHAKE] {
        let mut broker = TcpStream::connect(target).await?;
        broker.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut stream, &mut broker).await?;
        return Ok(());
    }
    let mut client = acceptor.accept(stream).await?;
    let mut broker = TcpStream::connect(target).await?;
    broker.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut client, &mut broker).await?;
    Ok(())
}

fn config(issued: &Issued, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(authority.file()).expect("an authority has a file")
            {
                roots.add(certificate.expect("it is PEM")).expect("it is a certificate");
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("there is a root"))
        }
    };
    let chain = CertificateDer::pem_file_iter(&issued.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .expect("an authority writes PEM");
    let key = PrivateKeyDer::from_pem_file(&issued.key).expect("an authority writes PEM");
    builder.with_single_cert(chain, key).expect("the key is that of the certificate")
}
