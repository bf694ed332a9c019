//! Whole fetching against the embedded broker, which is told to fail.

use std::time::Instant;

use dev_broker::{ApiKey, Broker, BrokerConfig, Times};
use native_client::{ClientSettings, Security};
use testkit::{NO_HEADERS, OpenTransaction};

use super::*;
use crate::Reset;
use crate::verdict::{Request, TABLE};

const TOPIC: &str = "input";
const ALL: Appetite = Appetite { records_max: usize::MAX, bytes_max: usize::MAX };
/// Whoever waits here is never told to stop.
const NEVER: WaitOrStop<'_> = &|time| {
    thread::park_timeout(time);
    false
};

struct Bench {
    broker: Broker,
    settings: Settings,
}

impl Bench {
    /// A broker with one topic of one partition and `n_records` records, numbered from 0.
    fn with(n_records: usize) -> Self {
        let broker = Broker::start(BrokerConfig::default()).expect("the embedded broker starts");
        let address = broker.bootstrap_servers();
        testkit::create_topics(&address, &[(TOPIC, 1, &[][..])]);
        let settings = Settings {
            client: ClientSettings {
                bootstrap_servers: address,
                client_id: "test".into(),
                request_timeout: Duration::from_secs(4),
                security: Security::default(),
            },
            rack: String::new(),
            reset: Reset::Earliest,
            fetch_wait: Duration::from_millis(50),
            buffer_bytes: 8 << 20,
            batch_bytes_max: 64 << 20,
        };
        let bench = Self { broker, settings };
        bench.produce(0..n_records);
        bench
    }

    fn address(&self) -> String {
        self.settings.client.bootstrap_servers.clone()
    }

    fn produce(&self, numbers: std::ops::Range<usize>) {
        let record = |number: usize| ("key", number.to_string(), NO_HEADERS);
        testkit::produce(&self.address(), TOPIC, numbers.map(record));
    }

    fn fetcher(&self, start: Option<i64>) -> Fetcher {
        let connected = Fetcher::connect(self.settings.clone(), NEVER);
        let mut fetcher = connected.expect("the broker can be fetched from").expect("nobody stops");
        fetcher.assign(TOPIC.into(), 0, start);
        fetcher
    }
}

/// The values that come until there are `n`.
#[track_caller]
fn values(fetcher: &mut Fetcher, n: usize, appetite: Appetite) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut values = Vec::new();
    while values.len() < n {
        assert!(Instant::now() < deadline, "{} of {n}", values.len());
        fetcher.wait(Duration::from_millis(100));
        match fetcher.take(appetite) {
            Some(Given::Records(fetched)) => {
                assert!(fetched.len() <= appetite.records_max);
                let value = |record: crate::Record<'_>| {
                    String::from_utf8(record.value.unwrap_or_default().to_vec()).unwrap()
                };
                values.extend(fetched.records().map(value));
            }
            Some(Given::Parked(parked)) => values.push(parked.reason.to_string()),
            None => {}
        }
    }
    values
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn each_answer_to_each_request_delays_records_and_loses_none() {
    let bench = Bench::with(20);
    for (request, error, _) in TABLE {
        let api = match request {
            Request::Metadata => ApiKey::Metadata,
            Request::ListOffsets => ApiKey::ListOffsets,
            Request::Fetch => ApiKey::Fetch,
            // Asked of new leaders, which the embedded broker has not.
            Request::OffsetForLeaderEpoch => continue,
        };
        bench.broker.faults().answer_with(api, error.code(), Times::Next(1));
        let mut fetcher = bench.fetcher(None);
        let found = values(&mut fetcher, 20, ALL);
        assert_eq!(found, numbers(0..20), "{request:?} {error:?}");
        bench.broker.faults().clear();
    }
}

#[test]
fn lost_and_late_answers_lose_no_record_and_double_none() {
    let bench = Bench::with(5);
    let mut fetcher = bench.fetcher(None);
    let mut next = 0;
    for fault in 0..4 {
        let faults = bench.broker.faults();
        match fault {
            0 => faults.drop_connection(ApiKey::Fetch, Times::Next(2)),
            1 => faults.drop_reply(ApiKey::Fetch, Times::Next(2)),
            2 => faults.delay(ApiKey::Fetch, Duration::from_millis(300), Times::Next(1)),
            _ => faults.drop_reply(ApiKey::Metadata, Times::Next(1)),
        }
        bench.produce(next + 5..next + 10);
        assert_eq!(values(&mut fetcher, 5, ALL), numbers(next..next + 5));
        next += 5;
    }
}

