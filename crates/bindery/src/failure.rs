//! Which exit code a failure has.

use kafka::{AdminError, ReadError, SendError};
use lane::PublishError;
use service::Failure;

/// Topics that could not be looked at or changed.
pub(crate) fn of_admin(error: AdminError) -> Failure {
    match &error {
        AdminError::Unreachable { .. } | AdminError::Request(_) => Failure::unreachable(error),
        AdminError::Settings(_) | AdminError::Refused { .. } | AdminError::Differs(_) => {
            Failure::configuration(error)
        }
    }
}

/// A topic that could not be read.
pub(crate) fn of_read(error: ReadError) -> Failure {
    match &error {
        ReadError::Settings(_) => Failure::configuration(error),
        ReadError::UnknownTopic(topic) => {
            let advice = format!("topic `{topic}` does not exist; run `bindery topics apply`");
            Failure::configuration(anyhow::anyhow!(advice))
        }
        ReadError::TimedOut { .. } => Failure::unreachable(error),
        ReadError::Failed { .. } => Failure::internal(error),
    }
}

/// Records that could not be sent.
pub(crate) fn of_send(error: SendError) -> Failure {
    match &error {
        SendError::Settings(_) => Failure::configuration(error),
        SendError::Stalled(_) | SendError::Undelivered(_) => Failure::unreachable(error),
        SendError::Refused { .. } => Failure::internal(error),
    }
}

/// Templates that were not published.
pub(crate) fn of_publish(error: PublishError) -> Failure {
    match &error {
        PublishError::Connect(_) => Failure::configuration(error),
        PublishError::Unreachable(_) => Failure::unreachable(error),
        PublishError::Aborted(_) | PublishError::Unknown(_) => Failure::internal(error),
    }
}
