use serde::{Deserialize, Serialize};

/// What one measured process came to, between two of its commits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) events: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) broker_cpu_seconds: f64,
    pub(crate) wall_seconds: f64,
    /// Transactions, where the process counts them.
    pub(crate) transactions: Option<u64>,
    pub(crate) peak_mib: f64,
}

impl Measured {
    /// CPU of the process for each event, in µs.
    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu_seconds * 1e6 / count(self.events)
    }

    /// CPU of the broker for each event, in µs.
    pub(crate) fn broker_micros(&self) -> f64 {
        self.broker_cpu_seconds * 1e6 / count(self.events)
    }

    /// Events in a second of the clock.
    pub(crate) fn rate(&self) -> f64 {
        count(self.events) / self.wall_seconds
    }

    /// Events in a transaction.
    pub(crate) fn per_transaction(&self) -> Option<f64> {
        Some(count(self.events) / count(self.transactions?.max(1)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn count(events: u64) -> f64 {
    events as f64
}
