//! Every metric of the processes: its name, type and labels. Dashboards and alerts are written against
//! them, and `docs/metrics.md` says what each one means and what to do about it.
//!
//! Names are OpenTelemetry's where its messaging conventions have one, in the form Prometheus gives
//! them, and `bindery_<noun>_<unit>` otherwise.

use Kind::{Counter, Gauge, Histogram};

/// A metric: what it is called and how it is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it is to be read.
    pub kind: Kind,
    /// The names of its labels, in the order their values are given.
    pub labels: &'static [&'static str],
    /// What it counts, in a sentence.
    pub help: &'static str,
}

/// How a metric is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process ends: take its rate.
    Counter,
    /// It is as it is now.
    Gauge,
    /// Counts by upper bound: take quantiles, or the share below a bound.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        }
    }
}

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

const OF_LANE: &[&str] = &["lane"];
const OF_PARTITION: &[&str] = &["lane", "topic", "partition"];

/// The version, in a label.
pub const BUILD_INFO: Metric =
    metric("bindery_build_info", Gauge, &["version"], "Always 1; the version is in the label.");

/// What a lane is doing.
pub const LANE_PHASE: Metric = metric(
    "bindery_lane_phase",
    Gauge,
    &["lane", "phase"],
    "1 for the phase a lane is in, 0 for the others.",
);
/// Which client writes a lane's transactions.
pub const LANE_CLIENT: Metric = metric(
    "bindery_lane_client",
    Gauge,
    &["lane", "client"],
    "1 for the client that writes the lane's transactions.",
);
/// Whether a lane's loop goes round.
pub const LANE_LOOP_AGE_SECONDS: Metric = metric(
    "bindery_lane_loop_age_seconds",
    Gauge,
    OF_LANE,
    "Seconds since the lane's loop last came round.",
);
/// How many partitions a lane has.
pub const LANE_PARTITIONS: Metric =
    metric("bindery_lane_partitions", Gauge, OF_LANE, "Partitions the lane has.");
/// What a lane has answered.
pub const LANE_RECORDS_TOTAL: Metric =
    metric("bindery_lane_records_total", Counter, OF_LANE, "Records whose answers are committed.");
/// What a lane has written.
pub const LANE_WRITTEN_TOTAL: Metric =
    metric("bindery_lane_written_total", Counter, OF_LANE, "Records written and committed.");
/// How transactions ended.
pub const LANE_TRANSACTIONS_TOTAL: Metric = metric(
    "bindery_lane_transactions_total",
    Counter,
    &["lane", "outcome"],
    "Transactions ended, by how.",
);
/// How often nobody knew how a transaction ended.
pub const LANE_PRODUCERS_RENEWED_TOTAL: Metric = metric(
    "bindery_lane_producers_renewed_total",
    Counter,
    &["lane", "reason"],
    "Producers made anew because the outcome of a transaction was unknown, by why.",
);
/// How often partitions came and went.
pub const LANE_REBALANCES_TOTAL: Metric = metric(
    "bindery_lane_rebalances_total",
    Counter,
    &["lane", "kind"],
    "Times partitions were assigned, revoked or lost.",
);
/// How far a lane is behind, in records.
pub const LANE_LAG_RECORDS: Metric = metric(
    "bindery_lane_lag_records",
    Gauge,
    OF_PARTITION,
    "Records of a partition not committed yet.",
);
/// How far a lane is behind, in time.
pub const LANE_LAG_SECONDS: Metric = metric(
    "bindery_lane_lag_seconds",
    Gauge,
    OF_PARTITION,
    "Age of the last committed record while records wait.",
);
/// What open transactions of others hide from a lane.
pub const LANE_LSO_GAP_RECORDS: Metric = metric(
    "bindery_lane_lso_gap_records",
    Gauge,
    OF_PARTITION,
    "Records behind a transaction that is still open, which no read_committed reader gets.",
);
/// How far a lane has come.
pub const LANE_COMMITTED_OFFSET: Metric = metric(
    "bindery_lane_committed_offset",
    Gauge,
    OF_PARTITION,
    "The next offset the lane has committed since it has the partition.",
);

/// How many records a transaction answers.
pub const BATCH_RECORDS: Metric =
    metric("bindery_batch_records", Histogram, OF_LANE, "Records answered in one transaction.");
/// How many bytes a transaction answers.
pub const BATCH_BYTES: Metric = metric(
    "bindery_batch_bytes",
    Histogram,
    OF_LANE,
    "Bytes of keys and values answered in one transaction.",
);
/// Where the time of a transaction goes.
pub const TRANSACTION_PHASE_DURATION_SECONDS: Metric = metric(
    "bindery_transaction_phase_duration_seconds",
    Histogram,
    &["lane", "phase"],
    "What each phase of a committed transaction took.",
);
/// From a record's timestamp to the commit of its answer.
pub const END_TO_END_LATENCY_SECONDS: Metric = metric(
    "bindery_end_to_end_latency_seconds",
    Histogram,
    OF_LANE,
    "From a record's timestamp to the commit of its answers.",
);

