//! Any schedule of batches, aborts, crashes, lost stores and reset offsets publishes the truth.

use std::collections::HashMap;

use domain::Folded;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const EVENTS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    /// A fact comes.
    Fact(&'static str, u32, i64, FactKind<'static>),
    /// Up to so many records are folded.
    Batch(usize, End),
    /// The process is gone; its successor finds the store, or not.
    Restart { store_is_lost: bool },
    /// Somebody sets the group's offset back by so much.
    Reset(usize),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Committed,
    Aborted,
    /// Committed, but the process is gone before the store is written.
    CommittedAndGone,
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = vec![
        FactKind::Received,
        bound(),
        FactKind::Expired,
        FactKind::CancelRequested,
        FactKind::Released,
        delivery(Outcome::Accepted, None),
        delivery(Outcome::Sent, None),
        delivery(Outcome::Ignored, Some("double")),
        delivery(Outcome::Failed, Some("no_receipt")),
        delivery(Outcome::Failed, Some("mailbox_full")),
    ];
    let fact = (select(EVENTS.to_vec()), 1..3_u32, 0..5_i64, select(kinds))
        .prop_map(|(event, attempt, at, kind)| Step::Fact(event, attempt, at, kind));
    let ends = vec![End::Committed, End::Aborted, End::CommittedAndGone];
    let batch = (1..5_usize, select(ends)).prop_map(|(records, end)| Step::Batch(records, end));
    let restart = any::<bool>().prop_map(|store_is_lost| Step::Restart { store_is_lost });
    prop_oneof![8 => fact, 5 => batch, 1 => restart, 1 => (1..4_usize).prop_map(Step::Reset)]
}

/// A cluster with one partition of the journal, and the one instance that folds it.
struct World<'a> {
    store: &'a Store,
    past: FakePast,
    fold: FoldHandler,
    counts: Arc<StatusCounts>,
    committed: usize,
}

impl<'a> World<'a> {
    fn new(store: &'a Store) -> Self {
        store.partition(0).unwrap().clear().unwrap();
        let (past, counts) = (FakePast::default(), Arc::default());
        let fold = new_fold(store, &past, &counts);
        let mut world = Self { store, past, fold, counts, committed: 0 };
        world.take_over();
        world
    }

    fn journal(&self) -> Vec<Lying> {
        self.past.partition("event-journal", 0, |lying| lying.records.clone())
    }

    fn published(&self) -> Vec<Lying> {
        self.past.partition("event-status", 0, |lying| lying.records.clone())
    }

    /// As the only process, with nothing in memory.
    fn take_over(&mut self) {
        self.fold = new_fold(self.store, &self.past, &self.counts);
        let committed = i64::try_from(self.committed).unwrap();
        take_over(&mut self.fold, 0, Some(NextOffset::from_committed(committed)));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Fact(event, attempt, at, kind) => {
                let offset = i64::try_from(self.journal().len()).unwrap();
                self.past.push(journalled(&fact(event, attempt, at, kind), 0, offset));
            }
            Step::Batch(records, end) => self.batch(records, end),
            Step::Restart { store_is_lost } => {
                if store_is_lost {
                    self.store.partition(0).unwrap().clear().unwrap();
                }
                self.take_over();
            }
            Step::Reset(by) => {
                self.committed = self.committed.saturating_sub(by);
                self.take_over();
            }
        }
    }

    fn batch(&mut self, records: usize, end: End) {
        let journal = self.journal();
        let until = journal.len().min(self.committed + records);
        let mut outbox = outbox();
        let batch = &journal[self.committed..until];
        in_batch(batch, |batch| self.fold.handle(batch, 0, &mut outbox)).unwrap();
        if matches!(end, End::Aborted) {
            return self.fold.aborted();
        }
        self.committed = until;
        for written in outbox.records() {
            let offset = self.past.partition("event-status", 0, |lying| lying.end());
            self.past.push(Lying::of(&written, offset, 1));
        }
        match end {
            End::Committed => self.fold.committed().unwrap(),
            End::Aborted | End::CommittedAndGone => self.take_over(),
        }
    }

    /// Folds what is left, and holds what was published against the facts.
    fn check(mut self) {
        self.batch(usize::MAX / 2, End::Committed);
        let mut truth: HashMap<String, Folded> = HashMap::new();
        for record in self.journal() {
            let headers = record.headers();
            let fact = wire::fact::decode(record.value.as_deref(), headers.into_iter()).unwrap();
            truth.entry(fact.event_id.as_str().to_owned()).or_default().apply(&fact);
        }
        let mut last: HashMap<String, Folded> = HashMap::new();
        for record in self.published() {
            let headers = record.headers();
            let status =
                wire::status::decode(record.value.as_deref(), headers.into_iter()).unwrap();
            let folded = Folded::from(&status);
            let previous = last.insert(status.event_id.as_str().to_owned(), folded.clone());
            if let Some(previous) = previous {
                assert!(previous.key() <= folded.key(), "a status ran backwards");
                assert_ne!(previous, folded, "the same status was published twice in a row");
            }
        }
        for event in EVENTS {
            let status = |folded: Option<&Folded>| {
                folded.and_then(|folded| folded.status(id(event))).map(|s| format!("{s:?}"))
            };
            assert_eq!(status(last.get(event)), status(truth.get(event)), "event {event}");
        }
    }
}

#[test]
fn any_schedule_publishes_the_truth_and_never_runs_backwards() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Topics::default().event_journal;
    let store = Store::open(directory.path(), &journal, StatusAge::new(1_000_000)).unwrap();
    let cases = ProptestConfig { cases: 200, ..ProptestConfig::default() };
    proptest!(cases, |(steps in prop::collection::vec(step(), 0..40))| {
        let mut world = World::new(&store);
        steps.into_iter().for_each(|step| world.take(step));
        world.check();
    });
}
