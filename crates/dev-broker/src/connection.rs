//! One connection: requests in order, one at a time, as Kafka handles them.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::dispatch::{self, Call};
use crate::faults::Faults;
use crate::guard::{self, Malformed};
use crate::server::Shared;
use crate::versions;

/// Kafka's `socket.request.max.bytes`.
const LARGEST_REQUEST: usize = 100 * 1024 * 1024;

/// Why a connection ended before the client closed it.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("a test wanted it")]
    Fault,
}

/// Serves a connection until it is closed or one of its requests is malformed.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Shared, faults: Faults) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot turn delays off");
    }
    match answer_all(stream, peer, &shared, &faults).await {
        Ok(()) => {}
        Err(error @ Ended::Malformed(_)) => tracing::warn!(%peer, %error, "closing a connection"),
        Err(error) => tracing::debug!(%peer, %error, "connection ended"),
    }
}

async fn answer_all(
    mut stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared,
    faults: &Faults,
) -> Result<(), Ended> {
    let mut buffer = BytesMut::new();
    while let Some(frame) = next_frame(&mut stream, &mut buffer).await? {
        let (mut call, body) = read_call(frame, peer)?;
        let fate = faults.fate(call.api);
        if let Some(delay) = fate.delay {
            tokio::time::sleep(delay).await;
        }
        if fate.drop_connection {
            return Err(Ended::Fault);
        }
        call.forced_error = fate.error_code;
        let answer = dispatch::answer(shared, &call, body).await?;
        if fate.drop_reply {
            return Err(Ended::Fault);
        }
        if let Some(answer) = answer {
            stream.write_all(&answer).await?;
        }
    }
    Ok(())
}

/// The next request, or nothing when the client has closed the connection.
async fn next_frame(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Option<Bytes>, Ended> {
    loop {
        if let Some(size) = frame_size(buffer)?
            && buffer.len() >= 4 + size
        {
            buffer.advance(4);
            return Ok(Some(buffer.split_to(size).freeze()));
        }
        // Room grows with what arrives, not with what the client claims will arrive.
        if buffer.capacity() - buffer.len() < 1024 {
            buffer.reserve(buffer.len().clamp(4096, 1 << 20));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn frame_size(buffer: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(prefix) = buffer.first_chunk::<4>() else { return Ok(None) };
    let size = i32::from_be_bytes(*prefix);
    match usize::try_from(size) {
        Ok(size) if size <= LARGEST_REQUEST => Ok(Some(size)),
        Ok(_) | Err(_) => Err(Malformed(format!("a request of `{size}` bytes"))),
    }
}

fn read_call(frame: Bytes, peer: SocketAddr) -> Result<(Call, Bytes), Malformed> {
    let Some([key_high, key_low, version_high, version_low]) = frame.first_chunk::<4>().copied()
    else {
        return Err(Malformed("too short for a header".to_owned()));
    };
    let key = i16::from_be_bytes([key_high, key_low]);
    let version = i16::from_be_bytes([version_high, version_low]);
    let unsupported = || Malformed(format!("unsupported API key `{key}`, version `{version}`"));
    let api = ApiKey::try_from(key).map_err(|()| unsupported())?;
    let supported = versions::range(api).ok_or_else(unsupported)?;
    let is_supported = supported.contains(&version);
    // A client finds out what is supported by asking in too new a version.
    if !is_supported && api != ApiKey::ApiVersions {
        return Err(unsupported());
    }
    let header_version = api.request_header_version(version.min(*supported.end()));
    let (header, body): (RequestHeader, Bytes) = guard::decode_prefix(frame, header_version)?;
    let call = Call {
        api,
        version,
        is_supported,
        correlation_id: header.correlation_id,
        client_id: header.client_id.map(|id| id.to_string()).unwrap_or_default(),
        client_host: format!("/{}", peer.ip()),
        forced_error: None,
    };
    Ok((call, body))
}
