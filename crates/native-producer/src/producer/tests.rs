//! Whole transactions against the embedded broker, which is told to fail.

use std::collections::BTreeMap;
use std::time::Duration;

use dev_broker::{ApiKey, Broker, BrokerConfig, Faults, Times};
use testkit::Isolation;

use super::*;
use crate::verdict::TABLE;
use crate::{Compression, Headers, NextPosition, Record, Security, Topic};

const PARTITIONS: i32 = 3;
/// Whoever waits here is never told to stop.
const NEVER: WaitOrStop<'_> = &|time| {
    std::thread::park_timeout(time);
    false
};

/// A broker with two topics to write to and one to read from.
struct Bench {
    broker: Broker,
    settings: Settings,
}

impl Bench {
    fn new() -> Self {
        Self::with(Compression::None)
    }

    fn with(compression: Compression) -> Self {
        let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
        let address = broker.bootstrap_servers();
        let names = ["one", "two", "input"];
        testkit::create_topics(&address, &names.map(|name| (name, PARTITIONS, &[][..])));
        let topic = |name: &str| Topic {
            name: name.into(),
            partitions: PARTITIONS,
            batch_bytes_max: 1_000_000,
        };
        let settings = Settings {
            bootstrap_servers: address,
            client_id: "test".into(),
            transactional_id: "test-0".into(),
            transaction_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(4),
            compression,
            security: Security::default(),
            topics: vec![topic("one"), topic("two")],
        };
        Self { broker, settings }
    }

    fn faults(&self) -> &Faults {
        self.broker.faults()
    }

    fn connect(&self) -> Producer {
        let connected = Producer::connect(self.settings.clone(), NEVER);
        connected.expect("the broker speaks transactions v2").expect("nobody stops it")
    }

    /// How often each value is in topic `name`, as readers of committed data see it.
    fn values(&self, name: &str) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        let address = &self.settings.bootstrap_servers;
        for record in testkit::read_all(address, name, Isolation::ReadCommitted) {
            *times.entry(record.value_text().to_owned()).or_default() += 1;
        }
        times
    }
}

/// Writes one value to every partition of both topics, and an offset.
fn write(producer: &mut Producer, value: &str, offset: i64) -> Result<(), WriteError> {
    let mut records = RecordAccumulator::new(&producer.settings.topics);
    let mut headers = Headers::default();
    headers.push("h", b"1");
    for topic in 0..2 {
        for partition in 0..PARTITIONS {
            let value = format!("{value}/{partition}");
            let record = Record {
                timestamp_ms: 1_700_000_000_000,
                key: Some(b"key"),
                value: Some(value.as_bytes()),
                headers: &headers,
            };
            records.append(topic, partition, &record);
        }
    }
    let positions = [NextPosition { topic: "input", partition: 0, offset }];
    let offsets = Offsets {
        group: "group",
        generation: -1,
        member_id: "",
        group_instance_id: None,
        positions: &positions,
    };
    producer.commit(&mut records, Some(&offsets), NEVER)
}

/// Lays out a value without key and headers, for the first topic.
fn append(records: &mut RecordAccumulator, partition: i32, value: &str) {
    let record = Record {
        timestamp_ms: 0,
        key: None,
        value: Some(value.as_bytes()),
        headers: Headers::NONE,
    };
    records.append(0, partition, &record);
}

fn key_of(request: Request) -> ApiKey {
    match request {
        Request::FindCoordinator => ApiKey::FindCoordinator,
        Request::InitProducerId => ApiKey::InitProducerId,
        Request::Metadata => ApiKey::Metadata,
        Request::TxnOffsetCommit => ApiKey::TxnOffsetCommit,
        Request::Produce => ApiKey::Produce,
        Request::EndTxn => ApiKey::EndTxn,
    }
}

/// Has the broker answer the next of these requests so, and says what a transaction comes to.
fn outcome(bench: &Bench, producer: &mut Producer, request: Request, code: i16) -> &'static str {
    // What is known already is not asked for again.
    producer.cluster.forget_coordinator(Coordinator::Group);
    producer.cluster.leaders.iter_mut().flatten().for_each(|leader| *leader = None);
    bench.faults().answer_with(key_of(request), code, Times::Next(1));
    let outcome = match write(producer, &format!("{request:?} {code}"), 1) {
        Ok(()) => "committed",
        Err(WriteError::Aborted(_)) => "aborted",
        Err(WriteError::Unsettled(_)) => "unsettled",
    };
    bench.faults().clear();
    outcome
}

