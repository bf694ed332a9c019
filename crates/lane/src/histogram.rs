use std::sync::atomic::{AtomicU64, Ordering};

/// The upper bounds of a histogram, and its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Inclusive upper bounds, in ascending order; above the last there is one bucket more.
    pub bounds: &'static [u64],
    /// How many of what is recorded make one of what is shown: 1,000 where milliseconds are recorded
    /// and seconds shown.
    pub per_unit: u32,
}

/// Counts of values by upper bound. One thread records, anybody reads.
///
/// Values are integers and a record is three relaxed additions, so that a lane may record for every
/// batch. What has a value for every record is gathered in a [`Tally`] first.
#[derive(Debug)]
pub struct Histogram {
    buckets: Buckets,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A [`Histogram`] as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramReading {
    /// Its bounds and unit.
    pub buckets: Buckets,
    /// How many values there were in each bucket, the one above the last bound included.
    pub counts: Vec<u64>,
    /// All values together, as recorded.
    pub sum: u64,
}

impl HistogramReading {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Buckets {
    /// The most bounds there may be.
    pub const BOUNDS_MAX: usize = 31;

    fn index(self, value: u64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }
}

impl Histogram {
    /// One without values.
    ///
    /// # Panics
    /// With more bounds than [`Buckets::BOUNDS_MAX`].
    pub fn new(buckets: Buckets) -> Self {
        assert!(buckets.bounds.len() <= Buckets::BOUNDS_MAX, "a histogram has few bounds");
        let counts = (0..=buckets.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, counts, sum: AtomicU64::new(0) }
    }

    /// One value more.
    pub fn record(&self, value: u64) {
        self.counts[self.buckets.index(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// An empty tally of values for this histogram.
    pub fn tally(&self) -> Tally {
        Tally { buckets: self.buckets, counts: [0; Buckets::BOUNDS_MAX + 1], sum: 0, last: None }
    }

    /// All values of `tally` more.
    pub fn add(&self, tally: &Tally) {
        for (total, more) in self.counts.iter().zip(tally.counts) {
            if more > 0 {
                total.fetch_add(more, Ordering::Relaxed);
            }
        }
        self.sum.fetch_add(tally.sum, Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn read(&self) -> HistogramReading {
        HistogramReading {
            buckets: self.buckets,
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

/// Values on their way into a [`Histogram`], counted in plain integers.
#[derive(Clone, Debug)]
pub struct Tally {
    buckets: Buckets,
    counts: [u64; Buckets::BOUNDS_MAX + 1],
    sum: u64,
    /// The last value and its bucket: values of neighbours are often the same.
    last: Option<(u64, usize)>,
}

impl Tally {
    /// One value more.
    pub fn record(&mut self, value: u64) {
        let index = match self.last {
            Some((last, index)) if last == value => index,
            Some(_) | None => self.buckets.index(value),
        };
        self.last = Some((value, index));
        self.counts[index] += 1;
        self.sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: Buckets = Buckets { bounds: &[10, 20], per_unit: 1 };

    /// Values in, the counts of the buckets out, recorded one by one and through a tally.
    #[track_caller]
    fn check(values: &[u64], counts: [u64; 3]) {
        let (one_by_one, together) = (Histogram::new(BUCKETS), Histogram::new(BUCKETS));
        let mut tally = together.tally();
        for value in values {
            one_by_one.record(*value);
            tally.record(*value);
        }
        together.add(&tally);
        let sum = values.iter().sum();
        let expected = HistogramReading { buckets: BUCKETS, counts: counts.into(), sum };
        assert_eq!((one_by_one.read(), together.read()), (expected.clone(), expected));
    }

    #[test]
    fn a_value_is_counted_below_the_first_bound_that_is_no_less() {
        check(&[], [0, 0, 0]);
        check(&[0, 10, 11, 20, 21, 21, 21, 9], [3, 2, 3]);
    }
}
