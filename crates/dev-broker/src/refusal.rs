//! Answers that carry one error code in every place there is for one, for fault injection.

use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, AlterConfigsRequest, AlterConfigsResponse, ApiVersionsRequest,
    ApiVersionsResponse, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse,
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, CreatePartitionsRequest,
    CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteGroupsRequest,
    DeleteGroupsResponse, DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest,
    DeleteTopicsResponse, DescribeClusterRequest, DescribeClusterResponse, DescribeConfigsRequest,
    DescribeConfigsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    DescribeProducersRequest, DescribeProducersResponse, DescribeTransactionsRequest,
    DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse, FetchRequest, FetchResponse,
    FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, InitProducerIdRequest,
    InitProducerIdResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, ListOffsetsRequest,
    ListOffsetsResponse, ListTransactionsRequest, ListTransactionsResponse, MetadataRequest,
    MetadataResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse, ProduceRequest, ProduceResponse, ProducerId, SyncGroupRequest,
    SyncGroupResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
    add_partitions_to_txn_response, alter_configs_response, consumer_group_describe_response,
    create_partitions_response, create_topics_response, delete_groups_response,
    delete_records_response, delete_topics_response, describe_configs_response,
    describe_groups_response, describe_producers_response, describe_transactions_response,
    fetch_response, find_coordinator_response, incremental_alter_configs_response,
    list_offsets_response, metadata_response, offset_commit_response, offset_delete_response,
    offset_fetch_response, offset_for_leader_epoch_response, produce_response,
    txn_offset_commit_response,
};
use kafka_protocol::protocol::StrBytes;

use crate::handlers::fetch;

/// A request that can be turned down as a whole.
pub(crate) trait Refuse {
    type Response;

    /// The answer with this error code wherever it has one.
    fn refuse(self, code: i16) -> Self::Response;
}

/// Responses with one code for everything.
macro_rules! one_code {
    ($($request:ty => $response:ty),* $(,)?) => {$(
        impl Refuse for $request {
            type Response = $response;

            fn refuse(self, code: i16) -> $response {
                <$response>::default().with_error_code(code)
            }
        }
    )*};
}

one_code! {
    ApiVersionsRequest => ApiVersionsResponse,
    SyncGroupRequest => SyncGroupResponse,
    HeartbeatRequest => HeartbeatResponse,
    LeaveGroupRequest => LeaveGroupResponse,
    ConsumerGroupHeartbeatRequest => ConsumerGroupHeartbeatResponse,
    AddOffsetsToTxnRequest => AddOffsetsToTxnResponse,
    EndTxnRequest => EndTxnResponse,
    ListGroupsRequest => ListGroupsResponse,
    ListTransactionsRequest => ListTransactionsResponse,
    DescribeClusterRequest => DescribeClusterResponse,
}

/// Responses with a code for each partition of each topic.
macro_rules! code_per_partition {
    ($($request:ty => $response:ty {
        $topics:ident => $with_topics:ident: $topic:ty, $name:ident => $with_name:ident,
        $partitions:ident => $with_partitions:ident: $partition:ty,
        $index:expr => $with_index:ident, $with_code:ident
    }),* $(,)?) => {$(
        impl Refuse for $request {
            type Response = $response;

            fn refuse(self, code: i16) -> $response {
                let topics = self.$topics.into_iter().map(|topic| {
                    let partitions = topic.$partitions.iter().map(|partition| {
                        let index: i32 = $index(partition);
                        <$partition>::default().$with_index(index).$with_code(code)
                    });
                    let partitions = partitions.collect();
                    <$topic>::default().$with_name(topic.$name).$with_partitions(partitions)
                });
                <$response>::default().$with_topics(topics.collect())
            }
        }
    )*};
}

