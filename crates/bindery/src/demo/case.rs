//! What is the matter with an event.

use domain::RejectionReason;

use super::random::Random;
use super::traffic::Expected;

/// What is the matter with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// Nothing.
    Sound,
    /// Nobody has published a template for its type.
    UnknownType,
    /// Its bytes are no event.
    Malformed,
    /// It has no address.
    AddressMissing,
    /// Its address cannot be one.
    AddressInvalid,
    /// It lacks something its template needs.
    VariableMissing,
    /// Its data is no object.
    CtxInvalid,
    /// It is meant for later.
    Scheduled,
    /// It comes too late.
    Expired,
}

/// Of every 200 events the first few are these, the others sound.
const ODD: [Case; 18] = [
    Case::UnknownType,
    Case::UnknownType,
    Case::UnknownType,
    Case::Malformed,
    Case::Malformed,
    Case::AddressMissing,
    Case::AddressMissing,
    Case::AddressMissing,
    Case::AddressInvalid,
    Case::VariableMissing,
    Case::VariableMissing,
    Case::VariableMissing,
    Case::CtxInvalid,
    Case::Scheduled,
    Case::Scheduled,
    Case::Scheduled,
    Case::Expired,
    Case::Expired,
];

impl Case {
    /// The case of event `number`: each has its share of every 200 events, scattered among them.
    pub(super) fn of(number: usize) -> Self {
        // 73 and 200 have no divisor in common, so every slot comes once.
        ODD.get(number * 73 % 200).copied().unwrap_or(Self::Sound)
    }

    /// What has to become of such an event.
    pub(super) fn expected(self) -> Expected {
        match self {
            Self::Sound => Expected::Bound,
            Self::Scheduled => Expected::Held,
            Self::Expired => Expected::Expired,
            Self::UnknownType => Expected::NotSupported(RejectionReason::NoTemplate),
            Self::Malformed => Expected::NotSupported(RejectionReason::Undecodable),
            Self::AddressMissing => Expected::NotSupported(RejectionReason::AddressMissing),
            Self::AddressInvalid => Expected::NotSupported(RejectionReason::AddressInvalid),
            Self::VariableMissing => Expected::NotSupported(RejectionReason::VariableMissing),
            Self::CtxInvalid => Expected::NotSupported(RejectionReason::CtxInvalid),
        }
    }

    /// Whether the case can only be told in JSON.
    pub(super) fn wants_json(self) -> bool {
        self == Self::CtxInvalid
    }
}

/// A value and headers.
pub(super) type Written = (Option<Vec<u8>>, Vec<(&'static str, Vec<u8>)>);

/// Bytes that are no event, of the kinds one meets.
pub(super) fn malformed(random: &mut Random) -> Written {
    let json = || vec![("content-type", b"application/json".to_vec())];
    let protobuf = || vec![("content-type", b"application/protobuf".to_vec())];
    match random.below(7) {
        0 => (Some(br#"{"type":"order.shipped","ctx":{"order":"#.to_vec()), json()),
        1 => (Some(br#"{"email":"ada@example.com"}"#.to_vec()), json()),
        2 => (Some(vec![0xff; 40]), protobuf()),
        3 => (Some(b"<event><type>order.shipped</type></event>".to_vec()), Vec::new()),
        4 => (Some(Vec::new()), json()),
        5 => (Some(b"{}".to_vec()), vec![("content-type", b"text/csv".to_vec())]),
        _ => (None, json()),
    }
}
