//! Between lanes and the receiver: a queue that never makes anybody wait, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

/// How long a span waits at most while few come.
const DELAY: Duration = Duration::from_secs(1);
/// Most spans in one request.
const EXPORT_MAX: usize = 512;

/// What became of spans so far.
#[derive(Debug, Default)]
pub(super) struct SpanCounts {
    queued: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl SpanCounts {
    /// Each outcome by its stable word.
    pub(super) fn outcomes(&self) -> [(&'static str, u64); 3] {
        [
            ("exported", self.exported.load(Ordering::Relaxed)),
            ("failed", self.failed.load(Ordering::Relaxed)),
            ("dropped", self.dropped.load(Ordering::Relaxed)),
        ]
    }

    pub(super) fn drop_spans(&self, n: u64) {
        self.dropped.fetch_add(n, Ordering::Relaxed);
    }
}

/// Refuses spans while too many wait. The library's own queue drops silently.
#[derive(Debug)]
pub(super) struct BoundedQueue {
    inner: BatchSpanProcessor,
    counts: Arc<SpanCounts>,
    spans_max: u64,
}

impl BoundedQueue {
    pub(super) fn new(
        exporter: impl SpanExporter + 'static,
        spans_max: usize,
        counts: &Arc<SpanCounts>,
    ) -> Self {
        let config = BatchConfigBuilder::default()
            // The library's queue is never the first to be full.
            .with_max_queue_size(spans_max + EXPORT_MAX)
            .with_max_export_batch_size(EXPORT_MAX)
            .with_scheduled_delay(DELAY)
            .build();
        let counting = Counting { inner: exporter, counts: Arc::clone(counts) };
        Self {
            inner: BatchSpanProcessor::builder(counting).with_batch_config(config).build(),
            counts: Arc::clone(counts),
            spans_max: spans_max as u64,
        }
    }
}

impl SpanProcessor for BoundedQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.counts.queued.fetch_add(1, Ordering::Relaxed) >= self.spans_max {
            self.counts.queued.fetch_sub(1, Ordering::Relaxed);
            self.counts.drop_spans(1);
        } else {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Counts what an exporter comes to.
#[derive(Debug)]
struct Counting<E> {
    inner: E,
    counts: Arc<SpanCounts>,
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let n = batch.len() as u64;
        let exported = self.inner.export(batch).await;
        // Until now they took memory.
        self.counts.queued.fetch_sub(n, Ordering::Relaxed);
        let outcome = if exported.is_ok() { &self.counts.exported } else { &self.counts.failed };
        outcome.fetch_add(n, Ordering::Relaxed);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
