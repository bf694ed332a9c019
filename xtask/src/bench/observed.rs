use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use kafka::{ClientSettings, GroupOnlooker};

use super::measured::Measured;
use super::usage::Usage;

/// How often the group is asked: often enough for runs of a second, seldom enough to cost nothing.
const LOOK: Duration = Duration::from_millis(20);
/// How long there may be no progress.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many records of a topic a group has committed. Offsets become visible with the transaction they
/// were sent in, so these are also the events whose output is visible.
pub(crate) struct Progress {
    onlooker: GroupOnlooker,
    topics: BTreeMap<String, i32>,
}

impl Progress {
    pub(crate) fn of(
        client: &ClientSettings,
        group: &str,
        topic: &str,
        partitions: i32,
    ) -> anyhow::Result<Self> {
        let topics = BTreeMap::from([(topic.to_owned(), partitions)]);
        Ok(Self { onlooker: GroupOnlooker::of(client, group)?, topics })
    }

    /// Counts offsets from 0 on: the topic was not written to in transactions.
    pub(crate) fn committed(&self) -> anyhow::Result<u64> {
        let committed = self.onlooker.committed(&self.topics)?;
        Ok(committed.values().map(|next| u64::try_from(next.get()).unwrap_or(0)).sum())
    }

    /// Waits until at least so many are committed; says how many were.
    pub(crate) fn wait_for(&self, records: u64) -> anyhow::Result<u64> {
        let mut last = (0, Instant::now());
        loop {
            let committed = self.committed()?;
            if committed >= records {
                return Ok(committed);
            }
            if committed > last.0 {
                last = (committed, Instant::now());
            }
            ensure!(
                last.1.elapsed() < PATIENCE,
                "{committed} of {records} records are committed and no more for {PATIENCE:?}"
            );
            std::thread::park_timeout(LOOK);
        }
    }
}

/// The state of things at one commit.
struct Mark {
    events: u64,
    at: Instant,
    cpu: f64,
    broker_cpu: f64,
}

/// Measures a process from its first commit to that of each of `loads` records, one after the other.
pub(super) fn observe<const N: usize>(
    progress: &Progress,
    process: u32,
    broker: u32,
    loads: [usize; N],
) -> anyhow::Result<[Measured; N]> {
    let (process, broker) = (Usage::of(process), Usage::of(broker));
    let mark = |events: u64| -> anyhow::Result<Mark> {
        let events = progress.wait_for(events)?;
        let (cpu, broker_cpu) = (process.cpu_seconds()?, broker.cpu_seconds()?);
        Ok(Mark { events, at: Instant::now(), cpu, broker_cpu })
    };
    let mut from = mark(1)?;
    let mut measured = Vec::with_capacity(N);
    for load in loads {
        let to = mark(load as u64)?;
        measured.push(Measured {
            events: to.events.saturating_sub(from.events).max(1),
            cpu_seconds: to.cpu - from.cpu,
            broker_cpu_seconds: to.broker_cpu - from.broker_cpu,
            wall_seconds: (to.at - from.at).as_secs_f64(),
            transactions: None,
            peak_mib: process.peak_mib()?,
        });
        from = to;
    }
    Ok(measured.try_into().expect("there is one figure for each load"))
}
