use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::client;

/// How long one step may take.
const STEP: Duration = Duration::from_secs(30);

/// A transaction that somebody has left open: what is behind it is hidden from read_committed readers.
pub struct OpenTransaction {
    producer: BaseProducer,
}

impl OpenTransaction {
    /// Writes one record to `partition` of `topic` in a transaction of `transactional_id`.
    ///
    /// # Panics
    ///
    /// When the broker does not take it within half a minute a step.
    #[track_caller]
    pub fn begin(bootstrap: &str, transactional_id: &str, topic: &str, partition: i32) -> Self {
        let producer: BaseProducer = client(bootstrap)
            .set("transactional.id", transactional_id)
            .set("transaction.timeout.ms", "60000")
            .create()
            .expect("the settings above are valid");
        producer.init_transactions(STEP).expect("transactions can begin");
        producer.begin_transaction().expect("a transaction can begin");
        let record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition);
        let sent = producer.send(record.key(b"open").payload(b"open"));
        sent.map_err(|(error, _)| error).expect("there is room for a record");
        producer.flush(STEP).expect("the record is acknowledged");
        Self { producer }
    }

    /// Ends it, and all of it is to be seen.
    ///
    /// # Panics
    ///
    /// When the broker does not take it.
    #[track_caller]
    pub fn commit(self) {
        self.producer.commit_transaction(STEP).expect("the transaction can be committed");
    }
}
