//! A partition through its whole life: appending, reading, crashing, trimming, compacting.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::records::Compression;

use super::batch::{BatchHeader, Marker};
use super::partition::{Isolation, Partition};
use super::records::tests::{Writer, batch};
use super::{Admission, records};
use crate::topic_config::TopicConfig;

fn config(overrides: &[(&str, &str)]) -> TopicConfig {
    let overrides: BTreeMap<String, String> =
        overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    TopicConfig::new(overrides).unwrap()
}

struct Log {
    directory: tempfile::TempDir,
    partition: Partition,
    config: TopicConfig,
}

impl Log {
    fn new(overrides: &[(&str, &str)]) -> Log {
        let directory = tempfile::tempdir().unwrap();
        let partition = Partition::open(directory.path().join("0"), 0).unwrap();
        Log { directory, partition, config: config(overrides) }
    }

    fn put(&mut self, writer: Writer, at_ms: i64, records: &[(&str, Option<&str>)]) -> i64 {
        let bytes = batch(writer, Compression::None, at_ms, records);
        self.partition.append(&bytes, &self.config, at_ms).unwrap()
    }

    fn mark(&mut self, marker: Marker, producer: i64, at_ms: i64) {
        self.partition.append_marker(marker, producer, 0, &self.config, at_ms).unwrap();
    }

    /// As after a crash: the files are all there is.
    fn reopen(&mut self) {
        self.partition = Partition::open(self.directory.path().join("0"), 0).unwrap();
    }

    /// Offset and key of all data a reader gets, honouring aborted transactions when committed.
    fn read(&self, isolation: Isolation) -> Vec<(i64, String)> {
        let mut offset = self.partition.log_start();
        let mut found = Vec::new();
        loop {
            let slice = self.partition.read(offset, 300, isolation).unwrap();
            if slice.records.is_empty() {
                return found;
            }
            let mut rest = slice.records;
            while let Some(header) = BatchHeader::parse(&rest) {
                let bytes: Bytes = rest.split_to(header.size);
                offset = header.last_offset() + 1;
                let is_aborted = header.is_transactional()
                    && slice.aborted.iter().any(|aborted| {
                        aborted.producer_id == header.producer_id
                            && aborted.first_offset <= header.base_offset
                            && header.base_offset < aborted.last_offset
                    });
                if header.is_control() || is_aborted {
                    continue;
                }
                for record in records::read(&bytes).unwrap() {
                    let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
                    found.push((record.offset, key));
                }
            }
        }
    }

    #[track_caller]
    fn check(&self, isolation: Isolation, expected: &[(i64, &str)]) {
        let expected: Vec<(i64, String)> =
            expected.iter().map(|(offset, key)| (*offset, (*key).to_owned())).collect();
        assert_eq!(self.read(isolation), expected);
    }

    fn compact(&mut self, now_ms: i64) -> bool {
        let Some(plan) = self.partition.plan_compaction(&self.config, now_ms) else { return false };
        self.partition.take_over(plan.carry_out().unwrap(), now_ms).unwrap();
        true
    }
}

fn transactional(producer: i64, sequence: i32) -> Writer {
    Some((producer, 0, sequence, true))
}

const ALL: Isolation = Isolation::ReadUncommitted;
const COMMITTED: Isolation = Isolation::ReadCommitted;

#[test]
fn many_batches_are_found_through_the_sparse_index() {
    let mut log = Log::new(&[("segment.bytes", "20000")]);
    let long = "x".repeat(150);
    for number in 0..500 {
        assert_eq!(log.put(None, 1_000 + number, &[("k", Some(&long))]), number);
    }
    assert!(log.partition.segments.len() > 3);
    for _ in 0..2 {
        for offset in [0, 1, 77, 250, 499] {
            let slice = log.partition.read(offset, 1, ALL).unwrap();
            assert_eq!(BatchHeader::parse(&slice.records).unwrap().base_offset, offset);
            let at = log.partition.offset_for_time(1_000 + offset, ALL).unwrap().unwrap();
            assert_eq!(at.offset, offset);
        }
        assert_eq!(log.partition.offset_of_max_timestamp().unwrap().unwrap().offset, 499);
        assert_eq!(log.partition.offset_for_time(9_000, ALL).unwrap(), None);
        log.reopen();
    }
}

