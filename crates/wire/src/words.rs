//! The closed sets of words: numbers in protobuf, short names in JSON.

use domain::{LaneKind, Lost, Outcome, OutcomeKind, Status, TemplateState};

/// A word of a closed set.
pub(crate) trait Word: Copy + 'static {
    /// The whole set.
    const ALL: &'static [Self];
    /// Its number in protobuf; never 0.
    fn number(self) -> i32;
    /// Its name in JSON.
    fn name(self) -> &'static str;
}

macro_rules! words {
    ($set:ident, $name:expr, $($word:ident = $number:literal),*) => {
        impl Word for $set {
            const ALL: &'static [Self] = &[$(Self::$word),*];
            fn number(self) -> i32 {
                match self {
                    $(Self::$word => $number,)*
                }
            }
            fn name(self) -> &'static str {
                ($name)(self)
            }
        }
    };
}

words!(LaneKind, LaneKind::as_str, Rt = 1, Batch = 2);
words!(Lost, Lost::as_str, Paused = 1, Lane = 2, Language = 3, Older = 4);
words!(
    Outcome,
    Outcome::as_str,
    Prepared = 1,
    Accepted = 2,
    Sent = 3,
    Received = 4,
    Ignored = 5,
    Failed = 6,
    Cancelled = 7
);
words!(OutcomeKind, OutcomeKind::as_str, Hard = 1, Soft = 2, Ignored = 3);
words!(TemplateState, template_state, Live = 1, Paused = 2);
words!(
    Status,
    Status::as_str,
    Pending = 1,
    Paused = 2,
    PendingDelivery = 3,
    Expired = 4,
    Cancelled = 5,
    NotSupported = 6,
    Ignored = 7,
    Sent = 8,
    DeliveryError = 9
);

const fn template_state(state: TemplateState) -> &'static str {
    match state {
        TemplateState::Live => "live",
        TemplateState::Paused => "paused",
    }
}
