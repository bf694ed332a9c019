use std::io;

use crate::patience::Over;
use crate::verdict::{Request, name};

/// Why there is no producer, and waiting would not help.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The brokers do not speak transactions v2, or not with this client. Another client may do.
    #[error("transactions v2 are not to be had: {0}")]
    Unsupported(String),
    /// The broker refuses the transactional id, or what is asked for it.
    #[error("{request:?} was refused: {}", name(*code))]
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
    #[error("{request:?} was answered with {}", name(*code))]
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

/// Why one request has no answer. Whether it was handled is not known.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The network.
    #[error("the connection to `{address}` failed")]
    Io {
        /// Where to.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The broker took too long.
    #[error("`{address}` did not answer in time")]
    Late {
        /// Which broker.
        address: String,
    },
    /// What came is not an answer.
    #[error("`{address}` answered with what is not an answer: {what}")]
    Malformed {
        /// Which broker.
        address: String,
        /// What is wrong.
        what: String,
    },
    /// Encryption or authentication.
    #[error("`{address}` and this client do not trust each other: {what}")]
    Security {
        /// Which broker.
        address: String,
        /// What is wrong.
        what: String,
        /// Whether trying again may help.
        passing: bool,
    },
    /// Nobody to ask.
    #[error("no broker is known that could be asked")]
    Nobody,
    /// There is no more time.
    #[error("there is no more time")]
    #[doc(hidden)]
    Over(Ended),
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Ended(pub(crate) Over);

impl From<Over> for CallError {
    fn from(over: Over) -> Self {
        Self::Over(Ended(over))
    }
}
