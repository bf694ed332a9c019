//! Spans over OTLP: one for each transaction, and one for each record whose own trace is sampled.
//!
//! Lanes make them after a transaction has ended, from what it reported; nothing is made for a record
//! that nobody asked to trace. Exporting is the matter of a thread of its own, behind a queue with a
//! bound.

mod attributes;
mod client;
mod lane;
mod queue;
mod settings;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{info, warn};

use crate::metrics::{MetricSource, Samples, names};
use client::OnRuntime;
use queue::{BoundedQueue, SpanCounts};

pub use self::lane::LaneTraces;
pub use settings::{OtlpSettings, TelemetrySettings};

/// Where the spans of a process go. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    exporting: Option<Arc<Exporting>>,
    counts: Arc<SpanCounts>,
}

#[derive(Debug)]
struct Exporting {
    provider: SdkTracerProvider,
    /// Does the exporter's HTTP.
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
    timeout: Duration,
}

/// Why there are no spans.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The endpoint cannot be used.
    #[error("{0}")]
    Endpoint(String),
    /// The exporter was not built.
    #[error("cannot start the exporter of spans")]
    Exporter(#[source] ExporterBuildError),
    /// The system gives no thread.
    #[error("cannot start the exporter of spans")]
    Thread(#[source] std::io::Error),
}

impl Traces {
    /// No spans at all.
    pub fn off() -> Self {
        Self::default()
    }

    /// Exports the spans of the process of `program` as `settings` say; off where they name no
    /// endpoint. A receiver that is not there is no error: it may come.
    ///
    /// # Errors
    /// [`TracesError`].
    pub fn start(program: &'static str, settings: &TelemetrySettings) -> Result<Self, TracesError> {
        let otlp = &settings.otlp;
        let Some(url) = otlp.url().map_err(TracesError::Endpoint)? else {
            return Ok(Self::off());
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("spans")
            .enable_all()
            .build()
            .map_err(TracesError::Thread)?;
        let client = OnRuntime {
            handle: runtime.handle().clone(),
            client: HyperClient::with_default_connector(otlp.timeout(), None),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(&url)
            .with_timeout(otlp.timeout())
            .build()
            .map_err(TracesError::Exporter)?;
        let counts = Arc::new(SpanCounts::default());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BoundedQueue::new(exporter, otlp.queue_spans, &counts))
            .with_resource(resource(program))
            .with_max_links_per_span(lane::LINKS_MAX)
            .build();
        info!(endpoint = url, "spans are exported");
        let runtime = Mutex::new(Some(runtime));
        let exporting = Exporting { provider, runtime, timeout: otlp.timeout() };
        Ok(Self { exporting: Some(Arc::new(exporting)), counts })
    }

    /// For one lane's handler.
    pub fn lane(&self) -> LaneTraces {
        let tracer = self.exporting.as_ref().map(|exporting| exporting.provider.tracer("bindery"));
        LaneTraces::new(tracer, Arc::clone(&self.counts))
    }

    /// Exports what waits, for as long as one export may take, and ends. What is left is lost.
    pub fn shutdown(&self) {
        let Some(exporting) = &self.exporting else { return };
        if let Err(error) = exporting.provider.shutdown_with_timeout(exporting.timeout) {
            warn!(%error, "not all spans were exported");
        }
        let mut runtime = exporting.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            // A name may be being looked up, which nothing can interrupt.
            runtime.shutdown_background();
        }
    }
}

impl MetricSource for Traces {
    fn read(&self, _: i64, samples: &mut Samples) {
        for (outcome, spans) in self.counts.outcomes() {
            samples.counter(names::SPANS_TOTAL, &[outcome], spans);
        }
    }
}

/// What all spans of the process have in common; `OTEL_RESOURCE_ATTRIBUTES` adds to it.
fn resource(program: &'static str) -> Resource {
    Resource::builder()
        .with_service_name(program)
        .with_attribute(KeyValue::new("service.namespace", "bindery"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

#[cfg(test)]
mod tests;
