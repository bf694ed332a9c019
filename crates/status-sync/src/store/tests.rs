use domain::{EventId, FactKind, Folded, Outcome};
use kafka::{NextOffset, Topics};

use super::*;
use crate::testing::{bound, delivery, fact};

const AGE: StatusAge = StatusAge::new(3200);

fn open(directory: &Path) -> Store {
    Store::open(directory, &Topics::default().event_journal, AGE).unwrap()
}

fn id(text: &str) -> EventId<'_> {
    EventId::new(text).unwrap()
}

fn folded(kinds: &[FactKind<'static>]) -> Folded {
    let mut folded = Folded::default();
    for kind in kinds {
        folded.apply(&fact("e", 1, 5, kind.clone()));
    }
    folded
}

/// Puts one status that changed at `changed_ms`.
fn put(store: &Store, partition: &PartitionStore, event: &str, folded: &Folded, changed_ms: i64) {
    let kept = partition.get(&id(event)).unwrap().map(|kept| kept.period);
    let mut changes = store.changes();
    changes.put(partition, &id(event), folded, kept, changed_ms);
    changes.commit().unwrap();
}

fn expired(partition: &PartitionStore, now_ms: i64, limit: usize) -> Vec<String> {
    let expired = partition.expired(now_ms, limit).unwrap();
    expired.into_iter().map(|(event_id, period)| format!("{event_id} {period}")).collect()
}

#[test]
fn what_is_put_in_comes_out_also_after_it_was_closed() {
    let directory = tempfile::tempdir().unwrap();
    let sent = folded(&[bound(), delivery(Outcome::Sent, None)]);
    {
        let store = open(directory.path());
        let partition = store.partition(3).unwrap();
        assert_eq!(partition.position().unwrap(), None);
        put(&store, &partition, "e", &sent, 1000);
        let mut changes = store.changes();
        changes.set_position(&partition, NextOffset::from_committed(42));
        changes.commit().unwrap();
    }
    let store = open(directory.path());
    let partition = store.partition(3).unwrap();
    assert_eq!(partition.position().unwrap(), Some(NextOffset::from_committed(42)));
    assert_eq!(partition.get(&id("e")).unwrap().unwrap().folded, sent);
    assert_eq!(partition.get(&id("f")).unwrap(), None);
    assert_eq!(store.partition(2).unwrap().get(&id("e")).unwrap(), None);
    partition.clear().unwrap();
    assert_eq!(partition.position().unwrap(), None);
    assert_eq!(partition.get(&id("e")).unwrap(), None);
}

#[test]
fn facts_without_a_status_are_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let partition = store.partition(0).unwrap();
    put(&store, &partition, "e", &folded(&[FactKind::CancelRequested]), 1000);
    assert_eq!(partition.get(&id("e")).unwrap(), None);
}

#[test]
fn a_status_expires_once_its_retention_has_passed_since_the_last_change() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let partition = store.partition(0).unwrap();
    // Periods of 100 ms.
    put(&store, &partition, "a", &folded(&[FactKind::Received]), 1000);
    put(&store, &partition, "b", &folded(&[FactKind::Received]), 1050);
    put(&store, &partition, "c", &folded(&[FactKind::Received]), 1100);
    assert_eq!(expired(&partition, 4299, 10), Vec::<String>::new());
    assert_eq!(expired(&partition, 4300, 10), ["a 1000", "b 1000"]);
    assert_eq!(expired(&partition, 4300, 1), ["a 1000"]);
    put(&store, &partition, "a", &folded(&[bound()]), 2000);
    assert_eq!(expired(&partition, 4400, 10), ["b 1000", "c 1100"]);
    assert_eq!(expired(&partition, 9999, 10), ["b 1000", "c 1100", "a 2000"]);
    let mut changes = store.changes();
    changes.remove(&partition, &id("b"), 1000);
    changes.commit().unwrap();
    assert_eq!(expired(&partition, 9999, 10), ["c 1100", "a 2000"]);
    assert_eq!(partition.get(&id("b")).unwrap(), None);
}

#[test]
fn an_older_change_does_not_make_a_status_older() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let partition = store.partition(0).unwrap();
    put(&store, &partition, "a", &folded(&[FactKind::Received]), 2000);
    put(&store, &partition, "a", &folded(&[bound()]), 1000);
    assert_eq!(expired(&partition, 9999, 10), ["a 2000"]);
}

#[test]
fn a_store_that_another_has_open_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _open = open(directory.path());
    let again = Store::open(directory.path(), &Topics::default().event_journal, AGE);
    assert!(matches!(again, Err(StoreError::InUse(_))));
}

#[test]
fn a_broken_store_is_thrown_away() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = open(directory.path());
        let partition = store.partition(0).unwrap();
        put(&store, &partition, "a", &folded(&[FactKind::Received]), 2000);
    }
    fs::write(directory.path().join("statuses").join("version"), b"nonsense").unwrap();
    let store = open(directory.path());
    assert_eq!(store.partition(0).unwrap().position().unwrap(), None);
}
