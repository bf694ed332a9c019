//! What the dashboard shows. `$job` is one installation, `$service` some of its services; the suite holds every
//! metric and label here against the names that the services are pinned to.

use Kind::{Lines, Number};

/// A heading, and what is under it.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: &'static [Panel],
}

/// One picture.
pub(super) struct Panel {
    pub(super) title: &'static str,
    /// What it says when it looks bad, or where to go on reading.
    pub(super) description: &'static str,
    pub(super) kind: Kind,
    /// Grafana's name of the unit.
    pub(super) unit: &'static str,
    /// Of 24 columns.
    pub(super) width: u32,
    /// A number is red from here on.
    pub(super) alarm_at: Option<f64>,
    /// Queries, each with the pattern of its legend.
    pub(super) queries: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lines,
    Number,
}

impl Panel {
    pub(super) fn height(&self) -> u32 {
        match self.kind {
            Lines => 8,
            Number => 4,
        }
    }
}

const fn lines(
    title: &'static str,
    unit: &'static str,
    description: &'static str,
    queries: &'static [(&'static str, &'static str)],
) -> Panel {
    Panel { title, description, kind: Lines, unit, width: 8, alarm_at: None, queries }
}

const fn number(
    title: &'static str,
    unit: &'static str,
    alarm_at: Option<f64>,
    description: &'static str,
    queries: &'static [(&'static str, &'static str)],
) -> Panel {
    Panel { title, description, kind: Number, unit, width: 6, alarm_at, queries }
}

pub(super) const ROWS: &[Row] = &[
    Row { title: "Are events answered, and in time?", panels: FRESHNESS },
    Row { title: "What comes in, what goes out", panels: TRAFFIC },
    Row { title: "Lag", panels: LAG },
    Row { title: "Transactions", panels: TRANSACTIONS },
    Row { title: "Templates, refusals, oddities", panels: CONTENT },
];

