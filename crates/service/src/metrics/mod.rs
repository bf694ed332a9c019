//! Numbers for Prometheus. Lanes count in atomics of their own; they are read when somebody asks.

pub mod names;

mod lanes;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use lane::LaneStatus;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The exporter was not built.
    #[error("cannot start the metrics exporter")]
    Exporter(#[source] OTelSdkError),
    /// The registry could not be written as text.
    #[error("cannot write the metrics")]
    Text(#[source] prometheus::Error),
}

/// The metrics of a process.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
    lanes: Lanes,
    /// The time of the question being answered: instruments have no other way to learn it.
    now_ms: Arc<AtomicI64>,
}

type Lanes = Arc<RwLock<Vec<(String, Arc<LaneStatus>)>>>;

impl Metrics {
    /// The metrics of the process of `program`, with no lanes yet.
    ///
    /// # Errors
    /// [`MetricsError::Exporter`].
    pub fn new(program: &'static str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            // The names are exactly those of `names`.
            .without_counter_suffixes()
            .without_units()
            .without_target_info()
            .build()
            .map_err(MetricsError::Exporter)?;
        let provider = SdkMeterProvider::builder()
            .with_resource(Resource::builder().with_service_name(program).build())
            .with_reader(exporter)
            .build();
        let metrics = Self { registry, provider, lanes: Lanes::default(), now_ms: Arc::default() };
        metrics.build_info();
        lanes::observe(&metrics.meter(), &metrics.lanes, &metrics.now_ms);
        Ok(metrics)
    }

    /// Reads the counters of a lane from now on.
    pub fn watch_lane(&self, name: impl Into<String>, status: Arc<LaneStatus>) {
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        lanes.push((name.into(), status));
    }

    /// For instruments of the binary's own, named as they shall appear: `bindery_<noun>_<unit>`.
    pub fn meter(&self) -> Meter {
        self.provider.meter("bindery")
    }

    /// Everything in Prometheus' text format. `now_ms` is milliseconds since the epoch.
    ///
    /// # Errors
    /// [`MetricsError::Text`].
    pub fn text(&self, now_ms: i64) -> Result<String, MetricsError> {
        self.now_ms.store(now_ms, Ordering::Relaxed);
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(MetricsError::Text)
    }

    fn build_info(&self) {
        let version = [KeyValue::new("version", env!("CARGO_PKG_VERSION"))];
        self.meter()
            .u64_observable_gauge(names::BUILD_INFO.name)
            .with_description("Always 1; the version is in the label.")
            .with_callback(move |observer| observer.observe(1, &version))
            .build();
    }
}

#[cfg(test)]
mod tests;
