//! A client that does nothing on its own: one request, one answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId, CreateTopicsRequest, FetchRequest, FindCoordinatorRequest,
    ListOffsetsRequest, MetadataRequest, ProduceRequest, RequestHeader, ResponseHeader, TopicName,
    TransactionalId,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use kafka_protocol::records::{
    Compression, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record, RecordBatchDecoder,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use testkit::cluster;
use uuid::Uuid;

/// How long anything may take that takes no time on a quiet machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A string of the protocol.
pub(super) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// The first request of most clients.
pub(super) fn versions_request() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("suite"))
        .with_client_software_version(text("1"))
}

/// A topic's name as the protocol has it.
pub(super) fn name(topic: &str) -> TopicName {
    TopicName(text(topic))
}

/// One connection.
pub(super) struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub(super) fn connect() -> Client {
        let stream = TcpStream::connect(cluster().bootstrap_servers()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, correlation_id: 0 }
    }

    /// Sends a request and waits for its answer.
    pub(super) fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request);
        self.receive::<R>(version)
    }

    pub(super) fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.correlation_id += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(text("suite")));
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        header.encode(&mut frame, R::header_version(version)).unwrap();
        request.encode(&mut frame, version).unwrap();
        let size = i32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&size.to_be_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    pub(super) fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let mut frame = self.receive_frame().expect("the broker closed the connection");
        let header =
            ResponseHeader::decode(&mut frame, R::Response::header_version(version)).unwrap();
        assert_eq!(header.correlation_id, self.correlation_id);
        let response = R::Response::decode(&mut frame, version).unwrap();
        assert!(frame.is_empty(), "the answer is longer than its version says");
        response
    }

    /// Sends bytes as they are.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame, or nothing when the broker closed the connection.
    pub(super) fn receive_frame(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).ok()?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(size)).unwrap()];
        self.stream.read_exact(&mut frame).ok()?;
        Some(Bytes::from(frame))
    }

    /// Waits until a coordinator is ready: 0 for a group, 1 for a transactional id.
    pub(super) fn find_coordinator(&mut self, kind: i8, key: &str) {
        let until = Instant::now() + PATIENCE;
        let request = FindCoordinatorRequest::default().with_key_type(kind).with_key(text(key));
        loop {
            let response = self.call(2, &request);
            if response.error_code == 0 {
                return;
            }
            assert!(Instant::now() < until, "no coordinator: {}", response.error_code);
        }
    }

    /// Repeats a call while the broker says its coordinator is not ready yet.
    pub(super) fn settled<T>(&mut self, call: impl Fn(&mut Client) -> (i16, T)) -> (i16, T) {
        // Loading, not available, not here, not verified yet, the last transaction is ending.
        self.settled_with(&[14, 15, 16, 19, 51], call)
    }

    /// Repeats a call while it is answered with one of these codes.
    pub(super) fn settled_with<T>(
        &mut self,
        passing: &[i16],
        call: impl Fn(&mut Client) -> (i16, T),
    ) -> (i16, T) {
        let until = Instant::now() + PATIENCE;
        loop {
            let (code, answer) = call(self);
            if !passing.contains(&code) || Instant::now() > until {
                return (code, answer);
            }
        }
    }

    /// Creates a topic with a name of its own and waits until it can be used.
    pub(super) fn topic(&mut self, partitions: i32, configs: &[(&str, &str)]) -> String {
        let topic = cluster().topic("broker");
        let configs = configs.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let creatable = CreatableTopic::default()
            .with_name(name(&topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request =
            CreateTopicsRequest::default().with_topics(vec![creatable]).with_timeout_ms(30_000);
        let response = self.call(5, &request);
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
        self.topic_id(&topic);
        self.wait_for_leaders(&topic, partitions);
        topic
    }

    /// Kafka announces partitions before it serves them.
    fn wait_for_leaders(&mut self, topic: &str, partitions: i32) {
        let asked = (0..partitions).map(|number| {
            ListOffsetsPartition::default()
                .with_partition_index(number)
                .with_current_leader_epoch(-1)
                .with_timestamp(-1)
        });
        let asked =
            ListOffsetsTopic::default().with_name(name(topic)).with_partitions(asked.collect());
        let request =
            ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![asked]);
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.call(7, &request);
            if answer.topics[0].partitions.iter().all(|partition| partition.error_code == 0) {
                return;
            }
            assert!(Instant::now() < until, "topic `{topic}` is not served");
        }
    }

    /// Waits for a topic to have leaders everywhere, and returns its id.
    pub(super) fn topic_id(&mut self, topic: &str) -> Uuid {
        use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
        let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
        let request = MetadataRequest::default().with_topics(Some(vec![asked]));
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = &self.call(12, &request).topics[0];
            let led = answer.partitions.iter().all(|p| p.error_code == 0 && p.leader_id.0 >= 0);
            if answer.error_code == 0 && led && !answer.partitions.is_empty() {
                return answer.topic_id;
            }
            assert!(Instant::now() < until, "topic `{topic}` did not come up");
        }
    }

    /// Produces one batch to partition 0 and returns what was answered.
    pub(super) fn produce(
        &mut self,
        topic: &str,
        transactional_id: Option<&str>,
        records: Bytes,
    ) -> PartitionProduceResponse {
        let data = PartitionProduceData::default().with_index(0).with_records(Some(records));
        let data =
            TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![data]);
        let response = self.call(9, &request);
        response.responses[0].partition_responses[0].clone()
    }

    /// Fetches partition 0 without waiting.
    pub(super) fn fetch(&mut self, topic: &str, offset: i64, isolation: i8) -> PartitionData {
        let request = fetch_request(topic, offset, isolation, 0);
        self.call(11, &request).responses[0].partitions[0].clone()
    }

    /// The values of partition 0 from an offset on, control records left out.
    pub(super) fn values(&mut self, topic: &str, offset: i64, isolation: i8) -> Vec<String> {
        let data = self.fetch(topic, offset, isolation);
        assert_eq!(data.error_code, 0);
        let mut bytes = data.records.unwrap_or_default();
        let sets = RecordBatchDecoder::decode_all(&mut bytes).unwrap();
        let records = sets.into_iter().flat_map(|set| set.records);
        records
            .filter(|record| !record.control && record.offset >= offset)
            .map(|record| String::from_utf8(record.value.unwrap_or_default().to_vec()).unwrap())
            .collect()
    }
}

