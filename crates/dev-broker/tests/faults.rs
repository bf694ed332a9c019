//! The hooks for faults, and what librdkafka makes of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::time::{Duration, Instant};

use common::{PATIENCE, consumer, create_topic, numbers, producer, read, send};
use dev_broker::{ApiKey, Broker, BrokerConfig, Faults, Times};
use rdkafka::producer::Producer;

/// Commits ten records in one transaction while faults strike; they appear once and in whole.
#[track_caller]
fn check_exactly_once(plan: impl Fn(&Faults)) {
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    create_topic(&broker, "numbers", 2);
    let writer = producer(&broker, &[("transactional.id", "writer")]);
    writer.init_transactions(PATIENCE).unwrap();
    writer.begin_transaction().unwrap();
    plan(broker.faults());
    send(&writer, "numbers", 0..10);
    writer.commit_transaction(PATIENCE).unwrap();
    writer.begin_transaction().unwrap();
    send(&writer, "numbers", 10..11);
    writer.commit_transaction(PATIENCE).unwrap();
    let reader = consumer(&broker, "readers", "numbers", &[]);
    assert_eq!(read(&reader, 11), numbers(0..11));
}

#[test]
fn a_lost_reply_does_no_harm() {
    check_exactly_once(|faults| faults.drop_reply(ApiKey::Produce, Times::Next(2)));
    check_exactly_once(|faults| faults.drop_reply(ApiKey::EndTxn, Times::Next(1)));
    check_exactly_once(|faults| faults.drop_reply(ApiKey::AddPartitionsToTxn, Times::Next(1)));
}

#[test]
fn a_lost_request_does_no_harm() {
    check_exactly_once(|faults| faults.drop_connection(ApiKey::Produce, Times::Next(2)));
    check_exactly_once(|faults| faults.drop_connection(ApiKey::EndTxn, Times::Next(1)));
}

#[test]
fn a_passing_error_does_no_harm() {
    check_exactly_once(|faults| faults.answer_with(ApiKey::Produce, 7, Times::Next(2)));
    check_exactly_once(|faults| faults.answer_with(ApiKey::EndTxn, 15, Times::Next(1)));
}

#[test]
fn a_delay_is_kept_and_cleared() {
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    create_topic(&broker, "numbers", 1);
    let writer = producer(&broker, &[]);
    send(&writer, "numbers", 0..1);
    broker.faults().delay(ApiKey::Produce, Duration::from_millis(600), Times::Always);
    let begun = Instant::now();
    send(&writer, "numbers", 1..2);
    assert!(begun.elapsed() >= Duration::from_millis(600));
    broker.faults().clear();
    let begun = Instant::now();
    send(&writer, "numbers", 2..3);
    assert!(begun.elapsed() < Duration::from_millis(600));
}
