//! Topics and their configuration.

use kafka_protocol::messages::alter_configs_request;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, MetadataRequest,
};
use testkit::cluster;

use super::client::{ANYBODY, Client, PATIENCE, batch, name, text};

const TOPIC: i8 = 2;

/// Tries to create a topic; returns the error code.
fn create(topic: &str, partitions: i32, replicas: i16, config: Option<(&str, &str)>) -> i16 {
    let configs = config.map(|(key, value)| {
        CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
        .with_configs(configs.into_iter().collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    Client::connect().call(7, &request).topics[0].error_code
}

#[track_caller]
fn check_create(partitions: i32, replicas: i16, config: Option<(&str, &str)>, expected: i16) {
    let topic = cluster().topic("broker");
    assert_eq!(create(&topic, partitions, replicas, config), expected);
}

#[test]
fn a_topic_is_created_only_as_something_that_can_be() {
    check_create(3, 1, None, 0);
    check_create(-1, -1, None, 0);
    check_create(0, 1, None, 37);
    check_create(1, 2, None, 38);
    check_create(1, 0, None, 38);
    check_create(1, 1, Some(("retention.ms", "never")), 40);
    check_create(1, 1, Some(("no.such.key", "1")), 40);
    check_create(1, 1, Some(("cleanup.policy", "compact")), 0);
    assert_eq!(create("no/such/name", 1, 1, None), 17);
    let taken = Client::connect().topic(1, &[]);
    assert_eq!(create(&taken, 1, 1, None), 36);
}

fn metadata_error(client: &mut Client, topic: &str) -> i16 {
    let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![asked]))
        .with_allow_auto_topic_creation(true);
    client.call(9, &request).topics[0].error_code
}

fn delete(client: &mut Client, topic: &str) -> i16 {
    let request =
        DeleteTopicsRequest::default().with_topic_names(vec![name(topic)]).with_timeout_ms(30_000);
    client.call(5, &request).responses[0].error_code
}

#[test]
fn a_deleted_topic_is_gone_and_nobody_creates_it_by_asking() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    assert_eq!(delete(&mut client, &topic), 0);
    let until = std::time::Instant::now() + PATIENCE;
    while metadata_error(&mut client, &topic) != 3 {
        assert!(std::time::Instant::now() < until, "still there");
    }
    assert_eq!(delete(&mut client, &topic), 3);
    assert_eq!(client.produce(&topic, None, batch(ANYBODY, -1, &["a"])).error_code, 3);
    assert_eq!(metadata_error(&mut client, "no/such/name"), 17);
}

#[test]
fn a_topic_only_grows() {
    let mut client = Client::connect();
    let topic = client.topic(2, &[]);
    let mut grow = |topic: &str, count| {
        let asked = CreatePartitionsTopic::default()
            .with_name(name(topic))
            .with_count(count)
            .with_assignments(None);
        let request =
            CreatePartitionsRequest::default().with_topics(vec![asked]).with_timeout_ms(30_000);
        client.call(3, &request).results[0].error_code
    };
    assert_eq!((grow(&topic, 1), grow(&topic, 2), grow(&topic, 4)), (37, 37, 0));
    assert_eq!(grow("broker-no-such-topic", 4), 3);
}

#[test]
fn deleted_records_are_out_of_reach() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    client.produce(&topic, None, batch(ANYBODY, -1, &["a", "b", "c"]));
    let mut truncate = |offset| {
        let partition =
            DeleteRecordsPartition::default().with_partition_index(0).with_offset(offset);
        let asked =
            DeleteRecordsTopic::default().with_name(name(&topic)).with_partitions(vec![partition]);
        let request =
            DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(30_000);
        let answer = &client.call(2, &request).topics[0].partitions[0];
        (answer.error_code, answer.low_watermark)
    };
    assert_eq!(truncate(2), (0, 2));
    assert_eq!(truncate(4), (1, -1));
    assert_eq!(client.fetch(&topic, 1, 0).error_code, 1);
    assert_eq!(client.values(&topic, 2, 0), ["c"]);
    let data = client.fetch(&topic, 3, 0);
    assert_eq!((data.error_code, data.log_start_offset, data.high_watermark), (0, 2, 3));
}

/// Error code, value and source of one key.
fn described(client: &mut Client, topic: &str, key: &str) -> (i16, Option<(String, i8)>) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configuration_keys(Some(vec![text(key)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let answer = &client.call(4, &request).results[0];
    let found = answer.configs.first();
    let found = found.map(|c| (c.value.as_ref().unwrap().to_string(), c.config_source));
    (answer.error_code, found)
}

fn alter(client: &mut Client, topic: &str, key: &str, operation: i8, value: &str) -> i16 {
    let config = AlterableConfig::default()
        .with_name(text(key))
        .with_config_operation(operation)
        .with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    client.call(1, &request).responses[0].error_code
}

/// Waits until a key has a value: the change is answered before every part of Kafka knows it.
#[track_caller]
fn check_config(client: &mut Client, topic: &str, key: &str, value: &str, source: i8) {
    let until = std::time::Instant::now() + PATIENCE;
    let expected = (0, Some((value.to_owned(), source)));
    loop {
        let found = described(client, topic, key);
        if found == expected {
            return;
        }
        assert!(std::time::Instant::now() < until, "{key} is {found:?}, not {expected:?}");
    }
}

#[test]
fn configuration_is_read_set_and_reset() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[("retention.ms", "1000")]);
    check_config(&mut client, &topic, "retention.ms", "1000", 1);
    check_config(&mut client, &topic, "cleanup.policy", "delete", 5);
    assert_eq!(alter(&mut client, &topic, "retention.ms", 0, "2000"), 0);
    check_config(&mut client, &topic, "retention.ms", "2000", 1);
    assert_eq!(alter(&mut client, &topic, "retention.ms", 1, ""), 0);
    check_config(&mut client, &topic, "retention.ms", "604800000", 5);
    assert_eq!(alter(&mut client, &topic, "cleanup.policy", 2, "compact"), 0);
    check_config(&mut client, &topic, "cleanup.policy", "delete,compact", 1);
    assert_eq!(alter(&mut client, &topic, "cleanup.policy", 3, "delete"), 0);
    check_config(&mut client, &topic, "cleanup.policy", "compact", 1);
    assert_eq!(alter(&mut client, &topic, "cleanup.policy", 0, "shred"), 40);
    assert_eq!(alter(&mut client, &topic, "no.such.key", 0, "1"), 40);
    assert_eq!(alter(&mut client, "broker-no-such-topic", "retention.ms", 0, "1"), 3);
    assert_eq!(described(&mut client, "broker-no-such-topic", "retention.ms").0, 3);
}

#[test]
fn replacing_a_configuration_resets_what_is_not_named() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[("retention.ms", "1000")]);
    let config = alter_configs_request::AlterableConfig::default()
        .with_name(text("max.message.bytes"))
        .with_value(Some(text("5000")));
    let resource = alter_configs_request::AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(&topic))
        .with_configs(vec![config]);
    let request = AlterConfigsRequest::default().with_resources(vec![resource]);
    assert_eq!(client.call(2, &request).responses[0].error_code, 0);
    check_config(&mut client, &topic, "max.message.bytes", "5000", 1);
    check_config(&mut client, &topic, "retention.ms", "604800000", 5);
}
