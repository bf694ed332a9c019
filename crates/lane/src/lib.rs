//! The loop that gives the guarantees: collect a batch, hand it to a handler, write everything the
//! handler said together with the input offsets in one Kafka transaction.
//!
//! *lane* does not know what an event is: a handler gets bytes and puts bytes into an outbox. It is
//! the only crate that sees a transactional producer.

mod assigned;
mod consumer;
mod detail;
mod engine;
mod handler;
mod histogram;
mod intake;
mod lag;
mod native_security;
mod outbox;
mod producer;
mod publisher;
mod record;
mod report;
mod settings;
mod spawn;
mod status;
mod stop;

pub use detail::TransactionDetail;
pub use engine::LaneError;
pub use handler::{Handler, Readiness};
pub use histogram::{Buckets, Histogram, HistogramReading, Tally};
pub use outbox::{Layout, OutboundRecord, Outbox, OutputTopic, RecordBuilder, TooLarge, TopicId};
pub use producer::{Cause, ConnectError};
pub use publisher::{PublishError, Publisher};
pub use record::{Batch, Headers, ParkedBatch, Record};
pub use report::{Step, StepTimes, TransactionOutcome, TransactionReport};
pub use settings::{LaneSettings, OffsetReset, ProducerClient, Subscription};
pub use spawn::{LaneSpec, run_lanes};
pub use status::{LaneStatus, PartitionLag, Phase, Rebalance, RenewalReason};
pub use stop::Stop;
