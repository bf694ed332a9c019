//! What becomes of each message. A real service asks its provider; this one decides by a hash of
//! the assignment's id, so that a run can be repeated.

/// How many of a thousand assignments go which way; the rest is sent and that is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Not sent on purpose.
    pub ignored: u32,
    /// Refused by the provider.
    pub failed: u32,
    /// Sent, and some time later reported as undeliverable.
    pub bounced_late: u32,
    /// Sent, and reported twice.
    pub reported_twice: u32,
    /// Failed, and the report that it was sent comes after that.
    pub out_of_order: u32,
    /// Taken by the provider, who never says how it ended.
    pub still_out: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            ignored: 30,
            failed: 40,
            bounced_late: 30,
            reported_twice: 50,
            out_of_order: 20,
            still_out: 30,
        }
    }
}

/// The way one assignment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Sent.
    Sent,
    /// Not sent on purpose.
    Ignored,
    /// Refused by the provider.
    Failed,
    /// Sent, and bounced later.
    BouncedLate,
    /// Sent, reported twice.
    ReportedTwice,
    /// Failed; the report of the sending follows the report of the failure.
    OutOfOrder,
    /// Accepted, and never heard of again.
    StillOut,
}

impl Mix {
    /// The way of the assignment with this id; always the same one.
    pub fn fate(&self, assignment_id: &str) -> Fate {
        let mut drawn = fnv1a(assignment_id.as_bytes()) % 1000;
        let shares = [
            (self.ignored, Fate::Ignored),
            (self.failed, Fate::Failed),
            (self.bounced_late, Fate::BouncedLate),
            (self.reported_twice, Fate::ReportedTwice),
            (self.out_of_order, Fate::OutOfOrder),
            (self.still_out, Fate::StillOut),
        ];
        for (share, fate) in shares {
            if drawn < u64::from(share) {
                return fate;
            }
            drawn -= u64::from(share);
        }
        Fate::Sent
    }
}

/// FNV-1a, mixed once more: its low digits alone follow the last bytes of an id too closely.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_kept_and_repeat() {
        let mix = Mix::default();
        let drawn: Vec<Fate> = (0..10_000).map(|n| mix.fate(&format!("order-{n}:1"))).collect();
        let again: Vec<Fate> = (0..10_000).map(|n| mix.fate(&format!("order-{n}:1"))).collect();
        assert_eq!(drawn, again);
        let failed = drawn.iter().filter(|fate| **fate == Fate::Failed).count();
        assert!((300..500).contains(&failed), "{failed} of 10,000 failed instead of about 400");
        let sent = drawn.iter().filter(|fate| **fate == Fate::Sent).count();
        assert!((7_700..8_300).contains(&sent), "{sent} of 10,000 sent instead of about 8,000");
    }

    #[test]
    fn a_mix_of_nothing_sends_everything() {
        let mix = Mix {
            ignored: 0,
            failed: 0,
            bounced_late: 0,
            reported_twice: 0,
            out_of_order: 0,
            still_out: 0,
        };
        assert!((0..1000).all(|n| mix.fate(&n.to_string()) == Fate::Sent));
    }
}
