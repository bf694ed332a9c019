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
            .u64_observable_gauge(names::BUILD_INFO)
            .with_description("Always 1; the version is in the label.")
            .with_callback(move |observer| observer.observe(1, &version))
            .build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_pinned() {
        assert_eq!(
            names::ALL.join(" "),
            "bindery_build_info bindery_lane_phase bindery_lane_loop_age_seconds \
             bindery_lane_records_total bindery_lane_written_total bindery_lane_transactions_total \
             bindery_lane_producers_renewed_total bindery_lane_rebalances_total \
             bindery_lane_partitions bindery_lane_lag_records bindery_lane_lag_seconds"
        );
    }

    #[test]
    fn a_lane_appears_under_the_pinned_names() {
        let metrics = Metrics::new("example").unwrap();
        metrics.watch_lane("rt-0", LaneStatus::new());
        let text = metrics.text(0).unwrap();
        // A lane without partitions has no lag.
        let shown = names::ALL.iter().filter(|name| !name.contains("_lag_"));
        for name in shown {
            assert!(text.contains(&format!("\n{name}{{")), "{name} is not in\n{text}");
        }
        let phase = text.lines().find(|line| line.contains(r#"phase="starting""#)).unwrap();
        assert!(phase.contains(r#"lane="rt-0""#) && phase.ends_with(" 1"), "{phase}");
    }
}