#[test]
fn what_is_taken_in_part_goes_on_where_it_was_left() {
    let bench = Bench::with(100);
    let mut fetcher = bench.fetcher(Some(7));
    let small = Appetite { records_max: 9, bytes_max: usize::MAX };
    assert_eq!(values(&mut fetcher, 93, small), numbers(7..100));
    let tiny = Appetite { records_max: usize::MAX, bytes_max: 1 };
    fetcher.assign(TOPIC.into(), 0, Some(98));
    fetcher.wait(Duration::from_secs(10));
    assert_eq!(values(&mut fetcher, 2, tiny), numbers(98..100));
}

#[test]
fn what_is_revoked_never_comes_and_an_assignment_begins_where_it_says() {
    let bench = Bench::with(100);
    let mut fetcher = bench.fetcher(None);
    let small = Appetite { records_max: 10, bytes_max: usize::MAX };
    assert_eq!(values(&mut fetcher, 10, small), numbers(0..10));
    fetcher.revoke(TOPIC.into(), 0);
    assert!(fetcher.take(ALL).is_none());
    assert!(!fetcher.wait(Duration::from_millis(200)), "nothing is assigned");
    fetcher.assign(TOPIC.into(), 0, Some(95));
    assert_eq!(values(&mut fetcher, 5, ALL), numbers(95..100));
}

#[test]
fn a_position_that_was_deleted_begins_anew() {
    let bench = Bench::with(10);
    let mut fetcher = bench.fetcher(Some(5_000));
    assert_eq!(values(&mut fetcher, 10, ALL), numbers(0..10));
}

#[test]
fn latest_begins_with_what_comes_next() {
    let mut bench = Bench::with(10);
    bench.settings.reset = Reset::Latest;
    let mut fetcher = bench.fetcher(None);
    testkit::wait_until("a position", Duration::from_secs(30), || {
        let mut position = None;
        fetcher.progress(|_, _, progress| position = progress.next_offset);
        position.filter(|position| *position == 10).ok_or_else(|| format!("{position:?}"))
    });
    bench.produce(10..12);
    assert_eq!(values(&mut fetcher, 2, ALL), numbers(10..12));
}

#[test]
fn only_what_is_committed_comes() {
    let bench = Bench::with(3);
    let address = bench.address();
    let aborted = OpenTransaction::begin(&address, "one", TOPIC, 0);
    let mut fetcher = bench.fetcher(None);
    assert_eq!(values(&mut fetcher, 3, ALL), numbers(0..3));
    assert!(fetcher.take(ALL).is_none(), "what is open is not to be seen");
    // The next one of the same id has it aborted.
    let committed = OpenTransaction::begin(&address, "one", TOPIC, 0);
    drop(aborted);
    committed.commit();
    bench.produce(3..4);
    assert_eq!(values(&mut fetcher, 2, ALL), ["open", "3"]);
    testkit::wait_until("the position to pass the markers", Duration::from_secs(30), || {
        let mut at_end = Err("nothing is known".to_owned());
        fetcher.progress(|_, _, progress| {
            at_end = match progress.next_offset {
                Some(next) if next == progress.last_stable_offset => Ok(()),
                next => Err(format!("{next:?} of {}", progress.last_stable_offset)),
            };
        });
        at_end
    });
}

#[test]
fn no_more_is_fetched_ahead_than_there_is_room_for() {
    let mut bench = Bench::with(0);
    bench.settings.buffer_bytes = 2_000;
    for start in (0..200).step_by(10) {
        bench.produce(start..start + 10);
    }
    let mut fetcher = bench.fetcher(None);
    fetcher.wait(Duration::from_secs(30));
    let mut n_waiting = 0;
    // Time enough to fetch everything, if there were room.
    fetcher.shared.wait_or_stop(Duration::from_millis(500));
    fetcher.progress(|_, _, progress| n_waiting = progress.n_waiting);
    assert!((1..60).contains(&n_waiting), "{n_waiting}");
    assert_eq!(values(&mut fetcher, 200, ALL), numbers(0..200));
}

#[test]
fn a_batch_that_unpacks_beyond_the_limit_is_parked_and_nothing_else() {
    let mut bench = Bench::with(1);
    bench.settings.batch_bytes_max = 100_000;
    let large = "x".repeat(200_000);
    testkit::produce_compressed(&bench.address(), TOPIC, "zstd", [("key", large, NO_HEADERS)]);
    bench.produce(1..2);
    let mut fetcher = bench.fetcher(None);
    let reason = "the batch unpacks to more than 100000 bytes";
    assert_eq!(values(&mut fetcher, 3, ALL), ["0", reason, "1"]);
}

#[test]
fn one_told_to_stop_waits_for_no_broker() {
    let mut bench = Bench::with(0);
    bench.settings.client.bootstrap_servers = "127.0.0.1:1".into();
    let connected = Fetcher::connect(bench.settings, &|_| true);
    assert!(matches!(connected, Ok(None)));
}
