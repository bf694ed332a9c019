//! Record batches, format 2: the header, its checks, and the control batches the broker writes.
//!
//! Batches are stored as the client sent them. Only the base offset and the leader epoch are
//! patched; the checksum covers neither.

use kafka_protocol::ResponseError;

/// Bytes before the first record of a batch.
pub(crate) const HEADER_LEN: usize = 61;
/// Bytes of offset and length, which the length field does not count.
pub(crate) const LENGTH_OVERHEAD: usize = 12;
/// The one epoch of the one leader.
pub(crate) const LEADER_EPOCH: i32 = 0;

const CHECKED_FROM: usize = 21;
const TIMESTAMP_TYPE_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;

/// The fields of a batch header that the broker acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub(crate) base_offset: i64,
    /// Size of the whole batch in bytes, header included.
    pub(crate) size: usize,
    pub(crate) magic: i8,
    pub(crate) crc: u32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl BatchHeader {
    /// Reads a header; nothing if there are too few bytes or the length is impossible.
    pub(crate) fn parse(bytes: &[u8]) -> Option<BatchHeader> {
        if bytes.len() < HEADER_LEN {
            return None;
        }
        let length = usize::try_from(i32::from_be_bytes(array(bytes, 8))).ok()?;
        if length + LENGTH_OVERHEAD < HEADER_LEN {
            return None;
        }
        Some(BatchHeader {
            base_offset: i64::from_be_bytes(array(bytes, 0)),
            size: length + LENGTH_OVERHEAD,
            magic: i8::from_be_bytes(array(bytes, 16)),
            crc: u32::from_be_bytes(array(bytes, 17)),
            attributes: i16::from_be_bytes(array(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(array(bytes, 23)),
            base_timestamp: i64::from_be_bytes(array(bytes, 27)),
            max_timestamp: i64::from_be_bytes(array(bytes, 35)),
            producer_id: i64::from_be_bytes(array(bytes, 43)),
            producer_epoch: i16::from_be_bytes(array(bytes, 51)),
            base_sequence: i32::from_be_bytes(array(bytes, 53)),
            record_count: i32::from_be_bytes(array(bytes, 57)),
        })
    }

    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// Sequence numbers wrap around at 2^31.
    pub(crate) fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        i32::try_from(last & i64::from(i32::MAX)).unwrap_or(0)
    }

    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Whether the broker set the time of all records.
    pub(crate) fn has_append_time(&self) -> bool {
        self.attributes & TIMESTAMP_TYPE_BIT != 0
    }

    pub(crate) fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    pub(crate) fn compression(&self) -> i16 {
        self.attributes & 0x07
    }
}

/// Whether the checksum of a whole batch holds.
pub(crate) fn crc_holds(batch: &[u8], header: &BatchHeader) -> bool {
    crc32c::crc32c(&batch[CHECKED_FROM..]) == header.crc
}

/// Checks what a client sent for one partition: exactly one sound batch.
pub(crate) fn check_produced(bytes: &[u8]) -> Result<BatchHeader, ResponseError> {
    if bytes.len() > 16 && i8::from_be_bytes([bytes[16]]) != 2 {
        return Err(ResponseError::InvalidRecord);
    }
    let header = BatchHeader::parse(bytes).ok_or(ResponseError::CorruptMessage)?;
    if header.size > bytes.len() {
        return Err(ResponseError::CorruptMessage);
    }
    if header.size < bytes.len() {
        return Err(ResponseError::InvalidRecord);
    }
    if !crc_holds(bytes, &header) {
        return Err(ResponseError::CorruptMessage);
    }
    let counts_agree = header.record_count > 0
        && i64::from(header.last_offset_delta) + 1 == i64::from(header.record_count);
    let transactional_producer = !header.is_transactional() || header.has_producer();
    let sequenced = !header.has_producer() || header.base_sequence >= 0;
    if header.is_control() || !counts_agree || !transactional_producer || !sequenced {
        return Err(ResponseError::InvalidRecord);
    }
    if header.compression() > 4 {
        return Err(ResponseError::UnsupportedCompressionType);
    }
    Ok(header)
}

/// Gives a batch its place in the log.
pub(crate) fn place(batch: &mut [u8], base_offset: i64) {
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&LEADER_EPOCH.to_be_bytes());
}

/// Replaces the client's timestamps by the time of the append.
pub(crate) fn stamp(batch: &mut [u8], now_ms: i64) {
    let attributes = i16::from_be_bytes(array(batch, 21)) | TIMESTAMP_TYPE_BIT;
    batch[21..23].copy_from_slice(&attributes.to_be_bytes());
    batch[35..43].copy_from_slice(&now_ms.to_be_bytes());
    seal(batch);
}