/// A request for partition 0 of one topic that waits up to so many milliseconds for a byte.
pub(super) fn fetch_request(topic: &str, offset: i64, isolation: i8, wait: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(offset)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait)
        .with_min_bytes(1)
        .with_max_bytes(1 << 24)
        .with_isolation_level(isolation)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// Who writes a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer {
    pub(super) id: i64,
    pub(super) epoch: i16,
    pub(super) transactional: bool,
}

/// Nobody in particular.
pub(super) const ANYBODY: Writer =
    Writer { id: NO_PRODUCER_ID, epoch: NO_PRODUCER_EPOCH, transactional: false };

/// One batch of values with increasing timestamps, keyed "k".
pub(super) fn batch(writer: Writer, sequence: i32, values: &[&str]) -> Bytes {
    batch_at(writer, sequence, now_ms(), values)
}

/// One batch whose first record has this timestamp.
pub(super) fn batch_at(writer: Writer, sequence: i32, at_ms: i64, values: &[&str]) -> Bytes {
    let records = values.iter().zip(0..).map(|(value, number)| Record {
        transactional: writer.transactional,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: 0,
        producer_id: writer.id,
        producer_epoch: writer.epoch,
        timestamp_type: TimestampType::Creation,
        offset: i64::from(number),
        sequence: if writer.id < 0 { NO_SEQUENCE + number } else { sequence + number },
        timestamp: at_ms + i64::from(number),
        key: Some(Bytes::from_static(b"k")),
        value: Some(Bytes::from((*value).to_owned())),
        headers: IndexMap::new(),
    });
    encode(&records.collect::<Vec<Record>>())
}

/// Records as one batch.
pub(super) fn encode(records: &[Record]) -> Bytes {
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut out, records, &options).unwrap();
    out.freeze()
}

/// Records of a batch, to be changed and encoded again.
pub(super) fn decode(mut batch: Bytes) -> Vec<Record> {
    RecordBatchDecoder::decode(&mut batch).unwrap().records
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "brokers compare timestamps with their own clock")]
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
