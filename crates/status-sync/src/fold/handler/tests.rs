mod schedule;

use domain::{FactKind, Outcome, Status};
use kafka::Topics;
use lane::Handler;

use super::*;
use crate::store::StatusAge;
use crate::testing::{
    FakePast, Lying, bound, delivery, describe, fact, in_batch, journalled, outbox,
};

/// A fold over one store and one past.
struct Fixture {
    _directory: tempfile::TempDir,
    store: Store,
    past: FakePast,
    fold: FoldHandler,
    counts: Arc<StatusCounts>,
}

fn at(partition: i32) -> TopicPartition {
    TopicPartition::new("event-journal", partition)
}

fn new_fold(store: &Store, past: &FakePast, counts: &Arc<StatusCounts>) -> FoldHandler {
    let topics = RestoreTopics { journal: "event-journal".into(), status: "event-status".into() };
    let past = Box::new(past.clone());
    FoldHandler::new(store.clone(), past, topics, Format::Protobuf, Arc::clone(counts))
}

/// Takes a partition over and restores it.
fn take_over(fold: &mut FoldHandler, partition: i32, committed: Option<NextOffset>) {
    fold.assigned(&at(partition), committed).unwrap();
    let ready = (0..1000).any(|_| fold.prepare(&at(partition)).unwrap() == Readiness::Ready);
    assert!(ready, "partition {partition} is not ready after a thousand steps");
}

impl Fixture {
    /// Folds partitions 0 and 3; statuses live for 3200 ms, in periods of 100 ms.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Topics::default().event_journal;
        let store = Store::open(directory.path(), &journal, StatusAge::new(3200)).unwrap();
        let (past, counts) = (FakePast::default(), Arc::default());
        let mut fold = new_fold(&store, &past, &counts);
        take_over(&mut fold, 0, None);
        take_over(&mut fold, 3, None);
        Self { _directory: directory, store, past, fold, counts }
    }

    fn handle(&mut self, records: &[Lying]) -> Vec<String> {
        let mut outbox = outbox();
        in_batch(records, |batch| self.fold.handle(batch, 0, &mut outbox)).unwrap();
        describe(&outbox)
    }

    fn tick(&mut self, now_ms: i64) -> Vec<String> {
        let mut outbox = outbox();
        self.fold.tick(now_ms, &mut outbox).unwrap();
        describe(&outbox)
    }

    /// Handles and commits.
    #[track_caller]
    fn check(&mut self, records: &[Lying], expected: &[&str]) {
        let mut written = self.handle(records);
        written.sort();
        assert_eq!(written, expected);
        self.fold.committed().unwrap();
    }
}

fn received(event: &str, partition: i32, offset: i64) -> Lying {
    journalled(&fact(event, 1, 1000, FactKind::Received), partition, offset)
}

fn sent(event: &str, partition: i32, offset: i64) -> Lying {
    journalled(&fact(event, 1, 1200, delivery(Outcome::Sent, None)), partition, offset)
}

#[test]
fn facts_become_one_status_per_event_in_the_same_partition() {
    let mut fixture = Fixture::new();
    let batch = [
        received("a", 3, 0),
        received("b", 0, 0),
        journalled(&fact("a", 1, 1100, bound()), 3, 1),
        sent("a", 3, 2),
    ];
    fixture.check(&batch, &["event-status/0 b=PENDING 1", "event-status/3 a=SENT 1"]);
    let totals = fixture.counts.totals();
    assert_eq!((totals.facts, totals.published.iter().sum::<u64>()), (4, 2));
    let sent = Status::ALL.iter().position(|status| *status == Status::Sent).unwrap();
    assert_eq!(totals.published[sent], 1);
}

#[test]
fn nothing_is_published_that_was_published_before() {
    let mut fixture = Fixture::new();
    fixture.check(&[received("a", 0, 0), sent("a", 0, 1)], &["event-status/0 a=SENT 1"]);
    fixture.check(&[sent("a", 0, 2), received("a", 0, 3)], &[]);
    let bounce = fact("a", 1, 1100, delivery(Outcome::Failed, Some("user_unknown")));
    let expected = ["event-status/0 a=DELIVERY_ERROR 1 user_unknown"];
    fixture.check(&[journalled(&bounce, 0, 4)], &expected);
    fixture.check(&[sent("a", 0, 5)], &[]);
}

#[test]
fn an_aborted_batch_leaves_nothing_behind() {
    let mut fixture = Fixture::new();
    let batch = [received("a", 0, 0)];
    assert_eq!(fixture.handle(&batch), ["event-status/0 a=PENDING 1"]);
    fixture.fold.aborted();
    assert_eq!(fixture.store.partition(0).unwrap().get(&id("a")).unwrap(), None);
    fixture.check(&batch, &["event-status/0 a=PENDING 1"]);
    assert_eq!(fixture.counts.totals().facts, 1);
    let position = fixture.store.partition(0).unwrap().position().unwrap();
    assert_eq!(position, Some(NextOffset::from_committed(1)));
}

