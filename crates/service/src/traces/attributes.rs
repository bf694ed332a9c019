//! The attributes of OpenTelemetry's messaging conventions that spans of lanes have.

pub(super) const SYSTEM: &str = "messaging.system";
pub(super) const OPERATION_NAME: &str = "messaging.operation.name";
pub(super) const OPERATION_TYPE: &str = "messaging.operation.type";
pub(super) const DESTINATION_NAME: &str = "messaging.destination.name";
pub(super) const PARTITION_ID: &str = "messaging.destination.partition.id";
pub(super) const CONSUMER_GROUP_NAME: &str = "messaging.consumer.group.name";
pub(super) const CLIENT_ID: &str = "messaging.client.id";
pub(super) const BATCH_MESSAGE_COUNT: &str = "messaging.batch.message_count";
pub(super) const KAFKA_OFFSET: &str = "messaging.kafka.offset";
pub(super) const MESSAGE_ID: &str = "messaging.message.id";
pub(super) const ERROR_TYPE: &str = "error.type";
