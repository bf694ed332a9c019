use domain::{FactKind, Outcome};
use kafka::Topics;

use super::*;
use crate::store::StatusAge;
use crate::testing::{FakePast, Lying, bound, delivery, fact, journalled};

struct Fixture {
    _directory: tempfile::TempDir,
    store: Store,
    past: FakePast,
}

const JOURNAL: &str = "event-journal";
const STATUS: &str = "event-status";
const PARTITION: i32 = 2;

fn at(offset: i64) -> NextOffset {
    NextOffset::from_committed(offset)
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Topics::default().event_journal;
        let store = Store::open(directory.path(), &journal, StatusAge::new(1_000_000)).unwrap();
        Self { _directory: directory, store, past: FakePast::default() }
    }

    /// The journal: e0 received, e0 bound, e0 sent, e1 received, at offsets 0 to 3.
    fn with_journal(self) -> Self {
        let facts = [
            fact("e0", 1, 10, FactKind::Received),
            fact("e0", 1, 20, bound()),
            fact("e0", 1, 30, delivery(Outcome::Sent, None)),
            fact("e1", 1, 40, FactKind::Received),
        ];
        for (offset, fact) in (0..).zip(&facts) {
            self.past.push(journalled(fact, PARTITION, offset));
        }
        self
    }

    /// A published status, or a tombstone.
    fn publish(&self, event: &str, kind: Option<FactKind<'static>>) {
        let folded = kind.map(|kind| domain::Folded::of(&fact(event, 1, 10, kind)));
        let value = folded.map(|folded| {
            let mut value = Vec::new();
            let status = folded.status(EventId::new(event).unwrap()).unwrap();
            wire::status::encode(&status, wire::Format::Json, &mut value);
            value
        });
        let offset = self.past.partition(STATUS, PARTITION, |lying| lying.end());
        self.past.push(Lying {
            topic: STATUS.into(),
            partition: PARTITION,
            offset,
            timestamp_ms: 50,
            key: Some(event.into()),
            value,
            headers: Vec::new(),
        });
    }

    /// A store as of `position` that has folded the journal until there.
    fn stored(&self, position: i64) {
        let partition = self.store.partition(PARTITION).unwrap();
        let records = self.past.partition(JOURNAL, PARTITION, |lying| lying.records.clone());
        let mut merging = Merging::default();
        for record in records.iter().filter(|record| record.offset < position) {
            let headers = record.headers();
            let fact = wire::fact::decode(record.value.as_deref(), headers.into_iter()).unwrap();
            let change = Change { timestamp_ms: record.timestamp_ms, index: 0 };
            merging.apply(&partition, &fact, change).unwrap();
        }
        let mut changes = self.store.changes();
        merging.write(&partition, &mut changes);
        changes.set_position(&partition, at(position));
        changes.commit().unwrap();
    }

    fn begin(&self, committed: i64) -> Restoration {
        let partition = self.store.partition(PARTITION).unwrap();
        Restoration::begin(PARTITION, partition, at(committed)).unwrap()
    }

    fn step(&self, restoration: &mut Restoration) -> Readiness {
        let topics = RestoreTopics { journal: JOURNAL.into(), status: STATUS.into() };
        restoration.step(&self.store, &mut self.past.clone(), &topics).unwrap()
    }

    /// Steps until it is ready; the number of steps.
    fn restore(&self, committed: i64) -> usize {
        let mut restoration = self.begin(committed);
        (1..=100)
            .find(|_| self.step(&mut restoration) == Readiness::Ready)
            .expect("ready within a hundred steps")
    }

    #[track_caller]
    fn check(&self, position: i64, expected: &[(&str, &str)]) {
        let partition = self.store.partition(PARTITION).unwrap();
        assert_eq!(partition.position().unwrap(), Some(at(position)));
        let statuses = ["e0", "e1", "e2"].into_iter().filter_map(|event| {
            let kept = partition.get(&EventId::new(event).unwrap()).unwrap()?;
            let status = kept.folded.status(EventId::new(event).unwrap())?;
            Some((event, status.status.as_str()))
        });
        assert_eq!(statuses.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_store_as_of_the_committed_position_is_ready_at_once() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(3);
    assert_eq!(fixture.restore(3), 1);
    fixture.check(3, &[("e0", "SENT")]);
}

#[test]
fn a_store_that_is_behind_folds_the_journal_up_to_the_committed_position() {
    let fixture = Fixture::new().with_journal();
    fixture.publish("e2", Some(FactKind::Received));
    fixture.stored(1);
    fixture.restore(2);
    fixture.check(2, &[("e0", "PENDING_DELIVERY")]);
    fixture.restore(4);
    fixture.check(4, &[("e0", "SENT"), ("e1", "PENDING")]);
}

#[test]
fn what_lies_behind_the_committed_position_is_left_to_the_lane() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(0);
    fixture.restore(2);
    fixture.check(2, &[("e0", "PENDING_DELIVERY")]);
}

