//! How a producer comes to its identity, which fences its predecessors.

use kafka_protocol::messages::{InitProducerIdRequest, ProducerId, TransactionalId};
use kafka_protocol::protocol::StrBytes;
use native_client::{CallError, Identity, Patience, chain};
use tracing::{info, warn};

use crate::Settings;
use crate::cluster::{Cluster, Coordinator};
use crate::error::{Cause, ConnectError};
use crate::trial::{Failure, Trial};
use crate::verdict::{Request, Verdict, verdict};

pub(crate) const INIT_PRODUCER_ID: i16 = 5;

/// Finds a broker, checks what it speaks, and gets an identity.
pub(crate) fn initialise(
    settings: &Settings,
    cluster: &mut Cluster,
    patience: &Patience<'_>,
) -> Result<Option<Identity>, ConnectError> {
    let mut trial = Trial::of(Request::InitProducerId, patience);
    let mut has_warned = false;
    let mut has_abilities = false;
    loop {
        let failure = match try_initialise(settings, cluster, &mut has_abilities, &mut trial)? {
            Ok(identity) => {
                if has_warned {
                    info!(transactional_id = settings.transactional_id, "the producer is ready");
                }
                return Ok(Some(identity));
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Renew(Cause::Stopped(_) | Cause::TimedOut { .. }) => return Ok(None),
            Failure::Renew(Cause::Answered { request, code }) => {
                return Err(ConnectError::Refused { request, code });
            }
            Failure::Renew(cause) | Failure::Abort(cause) => {
                if !has_warned {
                    has_warned = true;
                    let transactional_id = &settings.transactional_id;
                    warn!(transactional_id, error = %chain(&cause), "no producer yet; trying on");
                }
            }
        }
    }
}

/// One try; the inner error says why it has to be made again, or that it must not be.
fn try_initialise(
    settings: &Settings,
    cluster: &mut Cluster,
    has_abilities: &mut bool,
    trial: &mut Trial<'_>,
) -> Result<Result<Identity, Failure>, ConnectError> {
    let tried = (|| {
        if !*has_abilities {
            match cluster.check_abilities(trial.patience) {
                Ok(Ok(())) => *has_abilities = true,
                Ok(Err(unsupported)) => return Ok(Err(unsupported)),
                Err(lost) => return Err(lost_for_now(trial, lost)),
            }
        }
        let id = &settings.transactional_id;
        let kind = Coordinator::Transaction;
        let node = match cluster.coordinator(kind, id, trial.patience) {
            Ok(Ok(node)) => node,
            Ok(Err(code)) => return Err(again(trial, Request::FindCoordinator, code)),
            Err(lost) => return Err(lost_for_now(trial, lost)),
        };
        let answer = cluster.brokers.ask(
            node,
            INIT_PRODUCER_ID,
            &init_producer_id(settings),
            trial.patience,
        );
        let answer = match answer {
            Ok(answer) => answer,
            Err(lost) => {
                cluster.forget_coordinator(kind);
                return Err(lost_for_now(trial, lost));
            }
        };
        if answer.error_code != 0 {
            if verdict(Request::InitProducerId, answer.error_code) == Verdict::Relocate {
                cluster.forget_coordinator(kind);
            }
            return Err(again(trial, Request::InitProducerId, answer.error_code));
        }
        Ok(Ok(Identity { id: answer.producer_id.0, epoch: answer.producer_epoch }))
    })();
    match tried {
        Ok(Ok(identity)) => Ok(Ok(identity)),
        Ok(Err(unsupported)) => Err(unsupported),
        Err(Failure::Renew(Cause::Connection { source, .. }))
            if matches!(source, CallError::Security { passing: false, .. }) =>
        {
            Err(ConnectError::Security(source.to_string()))
        }
        Err(failure) => Ok(Err(failure)),
    }
}

/// After a pause, that it has to be tried again; or why not.
fn again(trial: &mut Trial<'_>, request: Request, code: i16) -> Failure {
    match trial.answered(request, code) {
        Ok(_) => Failure::Abort(Cause::Answered { request, code }),
        Err(failure) => failure,
    }
}

fn lost_for_now(trial: &mut Trial<'_>, lost: CallError) -> Failure {
    if matches!(lost, CallError::Security { passing: false, .. }) {
        return Failure::Renew(Cause::Connection { request: trial.request, source: lost });
    }
    match trial.lost(lost) {
        Ok(()) => match trial.last.take() {
            Some(cause) => Failure::Abort(cause),
            None => Failure::Renew(Cause::Stopped(trial.request)),
        },
        Err(failure) => failure,
    }
}

fn init_producer_id(settings: &Settings) -> InitProducerIdRequest {
    let id = StrBytes::from_string(settings.transactional_id.clone());
    let timeout_ms = settings.transaction_timeout.as_millis();
    InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(id)))
        .with_transaction_timeout_ms(i32::try_from(timeout_ms).unwrap_or(i32::MAX))
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
}