code_per_partition! {
    ProduceRequest => ProduceResponse {
        topic_data => with_responses: produce_response::TopicProduceResponse, name => with_name,
        partition_data => with_partition_responses: produce_response::PartitionProduceResponse,
        |p: &kafka_protocol::messages::produce_request::PartitionProduceData| p.index => with_index,
        with_error_code
    },
    ListOffsetsRequest => ListOffsetsResponse {
        topics => with_topics: list_offsets_response::ListOffsetsTopicResponse, name => with_name,
        partitions => with_partitions: list_offsets_response::ListOffsetsPartitionResponse,
        |p: &kafka_protocol::messages::list_offsets_request::ListOffsetsPartition| p.partition_index
            => with_partition_index, with_error_code
    },
    OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse {
        topics => with_topics: offset_for_leader_epoch_response::OffsetForLeaderTopicResult,
        topic => with_topic,
        partitions => with_partitions: offset_for_leader_epoch_response::EpochEndOffset,
        |p: &kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition|
            p.partition => with_partition, with_error_code
    },
    OffsetCommitRequest => OffsetCommitResponse {
        topics => with_topics: offset_commit_response::OffsetCommitResponseTopic, name => with_name,
        partitions => with_partitions: offset_commit_response::OffsetCommitResponsePartition,
        |p: &kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition|
            p.partition_index => with_partition_index, with_error_code
    },
    TxnOffsetCommitRequest => TxnOffsetCommitResponse {
        topics => with_topics: txn_offset_commit_response::TxnOffsetCommitResponseTopic,
        name => with_name,
        partitions => with_partitions: txn_offset_commit_response::TxnOffsetCommitResponsePartition,
        |p: &kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestPartition|
            p.partition_index => with_partition_index, with_error_code
    },
    DeleteRecordsRequest => DeleteRecordsResponse {
        topics => with_topics: delete_records_response::DeleteRecordsTopicResult, name => with_name,
        partitions => with_partitions: delete_records_response::DeleteRecordsPartitionResult,
        |p: &kafka_protocol::messages::delete_records_request::DeleteRecordsPartition|
            p.partition_index => with_partition_index, with_error_code
    },
    AddPartitionsToTxnRequest => AddPartitionsToTxnResponse {
        v3_and_below_topics => with_results_by_topic_v3_and_below:
            add_partitions_to_txn_response::AddPartitionsToTxnTopicResult,
        name => with_name,
        partitions => with_results_by_partition:
            add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult,
        |p: &i32| *p => with_partition_index, with_partition_error_code
    },
    DescribeProducersRequest => DescribeProducersResponse {
        topics => with_topics: describe_producers_response::TopicResponse, name => with_name,
        partition_indexes => with_partitions: describe_producers_response::PartitionResponse,
        |p: &i32| *p => with_partition_index, with_error_code
    },
}

/// Responses with a code for each thing named.
macro_rules! code_per_item {
    ($($request:ty => $response:ty {
        $items:ident => $with_items:ident: $item:ty, $name:expr => $with_name:ident
    }),* $(,)?) => {$(
        impl Refuse for $request {
            type Response = $response;

            fn refuse(self, code: i16) -> $response {
                let items = self.$items.into_iter().map(|item| {
                    <$item>::default().$with_name($name(item)).with_error_code(code)
                });
                <$response>::default().$with_items(items.collect())
            }
        }
    )*};
}

code_per_item! {
    CreateTopicsRequest => CreateTopicsResponse {
        topics => with_topics: create_topics_response::CreatableTopicResult,
        |t: kafka_protocol::messages::create_topics_request::CreatableTopic| t.name => with_name
    },
    CreatePartitionsRequest => CreatePartitionsResponse {
        topics => with_results: create_partitions_response::CreatePartitionsTopicResult,
        |t: kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic| t.name
            => with_name
    },
    DeleteGroupsRequest => DeleteGroupsResponse {
        groups_names => with_results: delete_groups_response::DeletableGroupResult,
        std::convert::identity => with_group_id
    },
    DescribeGroupsRequest => DescribeGroupsResponse {
        groups => with_groups: describe_groups_response::DescribedGroup,
        std::convert::identity => with_group_id
    },
    ConsumerGroupDescribeRequest => ConsumerGroupDescribeResponse {
        group_ids => with_groups: consumer_group_describe_response::DescribedGroup,
        std::convert::identity => with_group_id
    },
    DescribeTransactionsRequest => DescribeTransactionsResponse {
        transactional_ids => with_transaction_states:
            describe_transactions_response::TransactionState,
        std::convert::identity => with_transactional_id
    },
}

impl Refuse for FetchRequest {
    type Response = FetchResponse;

    fn refuse(self, code: i16) -> FetchResponse {
        let topics = self.topics.into_iter().map(|topic| {
            let partitions =
                topic.partitions.iter().map(|asked| fetch::refused(asked.partition, code));
            fetch_response::FetchableTopicResponse::default()
                .with_partitions(partitions.collect())
                .with_topic(topic.topic)
        });
        FetchResponse::default().with_responses(topics.collect())
    }
}

impl Refuse for MetadataRequest {
    type Response = MetadataResponse;

