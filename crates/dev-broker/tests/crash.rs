//! What is left after the broker dies without a word.
//!
//! A copy of the data directory of a broker that is still running holds what the kernel would
//! keep of a killed one: the broker buffers nothing of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::path::Path;

use common::{PATIENCE, consumer, create_topic, numbers, producer, read, send};
use dev_broker::{Broker, BrokerConfig};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::producer::Producer;

fn start(directory: &Path) -> Broker {
    let data_dir = Some(directory.to_owned());
    Broker::start(BrokerConfig { data_dir, ..Default::default() }).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Starts a second broker on what a crash of the first would leave.
fn crashed(directory: &Path) -> (tempfile::TempDir, Broker) {
    let left = tempfile::tempdir().unwrap();
    copy(directory, left.path());
    let broker = start(left.path());
    (left, broker)
}

#[test]
fn acknowledged_records_and_committed_offsets_survive() {
    let directory = tempfile::tempdir().unwrap();
    let first = start(directory.path());
    create_topic(&first, "numbers", 3);
    send(&producer(&first, &[]), "numbers", 0..50);
    let reader = consumer(&first, "readers", "numbers", &[("enable.auto.commit", "false")]);
    assert_eq!(read(&reader, 50), numbers(0..50));
    reader.commit_consumer_state(CommitMode::Sync).unwrap();
    send(&producer(&first, &[("compression.type", "zstd")]), "numbers", 50..80);

    let (_left, second) = crashed(directory.path());
    let reader = consumer(&second, "readers", "numbers", &[]);
    assert_eq!(read(&reader, 30), numbers(50..80));
    let all = consumer(&second, "others", "numbers", &[]);
    assert_eq!(read(&all, 80), numbers(0..80));
}

#[test]
fn an_open_transaction_stays_hidden_and_its_successor_ends_it() {
    let directory = tempfile::tempdir().unwrap();
    let first = start(directory.path());
    create_topic(&first, "numbers", 2);
    let writer = producer(&first, &[("transactional.id", "writer")]);
    writer.init_transactions(PATIENCE).unwrap();
    writer.begin_transaction().unwrap();
    send(&writer, "numbers", 0..10);
    writer.commit_transaction(PATIENCE).unwrap();
    writer.begin_transaction().unwrap();
    send(&writer, "numbers", 500..520);

    let (_left, second) = crashed(directory.path());
    let reader = consumer(&second, "readers", "numbers", &[]);
    assert_eq!(read(&reader, 10), numbers(0..10));
    let successor = producer(&second, &[("transactional.id", "writer")]);
    successor.init_transactions(PATIENCE).unwrap();
    successor.begin_transaction().unwrap();
    send(&successor, "numbers", 10..20);
    successor.commit_transaction(PATIENCE).unwrap();
    assert_eq!(read(&reader, 10), numbers(10..20));
    let hidden =
        consumer(&second, "curious", "numbers", &[("isolation.level", "read_uncommitted")]);
    assert_eq!(read(&hidden, 40).len(), 40);
}

#[test]
fn a_broker_may_be_stopped_and_started_again_and_again() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let broker = start(directory.path());
        if round == 0 {
            create_topic(&broker, "numbers", 1);
        }
        send(&producer(&broker, &[]), "numbers", round * 10..round * 10 + 10);
        let count = usize::try_from(round + 1).unwrap() * 10;
        let reader = consumer(&broker, &format!("reader-{round}"), "numbers", &[]);
        assert_eq!(read(&reader, count), numbers(0..round * 10 + 10));
        drop(reader);
        broker.stop().unwrap();
    }
}
