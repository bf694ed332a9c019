//! Which exit code an error of Kafka or of a lane ends a process with, the same for every binary.

use kafka::{AdminError, ReadError, SendError, SettingsError};
use lane::{ConnectError, LaneError, PublishError};

use crate::Failure;

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::configuration(error)
    }
}

/// Topics that could not be looked at or changed, or are not as they have to be.
impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match &error {
            AdminError::Unreachable { .. } | AdminError::Request(_) => Self::unreachable(error),
            AdminError::Settings(_) | AdminError::Refused { .. } | AdminError::Differs(_) => {
                Self::configuration(error)
            }
        }
    }
}

/// A topic that could not be read.
impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Settings(_) => Self::configuration(error),
            ReadError::UnknownTopic(topic) => {
                let advice = format!("topic `{topic}` does not exist; run `bindery topics apply`");
                Self::configuration(anyhow::anyhow!(advice))
            }
            ReadError::TimedOut { .. } => Self::unreachable(error),
            ReadError::Failed { .. } => Self::internal(error),
        }
    }
}

/// Records that could not be sent.
impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match &error {
            SendError::Settings(_) => Self::configuration(error),
            SendError::Stalled(_) | SendError::Undelivered(_) => Self::unreachable(error),
            SendError::Refused { .. } => Self::internal(error),
        }
    }
}

/// An outbox that was not published.
impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match &error {
            PublishError::Connect(_) => Self::configuration(error),
            PublishError::Unreachable(_) => Self::unreachable(error),
            PublishError::Aborted(_) | PublishError::Unknown(_) => Self::internal(error),
        }
    }
}

/// A lane that gave up. What a restart may cure is internal.
impl From<LaneError> for Failure {
    fn from(error: LaneError) -> Self {
        match &error {
            LaneError::Settings(_)
            | LaneError::Connect(
                ConnectError::Settings(_)
                | ConnectError::Refused { .. }
                | ConnectError::Native { .. },
            ) => Self::configuration(error),
            LaneError::Subscribe(_)
            | LaneError::Consumer(_)
            | LaneError::Handler(_)
            | LaneError::TooManyAborts { .. }
            | LaneError::TooManyRenewals { .. }
            | LaneError::Panicked => Self::internal(error),
        }
    }
}