    fn refuse(self, code: i16) -> MetadataResponse {
        let topics = self.topics.unwrap_or_default().into_iter().map(|topic| {
            metadata_response::MetadataResponseTopic::default()
                .with_error_code(code)
                .with_name(topic.name)
                .with_topic_id(topic.topic_id)
        });
        MetadataResponse::default().with_topics(topics.collect())
    }
}

impl Refuse for JoinGroupRequest {
    type Response = JoinGroupResponse;

    fn refuse(self, code: i16) -> JoinGroupResponse {
        JoinGroupResponse::default()
            .with_error_code(code)
            .with_generation_id(-1)
            .with_protocol_name(Some(StrBytes::new()))
            .with_member_id(self.member_id)
    }
}

impl Refuse for InitProducerIdRequest {
    type Response = InitProducerIdResponse;

    fn refuse(self, code: i16) -> InitProducerIdResponse {
        InitProducerIdResponse::default()
            .with_error_code(code)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    }
}

impl Refuse for FindCoordinatorRequest {
    type Response = FindCoordinatorResponse;

    fn refuse(self, code: i16) -> FindCoordinatorResponse {
        // From version 4 on there are keys, and only they have codes.
        if self.coordinator_keys.is_empty() {
            return FindCoordinatorResponse::default().with_error_code(code);
        }
        let coordinators = self.coordinator_keys.into_iter().map(|key| {
            find_coordinator_response::Coordinator::default().with_key(key).with_error_code(code)
        });
        FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
    }
}

impl Refuse for OffsetFetchRequest {
    type Response = OffsetFetchResponse;

    fn refuse(self, code: i16) -> OffsetFetchResponse {
        let groups = self.groups.into_iter().map(|group| {
            offset_fetch_response::OffsetFetchResponseGroup::default()
                .with_group_id(group.group_id)
                .with_error_code(code)
        });
        let groups: Vec<_> = groups.collect();
        if !groups.is_empty() {
            return OffsetFetchResponse::default().with_groups(groups);
        }
        let topics = self.topics.unwrap_or_default().into_iter().map(|topic| {
            let partitions = topic.partition_indexes.iter().map(|number| {
                offset_fetch_response::OffsetFetchResponsePartition::default()
                    .with_partition_index(*number)
                    .with_committed_offset(-1)
                    .with_metadata(Some(StrBytes::new()))
                    .with_error_code(code)
            });
            offset_fetch_response::OffsetFetchResponseTopic::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        OffsetFetchResponse::default().with_topics(topics.collect()).with_error_code(code)
    }
}

impl Refuse for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;

    fn refuse(self, code: i16) -> OffsetDeleteResponse {
        let topics = self.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                offset_delete_response::OffsetDeleteResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(code)
            });
            offset_delete_response::OffsetDeleteResponseTopic::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        OffsetDeleteResponse::default().with_error_code(code).with_topics(topics.collect())
    }
}

impl Refuse for DeleteTopicsRequest {
    type Response = DeleteTopicsResponse;

    fn refuse(self, code: i16) -> DeleteTopicsResponse {
        let by_name = self.topic_names.into_iter().map(|name| {
            delete_topics_response::DeletableTopicResult::default().with_name(Some(name))
        });
        let by_state = self.topics.into_iter().map(|topic| {
            delete_topics_response::DeletableTopicResult::default()
                .with_name(topic.name)
                .with_topic_id(topic.topic_id)
        });
        let responses = by_name.chain(by_state).map(|response| response.with_error_code(code));
        DeleteTopicsResponse::default().with_responses(responses.collect())
    }
}

impl Refuse for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;

    fn refuse(self, code: i16) -> DescribeConfigsResponse {
        let results = self.resources.into_iter().map(|resource| {
            describe_configs_response::DescribeConfigsResult::default()
                .with_error_code(code)
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
        });
        DescribeConfigsResponse::default().with_results(results.collect())
    }
}

impl Refuse for AlterConfigsRequest {
    type Response = AlterConfigsResponse;

    fn refuse(self, code: i16) -> AlterConfigsResponse {
        let responses = self.resources.into_iter().map(|resource| {
            alter_configs_response::AlterConfigsResourceResponse::default()
                .with_error_code(code)
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
        });
        AlterConfigsResponse::default().with_responses(responses.collect())
    }
}

impl Refuse for IncrementalAlterConfigsRequest {
    type Response = IncrementalAlterConfigsResponse;

    fn refuse(self, code: i16) -> IncrementalAlterConfigsResponse {
        let responses = self.resources.into_iter().map(|resource| {
            incremental_alter_configs_response::AlterConfigsResourceResponse::default()
                .with_error_code(code)
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
        });
        IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
    }
}
