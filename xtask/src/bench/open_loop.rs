use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use kafka::{ClientSettings, NextOffset, ReadEvent, Reader, Sender};
use wire::Format;

use super::load;
use super::report::percentile;

/// A generator that sends at intended times, whatever became of what it sent before.
#[derive(Args, Clone, Debug)]
pub(crate) struct OpenLoop {
    /// Events per second.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) rate: usize,
    /// Seconds that are not measured.
    #[arg(long, default_value_t = 5)]
    pub(crate) warm_up_seconds: usize,
    /// The generator's own `linger.ms`; at 5,000 events/s 0 makes the generator the bottleneck.
    #[arg(long, default_value_t = 0)]
    pub(crate) generator_linger_ms: u64,
}

/// What is sent where, and where it becomes visible.
pub(crate) struct Line<'a> {
    pub(crate) client: &'a ClientSettings,
    pub(crate) topic: &'a str,
    pub(crate) watched: &'a str,
    pub(crate) partitions: i32,
}

/// When events become visible, each counted from its intended time.
pub(crate) struct Latencies {
    first: Instant,
    interval: Duration,
    /// In ms; `None` for what never came.
    by_number: Vec<Option<f64>>,
}

/// p50 and p99, in ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Latencies {
    /// Of the events whose intended times lie between these.
    pub(crate) fn between(&self, from: Instant, to: Instant) -> anyhow::Result<Percentiles> {
        let intended = (0..).map(|number| self.first + self.interval * number);
        let of_time = intended.zip(&self.by_number).filter(|(at, _)| (from..to).contains(at));
        let mut figures: Vec<f64> = of_time.filter_map(|(_, latency)| *latency).collect();
        figures.sort_by(f64::total_cmp);
        anyhow::ensure!(!figures.is_empty(), "nothing became visible in the time measured");
        Ok(Percentiles { p50: percentile(&figures, 50), p99: percentile(&figures, 99) })
    }
}

impl OpenLoop {
    /// Sends for `seconds` after the warm-up, and reads what becomes visible on a thread of its own.
    /// `meanwhile` runs on another, told when the measured time begins.
    pub(crate) fn drive<T: Send>(
        &self,
        line: &Line<'_>,
        seconds: usize,
        meanwhile: impl FnOnce(Instant) -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<(Latencies, T)> {
        let n = self.rate * (self.warm_up_seconds + seconds);
        let interval = Duration::from_secs(1) / u32::try_from(self.rate)?;
        let positions: Vec<_> = (0..line.partitions).map(|one| (one, NextOffset::START)).collect();
        let linger = self.generator_linger_ms.to_string();
        let sender = Sender::new(line.client, &[("linger.ms", &linger)])?;
        prime(&sender, line, &positions)?;
        let events: Vec<_> = (0..n).map(|number| load::event(number, Format::Protobuf)).collect();
        let first = Instant::now() + Duration::from_millis(200);
        let intended = |number: usize| first + interval * u32::try_from(number).unwrap_or(u32::MAX);
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| read(line, &positions, n, &intended));
            let measured_from = intended(self.rate * self.warm_up_seconds);
            let meanwhile = scope.spawn(move || meanwhile(measured_from));
            for (number, value) in events.iter().enumerate() {
                let wait = intended(number).saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    std::thread::park_timeout(wait);
                }
                let key = format!("customer-{}", number % 1000);
                sender.send(
                    line.topic,
                    None,
                    Some(key.as_bytes()),
                    Some(value),
                    &[CONTENT_TYPE],
                )?;
            }
            let by_number = reading.join().expect("the reader does not panic")?;
            let other = meanwhile.join().expect("what runs meanwhile does not panic")?;
            Ok((Latencies { first, interval, by_number }, other))
        })
    }
}

const CONTENT_TYPE: (&str, &[u8]) = ("content-type", b"application/protobuf");

/// Sends one event and waits until it is through, so that no start-up is measured.
fn prime(sender: &Sender, line: &Line<'_>, positions: &[(i32, NextOffset)]) -> anyhow::Result<()> {
    let value = load::event(1_000_000_000, Format::Protobuf);
    sender.send(line.topic, None, Some(b"prime"), Some(&value), &[CONTENT_TYPE])?;
    let reader = Reader::open(line.client, line.watched, positions)?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(ReadEvent::Record(_)) = reader.poll(Duration::from_millis(100))? {
            return Ok(());
        }
    }
    anyhow::bail!("nothing came through to `{}` within 60 s", line.watched)
}

/// The latency of each event that becomes visible, in ms, by its number.
fn read(
    line: &Line<'_>,
    positions: &[(i32, NextOffset)],
    n: usize,
    intended: &(impl Fn(usize) -> Instant + Sync),
) -> anyhow::Result<Vec<Option<f64>>> {
    let low_latency = [("fetch.wait.max.ms", "500"), ("fetch.min.bytes", "1")];
    let reader = Reader::open_with(line.client, line.watched, positions, &low_latency)?;
    let mut latencies = vec![None; n];
    let mut n_seen = 0;
    // One event in a thousand has no template and never becomes an assignment.
    let n_expected = n - n / 1000;
    let mut quiet_since = Instant::now();
    while n_seen < n_expected && quiet_since.elapsed() < Duration::from_secs(15) {
        let Some(ReadEvent::Record(record)) = reader.poll(Duration::from_millis(100))? else {
            continue;
        };
        let now = Instant::now();
        quiet_since = now;
        let value = record.value().context("a record without a value")?;
        let Some(number) = number_in(value).filter(|number| *number < n) else { continue };
        n_seen += 1;
        latencies[number] =
            Some(now.saturating_duration_since(intended(number)).as_secs_f64() * 1e3);
    }
    Ok(latencies)
}

/// The number in the first event id that stands in `value`, whatever the format.
fn number_in(value: &[u8]) -> Option<usize> {
    let start = value.windows(4).position(|window| window == b"evt-")? + 4;
    std::str::from_utf8(value.get(start..start + 12)?).ok()?.parse().ok()
}