#[test]
fn control_records_at_the_end_do_not_keep_a_replay_waiting() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(1);
    // Offsets 4 and 5 are markers, which nobody sees.
    fixture.restore(6);
    fixture.check(6, &[("e0", "SENT"), ("e1", "PENDING")]);
}

#[test]
fn a_malformed_fact_is_passed_over_in_a_replay() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(2);
    fixture.past.partition(JOURNAL, PARTITION, |lying| {
        lying.records[2].value = Some(b"garbage".to_vec());
    });
    fixture.restore(4);
    fixture.check(4, &[("e0", "PENDING_DELIVERY"), ("e1", "PENDING")]);
}

#[test]
fn a_store_older_than_the_journal_is_filled_from_the_published_statuses() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(1);
    fixture.past.partition(JOURNAL, PARTITION, |lying| lying.start = 3);
    fixture.publish("e1", Some(FactKind::Received));
    fixture.restore(4);
    fixture.check(4, &[("e1", "PENDING")]);
}

#[test]
fn without_a_store_the_published_statuses_are_loaded() {
    let fixture = Fixture::new().with_journal();
    fixture.publish("e0", Some(FactKind::Received));
    fixture.publish("e1", Some(FactKind::Received));
    fixture.publish("e2", Some(FactKind::Received));
    fixture.publish("e0", Some(bound()));
    fixture.publish("e1", None);
    fixture.restore(2);
    fixture.check(2, &[("e0", "PENDING_DELIVERY"), ("e2", "PENDING")]);
}

#[test]
fn a_store_that_is_ahead_is_filled_from_the_published_statuses() {
    let fixture = Fixture::new().with_journal();
    fixture.stored(4);
    fixture.publish("e0", Some(bound()));
    fixture.restore(1);
    fixture.check(1, &[("e0", "PENDING_DELIVERY")]);
}

#[test]
fn with_nothing_published_and_nothing_committed_it_starts_empty() {
    let fixture = Fixture::new();
    fixture.restore(0);
    fixture.check(0, &[]);
}

#[test]
fn what_is_no_status_is_passed_over() {
    let fixture = Fixture::new();
    fixture.publish("e0", Some(bound()));
    fixture.publish("e1", Some(bound()));
    fixture.past.partition(STATUS, PARTITION, |lying| {
        lying.records[1].value = Some(b"garbage".to_vec());
    });
    fixture.publish("e2", Some(bound()));
    fixture.past.partition(STATUS, PARTITION, |lying| lying.records[2].key = None);
    fixture.restore(9);
    fixture.check(9, &[("e0", "PENDING_DELIVERY")]);
}

#[test]
fn an_unsettled_transaction_of_the_last_owner_is_waited_for() {
    let fixture = Fixture::new().with_journal();
    fixture.publish("e0", Some(FactKind::Received));
    fixture.publish("e0", Some(bound()));
    fixture.past.partition(STATUS, PARTITION, |lying| lying.open_from = Some(1));
    let mut restoration = fixture.begin(2);
    for _ in 0..5 {
        assert_eq!(fixture.step(&mut restoration), Readiness::NotYet);
    }
    fixture.past.partition(STATUS, PARTITION, |lying| lying.open_from = None);
    let ready = (0..5).any(|_| fixture.step(&mut restoration) == Readiness::Ready);
    assert!(ready);
    fixture.check(2, &[("e0", "PENDING_DELIVERY")]);
}

#[test]
fn one_step_reads_no_more_than_its_share() {
    let fixture = Fixture::new();
    let committed = i64::try_from(2 * STEP_RECORDS + 1).unwrap();
    let record = |offset| journalled(&fact("e0", 1, offset, FactKind::Received), PARTITION, offset);
    let records: Vec<_> = (0..committed).map(record).collect();
    fixture.past.partition(JOURNAL, PARTITION, |lying| lying.records = records);
    fixture.stored(0);
    assert!(fixture.restore(committed) > 3, "opening, and at least three steps of reading");
    fixture.check(committed, &[("e0", "PENDING")]);
}
