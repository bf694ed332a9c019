use super::names::{ALL, Metric};

/// Every name as it is pinned: to rename one is to break somebody's alert.
const PINNED: &str = "\
bindery_build_info bindery_lane_phase bindery_lane_loop_age_seconds bindery_lane_partitions \
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
