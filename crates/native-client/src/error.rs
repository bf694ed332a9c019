use std::io;

use kafka_protocol::ResponseError;

use crate::patience::Over;

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
    Over(Ended),
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(pub Over);

impl From<Over> for CallError {
    fn from(over: Over) -> Self {
        Self::Over(Ended(over))
    }
}

/// The protocol's own name of the error `code`.
pub fn error_name(code: i16) -> String {
    let named = ResponseError::try_from_code(code);
    named.map_or_else(|| format!("error {code}"), |error| format!("{error:?} ({code})"))
}

/// What `table` says of `code` as the answer to `request`; `None` where it is not listed.
pub fn listed<R: PartialEq, V: Copy>(
    table: &[(R, ResponseError, V)],
    request: &R,
    code: i16,
) -> Option<V> {
    let row = table.iter().find(|(of, error, _)| of == request && error.code() == code);
    row.map(|(_, _, verdict)| *verdict)
}

/// An error and what is under it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