/// OpenTelemetry's count of what a consumer was given.
pub const CONSUMED_MESSAGES_TOTAL: Metric = metric(
    "messaging_client_consumed_messages_total",
    Counter,
    &[
        "messaging_system",
        "messaging_operation_name",
        "messaging_destination_name",
        "messaging_consumer_group_name",
        "messaging_client_id",
    ],
    "Records read and answered, each once.",
);
/// OpenTelemetry's count of what a producer sent.
pub const SENT_MESSAGES_TOTAL: Metric = metric(
    "messaging_client_sent_messages_total",
    Counter,
    &[
        "messaging_system",
        "messaging_operation_name",
        "messaging_destination_name",
        "messaging_client_id",
    ],
    "Records sent in transactions that were committed.",
);
/// OpenTelemetry's duration of what is done with a batch.
pub const PROCESS_DURATION_SECONDS: Metric = metric(
    "messaging_process_duration_seconds",
    Histogram,
    &[
        "messaging_system",
        "messaging_operation_name",
        "messaging_consumer_group_name",
        "messaging_client_id",
    ],
    "What handling one batch took.",
);
/// OpenTelemetry's duration of the client's operations.
pub const OPERATION_DURATION_SECONDS: Metric = metric(
    "messaging_client_operation_duration_seconds",
    Histogram,
    &[
        "messaging_system",
        "messaging_operation_name",
        "messaging_operation_type",
        "messaging_consumer_group_name",
        "messaging_client_id",
    ],
    "What gathering, sending and committing one batch took, where it was committed.",
);

/// What became of spans.
pub const SPANS_TOTAL: Metric =
    metric("bindery_spans_total", Counter, &["outcome"], "Spans ended, by what became of them.");

/// Which catalogue is in force.
pub const CATALOGUE_REVISION: Metric = metric(
    "bindery_catalogue_revision",
    Gauge,
    &[],
    "The offset of the topic of templates that the catalogue in force is as of.",
);
/// Since when it is.
pub const CATALOGUE_AGE_SECONDS: Metric = metric(
    "bindery_catalogue_age_seconds",
    Gauge,
    &[],
    "Seconds since the catalogue in force came into force.",
);
/// How many templates it has.
pub const CATALOGUE_TEMPLATES: Metric =
    metric("bindery_catalogue_templates", Gauge, &[], "Templates in the catalogue in force.");
/// What among the templates is none.
pub const CATALOGUE_REJECTED_RECORDS_TOTAL: Metric = metric(
    "bindery_catalogue_rejected_records_total",
    Counter,
    &[],
    "Records of the topic of templates that were skipped because they are no templates.",
);

/// What binding came to.
pub const DECISIONS_TOTAL: Metric = metric(
    "bindery_decisions_total",
    Counter,
    &["side", "outcome", "reason"],
    "Committed decisions by outcome, and by reason where an outcome has several.",
);
/// What was no event and no log.
pub const DEAD_LETTERS_TOTAL: Metric = metric(
    "bindery_dead_letters_total",
    Counter,
    &["reason"],
    "Records parked in the topic of dead letters.",
);

/// What delivery services said.
pub const LOGS_COLLECTED_TOTAL: Metric = metric(
    "bindery_logs_collected_total",
    Counter,
    &[],
    "Delivery logs turned into facts and committed.",
);
/// What was announced as received.
pub const EVENTS_ANNOUNCED_TOTAL: Metric = metric(
    "bindery_events_announced_total",
    Counter,
    &[],
    "Events announced as received and committed.",
);
/// What was folded.
pub const FACTS_FOLDED_TOTAL: Metric =
    metric("bindery_facts_folded_total", Counter, &[], "Facts folded and committed.");
/// What was published.
pub const STATUSES_PUBLISHED_TOTAL: Metric = metric(
    "bindery_statuses_published_total",
    Counter,
    &["status"],
    "Statuses published, by status.",
);
/// What was buried.
pub const STATUSES_EXPIRED_TOTAL: Metric = metric(
    "bindery_statuses_expired_total",
    Counter,
    &[],
    "Statuses buried at the end of their retention.",
);
/// What was said of events nobody knows.
pub const ORPHAN_LOGS_TOTAL: Metric = metric(
    "bindery_orphan_logs_total",
    Counter,
    &[],
    "Statuses published of events of which only delivery logs are known.",
);
/// How long a partition had to wait for its statuses.
pub const FOLD_RESTORE_DURATION_SECONDS: Metric = metric(
    "bindery_fold_restore_duration_seconds",
    Histogram,
    &["way"],
    "From the assignment of a partition to its statuses being restored, by the way it was done.",
);

/// All of them, in the order of `docs/metrics.md`.
pub const ALL: [Metric; 36] = [
    BUILD_INFO,
    LANE_PHASE,
    LANE_CLIENT,
    LANE_LOOP_AGE_SECONDS,
    LANE_PARTITIONS,
    LANE_RECORDS_TOTAL,
    LANE_WRITTEN_TOTAL,
    LANE_TRANSACTIONS_TOTAL,
    LANE_PRODUCERS_RENEWED_TOTAL,
    LANE_REBALANCES_TOTAL,
    LANE_LAG_RECORDS,
    LANE_LAG_SECONDS,
    LANE_LSO_GAP_RECORDS,
    LANE_COMMITTED_OFFSET,
    BATCH_RECORDS,
    BATCH_BYTES,
    TRANSACTION_PHASE_DURATION_SECONDS,
    END_TO_END_LATENCY_SECONDS,
    CONSUMED_MESSAGES_TOTAL,
    SENT_MESSAGES_TOTAL,
    PROCESS_DURATION_SECONDS,
    OPERATION_DURATION_SECONDS,
    SPANS_TOTAL,
    CATALOGUE_REVISION,
    CATALOGUE_AGE_SECONDS,
    CATALOGUE_TEMPLATES,
    CATALOGUE_REJECTED_RECORDS_TOTAL,
    DECISIONS_TOTAL,
    DEAD_LETTERS_TOTAL,
    LOGS_COLLECTED_TOTAL,
    EVENTS_ANNOUNCED_TOTAL,
    FACTS_FOLDED_TOTAL,
    STATUSES_PUBLISHED_TOTAL,
    STATUSES_EXPIRED_TOTAL,
    ORPHAN_LOGS_TOTAL,
    FOLD_RESTORE_DURATION_SECONDS,
];
