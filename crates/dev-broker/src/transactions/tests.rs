use super::*;

const TOPIC: (&str, i32) = ("orders", 0);

fn partition() -> TopicPartition {
    (TOPIC.0.to_owned(), TOPIC.1)
}

fn ongoing() -> (Transactions, Producer) {
    let mut all = Transactions::default();
    let producer = all.initialise("t", 1_000, None, || 70).unwrap();
    let transaction = all.owned("t", producer).unwrap();
    assert!(Transactions::add(transaction, [partition()], None, 0));
    (all, producer)
}

#[test]
fn a_successor_fences_its_predecessor() {
    let (mut all, old) = ongoing();
    let new = all.initialise("t", 1_000, None, || 71).unwrap();
    assert_eq!(new, Producer { id: 70, epoch: 1 });
    assert_eq!(all.owned("t", old).unwrap_err(), Stranger::Fenced);
    assert_eq!(all.check_write("t", old, &partition()), Err(ResponseError::InvalidProducerEpoch));
}

#[test]
fn a_bump_may_be_retried_but_not_by_a_fenced_producer() {
    let (mut all, old) = ongoing();
    let bumped = all.initialise("t", 1_000, Some(old), || 71).unwrap();
    assert_eq!(all.initialise("t", 1_000, Some(old), || 71), Ok(bumped));
    all.initialise("t", 1_000, None, || 71).unwrap();
    let fenced = all.initialise("t", 1_000, Some(old), || 71);
    assert_eq!(fenced, Err(ResponseError::ProducerFenced));
}

#[test]
fn an_exhausted_epoch_gets_a_new_producer_id() {
    let (mut all, _) = ongoing();
    all.by_id.get_mut("t").unwrap().epoch = i16::MAX - 1;
    assert_eq!(all.initialise("t", 1, None, || 71), Ok(Producer { id: 71, epoch: 0 }));
}

#[test]
fn a_write_needs_an_open_transaction_that_covers_the_partition() {
    let (mut all, producer) = ongoing();
    assert_eq!(all.check_write("t", producer, &partition()), Ok(()));
    let other = ("orders".to_owned(), 1);
    let refused = Err(ResponseError::InvalidTxnState);
    assert_eq!(all.check_write("t", producer, &other), refused);
    let transaction = all.owned("t", producer).unwrap();
    Transactions::end(transaction, Marker::Commit).unwrap();
    transaction.state = State::CompleteCommit;
    assert_eq!(all.check_write("t", producer, &partition()), refused);
}

#[test]
fn an_ended_transaction_answers_only_the_same_ending_again() {
    let (mut all, producer) = ongoing();
    let transaction = all.owned("t", producer).unwrap();
    assert_eq!(Transactions::end(transaction, Marker::Abort), Ok(Ending::Mark));
    transaction.state = State::CompleteAbort;
    assert_eq!(Transactions::end(transaction, Marker::Abort), Ok(Ending::AlreadyEnded));
    let other = Transactions::end(transaction, Marker::Commit);
    assert_eq!(other, Err(ResponseError::InvalidTxnState));
}

/// Ends a transaction in some state, at epoch 5 and with the epoch before it 4, as a producer of
/// this epoch and id; says what came of it and which identity the producer has then.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn check_v2(
    state: State,
    (id, epoch): (i64, i16),
    marker: Marker,
    expected: Result<(Ending, Producer), ResponseError>,
) {
    let (mut all, _) = ongoing();
    let transaction = all.by_id.get_mut("t").unwrap();
    (transaction.epoch, transaction.last_epoch, transaction.state) = (5, 4, state);
    let outcome = all.end_and_bump("t", Producer { id, epoch }, marker, None);
    let outcome = outcome.map(|ending| (ending, all.by_id["t"].producer()));
    assert_eq!(outcome, expected, "{state:?} {marker:?} by {id}/{epoch}");
}

#[test]
fn in_v2_every_ending_bumps_the_epoch_and_the_epoch_tells_a_retry() {
    use Marker::{Abort, Commit};
    use State::{CompleteAbort, CompleteCommit, Empty, Ongoing, PrepareCommit};
    let ended = || Ok((Ending::Mark, Producer { id: 70, epoch: 6 }));
    let repeated = || Ok((Ending::AlreadyEnded, Producer { id: 70, epoch: 5 }));
    let (current, before, long_ago) = ((70, 5), (70, 4), (70, 3));
    let fenced = || Err(ResponseError::ProducerFenced);
    let invalid = || Err(ResponseError::InvalidTxnState);
    check_v2(Ongoing, current, Commit, ended());
    check_v2(Ongoing, current, Abort, ended());
    check_v2(Ongoing, before, Commit, fenced());
    check_v2(CompleteCommit, before, Commit, repeated());
    check_v2(CompleteAbort, before, Abort, repeated());
    check_v2(CompleteCommit, before, Abort, invalid());
    check_v2(CompleteAbort, before, Commit, invalid());
    check_v2(CompleteCommit, current, Commit, invalid());
    check_v2(CompleteAbort, current, Commit, invalid());
    check_v2(Empty, current, Commit, invalid());
    check_v2(Empty, current, Abort, ended());
    check_v2(CompleteCommit, current, Abort, ended());
    check_v2(CompleteAbort, current, Abort, ended());
    check_v2(CompleteCommit, long_ago, Commit, fenced());
    check_v2(PrepareCommit, before, Commit, Err(ResponseError::ConcurrentTransactions));
    check_v2(PrepareCommit, current, Commit, fenced());
    check_v2(Ongoing, (71, 5), Commit, Err(ResponseError::InvalidProducerIdMapping));
}

#[test]
fn in_v2_used_up_epochs_bring_a_new_producer_id_that_a_retry_is_told_too() {
    let (mut all, _) = ongoing();
    all.by_id.get_mut("t").unwrap().epoch = LAST_EPOCH;
    let old = Producer { id: 70, epoch: LAST_EPOCH };
    assert_eq!(all.end_and_bump("t", old, Marker::Commit, Some(71)), Ok(Ending::Mark));
    let transaction = all.by_id.get_mut("t").unwrap();
    assert_eq!(transaction.producer(), Producer { id: 70, epoch: i16::MAX });
    transaction.complete(Marker::Commit);
    assert_eq!(transaction.producer(), Producer { id: 71, epoch: 0 });
    assert_eq!(all.end_and_bump("t", old, Marker::Commit, None), Ok(Ending::AlreadyEnded));
}

#[test]
fn only_an_ongoing_transaction_times_out() {
    let (mut all, producer) = ongoing();
    assert!(all.expired(999).is_empty());
    assert_eq!(all.expired(1_000), ["t"]);
    all.owned("t", producer).unwrap().state = State::CompleteAbort;
    assert!(all.expired(5_000).is_empty());
}