#[test]
fn readers_of_committed_data_stop_at_the_first_open_transaction() {
    let mut log = Log::new(&[]);
    log.put(None, 1, &[("a", Some("1"))]);
    log.put(transactional(7, 0), 2, &[("b", Some("1"))]);
    log.put(None, 3, &[("c", Some("1"))]);
    log.check(COMMITTED, &[(0, "a")]);
    log.check(ALL, &[(0, "a"), (1, "b"), (2, "c")]);
    log.reopen();
    log.check(COMMITTED, &[(0, "a")]);
    log.mark(Marker::Abort, 7, 4);
    log.check(COMMITTED, &[(0, "a"), (2, "c")]);
    log.reopen();
    log.check(COMMITTED, &[(0, "a"), (2, "c")]);
    log.put(transactional(7, 1), 5, &[("d", Some("1"))]);
    log.mark(Marker::Commit, 7, 6);
    log.check(COMMITTED, &[(0, "a"), (2, "c"), (4, "d")]);
}

#[test]
fn a_torn_tail_is_cut_and_the_rest_is_kept() {
    let mut log = Log::new(&[]);
    log.put(None, 1, &[("a", Some("1"))]);
    log.put(None, 2, &[("b", Some("1"))]);
    let path = log.directory.path().join("0").join(super::segment::file_name(0));
    let whole = std::fs::read(&path).unwrap();
    for cut in [whole.len() - 1, whole.len() - 40, whole.len() / 2 + 10] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        log.reopen();
        log.check(ALL, &[(0, "a")]);
        assert_eq!(log.partition.next_offset(), 1);
    }
    let mut damaged = whole;
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    log.reopen();
    assert_eq!(log.put(None, 3, &[("c", Some("1"))]), 1);
    log.check(ALL, &[(0, "a"), (1, "c")]);
}

#[test]
fn retries_are_recognised_after_a_crash() {
    let mut log = Log::new(&[]);
    log.put(Some((7, 0, 0, false)), 1, &[("a", Some("1"))]);
    log.put(Some((7, 0, 1, false)), 2, &[("b", Some("1"))]);
    log.reopen();
    let retry = batch(Some((7, 0, 1, false)), Compression::None, 2, &[("b", Some("1"))]);
    let header = BatchHeader::parse(&retry).unwrap();
    let admission = log.partition.producers().check(&header, false);
    assert_eq!(admission, Ok(Admission::Duplicate { base_offset: 1 }));
}

#[test]
fn old_segments_go_by_age_and_by_size() {
    let mut log = Log::new(&[("segment.bytes", "100"), ("retention.ms", "1000")]);
    for number in 0..5 {
        log.put(None, number * 500, &[("k", Some("1"))]);
    }
    log.partition.retain(&log.config, 2_400).unwrap();
    log.check(ALL, &[(3, "k"), (4, "k")]);
    log.partition.retain(&log.config, 9_000).unwrap();
    log.check(ALL, &[]);
    assert_eq!((log.partition.log_start(), log.partition.next_offset()), (5, 5));
    log.reopen();
    assert_eq!((log.partition.log_start(), log.partition.next_offset()), (5, 5));

    let mut log = Log::new(&[("segment.bytes", "100"), ("retention.bytes", "200")]);
    for number in 0..5 {
        log.put(None, number, &[("k", Some("1"))]);
    }
    log.partition.retain(&log.config, 10).unwrap();
    assert!(log.partition.size() >= 200 && log.partition.log_start() > 0);
}

#[test]
fn an_open_transaction_is_never_trimmed() {
    let mut log = Log::new(&[("segment.bytes", "100"), ("retention.ms", "1000")]);
    log.put(transactional(7, 0), 1, &[("a", Some("1"))]);
    log.put(None, 2, &[("b", Some("1"))]);
    log.partition.retain(&log.config, 90_000).unwrap();
    log.check(ALL, &[(0, "a"), (1, "b")]);
}

