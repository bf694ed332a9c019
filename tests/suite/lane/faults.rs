use std::time::Duration;

use dev_broker::{ApiKey, Broker, BrokerConfig, Faults, Times};
use lane::{LaneError, LaneStatus, ProducerClient};
use service::Failure;
use testkit::wait_until;

use super::copying::{Copying, producer_client};

/// Breaks a broker once the lane is under way, and demands that each record is copied once all the same.
///
/// The broker is this test's own and embedded: no other one can be told to fail.
#[track_caller]
fn check(fault: impl Fn(&Faults)) {
    check_with(producer_client(), fault, |_, _| {});
}

/// The same on this client; `afterwards` looks at what came of the first 1,000 records, and at the lane.
#[track_caller]
fn check_with(
    client: ProducerClient,
    fault: impl Fn(&Faults),
    afterwards: impl FnOnce(&Copying, &LaneStatus),
) {
    let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
    let mut copying = Copying::on(&broker.bootstrap_servers(), "faults");
    copying.client = client;
    let instance = copying.start("0");
    copying.produce(0..200);
    copying.check_copied_once(200);
    assert_eq!(instance.status.producers_renewed(), 0);
    fault(broker.faults());
    copying.produce(200..1_000);
    copying.check_copied_once(1_000);
    afterwards(&copying, &instance.status);
    broker.faults().clear();
    instance.stop();
}

const RETRIABLE_COORDINATOR: [i16; 3] = [14, 15, 16];
const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER: i16 = 25;
const REBALANCE_IN_PROGRESS: i16 = 27;
const CONCURRENT_TRANSACTIONS: i16 = 51;
const NOT_ENOUGH_REPLICAS: i16 = 19;
const PRODUCER_FENCED: i16 = 90;
const INVALID_TXN_STATE: i16 = 48;

#[test]
fn a_commit_whose_reply_is_lost_is_looked_up_and_not_guessed() {
    check(|faults| faults.drop_reply(ApiKey::EndTxn, Times::Next(1)));
}

#[test]
fn a_commit_that_never_arrived_is_made_again() {
    check(|faults| faults.drop_connection(ApiKey::EndTxn, Times::Next(1)));
}

#[test]
fn offsets_whose_reply_is_lost_are_committed_once() {
    check(|faults| faults.drop_reply(ApiKey::TxnOffsetCommit, Times::Next(2)));
}

#[test]
fn records_whose_acknowledgement_is_lost_are_written_once() {
    check(|faults| faults.drop_reply(ApiKey::Produce, Times::Next(2)));
}

#[test]
fn records_that_never_arrived_are_written() {
    check(|faults| faults.drop_connection(ApiKey::Produce, Times::Next(2)));
}

#[test]
fn a_slow_commit_is_waited_for() {
    check(|faults| faults.delay(ApiKey::EndTxn, Duration::from_millis(3_000), Times::Next(1)));
}

#[test]
fn a_commit_slower_than_the_socket_allows_is_looked_up() {
    check(|faults| faults.delay(ApiKey::EndTxn, Duration::from_millis(5_500), Times::Next(1)));
}

#[test]
fn a_stale_generation_costs_an_abort_and_nothing_else() {
    for code in [ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCE_IN_PROGRESS] {
        check(|faults| faults.answer_with(ApiKey::TxnOffsetCommit, code, Times::Next(1)));
    }
}

#[test]
fn a_coordinator_that_moves_is_followed() {
    for code in RETRIABLE_COORDINATOR {
        check(|faults| faults.answer_with(ApiKey::EndTxn, code, Times::Next(2)));
    }
}

#[test]
fn the_markers_of_the_last_transaction_are_waited_for() {
    check(|faults| {
        faults.answer_with(ApiKey::AddPartitionsToTxn, CONCURRENT_TRANSACTIONS, Times::Next(3));
        faults.answer_with(ApiKey::AddOffsetsToTxn, CONCURRENT_TRANSACTIONS, Times::Next(3));
        if producer_client() == ProducerClient::Native {
            faults.answer_with(ApiKey::TxnOffsetCommit, CONCURRENT_TRANSACTIONS, Times::Next(30));
        }
    });
}

/// Asks for the native client on a broker of this level, and demands that this one writes.
#[track_caller]
fn check_client(transaction_version: i16, expected: ProducerClient) {
    let config = BrokerConfig { transaction_version, ..BrokerConfig::default() };
    let broker = Broker::start(config).expect("the embedded broker starts");
    let mut copying = Copying::on(&broker.bootstrap_servers(), "chosen");
    copying.client = ProducerClient::Native;
    let instance = copying.start("0");
    copying.produce(0..200);
    copying.check_copied_once(200);
    assert_eq!(instance.status.client(), Some(expected));
    instance.stop();
}

#[test]
fn the_native_client_writes_only_where_transactions_v2_are_finalised() {
    check_client(2, ProducerClient::Native);
    check_client(1, ProducerClient::Librdkafka);
}

