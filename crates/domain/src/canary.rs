use crate::{EventId, Template, TemplateVersion};

impl Template {
    /// The version that `event` gets: the canary for the percentage it takes, else the stable one.
    pub fn version_for(&self, event: &EventId<'_>) -> TemplateVersion {
        match self.canary {
            Some(canary) if percentile(event) < u64::from(canary.percentage) => canary.version,
            Some(_) | None => self.stable,
        }
    }
}

/// Where an event stands among a hundred, 0 to 99: FNV-1a of 64 bits over the bytes of its id,
/// mixed by the finaliser of MurmurHash3, modulo 100.
///
/// Must never change: the same event has to come to the same version at every attempt, from every
/// instance and after every upgrade, and raising a percentage must keep those who had the canary.
fn percentile(event: &EventId<'_>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in event.as_str().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV's low bits are those of a few bytes only; modulo would see little else.
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash ^ (hash >> 33)) % 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &str, expected: u64) {
        assert_eq!(percentile(&EventId::new(event).unwrap()), expected, "event `{event}`");
    }

    #[test]
    fn an_event_stands_where_it_always_stood() {
        check("a", 15);
        check("event-1", 58);
        check("event-2", 62);
        check("order-1", 57);
        check("order-7", 90);
        check("https://shop.example#42", 84);
        check("0191f0c2-6f7a-7cc3-98c5-2f2b9d3c4e5f", 6);
        check("é", 43);
        check("ключ", 21);
    }

    #[test]
    fn a_percentage_takes_about_that_many() {
        let mut counts = [0_u32; 100];
        for number in 0..100_000 {
            let id = EventId::new(format!("order-{number}")).unwrap();
            counts[usize::try_from(percentile(&id)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
