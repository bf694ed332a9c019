//! Encryption and authentication.

mod properties;
mod sasl;
mod scram;
mod tls;
mod token;

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

pub use properties::Unsupported;
pub use token::TokenSource;

use crate::connection::Connection;
use crate::error::CallError;
use crate::patience::Patience;
use sasl::Sasl;
use tls::{Tls, TlsStream};

/// How connections are encrypted and who the client says it is. The default: neither.
///
/// [`Security::from_properties`] makes one; all connections of a client share it. `Debug` prints no
/// secret.
#[derive(Clone, Debug, Default)]
pub struct Security {
    tls: Option<Tls>,
    sasl: Option<Arc<Sasl>>,
}

/// A connection's bytes.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

/// What nobody may see in a log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Security {
    fn new(tls: Option<Tls>, sasl: Option<Sasl>) -> Self {
        Self { tls, sasl: sasl.map(Arc::new) }
    }

    pub(crate) fn encrypt(&self, stream: TcpStream, host: &str) -> io::Result<Stream> {
        match &self.tls {
            Some(tls) => Ok(Stream::Tls(Box::new(tls.over(stream, host)?))),
            None => Ok(Stream::Plain(stream)),
        }
    }

    /// Says who the client is, if the broker is to know. Returns for how long it believes it, if it
    /// does not for ever.
    pub(crate) fn authenticate(
        &self,
        connection: &mut Connection,
        limit: Duration,
        patience: &Patience<'_>,
    ) -> Result<Option<Duration>, CallError> {
        match &self.sasl {
            Some(sasl) => sasl.authenticate(connection, limit, patience),
            None => Ok(None),
        }
    }
}

impl Stream {
    /// What an error of this stream says of trust, and whether it may pass; `None` when nothing.
    pub(crate) fn explain(&self, error: &io::Error) -> Option<(String, bool)> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => tls::explain(stream, error),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(stream) => write!(f, "{stream:?}"),
            Self::Tls(stream) => write!(f, "TLS over {:?}", stream.sock),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            Self::Tls(_) => self.write_vectored(&[IoSlice::new(buffer)]),
        }
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write_vectored(buffers),
            Self::Tls(stream) => tls::write(stream, buffers),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests;
