//! One connection: requests out, answers in, one at a time, none for longer than it may take.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use crate::ClientSettings;
use crate::error::CallError;
use crate::patience::Patience;
use crate::resolve::{RESOLVER, ResolveError};
use crate::security::{Security, Stream};

/// How often a waiting read looks whether it is over.
const SLICE: Duration = Duration::from_millis(50);
/// The longest answer that is believed.
const LARGEST_ANSWER: usize = 64 << 20;

/// A broker's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its name or its IP address, the latter without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    address: Address,
    client_id: StrBytes,
    correlation_id: i32,
    /// The broker asked for a rest until then.
    muted_until: Option<Instant>,
    security: Security,
    /// Time each step of saying who we are may take.
    request_timeout: Duration,
    /// When to say it again, before the broker forgets.
    introduce_at: Option<Instant>,
    outgoing: BytesMut,
}

impl Connection {
    /// Opens a connection and says who we are, if the broker wants to know. Each of its steps may
    /// take the request timeout of `settings`.
    ///
    /// # Errors
    /// When there is no connection by then, or the broker and this client do not trust each other.
    pub fn open(
        address: &Address,
        settings: &ClientSettings,
        patience: &Patience<'_>,
    ) -> Result<Self, CallError> {
        let ClientSettings { client_id, security, request_timeout, .. } = settings;
        patience.check()?;
        let deadline = patience.deadline_within(*request_timeout);
        let failed = |source| CallError::Io { address: address.to_string(), source };
        let stream = dial(address, deadline, patience)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(SLICE)).map_err(failed)?;
        stream.set_write_timeout(Some(SLICE)).map_err(failed)?;
        let stream = security.encrypt(stream, &address.host).map_err(failed)?;
        let mut connection = Self {
            stream,
            address: address.clone(),
            client_id: StrBytes::from_string(client_id.clone()),
            correlation_id: 0,
            muted_until: None,
            security: security.clone(),
            request_timeout: *request_timeout,
            introduce_at: None,
            outgoing: BytesMut::new(),
        };
        connection.introduce(patience)?;
        Ok(connection)
    }

    /// Sends a request and waits for its answer, at most `limit`.
    ///
    /// # Errors
    /// When there is none by then. The connection must not be used again.
    pub fn call<R: Request>(
        &mut self,
        version: i16,
        request: &R,
        limit: Duration,
        patience: &Patience<'_>,
    ) -> Result<R::Response, CallError> {
        let deadline = self.begin(limit, patience)?;
        let mut frame = std::mem::take(&mut self.outgoing);
        frame.clear();
        let encoded = encode(&mut frame, version, self.correlation_id, &self.client_id, request);
        encoded.map_err(|what| self.malformed(what))?;
        let sent = self.send(&[&frame], deadline, patience);
        self.outgoing = frame;
        sent?;
        self.answer(version, deadline, patience)
    }

    /// Sends a frame that `build` lays out in parts around what it borrows, and waits for the answer
    /// of the request that it is, at most `limit`. `build` gets the correlation id.
    ///
    /// # Errors
    /// As of [`Connection::call`].
    pub fn call_in_parts<'p, R: Request>(
        &mut self,
        version: i16,
        build: impl FnOnce(i32) -> Vec<&'p [u8]>,
        limit: Duration,
        patience: &Patience<'_>,
    ) -> Result<R::Response, CallError> {
        let deadline = self.begin(limit, patience)?;
        self.send(&build(self.correlation_id), deadline, patience)?;
        self.answer::<R::Response>(version, deadline, patience)
    }

    /// Where it goes to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Takes note that the broker wants to be left alone for so long.
    pub fn throttle(&mut self, throttle_time_ms: i32) {
        let throttled = u64::try_from(throttle_time_ms).unwrap_or(0);
        self.muted_until =
            (throttled > 0).then(|| Instant::now() + Duration::from_millis(throttled));
    }

    /// Gets ready for a request, which is then numbered; until when it may take.
    fn begin(&mut self, limit: Duration, patience: &Patience<'_>) -> Result<Instant, CallError> {
        self.rest(patience)?;
        self.correlation_id = self.correlation_id.wrapping_add(1);
        Ok(patience.deadline_within(limit))
    }

    /// Does what comes before a request: leaves the broker alone for as long as it asked, and says again
    /// who we are when it is about to forget.
    fn rest(&mut self, patience: &Patience<'_>) -> Result<(), CallError> {
        while let Some(until) = self.muted_until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.muted_until = None;
            } else {
                patience.pause(left)?;
            }
        }
        if self.introduce_at.is_some_and(|at| Instant::now() >= at) {
            self.introduce(patience)?;
        }
        Ok(())
    }

    /// Says who we are, if the broker wants to know.
    fn introduce(&mut self, patience: &Patience<'_>) -> Result<(), CallError> {
        // As the Java client does at the earliest: the rest is for what is on its way.
        const OF_LIFETIME: f64 = 0.85;
        // It makes calls of its own.
        self.introduce_at = None;
        let security = self.security.clone();
        let now = Instant::now();
        let lifetime = security.authenticate(self, self.request_timeout, patience)?;
        self.introduce_at = lifetime.and_then(|time| now.checked_add(time.mul_f64(OF_LIFETIME)));
        Ok(())
    }

    fn answer<A: Decodable + HeaderVersion>(
        &mut self,
        version: i16,
        deadline: Instant,
        patience: &Patience<'_>,
    ) -> Result<A, CallError> {
        let mut frame = self.receive(deadline, patience)?;
        let header = ResponseHeader::decode(&mut frame, A::header_version(version))
            .map_err(|error| self.malformed(error.to_string()))?;
        if header.correlation_id != self.correlation_id {
            return Err(self.malformed("the answer is to another request".to_owned()));
        }
        A::decode(&mut frame, version).map_err(|error| self.malformed(error.to_string()))
    }

    fn send(
        &mut self,
        parts: &[&[u8]],
        deadline: Instant,
        patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut slices = &mut slices[..];
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match self.stream.write_vectored(slices) {
                Ok(0) => return Err(self.io(io::ErrorKind::WriteZero.into())),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) => self.wait_on(error, deadline, patience)?,
            }
        }
        loop {
            match self.stream.flush() {
                Ok(()) => return Ok(()),
                Err(error) => self.wait_on(error, deadline, patience)?,
            }
        }
    }

    fn receive(&mut self, deadline: Instant, patience: &Patience<'_>) -> Result<Bytes, CallError> {
        let mut size_bytes = [0; 4];
        self.fill(&mut size_bytes, deadline, patience)?;
        let size = usize::try_from(i32::from_be_bytes(size_bytes)).unwrap_or(usize::MAX);
        if size > LARGEST_ANSWER {
            if begins_like_tls(size_bytes) {
                let what = "it speaks TLS at this port; change `security.protocol` or the port";
                return Err(self.distrust(what.to_owned(), false));
            }
            return Err(self.malformed(format!("a frame of {size} bytes")));
        }
        let mut frame = vec![0; size];
        self.fill(&mut frame, deadline, patience)?;
        Ok(Bytes::from(frame))
    }

    fn fill(
        &mut self,
        mut buffer: &mut [u8],
        deadline: Instant,
        patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        while !buffer.is_empty() {
            match self.stream.read(buffer) {
                Ok(0) => return Err(self.io(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => buffer = &mut buffer[read..],
                Err(error) => self.wait_on(error, deadline, patience)?,
            }
        }
        Ok(())
    }

    /// Goes on if nothing came so far and there is time left.
    fn wait_on(
        &self,
        error: io::Error,
        deadline: Instant,
        patience: &Patience<'_>,
    ) -> Result<(), CallError> {
        if error.kind() == io::ErrorKind::Interrupted {
            return Ok(());
        }
        if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return Err(self.io(error));
        }
        patience.check()?;
        if Instant::now() >= deadline {
            return Err(CallError::Late { address: self.address.to_string() });
        }
        Ok(())
    }

    fn io(&self, source: io::Error) -> CallError {
        if let Some((what, passing)) = self.stream.explain(&source) {
            return self.distrust(what, passing);
        }
        CallError::Io { address: self.address.to_string(), source }
    }

    /// The error for a broker that does not trust us, or we not it; `what` says why and what to do.
    pub(crate) fn distrust(&self, what: String, passing: bool) -> CallError {
        CallError::Security { address: self.address.to_string(), what, passing }
    }

    /// The error for an answer that is none; `what` says why.
    pub fn malformed(&self, what: String) -> CallError {
        CallError::Malformed { address: self.address.to_string(), what }
    }
}

