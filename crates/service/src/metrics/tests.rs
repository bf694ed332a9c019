use super::names::{ALL, Metric};
use super::*;

/// Every name as it is pinned: to rename one is to break somebody's alert.
const PINNED: &str = "\
bindery_build_info bindery_lane_phase bindery_lane_client bindery_lane_loop_age_seconds bindery_lane_partitions \
bindery_lane_records_total bindery_lane_written_total bindery_lane_transactions_total \
bindery_lane_producers_renewed_total bindery_lane_rebalances_total bindery_lane_lag_records \
bindery_lane_lag_seconds bindery_lane_lso_gap_records bindery_lane_committed_offset \
bindery_batch_records bindery_batch_bytes bindery_transaction_phase_duration_seconds \
bindery_end_to_end_latency_seconds messaging_client_consumed_messages_total \
messaging_client_sent_messages_total messaging_process_duration_seconds \
messaging_client_operation_duration_seconds bindery_spans_total bindery_catalogue_revision \
bindery_catalogue_age_seconds bindery_catalogue_templates \
bindery_catalogue_rejected_records_total bindery_decisions_total bindery_dead_letters_total \
bindery_logs_collected_total bindery_events_announced_total bindery_facts_folded_total \
bindery_statuses_published_total bindery_statuses_expired_total bindery_orphan_logs_total \
bindery_fold_restore_duration_seconds";

#[test]
fn the_names_are_pinned() {
    assert_eq!(ALL.map(|metric| metric.name).join(" "), PINNED);
}

#[test]
fn the_page_of_metrics_has_each_in_order_with_its_type_and_labels() {
    let page = include_str!("../../../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let described: Vec<String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert!(cells.len() == 7 && cells[4..6].iter().all(|cell| !cell.is_empty()), "{row}");
            cells[1..4].join(" ")
        })
        .collect();
    let expected = |metric: Metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("`{}` {} {}", metric.name, metric.kind.as_str(), labels.join(" "))
    };
    let expected: Vec<String> = ALL.map(|metric| expected(metric).trim_end().to_owned()).into();
    let described: Vec<&str> = described.iter().map(|row| row.trim_end()).collect();
    assert_eq!(described, expected);
}

/// A source that has counted one thing.
struct Once(fn(&mut Samples));

impl MetricSource for Once {
    fn read(&self, _: i64, samples: &mut Samples) {
        (self.0)(samples);
    }
}

/// Two sources in; the lines that are no comment, without the version, out.
#[track_caller]
fn check(sources: [fn(&mut Samples); 2], expected: &[&str]) {
    let metrics = Metrics::new();
    for source in sources {
        metrics.watch(Arc::new(Once(source)));
    }
    let text = metrics.text(0).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.filter(|line| !line.contains("build_info")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn an_empty_label_is_left_out_and_sources_share_a_metric() {
    check(
        [
            |samples| samples.counter(names::DECISIONS_TOTAL, &["rt", "bound", ""], 3),
            |samples| samples.counter(names::DECISIONS_TOTAL, &["rt", "held", "scheduled"], 1),
        ],
        &[
            r#"bindery_decisions_total{side="rt",outcome="bound"} 3"#,
            r#"bindery_decisions_total{side="rt",outcome="held",reason="scheduled"} 1"#,
        ],
    );
}

#[test]
fn a_histogram_is_shown_in_its_unit_and_adds_up() {
    fn restored(samples: &mut Samples) {
        let histogram =
            lane::Histogram::new(lane::Buckets { bounds: &[500, 1_000], per_unit: 1_000 });
        [400, 700, 900, 3_000].into_iter().for_each(|value| histogram.record(value));
        samples.histogram(names::FOLD_RESTORE_DURATION_SECONDS, &["load"], &histogram.read());
    }
    check(
        [restored, |_| {}],
        &[
            r#"bindery_fold_restore_duration_seconds_bucket{way="load",le="0.5"} 1"#,
            r#"bindery_fold_restore_duration_seconds_bucket{way="load",le="1"} 3"#,
            r#"bindery_fold_restore_duration_seconds_bucket{way="load",le="+Inf"} 4"#,
            r#"bindery_fold_restore_duration_seconds_sum{way="load"} 5"#,
            r#"bindery_fold_restore_duration_seconds_count{way="load"} 4"#,
        ],
    );
}

#[test]
fn a_lane_shows_its_phase_before_it_has_begun() {
    let metrics = Metrics::new();
    metrics.watch_lane("rt-0", LaneStatus::new());
    let text = metrics.text(0).unwrap();
    let phase = text.lines().find(|line| line.contains(r#"phase="starting""#)).unwrap();
    assert_eq!(phase, r#"bindery_lane_phase{lane="rt-0",phase="starting"} 1"#);
}
