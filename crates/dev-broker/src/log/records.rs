//! The records inside a batch, for the few cases where the broker has to look.
//!
//! Records are handed around as the bytes they came in, so that a batch can be thinned out without
//! encoding anything anew. No count a client claims is trusted: memory grows with what is there.

use std::io;

use bytes::{Bytes, BytesMut};
use kafka_protocol::compression::{self as codec, Compressor, Decompressor};

use super::batch::{self, BatchHeader, HEADER_LEN, LENGTH_OVERHEAD};

/// One record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRecord {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) is_tombstone: bool,
    /// The whole record, its length in front.
    bytes: Bytes,
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn invalid(problem: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.to_string())
}

/// Reads the records of a batch.
pub(crate) fn read(bytes: &Bytes) -> io::Result<Vec<RawRecord>> {
    let header = BatchHeader::parse(bytes).ok_or_else(|| invalid("not a batch"))?;
    let plain = decompressed(bytes.slice(HEADER_LEN..header.size.min(bytes.len())), &header)?;
    let mut cursor = Cursor { bytes: &plain, at: 0 };
    let mut records = Vec::new();
    for _ in 0..header.record_count {
        records.push(record(&plain, &mut cursor, &header)?);
    }
    Ok(records)
}

fn record(plain: &Bytes, cursor: &mut Cursor<'_>, header: &BatchHeader) -> io::Result<RawRecord> {
    let start = cursor.at;
    let length = usize::try_from(cursor.varint()?).map_err(invalid)?;
    let end = cursor.at.checked_add(length).filter(|end| *end <= plain.len());
    let end = end.ok_or_else(|| invalid("a record is longer than its batch"))?;
    cursor.skip(1)?;
    let timestamp = header.base_timestamp.saturating_add(cursor.varint()?);
    let offset = header.base_offset.saturating_add(cursor.varint()?);
    let key = cursor.field()?.map(|range| plain.slice(range));
    let is_tombstone = cursor.field()?.is_none();
    cursor.at = end;
    Ok(RawRecord {
        offset,
        timestamp: if header.has_append_time() { header.max_timestamp } else { timestamp },
        key,
        is_tombstone,
        bytes: plain.slice(start..end),
    })
}

/// The same batch with only these of its records. Offsets and sequences stay as they were.
pub(super) fn thinned(
    original: &[u8],
    header: &BatchHeader,
    kept: &[RawRecord],
) -> io::Result<Vec<u8>> {
    let mut plain = BytesMut::new();
    for record in kept {
        plain.extend_from_slice(&record.bytes);
    }
    let mut batch = BytesMut::from(&original[..HEADER_LEN]);
    compress(&mut batch, &plain, header)?;
    let mut batch = batch.to_vec();
    let length = i32::try_from(batch.len() - LENGTH_OVERHEAD).map_err(invalid)?;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    if !header.has_append_time() {
        let latest = kept.iter().map(|record| record.timestamp).max().unwrap_or(-1);
        batch[35..43].copy_from_slice(&latest.to_be_bytes());
    }
    let count = i32::try_from(kept.len()).map_err(invalid)?;
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    batch::seal(&mut batch);
    Ok(batch)
}

fn decompressed(mut bytes: Bytes, header: &BatchHeader) -> io::Result<Bytes> {
    if bytes.is_empty() {
        return Ok(bytes);
    }
    let whole = |buffer: &mut Bytes| Ok(std::mem::take(buffer));
    let plain = match header.compression() {
        0 => return Ok(bytes),
        1 => codec::Gzip::decompress(&mut bytes, whole),
        2 => codec::Snappy::decompress(&mut bytes, whole),
        3 => codec::Lz4::decompress(&mut bytes, whole),
        4 => codec::Zstd::decompress(&mut bytes, whole),
        other => return Err(invalid(format!("unknown codec `{other}`"))),
    };
    plain.map_err(invalid)
}

fn compress(out: &mut BytesMut, plain: &[u8], header: &BatchHeader) -> io::Result<()> {
    let put = |buffer: &mut BytesMut| {
        buffer.extend_from_slice(plain);
        Ok(())
    };
    let done = match header.compression() {
        0 => {
            out.extend_from_slice(plain);
            Ok(())
        }
        1 => codec::Gzip::compress(out, put),
        2 => codec::Snappy::compress(out, put),
        3 => codec::Lz4::compress(out, put),
        4 => codec::Zstd::compress(out, put),
        other => return Err(invalid(format!("unknown codec `{other}`"))),
    };
    done.map_err(invalid)
}

