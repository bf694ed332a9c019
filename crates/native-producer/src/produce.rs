//! The Produce request, laid out around the batches that it carries without copying them.

use native_client::put::{put_compact_bytes_len, put_compact_string, put_uvarint};

/// The version of Produce that belongs to transactions v2.
pub(crate) const VERSION: i16 = 12;
const API_KEY: i16 = 0;
const ALL_REPLICAS: i16 = -1;

/// One batch on its way to one partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// The topic's index.
    pub(crate) topic: usize,
    pub(crate) partition: i32,
    pub(crate) batch: &'a [u8],
}

/// What goes in front of, between and behind the batches. Its memory is kept.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    bytes: Vec<u8>,
    /// Where a batch is to be put into `bytes`, in order.
    cuts: Vec<usize>,
}

/// What all requests of one producer have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) transactional_id: &'a str,
    pub(crate) timeout_ms: i32,
}

impl Envelope {
    /// The frame that carries `pieces`, which are in the order of their topics, in parts.
    pub(crate) fn around<'a>(
        &'a mut self,
        correlation_id: i32,
        common: &Common<'_>,
        pieces: &[Piece<'a>],
        topic_name: impl Fn(usize) -> &'a str,
    ) -> Vec<&'a [u8]> {
        self.bytes.clear();
        self.cuts.clear();
        let out = &mut self.bytes;
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&API_KEY.to_be_bytes());
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&correlation_id.to_be_bytes());
        let client_id = common.client_id.as_bytes();
        let client_id_len = i16::try_from(client_id.len()).expect("a client id is short");
        out.extend_from_slice(&client_id_len.to_be_bytes());
        out.extend_from_slice(client_id);
        put_no_tags(out);
        put_compact_string(out, common.transactional_id);
        out.extend_from_slice(&ALL_REPLICAS.to_be_bytes());
        out.extend_from_slice(&common.timeout_ms.to_be_bytes());
        let topics = || pieces.chunk_by(|a, b| a.topic == b.topic);
        put_array_len(out, topics().count());
        for topic in topics() {
            put_compact_string(out, topic_name(topic[0].topic));
            put_array_len(out, topic.len());
            for piece in topic {
                out.extend_from_slice(&piece.partition.to_be_bytes());
                put_compact_bytes_len(out, piece.batch.len());
                self.cuts.push(out.len());
                put_no_tags(out);
            }
            put_no_tags(out);
        }
        put_no_tags(out);
        let batches: usize = pieces.iter().map(|piece| piece.batch.len()).sum();
        let size = i32::try_from(out.len() + batches - 4).expect("a request is far below 2 GiB");
        out[..4].copy_from_slice(&size.to_be_bytes());
        self.parts(pieces)
    }

    fn parts<'a>(&'a self, pieces: &[Piece<'a>]) -> Vec<&'a [u8]> {
        let mut parts = Vec::with_capacity(2 * pieces.len() + 1);
        let mut start = 0;
        for (cut, piece) in self.cuts.iter().zip(pieces) {
            parts.push(&self.bytes[start..*cut]);
            parts.push(piece.batch);
            start = *cut;
        }
        parts.push(&self.bytes[start..]);
        parts
    }
}

fn put_no_tags(out: &mut Vec<u8>) {
    out.push(0);
}

fn put_array_len(out: &mut Vec<u8>, n: usize) {
    put_uvarint(out, n as u64 + 1);
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
    use kafka_protocol::messages::{ProduceRequest, RequestHeader, TopicName, TransactionalId};
    use kafka_protocol::protocol::{Encodable, HeaderVersion, StrBytes};

    use super::*;

    const NAMES: [&str; 3] = ["rt-assignment", "event-journal", "dead-letter"];

    /// The frame of the same request as the generated code has it.
    fn reference(pieces: &[(usize, i32, Vec<u8>)]) -> Vec<u8> {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let topics = pieces.chunk_by(|a, b| a.0 == b.0).map(|topic| {
            let partitions = topic.iter().map(|(_, partition, batch)| {
                let batch = Bytes::copy_from_slice(batch);
                PartitionProduceData::default().with_index(*partition).with_records(Some(batch))
            });
            TopicProduceData::default()
                .with_name(TopicName(text(NAMES[topic[0].0])))
                .with_partition_data(partitions.collect())
        });
        let request = ProduceRequest::default()
            .with_transactional_id(Some(TransactionalId(text("app-0-rt"))))
            .with_acks(-1)
            .with_timeout_ms(7_000)
            .with_topic_data(topics.collect());
        let header = RequestHeader::default()
            .with_request_api_key(0)
            .with_request_api_version(VERSION)
            .with_correlation_id(99)
            .with_client_id(Some(text("client")));
        let mut frame = BytesMut::from(&[0; 4][..]);
        header.encode(&mut frame, ProduceRequest::header_version(VERSION)).unwrap();
        request.encode(&mut frame, VERSION).unwrap();
        let size = i32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&size.to_be_bytes());
        frame.to_vec()
    }

    #[track_caller]
    fn check(pieces: &[(usize, i32, Vec<u8>)]) {
        let common =
            Common { client_id: "client", transactional_id: "app-0-rt", timeout_ms: 7_000 };
        let borrowed = pieces.iter().map(|(topic, partition, batch)| Piece {
            topic: *topic,
            partition: *partition,
            batch,
        });
        let borrowed: Vec<_> = borrowed.collect();
        let mut envelope = Envelope::default();
        envelope.around(1, &common, &borrowed, |index| NAMES[index]);
        let frame = envelope.around(99, &common, &borrowed, |index| NAMES[index]).concat();
        assert_eq!(frame, reference(pieces));
    }

    #[test]
    fn the_frame_is_what_the_generated_code_lays_out() {
        check(&[(0, 0, b"batch".to_vec())]);
        check(&[(0, 3, vec![1; 126]), (0, 4, vec![2; 127]), (2, 0, vec![3; 20_000])]);
        check(&[(1, 0, vec![0; 3_000_000]), (2, 7, vec![])]);
        check(&(0..200).map(|number| (1, number, vec![7; 10])).collect::<Vec<_>>());
    }
}
