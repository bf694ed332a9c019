use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};

use lane::{LaneStatus, Phase};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::{Lanes, names};

/// Every phase with its label.
const PHASES: [(Phase, &str); 6] = [
    (Phase::Starting, "starting"),
    (Phase::Running, "running"),
    (Phase::Recovering, "recovering"),
    (Phase::Draining, "draining"),
    (Phase::Ended, "ended"),
    (Phase::Failed, "failed"),
];

/// A number of a lane that only grows.
struct Count {
    name: &'static str,
    description: &'static str,
    labels: &'static [(&'static str, &'static str)],
    read: fn(&LaneStatus) -> u64,
}

const COUNTS: [Count; 6] = [
    Count {
        name: names::LANE_RECORDS_TOTAL.name,
        description: "Records whose answers are committed.",
        labels: &[],
        read: LaneStatus::records,
    },
    Count {
        name: names::LANE_WRITTEN_TOTAL.name,
        description: "Records written and committed.",
        labels: &[],
        read: LaneStatus::written,
    },
    Count {
        name: names::LANE_TRANSACTIONS_TOTAL.name,
        description: "Transactions ended.",
        labels: &[("outcome", "committed")],
        read: LaneStatus::transactions_committed,
    },
    Count {
        name: names::LANE_TRANSACTIONS_TOTAL.name,
        description: "Transactions ended.",
        labels: &[("outcome", "aborted")],
        read: LaneStatus::transactions_aborted,
    },
    Count {
        name: names::LANE_PRODUCERS_RENEWED_TOTAL.name,
        description: "Producers made anew because the outcome of a transaction was unknown.",
        labels: &[],
        read: LaneStatus::producers_renewed,
    },
    Count {
        name: names::LANE_REBALANCES_TOTAL.name,
        description: "Times partitions were assigned or revoked.",
        labels: &[],
        read: LaneStatus::rebalances,
    },
];

/// Makes the instruments, which read all `lanes` whenever somebody asks.
pub(super) fn observe(meter: &Meter, lanes: &Lanes, now_ms: &Arc<AtomicI64>) {
    observe_counts(meter, lanes);
    observe_state(meter, lanes, now_ms);
    observe_lag(meter, lanes);
}

fn observe_counts(meter: &Meter, lanes: &Lanes) {
    // Two instruments of one name would be a conflict: one reads all counts of its name.
    for (at, count) in COUNTS.iter().enumerate() {
        if COUNTS[..at].iter().any(|earlier| earlier.name == count.name) {
            continue;
        }
        let lanes = Arc::clone(lanes);
        meter
            .u64_observable_counter(count.name)
            .with_description(count.description)
            .with_callback(move |observer| {
                for reading in COUNTS.iter().filter(|reading| reading.name == count.name) {
                    each(&lanes, |lane, status| {
                        let labels = reading.labels.iter();
                        let labels = labels.map(|(name, value)| KeyValue::new(*name, *value));
                        let labels: Vec<_> = labels.chain([label(lane)]).collect();
                        observer.observe((reading.read)(status), &labels);
                    });
                }
            })
            .build();
    }
}

fn observe_state(meter: &Meter, lanes: &Lanes, now_ms: &Arc<AtomicI64>) {
    let of_phase = Arc::clone(lanes);
    meter
        .u64_observable_gauge(names::LANE_PHASE.name)
        .with_description("1 for the phase a lane is in.")
        .with_callback(move |observer| {
            each(&of_phase, |lane, status| {
                let phase = status.phase();
                for (candidate, name) in PHASES {
                    let labels = [label(lane), KeyValue::new("phase", name)];
                    observer.observe(u64::from(candidate == phase), &labels);
                }
            });
        })
        .build();
    let (of_age, now_ms) = (Arc::clone(lanes), Arc::clone(now_ms));
    meter
        .f64_observable_gauge(names::LANE_LOOP_AGE_SECONDS.name)
        .with_description("Seconds since the lane's loop last came round.")
        .with_callback(move |observer| {
            each(&of_age, |lane, status| observe_age(observer, lane, status, &now_ms));
        })
        .build();
    let of_partitions = Arc::clone(lanes);
    meter
        .u64_observable_gauge(names::LANE_PARTITIONS.name)
        .with_description("Partitions the lane has.")
        .with_callback(move |observer| {
            each(&of_partitions, |lane, status| {
                observer.observe(status.partitions().len() as u64, &[label(lane)]);
            });
        })
        .build();
}

fn observe_age(
    observer: &dyn AsyncInstrument<f64>,
    lane: &str,
    status: &LaneStatus,
    now_ms: &AtomicI64,
) {
    let last = status.last_turn_ms();
    // Before the first turn there is no age.
    let since = if last == 0 { 0 } else { now_ms.load(Ordering::Relaxed).saturating_sub(last) };
    observer.observe(seconds(u64::try_from(since).unwrap_or(0)), &[label(lane)]);
}

fn observe_lag(meter: &Meter, lanes: &Lanes) {
    let of_records = Arc::clone(lanes);
    meter
        .u64_observable_gauge(names::LANE_LAG_RECORDS.name)
        .with_description("Records of a partition not committed yet.")
        .with_callback(move |observer| {
            each_partition(&of_records, |labels, lag| observer.observe(lag.records, labels));
        })
        .build();
    let of_seconds = Arc::clone(lanes);
    meter
        .f64_observable_gauge(names::LANE_LAG_SECONDS.name)
        .with_description("Age of the last committed record while records wait.")
        .with_callback(move |observer| {
            each_partition(&of_seconds, |labels, lag| {
                observer.observe(seconds(lag.age_ms), labels);
            });
        })
        .build();
}

fn each(lanes: &Lanes, mut read: impl FnMut(&str, &LaneStatus)) {
    for (lane, status) in lanes.read().unwrap_or_else(PoisonError::into_inner).iter() {
        read(lane, status);
    }
}

fn each_partition(lanes: &Lanes, mut read: impl FnMut(&[KeyValue], lane::PartitionLag)) {
    each(lanes, |lane, status| {
        for (partition, lag) in status.partitions() {
            let labels = [
                label(lane),
                KeyValue::new("topic", partition.topic.to_string()),
                KeyValue::new("partition", i64::from(partition.partition)),
            ];
            read(&labels, lag);
        }
    });
}

fn label(lane: &str) -> KeyValue {
    KeyValue::new("lane", lane.to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "exact below 285,000 years of milliseconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
