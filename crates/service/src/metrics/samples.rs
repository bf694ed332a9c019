use std::collections::BTreeMap;

use lane::HistogramReading;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Sample, MetricFamily, MetricType,
};

use super::names::{Kind, Metric};

/// What all sources say at one moment, by metric.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<&'static str, Family>);

#[derive(Debug)]
struct Family {
    metric: Metric,
    samples: Vec<Sample>,
}

impl Samples {
    /// The value of a counter. `labels` are the values of the metric's labels, in their order.
    pub fn counter(&mut self, metric: Metric, labels: &[&str], value: u64) {
        debug_assert_eq!(metric.kind, Kind::Counter, "{}", metric.name);
        let mut counter = Counter::default();
        counter.set_value(float(value));
        self.push(metric, labels, |sample| sample.set_counter(counter));
    }

    /// The value of a gauge. `labels` as in [`Samples::counter`].
    pub fn gauge(&mut self, metric: Metric, labels: &[&str], value: f64) {
        debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        self.push(metric, labels, |sample| sample.set_gauge(gauge));
    }

    /// The counts of a histogram. `labels` as in [`Samples::counter`].
    pub fn histogram(&mut self, metric: Metric, labels: &[&str], reading: &HistogramReading) {
        debug_assert_eq!(metric.kind, Kind::Histogram, "{}", metric.name);
        let per_unit = f64::from(reading.buckets.per_unit);
        let mut cumulative = 0;
        let bucket = |(bound, count): (&u64, &u64)| {
            cumulative += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(float(*bound) / per_unit);
            bucket.set_cumulative_count(cumulative);
            bucket
        };
        let buckets = reading.buckets.bounds.iter().zip(&reading.counts).map(bucket).collect();
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(reading.count());
        histogram.set_sample_sum(float(reading.sum) / per_unit);
        self.push(metric, labels, |sample| sample.set_histogram(histogram));
    }

    fn push(&mut self, metric: Metric, labels: &[&str], set: impl FnOnce(&mut Sample)) {
        assert_eq!(metric.labels.len(), labels.len(), "the labels of {}", metric.name);
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        // To Prometheus an empty label is no label.
        let given = metric.labels.iter().zip(labels).filter(|(_, value)| !value.is_empty());
        let mut sample = Sample::from_label(given.map(pair).collect());
        set(&mut sample);
        let family = self.0.entry(metric.name);
        family.or_insert(Family { metric, samples: Vec::new() }).samples.push(sample);
    }

    pub(super) fn families(self) -> Vec<MetricFamily> {
        let family = |Family { metric, samples }: Family| {
            let mut family = MetricFamily::default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            family.set_field_type(match metric.kind {
                Kind::Counter => MetricType::COUNTER,
                Kind::Gauge => MetricType::GAUGE,
                Kind::Histogram => MetricType::HISTOGRAM,
            });
            family.set_metric(samples);
            family
        };
        self.0.into_values().map(family).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which nothing here comes near")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}
