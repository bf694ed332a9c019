use native_client::{CallError, error_name};

use crate::verdict::Request;

/// Why there is no producer, and waiting would not help.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The brokers do not speak transactions v2, or not with this client. Another client may do.
    #[error("transactions v2 are not to be had: {0}")]
    Unsupported(String),
    /// The broker refuses the transactional id, or what is asked for it.
    #[error("{request:?} was refused: {}", error_name(*code))]
    Refused {
        /// Which request.
        request: Request,
        /// With which error code.
        code: i16,
    },
    /// The broker does not accept who the client says it is, or is not who it should be.
    #[error("the broker and this client do not trust each other: {0}")]
    Security(String),
}

/// Why what was to be written was not, or may not have been. One variant per decision of the caller.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing was written and the transaction is ended: it may be tried again.
    #[error("the transaction was aborted")]
    Aborted(#[source] Cause),
    /// This producer must not be used again, and only the committed offsets say what became of the
    /// transaction.
    #[error("the outcome of the transaction is unknown")]
    Unsettled(#[source] Cause),
}

/// What lies under a [`WriteError`].
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The broker said so.
    #[error("{request:?} was answered with {}", error_name(*code))]
    Answered {
        /// To which request.
        request: Request,
        /// The error code.
        code: i16,
    },
    /// A batch was larger than its topic takes; the next ones are smaller.
    #[error("a batch for topic `{topic}` was too large; from now on they have {bytes_max} bytes")]
    TooLarge {
        /// The topic.
        topic: String,
        /// The new limit.
        bytes_max: usize,
    },
    /// It took too long, and this is what stood in the way last.
    #[error("{request:?} was not through in time")]
    TimedOut {
        /// Which request.
        request: Request,
        /// What went wrong the last time it was tried, if anything did.
        #[source]
        last: Option<Box<Cause>>,
    },
    /// It was told to stop meanwhile.
    #[error("told to stop during {0:?}")]
    Stopped(Request),
    /// A connection broke, or what came over it made no sense.
    #[error("no answer to {request:?}")]
    Connection {
        /// Which request.
        request: Request,
        /// What went wrong.
        #[source]
        source: CallError,
    },
}
