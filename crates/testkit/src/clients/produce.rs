use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use rdkafka::ClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};

use super::{DEADLINE, client};
use crate::record::IntoBytes;
use crate::wait::wait_until;

/// Sends (key, value, headers) as any producer outside would: idempotent, `acks=all`, partitioned
/// as the Java client does. Returns when all are acknowledged, with their number.
///
/// # Panics
///
/// When a record is refused or not acknowledged within a minute.
#[track_caller]
pub fn produce<K, V, H, N, B>(
    bootstrap: &str,
    topic: &str,
    records: impl IntoIterator<Item = (K, V, H)>,
) -> usize
where
    K: IntoBytes,
    V: IntoBytes,
    H: IntoIterator<Item = (N, B)>,
    N: AsRef<str>,
    B: IntoBytes,
{
    produce_compressed(bootstrap, topic, "none", records)
}

/// The same, compressed as `compression` names it; a record may have 100 MB before that.
///
/// # Panics
///
/// As [`produce`].
#[track_caller]
pub fn produce_compressed<K, V, H, N, B>(
    bootstrap: &str,
    topic: &str,
    compression: &str,
    records: impl IntoIterator<Item = (K, V, H)>,
) -> usize
where
    K: IntoBytes,
    V: IntoBytes,
    H: IntoIterator<Item = (N, B)>,
    N: AsRef<str>,
    B: IntoBytes,
{
    let (refused, refusals) = mpsc::channel();
    let deliveries = Deliveries { acknowledged: Arc::default(), refused };
    let acknowledged = Arc::clone(&deliveries.acknowledged);
    let producer: ThreadedProducer<Deliveries> = client(bootstrap)
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "2")
        .set("retry.backoff.ms", "20")
        .set("message.timeout.ms", "60000")
        .set("compression.type", compression)
        // The topic's own limit is the one that counts.
        .set("message.max.bytes", "100000000")
        .create_with_context(deliveries)
        .expect("the settings above are valid");

    let mut sent = 0;
    for (key, value, headers) in records {
        let (key, value) = (key.into_bytes(), value.into_bytes());
        send(&producer, topic, key.as_deref(), value.as_deref(), owned_headers(headers));
        sent += 1;
    }
    // It fails only at the deadline, and then the count below is short.
    let _ = producer.flush(DEADLINE);
    if let Ok(refusal) = refusals.try_recv() {
        panic!("`{topic}` refused a record: {refusal}");
    }
    let acknowledged = acknowledged.load(Ordering::Acquire);
    assert_eq!(acknowledged, sent, "records acknowledged by `{topic}` within {DEADLINE:?}");
    sent
}

fn owned_headers<N: AsRef<str>, B: IntoBytes>(
    headers: impl IntoIterator<Item = (N, B)>,
) -> OwnedHeaders {
    headers.into_iter().fold(OwnedHeaders::new(), |headers, (name, value)| {
        let value = value.into_bytes();
        headers.insert(Header { key: name.as_ref(), value: value.as_deref() })
    })
}

/// Waits for room in the client's queue.
#[track_caller]
fn send(
    producer: &ThreadedProducer<Deliveries>,
    topic: &str,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: OwnedHeaders,
) {
    let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
    record.key = key;
    record.payload = value;
    let mut unsent = Some(record);
    wait_until(&format!("room to send to `{topic}`"), DEADLINE, || {
        let record = unsent.take().expect("put back below until it is sent");
        match producer.send(record) {
            Ok(()) => Ok(()),
            Err((error, record)) => {
                let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
                assert!(full, "cannot send to `{topic}`: {error}");
                unsent = Some(record);
                Err(error.to_string())
            }
        }
    });
}

/// Counts what the broker acknowledged and passes on what it refused.
struct Deliveries {
    acknowledged: Arc<AtomicUsize>,
    refused: mpsc::Sender<String>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.acknowledged.fetch_add(1, Ordering::Release);
            }
            // Nobody listens once `produce` has returned.
            Err((error, _)) => drop(self.refused.send(error.to_string())),
        }
    }
}
