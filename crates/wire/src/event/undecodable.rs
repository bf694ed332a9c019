use std::borrow::Cow;
use std::fmt;

use domain::EventId;

/// A record of an intake topic that is no event: the record's fault, not ours.
///
/// Its reader parks it in `dead-letter` and writes the fact NotSupported `undecodable` under
/// `event_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable<'a> {
    /// The id its producer gave it, where it could still be read; else the one of its position.
    pub event_id: EventId<'a>,
    /// Its type, where it could still be read.
    pub event_type: Option<Cow<'a, str>>,
    /// What is wrong, as one line for a person; names fields, never what they hold.
    pub detail: Cow<'static, str>,
}

impl Undecodable<'_> {
    pub(super) fn into_owned(self) -> Undecodable<'static> {
        Undecodable {
            event_id: self.event_id.into_owned(),
            event_type: self.event_type.map(|text| Cow::Owned(text.into_owned())),
            detail: self.detail,
        }
    }
}

impl fmt::Display for Undecodable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event `{}` cannot be decoded: {}", self.event_id, self.detail)
    }
}

impl std::error::Error for Undecodable<'_> {}
