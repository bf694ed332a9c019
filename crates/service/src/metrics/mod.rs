//! Numbers for Prometheus. Whoever counts does so in atomics of their own, once for each batch; they
//! are read when somebody asks.

pub mod names;

mod lanes;
mod samples;

use std::sync::{Arc, PoisonError, RwLock};

use lane::LaneStatus;
use prometheus::TextEncoder;

pub use samples::Samples;

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// They could not be written as text.
    #[error("cannot write the metrics")]
    Text(#[source] prometheus::Error),
}

/// A part of the process that counts something.
pub trait MetricSource: Send + Sync {
    /// Says what it has counted until now. `now_ms` is milliseconds since the epoch.
    fn read(&self, now_ms: i64, samples: &mut Samples);
}

/// The metrics of a process: all its sources. Cheap to clone; all clones have the same.
#[derive(Clone, Default)]
pub struct Metrics {
    sources: Arc<RwLock<Vec<Arc<dyn MetricSource>>>>,
}

impl Metrics {
    /// The metrics of a process of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `source` from now on.
    pub fn watch(&self, source: Arc<dyn MetricSource>) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// Reads the counters of a lane from now on.
    pub fn watch_lane(&self, name: impl Into<String>, status: Arc<LaneStatus>) {
        self.watch(Arc::new(lanes::LaneSource::new(name.into(), status)));
    }

    /// Everything in Prometheus' text format. `now_ms` is milliseconds since the epoch.
    ///
    /// # Errors
    /// [`MetricsError::Text`].
    pub fn text(&self, now_ms: i64) -> Result<String, MetricsError> {
        let mut samples = Samples::default();
        samples.gauge(names::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
        for source in self.sources.read().unwrap_or_else(PoisonError::into_inner).iter() {
            source.read(now_ms, &mut samples);
        }
        TextEncoder::new().encode_to_string(&samples.families()).map_err(MetricsError::Text)
    }
}

#[cfg(test)]
mod tests;