/// Reads the variable-length numbers of records.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn skip(&mut self, count: usize) -> io::Result<()> {
        self.at += count;
        if self.at <= self.bytes.len() { Ok(()) } else { Err(invalid("a record ends too early")) }
    }

    /// A zigzag encoded number.
    fn varint(&mut self) -> io::Result<i64> {
        let mut value: u64 = 0;
        for shift in (0..70).step_by(7) {
            let byte =
                *self.bytes.get(self.at).ok_or_else(|| invalid("a record ends too early"))?;
            self.at += 1;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(invalid("a number is too long"))
    }

    /// A length and that many bytes; nothing for a length below zero.
    fn field(&mut self) -> io::Result<Option<std::ops::Range<usize>>> {
        let Ok(length) = usize::try_from(self.varint()?) else { return Ok(None) };
        let start = self.at;
        if length > self.bytes.len() {
            return Err(invalid("a field is longer than its batch"));
        }
        self.skip(length)?;
        Ok(Some(start..self.at))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kafka_protocol::indexmap::IndexMap;
    use kafka_protocol::records::{
        Compression, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record, RecordBatchDecoder,
        RecordBatchEncoder, RecordEncodeOptions, TimestampType,
    };

    /// Who wrote a test batch: producer id, epoch, first sequence, transactional.
    pub(crate) type Writer = Option<(i64, i16, i32, bool)>;

    /// A batch as a client would send it, of (key, value) at 10 ms intervals from a time on.
    pub(crate) fn batch(
        writer: Writer,
        compression: Compression,
        from_ms: i64,
        records: &[(&str, Option<&str>)],
    ) -> Bytes {
        let (id, epoch, sequence, transactional) =
            writer.unwrap_or((NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE, false));
        let records: Vec<Record> = records
            .iter()
            .zip(0..)
            .map(|((key, value), number)| Record {
                transactional,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 0,
                producer_id: id,
                producer_epoch: epoch,
                timestamp_type: TimestampType::Creation,
                offset: i64::from(number),
                sequence: sequence + number,
                timestamp: from_ms + 10 * i64::from(number),
                key: Some(Bytes::from((*key).to_owned())),
                value: value.map(|value| Bytes::from(value.to_owned())),
                headers: IndexMap::new(),
            })
            .collect();
        let mut out = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression };
        RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
        out.freeze()
    }

    #[test]
    fn a_thinned_batch_is_sound_in_every_codec_and_keeps_its_place() {
        use Compression::{Gzip, Lz4, None, Snappy, Zstd};
        for compression in [None, Gzip, Snappy, Lz4, Zstd] {
            let writer = Some((7, 1, 30, false));
            let fields = [("a", Some("1")), ("b", Option::None), ("c", Some("3"))];
            let whole = batch(writer, compression, 1_000, &fields);
            let header = BatchHeader::parse(&whole).unwrap();
            let records = read(&whole).unwrap();
            assert_eq!(records.len(), 3);
            assert!(records[1].is_tombstone && !records[0].is_tombstone);

            let thin = Bytes::from(thinned(&whole, &header, &records[1..2]).unwrap());
            let thin_header = BatchHeader::parse(&thin).unwrap();
            assert!(batch::crc_holds(&thin, &thin_header));
            assert_eq!(thin_header.last_offset(), header.last_offset());
            assert_eq!(thin_header.last_sequence(), header.last_sequence());
            assert_eq!(thin_header.max_timestamp, 1_010);
            let decoded = RecordBatchDecoder::decode(&mut thin.clone()).unwrap().records;
            assert_eq!(decoded.len(), 1);
            assert_eq!((decoded[0].offset, decoded[0].timestamp), (1, 1_010));

            let empty = Bytes::from(thinned(&whole, &header, &[]).unwrap());
            assert!(read(&empty).unwrap().is_empty());
        }
    }

    #[test]
    fn a_batch_that_claims_too_many_records_is_refused() {
        let mut lying = batch(None, Compression::None, 0, &[("a", Some("1"))]).to_vec();
        lying[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(read(&Bytes::from(lying)).is_err());
    }
}
