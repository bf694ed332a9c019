//! The records of one transaction.

use native_client::{Buffers, Codec, Identity, PartitionBatches, Record};

use crate::Topic;

/// No topic's batches are made smaller than this, however small a batch it refuses.
const SMALLEST_BATCH: usize = 1 << 10;

/// The records of one transaction, laid out in their partitions' batches as they are appended.
///
/// A producer takes it for its own topics only: they are known by their index.
#[derive(Debug)]
pub struct RecordAccumulator {
    /// By topic and partition.
    pub(crate) partitions: Vec<Vec<PartitionBatches>>,
    buffers: Buffers,
    /// Those of `partitions` that have records.
    pub(crate) touched: Vec<(usize, usize)>,
    /// The largest batch of each topic: its own limit until it refuses one.
    batch_bytes_max: Vec<usize>,
}

impl RecordAccumulator {
    /// An empty one for `topics`, those of the producer's settings.
    pub fn new(topics: &[Topic]) -> Self {
        let of_topic = |topic: &Topic| {
            let n = usize::try_from(topic.partitions).unwrap_or_default();
            (0..n).map(|_| PartitionBatches::default()).collect()
        };
        Self {
            partitions: topics.iter().map(of_topic).collect(),
            buffers: Buffers::default(),
            touched: Vec::new(),
            batch_bytes_max: topics.iter().map(|topic| topic.batch_bytes_max).collect(),
        }
    }

    /// Forgets every record, and keeps memory for as much as transactions take.
    pub fn clear(&mut self) {
        for (topic, partition) in self.touched.drain(..) {
            self.partitions[topic][partition].clear(&mut self.buffers);
        }
        self.buffers.settle();
    }

    /// Lays out a record.
    ///
    /// # Panics
    /// Where there is no such topic, or the topic has no such partition.
    pub fn append(&mut self, topic: usize, partition: i32, record: &Record<'_>) {
        let index = usize::try_from(partition).expect("partitions are numbered from 0");
        let batches = &mut self.partitions[topic][index];
        if batches.is_empty() {
            self.touched.push((topic, index));
            batches.build_in(self.buffers.take());
        }
        batches.append(record, self.batch_bytes_max[topic]);
    }

    /// Completes every batch for this writer, in the order of topics, as a request has them.
    pub(crate) fn seal(&mut self, writer: Identity, codec: &mut Codec) {
        self.touched.sort_unstable();
        for (topic, partition) in &self.touched {
            self.partitions[*topic][*partition].seal(writer, codec, &mut self.buffers);
        }
    }

    /// The first of `touched` that has a batch which is not written; `next` has the next of each.
    pub(crate) fn first_unwritten(&self, next: &[usize]) -> Option<usize> {
        self.touched.iter().zip(next).position(|((topic, partition), next)| {
            *next < self.partitions[*topic][*partition].len()
        })
    }

    /// The bytes of the largest batch among the next of each partition, and its topic.
    pub(crate) fn largest_unwritten(&self, next: &[usize]) -> Option<(usize, usize)> {
        let unwritten = self.touched.iter().zip(next).filter_map(|((topic, partition), next)| {
            let batches = &self.partitions[*topic][*partition];
            (*next < batches.len()).then(|| (batches.get(*next).len(), *topic))
        });
        unwritten.max()
    }

    /// Makes the batches of `topic` smaller from now on than one of `bytes`, which was refused. Returns
    /// how large they may be.
    pub(crate) fn shrink(&mut self, topic: usize, bytes: usize) -> usize {
        let bytes_max = (bytes.min(self.batch_bytes_max[topic]) / 2).max(SMALLEST_BATCH);
        self.batch_bytes_max[topic] = bytes_max;
        bytes_max
    }
}
