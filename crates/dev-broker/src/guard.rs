//! Decoding of untrusted requests.
//!
//! The generated decoders reserve room for as many elements as an array claims to have, before
//! they read the first. A four-byte lie would abort the whole process, and with it whatever runs
//! the broker. [`Guarded`] stands between: no length it hands out is larger than what is left.

use bytes::{Buf, Bytes};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

/// The request does not have the form its API key and version promise. Its connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("malformed request: {0}")]
pub(crate) struct Malformed(pub(crate) String);

/// Decodes one message, refusing lengths that the bytes at hand cannot hold.
pub(crate) fn decode<M: Decodable>(body: Bytes, version: i16) -> Result<M, Malformed> {
    let mut guarded = Guarded::new(body.clone());
    let message = M::decode(&mut guarded, version).map_err(|error| Malformed(error.to_string()))?;
    if !guarded.clamped {
        return Ok(message);
    }
    // Some plain number was larger than the rest of the message. Every length fits, or the first
    // pass would have run out of bytes, so the plain decoder is safe now.
    let mut body = body;
    M::decode(&mut body, version).map_err(|error| Malformed(error.to_string()))
}

/// Decodes the message at the front of some bytes; returns it and what follows.
pub(crate) fn decode_prefix<M: Decodable>(
    bytes: Bytes,
    version: i16,
) -> Result<(M, Bytes), Malformed> {
    let message: M = decode(bytes.clone(), version)?;
    let mut rest = bytes;
    // The same bytes have just been decoded under guard.
    M::decode(&mut rest, version).map_err(|error| Malformed(error.to_string()))?;
    Ok((message, rest))
}

/// Field tags are small numbers that may exceed the few bytes left behind them.
const HIGHEST_TAG: u64 = 64;

/// A buffer whose 32-bit numbers never exceed the bytes left by more than one.
///
/// One more than what is left is still a length that cannot be satisfied, so a message that
/// decodes through this buffer has honest lengths everywhere.
struct Guarded {
    inner: Bytes,
    clamped: bool,
    varint: u64,
    shift: u32,
}

impl Guarded {
    fn new(inner: Bytes) -> Guarded {
        Guarded { inner, clamped: false, varint: 0, shift: 0 }
    }
}

impl Buf for Guarded {
    fn remaining(&self) -> usize {
        self.inner.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.inner.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.inner.advance(count);
    }

    fn try_get_i32(&mut self) -> Result<i32, bytes::TryGetError> {
        let value = self.inner.try_get_i32()?;
        let most = i32::try_from(self.inner.remaining()).unwrap_or(i32::MAX - 1) + 1;
        if value > most {
            self.clamped = true;
            return Ok(most);
        }
        Ok(value)
    }

    /// Variable-length numbers are read byte by byte; all of them are lengths or tags.
    fn try_get_u8(&mut self) -> Result<u8, bytes::TryGetError> {
        let byte = self.inner.try_get_u8()?;
        self.varint |= u64::from(byte & 0x7f) << self.shift;
        if self.varint > self.inner.remaining() as u64 + HIGHEST_TAG {
            return Err(bytes::TryGetError { requested: usize::MAX, available: self.remaining() });
        }
        if byte < 0x80 || self.shift >= 28 {
            (self.varint, self.shift) = (0, 0);
        } else {
            self.shift += 7;
        }
        Ok(byte)
    }
}

impl ByteBuf for Guarded {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.inner.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.inner.split_to(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::{FetchRequest, MetadataRequest};
    use kafka_protocol::protocol::Encodable;

    #[test]
    fn an_array_longer_than_the_message_is_refused_without_reserving_room() {
        let mut body = BytesMut::new();
        body.put_i32(i32::MAX);
        assert!(decode::<MetadataRequest>(body.freeze(), 1).is_err());
    }

    #[test]
    fn a_compact_array_longer_than_the_message_is_refused() {
        let body = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]);
        assert!(decode::<MetadataRequest>(body, 12).is_err());
    }

    #[test]
    fn plain_numbers_larger_than_the_message_survive() {
        for version in [4, 12] {
            let request =
                FetchRequest::default().with_max_wait_ms(i32::MAX).with_max_bytes(1 << 30);
            let mut body = BytesMut::new();
            request.encode(&mut body, version).unwrap();
            let decoded: FetchRequest = decode(body.freeze(), version).unwrap();
            assert_eq!((decoded.max_wait_ms, decoded.max_bytes), (i32::MAX, 1 << 30));
        }
    }
}