#[test]
fn compaction_keeps_the_last_record_of_each_key() {
    let mut log = Log::new(&[("segment.bytes", "150"), ("cleanup.policy", "compact")]);
    log.put(None, 1, &[("a", Some("1")), ("b", Some("1"))]);
    log.put(None, 2, &[("a", Some("2")), ("c", Some("1"))]);
    log.put(None, 3, &[("b", Some("2"))]);
    log.put(None, 4, &[("d", Some("1")), ("e", Some("1"))]);
    log.put(None, 5, &[("z", Some("1")), ("z", Some("2"))]);
    assert!(log.compact(10));
    let expected = [(2, "a"), (3, "c"), (4, "b"), (5, "d"), (6, "e"), (7, "z"), (8, "z")];
    log.check(ALL, &expected);
    assert!(!log.compact(11), "nothing new was written");
    log.reopen();
    log.check(ALL, &expected);
    assert_eq!(log.partition.log_start(), 0);
}

#[test]
fn compaction_removes_aborted_records_and_keeps_committed_ones_readable() {
    let mut log = Log::new(&[("segment.bytes", "150"), ("cleanup.policy", "compact")]);
    log.put(transactional(7, 0), 1, &[("a", Some("good"))]);
    log.mark(Marker::Commit, 7, 2);
    log.put(transactional(7, 1), 3, &[("a", Some("bad"))]);
    log.mark(Marker::Abort, 7, 4);
    log.put(transactional(7, 2), 5, &[("b", Some("good"))]);
    log.mark(Marker::Commit, 7, 6);
    log.put(None, 7, &[("z", Some("1")), ("z", Some("2"))]);
    assert!(log.compact(10));
    let expected = [(0, "a"), (4, "b"), (6, "z"), (7, "z")];
    log.check(COMMITTED, &expected);
    log.check(ALL, &expected);
    log.reopen();
    log.check(COMMITTED, &expected);
    // Everything settled stays settled: nothing looks like an open transaction.
    assert_eq!(log.partition.last_stable(), log.partition.next_offset());
}

#[test]
fn compaction_stops_at_an_open_transaction() {
    let mut log = Log::new(&[("segment.bytes", "150"), ("cleanup.policy", "compact")]);
    log.put(None, 1, &[("a", Some("1"))]);
    log.put(transactional(7, 0), 2, &[("a", Some("2"))]);
    log.put(None, 3, &[("b", Some("1")), ("b", Some("2"))]);
    log.put(None, 4, &[("z", Some("1")), ("z", Some("2"))]);
    log.compact(10);
    log.mark(Marker::Abort, 7, 11);
    log.check(COMMITTED, &[(0, "a"), (2, "b"), (3, "b"), (4, "z"), (5, "z")]);
}

#[test]
fn a_tombstone_is_shown_for_a_while_and_then_goes() {
    let mut log = Log::new(&[
        ("segment.bytes", "100"),
        ("cleanup.policy", "compact"),
        ("delete.retention.ms", "1000"),
        ("min.cleanable.dirty.ratio", "0"),
    ]);
    log.put(None, 1, &[("a", Some("1"))]);
    log.put(None, 2, &[("a", None)]);
    log.put(None, 3, &[("y", Some("1"))]);
    assert!(log.compact(10));
    log.check(ALL, &[(1, "a"), (2, "y")]);
    log.put(None, 20, &[("y", Some("2"))]);
    assert!(log.compact(500));
    log.check(ALL, &[(1, "a"), (2, "y"), (3, "y")]);
    log.put(None, 1_600, &[("z", Some("1"))]);
    assert!(log.compact(1_700));
    log.check(ALL, &[(3, "y"), (4, "z")]);
}

#[test]
fn a_producer_may_go_on_after_all_it_wrote_was_compacted_away() {
    let mut log = Log::new(&[("segment.bytes", "100"), ("cleanup.policy", "compact")]);
    log.put(Some((7, 0, 0, false)), 1, &[("a", Some("1"))]);
    log.put(Some((7, 0, 1, false)), 2, &[("a", Some("2"))]);
    log.put(None, 3, &[("a", Some("3"))]);
    log.put(None, 4, &[("z", Some("1"))]);
    assert!(log.compact(10));
    log.reopen();
    log.check(ALL, &[(2, "a"), (3, "z")]);
    let next = batch(Some((7, 0, 2, false)), Compression::None, 5, &[("a", Some("4"))]);
    let header = BatchHeader::parse(&next).unwrap();
    assert_eq!(log.partition.producers().check(&header, false), Ok(Admission::Append));
    let gap = batch(Some((7, 0, 3, false)), Compression::None, 5, &[("a", Some("4"))]);
    assert!(log.partition.producers().check(&BatchHeader::parse(&gap).unwrap(), false).is_err());
}
