//! Encryption and authentication.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::connection::Connection;
use crate::error::CallError;
use crate::patience::Patience;

/// How connections are encrypted and who the client says it is. The default: neither.
#[derive(Clone, Debug, Default)]
pub struct Security {}

/// A connection's bytes.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
}

impl Security {
    pub(crate) fn encrypt(&self, stream: TcpStream, _host: &str) -> io::Result<Stream> {
        Ok(Stream::Plain(stream))
    }

    pub(crate) fn authenticate(
        &self,
        _connection: &mut Connection,
        _limit: Duration,
        _patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
        }
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write_vectored(buffers),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
        }
    }
}
