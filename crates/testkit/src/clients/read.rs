use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::{DEADLINE, Isolation, consumer, partitions};
use crate::record::OwnedRecord;
use crate::wait::wait_until;

/// The end offset of each partition of `topic`, in their order: the high watermark, or for
/// [`Isolation::ReadCommitted`] the last stable offset.
///
/// # Panics
///
/// When the topic is not there or the broker does not answer within a minute.
#[track_caller]
pub fn end_offsets(bootstrap: &str, topic: &str, isolation: Isolation) -> Vec<i64> {
    let consumer = consumer(bootstrap, "testkit", isolation);
    let mut partitions = partitions(&consumer, topic);
    partitions.sort_unstable();
    partitions.into_iter().map(|partition| watermarks(&consumer, topic, partition).1).collect()
}

#[track_caller]
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    wait_until(&format!("the offsets of `{topic}`/{partition}"), DEADLINE, || {
        consumer
            .fetch_watermarks(topic, partition, Duration::from_secs(5))
            .map_err(|error| error.to_string())
    })
}

/// Every record of `topic` up to the end offsets at the time of the call, ordered by partition
/// and offset. With [`Isolation::ReadCommitted`] the end is the last stable offset.
///
/// # Panics
///
/// When the topic is not there or the broker does not answer within a minute.
#[track_caller]
pub fn read_all(bootstrap: &str, topic: &str, isolation: Isolation) -> Vec<OwnedRecord> {
    let consumer = consumer(bootstrap, "testkit", isolation);
    let mut assignment = TopicPartitionList::new();
    // What is still to be read: the end of each partition that is not at its end.
    let mut ends = BTreeMap::new();
    for partition in partitions(&consumer, topic) {
        let (low, end) = watermarks(&consumer, topic, partition);
        if low < end {
            ends.insert(partition, end);
            assignment
                .add_partition_offset(topic, partition, Offset::Offset(low))
                .expect("the low watermark is a valid offset");
        }
    }
    consumer.assign(&assignment).expect("a list of valid partitions can be assigned");

    let mut records = Vec::new();
    let mut last_progress = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                last_progress = Instant::now();
                take(&message, &mut ends, &mut records);
            }
            // The records before the end offset may all be aborted or control records.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ends.remove(&partition);
            }
            Some(Err(_)) | None => {}
        }
        assert!(
            last_progress.elapsed() < DEADLINE,
            "`{topic}` is not at its end: still to be read up to {ends:?}"
        );
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// Keeps a record that lies before the end of its partition.
fn take(message: &BorrowedMessage<'_>, ends: &mut BTreeMap<i32, i64>, out: &mut Vec<OwnedRecord>) {
    let partition = message.partition();
    let Some(&end) = ends.get(&partition) else {
        return;
    };
    if message.offset() + 1 >= end {
        ends.remove(&partition);
    }
    if message.offset() < end {
        out.push(owned(message));
    }
}

fn owned(message: &BorrowedMessage<'_>) -> OwnedRecord {
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    OwnedRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().expect("every record has a timestamp"),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// The committed next offset of each partition of `topic` in their order; `None` where `group`
/// has committed nothing. Waits for transactions that are about to change one.
///
/// # Panics
///
/// When the topic is not there or the broker does not answer within a minute.
#[track_caller]
pub fn committed(bootstrap: &str, group: &str, topic: &str) -> Vec<Option<i64>> {
    let consumer = consumer(bootstrap, group, Isolation::ReadCommitted);
    let mut wanted = TopicPartitionList::new();
    for partition in partitions(&consumer, topic) {
        wanted.add_partition(topic, partition);
    }
    let offsets = wait_until(&format!("the offsets of group `{group}`"), DEADLINE, || {
        consumer
            .committed_offsets(wanted.clone(), Duration::from_secs(15))
            .map_err(|error| error.to_string())
    });
    let mut committed: Vec<(i32, Option<i64>)> = offsets
        .elements()
        .iter()
        .map(|element| match element.offset() {
            Offset::Offset(offset) => (element.partition(), Some(offset)),
            Offset::Beginning
            | Offset::End
            | Offset::Stored
            | Offset::Invalid
            | Offset::OffsetTail(_) => (element.partition(), None),
        })
        .collect();
    committed.sort_unstable();
    committed.into_iter().map(|(_, offset)| offset).collect()
}
