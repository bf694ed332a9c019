use std::time::{Duration, Instant};

use kafka::{NextOffset, TopicPartition};
use native_producer::{Compression, NextPosition, Offsets, Producer, RecordAccumulator, Settings};

use super::{Cause, ConnectError, Input, ProducerSpec, WriteError};
use crate::{Outbox, OutputTopic, Step, StepTimes, Stop};

/// The transactional producer of our own, which speaks transactions v2.
///
/// Every transaction has an epoch of its own there, so no request that is late can end a later one:
/// a lost answer is asked for again, and only what stays unknown until the transaction's timeout
/// costs a new producer.
pub(crate) struct NativeProducer {
    producer: Producer,
    stop: Stop,
}

impl NativeProducer {
    /// As [`super::TransactionalProducer::connect`]; the inner error says why another client has to
    /// write here.
    pub(crate) fn connect(
        spec: &ProducerSpec,
        stop: &Stop,
    ) -> Result<Result<Option<Self>, String>, ConnectError> {
        let settings = match settings(spec) {
            Ok(settings) => settings,
            Err(reason) => return Ok(Err(reason)),
        };
        match Producer::connect(settings, &|time| stop.wait(time)) {
            Ok(producer) => Ok(Ok(producer.map(|producer| Self { producer, stop: stop.clone() }))),
            // Where the brokers do not trust this client or it not them, the other client may do, and waits
            // where it does not.
            Err(
                native_producer::ConnectError::Unsupported(reason)
                | native_producer::ConnectError::Security(reason),
            ) => Ok(Err(reason)),
            Err(source) => {
                let transactional_id = spec.transactional_id.clone();
                Err(ConnectError::Native { transactional_id, source })
            }
        }
    }

    pub(crate) fn write(
        &mut self,
        outbox: &mut Outbox,
        input: Option<&Input<'_>>,
    ) -> Result<(), WriteError> {
        let records = outbox.batches().expect("the outbox of a native producer has batches");
        let written = match input {
            Some(input) => self.commit_with(records, input),
            None => self.producer.commit(records, None, &|time| self.stop.wait(time)),
        };
        written.map_err(|error| match error {
            native_producer::WriteError::Aborted(cause) => {
                WriteError::Aborted(Cause::Native(cause))
            }
            native_producer::WriteError::Unsettled(cause) => {
                WriteError::Unsettled(Cause::Native(cause))
            }
        })
    }

    pub(crate) fn ready_at(&self) -> Option<Instant> {
        self.producer.ready_at()
    }

    /// What each step of the last `write` took. None begins it, and records are sent and waited for in one.
    pub(crate) fn times(&self) -> StepTimes {
        let native_producer::Times { offsets, produce, end } = self.producer.times();
        let mut times = StepTimes::default();
        times.set(Step::Offsets, offsets);
        times.set(Step::Drain, produce);
        times.set(Step::Commit, end);
        times
    }

    fn commit_with(
        &mut self,
        records: &mut RecordAccumulator,
        input: &Input<'_>,
    ) -> Result<(), native_producer::WriteError> {
        let member = input.member.membership();
        let positions: Vec<NextPosition<'_>> = input.offsets.iter().map(position).collect();
        let offsets = Offsets {
            group: &member.group,
            generation: member.generation,
            member_id: &member.member_id,
            group_instance_id: member.group_instance_id.as_deref(),
            positions: &positions,
        };
        self.producer.commit(records, Some(&offsets), &|time| self.stop.wait(time))
    }
}

fn position((at, next): &(TopicPartition, NextOffset)) -> NextPosition<'_> {
    NextPosition { topic: &at.topic, partition: at.partition, offset: next.get() }
}

/// The producer's settings, or what of them it does not have.
fn settings(spec: &ProducerSpec) -> Result<Settings, String> {
    Ok(Settings {
        bootstrap_servers: spec.client.bootstrap_servers.clone(),
        client_id: spec.transactional_id.clone(),
        transactional_id: spec.transactional_id.clone(),
        transaction_timeout: spec.lane.transaction_timeout(),
        request_timeout: Duration::from_millis(spec.lane.socket_timeout_ms),
        compression: compression(&spec.lane.compression)?,
        security: crate::native_security::security(&spec.client)?,
        topics: spec.topics.iter().map(OutputTopic::for_batches).collect(),
    })
}

fn compression(name: &str) -> Result<Compression, String> {
    match name {
        "none" => Ok(Compression::None),
        "lz4" => Ok(Compression::Lz4),
        "zstd" => Ok(Compression::Zstd),
        other => Err(format!("it does not compress with `{other}`")),
    }
}