fn id(text: &str) -> EventId<'_> {
    EventId::new(text).unwrap()
}

#[test]
fn a_delivery_log_for_an_event_never_seen_makes_an_orphan() {
    let mut fixture = Fixture::new();
    let mut outbox = outbox();
    in_batch(&[sent("a", 0, 0)], |batch| fixture.fold.handle(batch, 0, &mut outbox)).unwrap();
    let written = outbox.records().next().unwrap();
    let headers = written.headers().map(|(name, value)| (name, Some(value)));
    let status = wire::status::decode(written.value, headers).unwrap();
    assert!(status.orphan);
    assert_eq!(status.status, Status::Sent);
    fixture.fold.committed().unwrap();
    fixture.check(&[received("a", 0, 1)], &["event-status/0 a=SENT 1"]);
}

#[test]
fn what_is_no_fact_is_parked_and_passed_over() {
    let mut fixture = Fixture::new();
    let broken = Lying { value: Some(b"garbage".to_vec()), ..received("a", 0, 0) };
    let null = Lying { value: None, ..received("b", 0, 1) };
    let expected =
        ["dead-letter/0 a=garbage", "dead-letter/0 b=null", "event-status/0 c=PENDING 1"];
    fixture.check(&[broken, null, received("c", 0, 2)], &expected);
    assert_eq!(fixture.counts.totals().dead_letters, 2);
}

#[test]
fn a_record_of_a_partition_that_is_not_ready_ends_the_lane() {
    let mut fixture = Fixture::new();
    fixture.fold.revoked(&[at(3)]);
    let mut outbox = outbox();
    let handled =
        in_batch(&[received("a", 3, 0)], |batch| fixture.fold.handle(batch, 0, &mut outbox));
    assert!(matches!(handled, Err(FoldError::NotReady(3))));
}

#[test]
fn a_status_is_buried_at_the_end_of_its_retention() {
    let mut fixture = Fixture::new();
    fixture.check(
        &[received("a", 0, 0), received("b", 3, 0)],
        &["event-status/0 a=PENDING 1", "event-status/3 b=PENDING 1"],
    );
    assert_eq!(fixture.tick(4000), Vec::<String>::new());
    fixture.check(&[sent("b", 3, 1)], &["event-status/3 b=SENT 1"]);
    assert_eq!(fixture.tick(4999), Vec::<String>::new(), "it looks once a second");
    let buried = ["event-status/0 a=null", "event-status/3 b=null"];
    assert_eq!(fixture.tick(5000), buried);
    fixture.fold.aborted();
    assert_eq!(fixture.tick(5001), buried, "again after an abort");
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.counts.totals().expired, 2);
    assert_eq!(fixture.tick(7000), Vec::<String>::new());
    fixture.check(&[received("a", 0, 1)], &["event-status/0 a=PENDING 1"]);
}

#[test]
fn a_status_that_changes_in_the_same_batch_is_not_buried() {
    let mut fixture = Fixture::new();
    fixture.check(&[received("a", 0, 0)], &["event-status/0 a=PENDING 1"]);
    let mut late = sent("a", 0, 1);
    late.timestamp_ms = 9000;
    assert_eq!(fixture.handle(&[late]), ["event-status/0 a=SENT 1"]);
    assert_eq!(fixture.tick(9000), Vec::<String>::new());
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.tick(12_199), Vec::<String>::new());
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.tick(13_300), ["event-status/0 a=null"]);
}

#[test]
fn burying_is_bounded_and_goes_on_at_once() {
    let mut fixture = Fixture::new();
    let batch: Vec<Lying> =
        (0..1500).map(|number| received(&format!("e{number}"), 0, number)).collect();
    fixture.handle(&batch);
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.tick(9000).len(), EXPIRED_MAX);
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.tick(9001).len(), 500);
    fixture.fold.committed().unwrap();
    assert_eq!(fixture.tick(20_000), Vec::<String>::new());
}

#[test]
fn a_status_is_published_however_long_the_words_of_its_event_are() {
    let mut fixture = Fixture::new();
    let mut long = fact("a", 1, 1000, FactKind::Received);
    long.tenant = Some("x".repeat(2 << 20).into());
    fixture.check(&[journalled(&long, 0, 0)], &["event-status/0 a=PENDING 1"]);
}

#[test]
fn a_partition_goes_to_another_instance_and_comes_back() {
    let mut fixture = Fixture::new();
    fixture.past.push(received("a", 0, 0));
    fixture.check(&[received("a", 0, 0)], &["event-status/0 a=PENDING 1"]);
    fixture.fold.revoked(&[at(0)]);
    // The other one folds this.
    fixture.past.push(sent("a", 0, 1));
    take_over(&mut fixture.fold, 0, Some(NextOffset::from_committed(2)));
    fixture.check(&[sent("a", 0, 2)], &[]);
}
