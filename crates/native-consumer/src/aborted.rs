//! Which batches belong to transactions that were aborted.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::header::FramedBatch;

/// The aborted transactions that one answer tells of, followed batch by batch.
#[derive(Debug)]
pub(crate) struct Aborted {
    /// Producer and first offset, the last one first.
    ahead: Vec<(i64, i64)>,
    /// Producers whose transaction will have been aborted.
    open: BTreeSet<i64>,
}

impl Aborted {
    /// `listed`: of each the producer and the first offset.
    pub(crate) fn new(listed: impl Iterator<Item = (i64, i64)>) -> Self {
        let mut ahead: Vec<_> = listed.collect();
        ahead.sort_unstable_by_key(|(_, first_offset)| std::cmp::Reverse(*first_offset));
        Self { ahead, open: BTreeSet::new() }
    }

    /// Whether the records of the next batch are to be read.
    pub(crate) fn shows(&mut self, batch: &FramedBatch) -> bool {
        while let Some((producer, _)) =
            self.ahead.pop_if(|(_, first_offset)| *first_offset <= batch.last_offset)
        {
            self.open.insert(producer);
        }
        if batch.is_control() {
            if is_abort(&batch.body) {
                self.open.remove(&batch.producer_id);
            }
            return false;
        }
        !(batch.is_transactional() && self.open.contains(&batch.producer_id))
    }
}

/// Whether a control batch's one record is the marker of an aborted transaction: its key is a version
/// and a type, 0 for abort and 1 for commit. Control batches are never compressed.
fn is_abort(body: &Bytes) -> bool {
    /// The record's length, attributes and deltas of timestamp and offset, one byte each when they
    /// are small, which is not relied on.
    fn key(mut body: &[u8]) -> Option<&[u8]> {
        fn skip_number(body: &mut &[u8]) -> Option<()> {
            let end = body.iter().position(|byte| byte & 0x80 == 0)?;
            *body = &body[end + 1..];
            Some(())
        }
        skip_number(&mut body)?;
        body = body.get(1..)?;
        skip_number(&mut body)?;
        skip_number(&mut body)?;
        let (length, rest) = body.split_first()?;
        rest.get(..usize::from(length >> 1))
    }
    matches!(key(body), Some([_, _, 0, 0, ..]))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::header::{Framed, next_batch};

    const CONTROL: i16 = 0x20;
    const TRANSACTIONAL: i16 = 0x10;

    /// A batch of `producer` at one offset, with a record whose key is `key`.
    fn batch(offset: i64, producer: i64, attributes: i16, key: &[u8]) -> FramedBatch {
        let length = i8::try_from(key.len()).unwrap() * 2;
        let mut record = vec![0, 0, 0, length.cast_unsigned()];
        record.extend_from_slice(key);
        // No value, no headers.
        record.extend_from_slice(&[1, 0]);
        let mut bytes = offset.to_be_bytes().to_vec();
        let length = 49 + 1 + i32::try_from(record.len()).unwrap();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[2, 0, 0, 0, 0]);
        bytes.extend_from_slice(&attributes.to_be_bytes());
        bytes.extend_from_slice(&[0; 4 + 8 + 8]);
        bytes.extend_from_slice(&producer.to_be_bytes());
        bytes.extend_from_slice(&[0; 2 + 4]);
        bytes.extend_from_slice(&1_i32.to_be_bytes());
        bytes.push(u8::try_from(record.len() * 2).unwrap());
        bytes.extend_from_slice(&record);
        let checksum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
        match next_batch(&mut Bytes::from(bytes)) {
            Framed::Batch(batch) => batch,
            other @ (Framed::Old { .. } | Framed::Corrupt(_) | Framed::End) => panic!("{other:?}"),
        }
    }

    /// `script`: batches as (producer, what): data in a transaction, plain data, commit, abort. The
    /// outcome: the offsets whose records are read.
    #[track_caller]
    fn check(listed: &[(i64, i64)], script: &[(i64, &str)], expected: &[i64]) {
        let mut aborted = Aborted::new(listed.iter().copied());
        let mut shown = Vec::new();
        for (offset, (producer, what)) in (0..).zip(script) {
            let (attributes, key): (i16, &[u8]) = match *what {
                "data" => (TRANSACTIONAL, b"key"),
                "plain" => (0, b"key"),
                "commit" => (TRANSACTIONAL | CONTROL, &[0, 0, 0, 1]),
                _ => (TRANSACTIONAL | CONTROL, &[0, 0, 0, 0]),
            };
            if aborted.shows(&batch(offset, *producer, attributes, key)) {
                shown.push(offset);
            }
        }
        assert_eq!(shown, expected, "{script:?}");
    }

    #[test]
    fn records_of_aborted_transactions_are_left_out_up_to_their_marker() {
        let script =
            [(7, "data"), (8, "data"), (7, "abort"), (7, "data"), (8, "commit"), (7, "commit")];
        check(&[(7, 0)], &script, &[1, 3]);
        check(&[], &script, &[0, 1, 3]);
        check(&[(8, 1), (7, 0)], &[(7, "data"), (8, "data"), (8, "abort"), (7, "abort")], &[]);
    }

    #[test]
    fn a_transaction_that_is_aborted_later_is_shown_until_then() {
        let script = [(7, "data"), (7, "commit"), (7, "data"), (7, "abort"), (7, "data")];
        check(&[(7, 2)], &script, &[0, 4]);
    }

    #[test]
    fn what_is_no_transaction_is_always_read() {
        check(&[(7, 0)], &[(7, "plain"), (7, "data"), (7, "abort")], &[0]);
    }
}