const FRESHNESS: &[Panel] = &[
    number(
        "Late real-time events",
        "percentunit",
        Some(0.001),
        "The share answered later than 5 s after their timestamp, over the time shown. The objective is 0.1 %.",
        &[(
            r#"1 - sum(increase(bindery_end_to_end_latency_seconds_bucket{job="$job", service="rt-event-consumer", le=~"5([.]0)?"}[$__range])) / sum(increase(bindery_end_to_end_latency_seconds_count{job="$job", service="rt-event-consumer"}[$__range]))"#,
            "late",
        )],
    ),
    number(
        "Budget burns",
        "none",
        Some(14.4),
        "How many times faster than the objective allows, over the last hour. Above 14.4 it pages.",
        &[(r#"bindery:rt_late:ratio_rate1h{job="$job"} / 0.001"#, "times")],
    ),
    number(
        "Lanes running",
        "none",
        None,
        "Fewer than pods times lanes: look at the phases below.",
        &[(
            r#"sum by (service) (bindery_lane_phase{job="$job", service=~"$service", phase="running"})"#,
            "{{service}}",
        )],
    ),
    number(
        "Stalled partitions",
        "none",
        Some(1.0),
        "With work, and without a commit for five minutes. Runbook: consumer-stalled.",
        &[(
            r#"count(bindery_lane_lag_records{job="$job", service=~"$service"} > 0 unless on (job, lane, topic, partition) changes(bindery_lane_committed_offset{job="$job"}[5m]) > 0)"#,
            "partitions",
        )],
    ),
    lines(
        "From the record's timestamp to its answer, median",
        "s",
        "A producer's wrong clock shows here too.",
        &[(
            r#"histogram_quantile(0.5, sum by (service, le) (rate(bindery_end_to_end_latency_seconds_bucket{job="$job", service=~"$service"}[$__rate_interval])))"#,
            "{{service}}",
        )],
    ),
    lines(
        "From the record's timestamp to its answer, 99th percentile",
        "s",
        "Above it lies one in a hundred. Runbook: rt-events-late.",
        &[(
            r#"histogram_quantile(0.99, sum by (service, le) (rate(bindery_end_to_end_latency_seconds_bucket{job="$job", service=~"$service"}[$__rate_interval])))"#,
            "{{service}}",
        )],
    ),
    lines(
        "Oldest record waiting",
        "s",
        "Age of the last committed record while others wait. Runbook: lag-grows.",
        &[(
            r#"max by (service, topic) (bindery_lane_lag_seconds{job="$job", service=~"$service"})"#,
            "{{service}} {{topic}}",
        )],
    ),
];

const TRAFFIC: &[Panel] = &[
    lines(
        "Records answered",
        "cps",
        "Committed, each once.",
        &[(
            r#"sum by (messaging_consumer_group_name, messaging_destination_name) (rate(messaging_client_consumed_messages_total{job="$job", service=~"$service"}[$__rate_interval]))"#,
            "{{messaging_consumer_group_name}} {{messaging_destination_name}}",
        )],
    ),
    lines(
        "Records written",
        "cps",
        "By topic. Assignments and statuses are what others wait for.",
        &[(
            r#"sum by (messaging_destination_name) (rate(messaging_client_sent_messages_total{job="$job", service=~"$service"}[$__rate_interval]))"#,
            "{{messaging_destination_name}}",
        )],
    ),
    lines(
        "Decisions",
        "cps",
        "What binding came to.",
        &[(
            r#"sum by (side, outcome) (rate(bindery_decisions_total{job="$job"}[$__rate_interval]))"#,
            "{{side}} {{outcome}}",
        )],
    ),
    lines(
        "Statuses published",
        "cps",
        "A rising share of DELIVERY_ERROR is a provider, of NOT_SUPPORTED a template or a producer.",
        &[(
            r#"sum by (status) (rate(bindery_statuses_published_total{job="$job"}[$__rate_interval]))"#,
            "{{status}}",
        )],
    ),
    lines(
        "What status-sync does",
        "cps",
        "No logs while assignments are bound: delivery services report nothing.",
        &[
            (
                r#"sum by (job) (rate(bindery_logs_collected_total{job="$job"}[$__rate_interval]))"#,
                "logs collected",
            ),
            (
                r#"sum by (job) (rate(bindery_events_announced_total{job="$job"}[$__rate_interval]))"#,
                "events announced",
            ),
            (
                r#"sum by (job) (rate(bindery_facts_folded_total{job="$job"}[$__rate_interval]))"#,
                "facts folded",
            ),
        ],
    ),
    lines(
        "Bytes answered",
        "Bps",
        "Keys and values.",
        &[(
            r#"sum by (service) (rate(bindery_batch_bytes_sum{job="$job", service=~"$service"}[$__rate_interval]))"#,
            "{{service}}",
        )],
    ),
];

const LAG: &[Panel] = &[
    lines(
        "Lag in records",
        "short",
        "Up to what read_committed readers see. KEDA scales by it.",
        &[(
            r#"sum by (service, topic) (bindery_lane_lag_records{job="$job", service=~"$service"})"#,
            "{{service}} {{topic}}",
        )],
    ),
    lines(
        "Hidden behind open transactions",
        "short",
        "Under load there are always some. One that only grows: runbook lso-gap.",
        &[(
            r#"max by (topic, partition) (bindery_lane_lso_gap_records{job="$job", service=~"$service"}) > 0"#,
            "{{topic}}/{{partition}}",
        )],
    ),
    lines(
        "Partitions per lane",
        "short",
        "0 for long with lag elsewhere: more lanes than partitions.",
        &[(r#"bindery_lane_partitions{job="$job", service=~"$service"}"#, "{{lane}}")],
    ),
];

const TRANSACTIONS: &[Panel] = &[
    lines(
        "Transactions",
        "cps",
        "Aborted ones are done again. Runbook: transactions-abort.",
        &[(
            r#"sum by (service, outcome) (rate(bindery_lane_transactions_total{job="$job", service=~"$service"}[$__rate_interval]))"#,
            "{{service}} {{outcome}}",
        )],
    ),
    lines(
        "Where their time goes, 99th percentile",
        "s",
        "drain: replication. offsets, commit: the transaction coordinator. handle: this process.",
        &[(
            r#"histogram_quantile(0.99, sum by (phase, le) (rate(bindery_transaction_phase_duration_seconds_bucket{job="$job", service=~"$service"}[$__rate_interval])))"#,
            "{{phase}}",
        )],
    ),
    lines(
        "Records per transaction, median",
        "short",
        "At records_max all the time: the lane is behind.",
        &[(
            r#"histogram_quantile(0.5, sum by (service, le) (rate(bindery_batch_records_bucket{job="$job", service=~"$service"}[$__rate_interval])))"#,
            "{{service}}",
        )],
    ),
    lines(
        "Producers made anew",
        "short",
        "The outcome of a transaction could not be known. Runbook: producers-renewed.",
        &[(
            r#"sum by (service, reason) (increase(bindery_lane_producers_renewed_total{job="$job", service=~"$service"}[$__rate_interval])) > 0"#,
            "{{service}} {{reason}}",
        )],
    ),
    lines(
        "Rebalances",
        "short",
        "Any lost: missed heartbeats. Runbook: rebalances.",
        &[(
            r#"sum by (service, kind) (increase(bindery_lane_rebalances_total{job="$job", service=~"$service"}[$__rate_interval]))"#,
            "{{service}} {{kind}}",
        )],
    ),
    lines(
        "Lanes by phase",
        "short",
        "starting or recovering for minutes: no broker. Runbook: lane-waits.",
        &[(
            r#"sum by (service, phase) (bindery_lane_phase{job="$job", service=~"$service"}) > 0"#,
            "{{service}} {{phase}}",
        )],
    ),
    lines(
        "Age of the loop",
        "s",
        "At 60 s the orchestrator restarts the process. Runbook: lane-stands-still.",
        &[(
            r#"max by (lane) (bindery_lane_loop_age_seconds{job="$job", service=~"$service"})"#,
            "{{lane}}",
        )],
    ),
    lines(
        "Time to handle a batch, 99th percentile",
        "s",
        "Decoding, binding, encoding: CPU of this process.",
        &[(
            r#"histogram_quantile(0.99, sum by (messaging_consumer_group_name, le) (rate(messaging_process_duration_seconds_bucket{job="$job", service=~"$service"}[$__rate_interval])))"#,
            "{{messaging_consumer_group_name}}",
        )],
    ),
    lines(
        "Restoring statuses, 99th percentile",
        "s",
        "load after a mere restart: the state is not on a lasting volume.",
        &[(
            r#"histogram_quantile(0.99, sum by (way, le) (rate(bindery_fold_restore_duration_seconds_bucket{job="$job"}[$__rate_interval])))"#,
            "{{way}}",
        )],
    ),
];

const CONTENT: &[Panel] = &[
    lines(
        "Refused events",
        "cps",
        "By reason, each with a runbook page. Nothing tries again by itself.",
        &[(
            r#"sum by (side, reason) (rate(bindery_decisions_total{job="$job", outcome="not_supported"}[$__rate_interval])) > 0"#,
            "{{side}} {{reason}}",
        )],
    ),
    lines(
        "Dead letters",
        "short",
        "Bytes that are not what their topic holds. Runbook: dead-letters-grow.",
        &[(
            r#"sum by (service, reason) (increase(bindery_dead_letters_total{job="$job"}[$__rate_interval])) > 0"#,
            "{{service}} {{reason}}",
        )],
    ),
    lines(
        "Logs of unknown events",
        "short",
        "Runbook: orphan-logs.",
        &[(
            r#"sum by (job) (increase(bindery_orphan_logs_total{job="$job"}[$__rate_interval]))"#,
            "orphans",
        )],
    ),
    lines(
        "Revision of the catalogue",
        "none",
        "One line for all instances. Runbook: catalogue-stale.",
        &[(r#"bindery_catalogue_revision{job="$job"}"#, "{{service}} {{instance}}")],
    ),
    lines(
        "Templates in force",
        "short",
        "Rejected records are no templates. Runbook: template-rejected.",
        &[
            (r#"max by (job) (bindery_catalogue_templates{job="$job"})"#, "templates"),
            (
                r#"max by (job) (bindery_catalogue_rejected_records_total{job="$job"})"#,
                "rejected since the start",
            ),
        ],
    ),
    lines(
        "Versions running",
        "short",
        "More than one for long: a roll-out stands still. Runbook: versions-differ.",
        &[(
            r#"count by (service, version) (bindery_build_info{job="$job", service=~"$service"})"#,
            "{{service}} {{version}}",
        )],
    ),
];