#[test]
fn each_answer_to_each_request_of_a_transaction_does_what_its_row_says() {
    let bench = Bench::new();
    let mut producer = bench.connect();
    let mut n_committed = 0;
    for (request, error, verdict) in TABLE {
        if *request == Request::InitProducerId {
            continue;
        }
        let expected = match verdict {
            // The broker did not write what it called written, so this is not looked at below.
            Verdict::Done => continue,
            Verdict::Wait | Verdict::Again | Verdict::Relocate => "committed",
            Verdict::Abort | Verdict::Split => "aborted",
            Verdict::Renew | Verdict::Refuse => "unsettled",
        };
        let found = outcome(&bench, &mut producer, *request, error.code());
        assert_eq!(found, expected, "{request:?} {error:?}");
        match found {
            "committed" => n_committed += 1,
            // The producer goes on as if nothing had been.
            "aborted" => {
                write(&mut producer, &format!("{request:?} {} again", error.code()), 1).unwrap();
                n_committed += 1;
            }
            _ => producer = bench.connect(),
        }
    }
    for topic in ["one", "two"] {
        let values = bench.values(topic);
        let doubled: Vec<_> = values.iter().filter(|(_, times)| **times != 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
        assert_eq!(values.len(), n_committed * 3);
    }
}

#[test]
fn each_answer_to_a_new_producer_does_what_its_row_says() {
    let bench = Bench::new();
    for (request, error, verdict) in TABLE {
        if !matches!(request, Request::InitProducerId | Request::FindCoordinator) {
            continue;
        }
        bench.faults().answer_with(key_of(*request), error.code(), Times::Next(2));
        let connected = Producer::connect(bench.settings.clone(), NEVER);
        bench.faults().clear();
        let is_refused = matches!(connected, Err(ConnectError::Refused { .. }));
        assert_eq!(is_refused, *verdict == Verdict::Refuse, "{request:?} {error:?}");
        assert_eq!(matches!(connected, Ok(Some(_))), !is_refused, "{request:?} {error:?}");
    }
}

/// Breaks the broker for the second of three transactions; each is there once all the same.
#[track_caller]
fn check(fault: impl Fn(&Faults)) {
    let bench = Bench::new();
    let mut producer = bench.connect();
    write(&mut producer, "first", 1).unwrap();
    fault(bench.faults());
    write(&mut producer, "second", 2).unwrap();
    bench.faults().clear();
    write(&mut producer, "third", 3).unwrap();
    let expected: BTreeMap<String, usize> = ["first", "second", "third"]
        .iter()
        .flat_map(|value| (0..PARTITIONS).map(move |partition| (format!("{value}/{partition}"), 1)))
        .collect();
    assert_eq!(bench.values("one"), expected);
    assert_eq!(bench.values("two"), expected);
}

#[test]
fn requests_that_never_arrive_are_made_again() {
    for api in [ApiKey::TxnOffsetCommit, ApiKey::Produce, ApiKey::EndTxn, ApiKey::Metadata] {
        check(|faults| faults.drop_connection(api, Times::Next(3)));
    }
}

#[test]
fn answers_that_are_lost_are_asked_for_again() {
    for api in [ApiKey::TxnOffsetCommit, ApiKey::Produce, ApiKey::EndTxn] {
        check(|faults| faults.drop_reply(api, Times::Next(3)));
    }
}

#[test]
fn answers_that_take_longer_than_a_request_may_are_asked_for_again() {
    for api in [ApiKey::TxnOffsetCommit, ApiKey::Produce, ApiKey::EndTxn] {
        check(|faults| faults.delay(api, Duration::from_millis(4_500), Times::Next(1)));
    }
}

#[test]
fn a_commit_that_was_made_is_not_taken_for_one_that_was_aborted() {
    let bench = Bench::new();
    let mut producer = bench.connect();
    bench.faults().drop_reply(ApiKey::EndTxn, Times::Always);
    let unknown = write(&mut producer, "first", 1);
    assert!(matches!(unknown, Err(WriteError::Unsettled(Cause::TimedOut { .. }))), "{unknown:?}");
    bench.faults().clear();
    assert_eq!(bench.values("one").len(), 3, "it was committed the first time");
}

#[test]
fn every_codec_is_read_by_others() {
    for compression in [Compression::Lz4, Compression::Zstd] {
        let bench = Bench::with(compression);
        let mut producer = bench.connect();
        for number in 0..3 {
            write(&mut producer, &"long".repeat(500 * number), 1).unwrap();
        }
        assert_eq!(bench.values("one").len(), 9, "{compression:?}");
    }
}

#[test]
fn more_than_one_batch_takes_is_written_in_order() {
    let mut bench = Bench::new();
    for topic in &mut bench.settings.topics {
        topic.batch_bytes_max = 1_000;
    }
    let mut producer = bench.connect();
    let mut records = RecordAccumulator::new(&producer.settings.topics);
    for round in 0..2 {
        records.clear();
        for number in 0..500 {
            let value = format!("{round}-{number:04}");
            append(&mut records, 1, &value);
        }
        producer.commit(&mut records, None, NEVER).unwrap();
    }
    let address = &bench.settings.bootstrap_servers;
    let read = testkit::read_all(address, "one", Isolation::ReadCommitted);
    let values: Vec<String> = read.iter().map(|record| record.value_text().to_owned()).collect();
    let expected: Vec<String> =
        (0..2).flat_map(|round| (0..500).map(move |n| format!("{round}-{n:04}"))).collect();
    assert_eq!(values, expected);
}

#[test]
fn a_topic_that_takes_less_than_was_thought_gets_smaller_batches() {
    let bench = Bench::new();
    let address = &bench.settings.bootstrap_servers;
    testkit::create_topics(address, &[("small", 1, &[("max.message.bytes", "2000")])]);
    let mut settings = bench.settings.clone();
    settings.topics =
        vec![Topic { name: "small".into(), partitions: 1, batch_bytes_max: 1_000_000 }];
    let mut producer = Producer::connect(settings, NEVER).unwrap().unwrap();
    let mut records = RecordAccumulator::new(&producer.settings.topics);
    let mut tries = 0;
    loop {
        tries += 1;
        records.clear();
        for number in 0..100 {
            let value = format!("{number:0100}");
            append(&mut records, 0, &value);
        }
        match producer.commit(&mut records, None, NEVER) {
            Ok(()) => break,
            Err(WriteError::Aborted(Cause::TooLarge { .. })) => assert!(tries < 10),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(tries > 1, "the first batch was too large");
    assert_eq!(bench.values("small").len(), 100);
}

#[test]
fn a_successor_fences_its_predecessor() {
    let bench = Bench::new();
    let mut first = bench.connect();
    write(&mut first, "first", 1).unwrap();
    let mut second = bench.connect();
    let fenced = write(&mut first, "zombie", 2);
    assert!(matches!(fenced, Err(WriteError::Unsettled(_))), "{fenced:?}");
    write(&mut second, "second", 2).unwrap();
    assert_eq!(bench.values("one").len(), 6);
}

#[test]
fn a_broker_that_has_not_finalised_transactions_v2_is_not_used() {
    let config = BrokerConfig { transaction_version: 1, ..BrokerConfig::default() };
    let broker = Broker::start(config).unwrap();
    let mut settings = Bench::new().settings;
    settings.bootstrap_servers = broker.bootstrap_servers();
    let connected = Producer::connect(settings, NEVER);
    assert!(matches!(connected, Err(ConnectError::Unsupported(_))), "{connected:?}");
}

#[test]
fn one_told_to_stop_does_not_wait_for_a_broker() {
    let mut settings = Bench::new().settings;
    settings.bootstrap_servers = "127.0.0.1:9".into();
    let connected = Producer::connect(settings, &|_| true);
    assert!(matches!(connected, Ok(None)), "{connected:?}");
}

#[test]
fn what_is_no_kafka_broker_is_not_waited_for_with_a_gigabyte() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = Bench::new().settings;
    settings.bootstrap_servers = listener.local_addr().unwrap().to_string();
    let answered = std::cell::Cell::new(0);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answered = std::io::Write::write_all(&mut &stream, b"HTTP/1.1 400 Bad Request\r\n");
            drop(answered);
        }
    });
    let stop_later = |time: Duration| {
        if !time.is_zero() {
            answered.set(answered.get() + 1);
        }
        answered.get() > 3
    };
    let connected = Producer::connect(settings, &stop_later);
    assert!(matches!(connected, Ok(None)), "{connected:?}");
}
