use std::time::Instant;

use tracing::{info, warn};

use super::{
    ConnectError, Input, LibrdkafkaProducer, NativeProducer, ProducerSpec, TransactionalProducer,
    WriteError,
};
use crate::{Layout, Outbox, ProducerClient, StepTimes, Stop};

/// The producer that the settings ask for, as far as the brokers allow.
pub(crate) enum ChosenProducer {
    Librdkafka(Box<LibrdkafkaProducer>),
    Native(Box<NativeProducer>),
}

impl TransactionalProducer for ChosenProducer {
    fn connect(spec: &ProducerSpec, stop: &Stop) -> Result<Option<Self>, ConnectError> {
        if spec.lane.client == ProducerClient::Native {
            match NativeProducer::connect(spec, stop)? {
                Ok(None) => return Ok(None),
                Ok(Some(producer)) => {
                    info!(client = "native", "writing by transactions v2");
                    return Ok(Some(Self::Native(Box::new(producer))));
                }
                Err(reason) => {
                    warn!(reason, "the native producer is not for here; librdkafka writes");
                }
            }
        }
        let Some(producer) = LibrdkafkaProducer::connect(spec, stop)? else { return Ok(None) };
        info!(client = "librdkafka", "writing by transactions v1");
        Ok(Some(Self::Librdkafka(Box::new(producer))))
    }

    fn layout(&self) -> Layout {
        match self {
            Self::Librdkafka(producer) => producer.layout(),
            Self::Native(_) => Layout::Batches,
        }
    }

    fn write(&mut self, outbox: &mut Outbox, input: Option<&Input<'_>>) -> Result<(), WriteError> {
        match self {
            Self::Librdkafka(producer) => producer.write(outbox, input),
            Self::Native(producer) => producer.write(outbox, input),
        }
    }

    fn ready_at(&self) -> Option<Instant> {
        match self {
            Self::Librdkafka(producer) => producer.ready_at(),
            Self::Native(producer) => producer.ready_at(),
        }
    }

    fn times(&self) -> StepTimes {
        match self {
            Self::Librdkafka(producer) => producer.times(),
            Self::Native(producer) => producer.times(),
        }
    }

    fn client(&self) -> ProducerClient {
        match self {
            Self::Librdkafka(_) => ProducerClient::Librdkafka,
            Self::Native(_) => ProducerClient::Native,
        }
    }
}