/// Computes the checksum anew.
pub(super) fn seal(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[CHECKED_FROM..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// How a transaction ended, as its control record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Abort,
    Commit,
}

/// The control batch that ends a producer's transaction in one partition.
pub(crate) fn control_batch(
    marker: Marker,
    producer_id: i64,
    producer_epoch: i16,
    base_offset: i64,
    now_ms: i64,
) -> Vec<u8> {
    let kind: i16 = match marker {
        Marker::Abort => 0,
        Marker::Commit => 1,
    };
    // One record. Lengths are zigzag encoded: 32 stands for 16, 8 for 4, 12 for 6.
    let mut record = vec![32, 0, 0, 0, 8];
    record.extend_from_slice(&0_i16.to_be_bytes());
    record.extend_from_slice(&kind.to_be_bytes());
    record.push(12);
    record.extend_from_slice(&0_i16.to_be_bytes());
    record.extend_from_slice(&0_i32.to_be_bytes());
    record.push(0);

    let length = i32::try_from(HEADER_LEN - LENGTH_OVERHEAD + record.len()).unwrap_or(i32::MAX);
    let mut batch = Vec::with_capacity(HEADER_LEN + record.len());
    batch.extend_from_slice(&base_offset.to_be_bytes());
    batch.extend_from_slice(&length.to_be_bytes());
    batch.extend_from_slice(&LEADER_EPOCH.to_be_bytes());
    batch.push(2);
    batch.extend_from_slice(&[0; 4]);
    batch.extend_from_slice(&(TRANSACTIONAL_BIT | CONTROL_BIT).to_be_bytes());
    batch.extend_from_slice(&0_i32.to_be_bytes());
    batch.extend_from_slice(&now_ms.to_be_bytes());
    batch.extend_from_slice(&now_ms.to_be_bytes());
    batch.extend_from_slice(&producer_id.to_be_bytes());
    batch.extend_from_slice(&producer_epoch.to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.extend_from_slice(&1_i32.to_be_bytes());
    batch.extend_from_slice(&record);
    seal(&mut batch);
    batch
}

/// Bytes of a control batch that tell which marker it is.
pub(crate) const MARKER_LEN: usize = HEADER_LEN + 9;

/// Reads the marker of a control batch of which at least [`MARKER_LEN`] bytes are given.
///
/// The broker writes all control batches itself, so the place of the type is fixed.
pub(crate) fn marker_of(batch: &[u8]) -> Option<Marker> {
    let kind = batch.get(HEADER_LEN + 7..MARKER_LEN)?;
    match i16::from_be_bytes([kind[0], kind[1]]) {
        0 => Some(Marker::Abort),
        1 => Some(Marker::Commit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kafka_protocol::records::RecordBatchDecoder;

    #[test]
    fn a_control_batch_reads_back_as_a_client_reads_it() {
        for marker in [Marker::Abort, Marker::Commit] {
            let batch = control_batch(marker, 7, 3, 41, 1_000);
            let header = BatchHeader::parse(&batch).unwrap();
            assert!(header.is_control() && header.is_transactional());
            assert_eq!((header.size, header.last_offset()), (batch.len(), 41));
            assert!(crc_holds(&batch, &header));
            assert_eq!(marker_of(&batch), Some(marker));
            let records = RecordBatchDecoder::decode(&mut Bytes::from(batch)).unwrap().records;
            assert_eq!(records.len(), 1);
            assert_eq!((records[0].producer_id, records[0].producer_epoch), (7, 3));
        }
    }

    #[test]
    fn sequences_wrap_around() {
        let mut header = BatchHeader::parse(&control_batch(Marker::Abort, 1, 1, 0, 0)).unwrap();
        header.base_sequence = i32::MAX;
        header.last_offset_delta = 1;
        assert_eq!(header.last_sequence(), 0);
    }

    #[test]
    fn clients_may_not_write_control_batches_or_damaged_ones() {
        let mut batch = control_batch(Marker::Commit, 1, 1, 0, 0);
        assert_eq!(check_produced(&batch), Err(ResponseError::InvalidRecord));
        batch[HEADER_LEN + 2] ^= 1;
        assert_eq!(check_produced(&batch), Err(ResponseError::CorruptMessage));
        assert_eq!(check_produced(&batch[..30]), Err(ResponseError::CorruptMessage));
    }
}