/// Tries one address of the host after the other, each for its share of the time that is left.
fn dial(
    address: &Address,
    deadline: Instant,
    patience: &Patience<'_>,
) -> Result<TcpStream, CallError> {
    let failed = |source| CallError::Io { address: address.to_string(), source };
    let late = || CallError::Late { address: address.to_string() };
    let candidates = RESOLVER.resolve(&address.host, address.port, deadline, patience);
    let candidates = candidates.map_err(|error| match error {
        ResolveError::Failed(source) => failed(source),
        ResolveError::Late => late(),
        ResolveError::Over(over) => over.into(),
    })?;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for (remaining, candidate) in (1..=candidates.len()).rev().zip(&candidates) {
        patience.check()?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        let share = left / u32::try_from(remaining).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(candidate, share.max(SLICE)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failed(failure))
}

/// Whether these are the first bytes of a TLS alert: what a broker says to who does not speak TLS.
const fn begins_like_tls(bytes: [u8; 4]) -> bool {
    const ALERT: u8 = 21;
    const VERSION_MAJOR: u8 = 3;
    bytes[0] == ALERT && bytes[1] == VERSION_MAJOR
}

/// Lays out the frame of one request.
fn encode<R: Request>(
    frame: &mut BytesMut,
    version: i16,
    correlation_id: i32,
    client_id: &StrBytes,
    request: &R,
) -> Result<(), String> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(client_id.clone()));
    frame.extend_from_slice(&[0; 4]);
    header.encode(frame, R::header_version(version)).map_err(|error| error.to_string())?;
    request.encode(frame, version).map_err(|error| error.to_string())?;
    let size = i32::try_from(frame.len() - 4).map_err(|error| error.to_string())?;
    frame[..4].copy_from_slice(&size.to_be_bytes());
    Ok(())
}
