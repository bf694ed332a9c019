//! The events of the demo: realistic ones, and everything that goes wrong in practice, from a fixed
//! seed, so that what has to become of each is known beforehand.

use domain::{LaneKind, RejectionReason, Timestamp};

use super::case::Case;
use super::form::Form;
use super::random::Random;
use super::subject::Subject;

/// Of how many events one comes in real time.
const RT_SHARE: usize = 4;

/// All events of one run, by number.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    n_events: usize,
    seed: u64,
    now: Timestamp,
}

/// One record to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Its key, which carries the event's number: see [`number_of_key`].
    pub key: String,
    /// Its value; `None` is null.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The id that the event has of its own; `None`: it is named after where it is read.
    pub own_id: Option<String>,
    /// What has to become of it.
    pub expected: Expected,
}

/// What a decision has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Bound.
    Bound,
    /// Held for its scheduled time.
    Held,
    /// Expired.
    Expired,
    /// Not supported, for this reason; `Undecodable` is parked in `dead-letter` too.
    NotSupported(RejectionReason),
}

impl Traffic {
    /// `n_events` events that are sent at about `now`.
    pub fn new(n_events: usize, seed: u64, now: Timestamp) -> Self {
        Self { n_events, seed, now }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.n_events
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n_events == 0
    }

    /// The side that event `number` is sent to.
    pub fn lane(&self, number: usize) -> LaneKind {
        // Which of four moves on with every 200, so that each case comes by both sides.
        let is_rt = number % RT_SHARE == number / 200 % RT_SHARE;
        if is_rt { LaneKind::Rt } else { LaneKind::Batch }
    }

    /// The numbers of the events of one side, in the order they are sent.
    pub fn numbers(&self, lane: LaneKind) -> impl Iterator<Item = usize> + use<> {
        let traffic = *self;
        (0..self.n_events).filter(move |number| traffic.lane(*number) == lane)
    }

    /// What has to become of event `number`.
    pub fn expected(&self, number: usize) -> Expected {
        Case::of(number).expected()
    }

    /// The record of event `number`; always the same one.
    pub fn record(&self, number: usize) -> Outgoing {
        let mut random =
            Random::new(self.seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let case = Case::of(number);
        let subject = Subject::new(number, self.lane(number), case, self.now, &mut random);
        let form = if case.wants_json() { Form::Json } else { Form::any(&mut random) };
        let (value, headers) = if case == Case::Malformed {
            super::case::malformed(&mut random)
        } else {
            form.write(&subject)
        };
        Outgoing {
            key: key_of_number(number),
            value,
            headers,
            own_id: (case != Case::Malformed).then(|| form.event_id(&subject)).flatten(),
            expected: case.expected(),
        }
    }
}

/// The key of the record of event `number`.
fn key_of_number(number: usize) -> String {
    format!("customer-{number}")
}

/// The number of the event whose record has this key.
pub fn number_of_key(key: &[u8]) -> Option<usize> {
    std::str::from_utf8(key).ok()?.strip_prefix("customer-")?.parse().ok()
}

#[cfg(test)]
mod tests;