#[test]
fn a_lost_commit_costs_the_native_client_no_producer() {
    let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
    let mut copying = Copying::on(&broker.bootstrap_servers(), "no-renewal");
    copying.client = ProducerClient::Native;
    let instance = copying.start("0");
    for api in [ApiKey::EndTxn, ApiKey::Produce, ApiKey::TxnOffsetCommit] {
        broker.faults().drop_reply(api, Times::Next(2));
        broker.faults().drop_connection(api, Times::Next(1));
    }
    copying.produce(0..1_000);
    copying.check_copied_once(1_000);
    assert_eq!(instance.status.producers_renewed(), 0);
    assert_eq!(instance.status.transactions_aborted(), 0);
    instance.stop();
}

/// Breaks a broker under librdkafka once, and demands that the producer it leaves in doubt is replaced.
#[track_caller]
fn check_replaced(fault: impl Fn(&Faults)) {
    check_with(ProducerClient::Librdkafka, fault, |copying, status| {
        // What is committed is seen before the lane knows it.
        wait_until("its producer is replaced", Duration::from_secs(30), || {
            match status.producers_renewed() {
                1 => Ok(()),
                renewed => Err(format!("{renewed} times")),
            }
        });
        copying.check_copied_once(1_000);
    });
}

#[test]
fn a_lost_answer_to_a_commit_costs_librdkafka_its_producer() {
    check_replaced(|faults| faults.drop_reply(ApiKey::EndTxn, Times::Next(1)));
}

#[test]
fn a_connection_that_breaks_in_a_transaction_costs_librdkafka_its_producer() {
    check_replaced(|faults| faults.drop_connection(ApiKey::TxnOffsetCommit, Times::Next(1)));
}

#[test]
fn a_commit_that_the_client_may_have_sent_twice_costs_librdkafka_its_producer() {
    // Longer than half of what a socket may take.
    check_replaced(|faults| {
        faults.delay(ApiKey::EndTxn, Duration::from_millis(3_000), Times::Next(1));
    });
}

#[test]
fn too_few_replicas_are_waited_for() {
    check(|faults| faults.answer_with(ApiKey::Produce, NOT_ENOUGH_REPLICAS, Times::Next(3)));
}

#[test]
fn a_fenced_producer_is_replaced_and_the_batch_taken_again() {
    for code in [PRODUCER_FENCED, INVALID_TXN_STATE] {
        check(|faults| faults.answer_with(ApiKey::EndTxn, code, Times::Next(1)));
    }
}

#[test]
fn a_second_lane_of_the_same_name_fences_the_first_and_no_record_is_copied_twice() {
    let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
    let copying = Copying::on(&broker.bootstrap_servers(), "fencing");
    let first = copying.start("0");
    copying.produce(0..500);
    copying.check_copied_once(500);
    let second = copying.start("0");
    // Both have a share now, and the first learns at its next write that it is fenced.
    second.wait_for_partitions(2);
    first.wait_for_partitions(2);
    copying.produce(500..1_000);
    copying.check_copied_once(1_000);
    wait_until("the first is fenced", Duration::from_secs(30), || {
        let renewed = first.status.producers_renewed() + second.status.producers_renewed();
        if renewed > 0 { Ok(()) } else { Err("no producer was renewed".into()) }
    });
    second.stop();
    first.stop();
}

#[test]
fn a_partition_revoked_while_an_aborted_batch_waits_is_read_when_it_comes_back() {
    let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
    let copying = Copying::on(&broker.bootstrap_servers(), "at-rest");
    let first = copying.start("0");
    first.wait_for_partitions(4);
    let faults = broker.faults();
    faults.answer_with(ApiKey::TxnOffsetCommit, ILLEGAL_GENERATION, Times::Always);
    copying.produce(0..2_000);
    wait_until("a batch aborted", Duration::from_secs(30), || {
        let aborted = first.status.transactions_aborted();
        if aborted > 3 { Ok(()) } else { Err(format!("{aborted} transactions aborted")) }
    });
    let second = copying.start("1");
    second.wait_for_partitions(2);
    first.wait_for_partitions(2);
    faults.clear();
    copying.check_copied_once(2_000);
    second.stop();
    first.wait_for_partitions(4);
    copying.produce(2_000..3_000);
    copying.check_copied_once(3_000);
    first.stop();
}

#[test]
fn a_batch_aborted_too_often_ends_the_lane_and_with_it_the_process() {
    let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
    let copying = Copying { aborts_max: 3, ..Copying::on(&broker.bootstrap_servers(), "too-many") };
    let faults = broker.faults();
    faults.answer_with(ApiKey::TxnOffsetCommit, ILLEGAL_GENERATION, Times::Always);
    copying.produce(0..10);
    let ended = copying.start("0").end();
    let error = ended.expect_err("nothing can be committed");
    assert!(matches!(error, LaneError::TooManyAborts { aborts: 4, .. }), "{error}");
    assert_eq!(Failure::from(error).exit().code(), 70);
    // What it gave up on is there for its successor.
    faults.clear();
    let successor = copying.start("0");
    copying.check_copied_once(10);
    successor.stop();
}
