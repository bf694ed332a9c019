//! The name of every metric of the processes' own. Dashboards and alerts are written against them.

/// Always 1; its label `version` is the point.
pub const BUILD_INFO: &str = "bindery_build_info";
/// 1 for the phase a lane is in, 0 for the others; labels `lane`, `phase`.
pub const LANE_PHASE: &str = "bindery_lane_phase";
/// Seconds since the lane's loop last came round; label `lane`.
pub const LANE_LOOP_AGE_SECONDS: &str = "bindery_lane_loop_age_seconds";
/// Records whose answers are committed; label `lane`.
pub const LANE_RECORDS_TOTAL: &str = "bindery_lane_records_total";
/// Records written and committed; label `lane`.
pub const LANE_WRITTEN_TOTAL: &str = "bindery_lane_written_total";
/// Transactions; labels `lane`, `outcome` (`committed`, `aborted`).
pub const LANE_TRANSACTIONS_TOTAL: &str = "bindery_lane_transactions_total";
/// Producers made anew because the outcome of a transaction could not be known; label `lane`.
pub const LANE_PRODUCERS_RENEWED_TOTAL: &str = "bindery_lane_producers_renewed_total";
/// Times partitions were assigned or revoked; label `lane`.
pub const LANE_REBALANCES_TOTAL: &str = "bindery_lane_rebalances_total";
/// Partitions the lane has; label `lane`.
pub const LANE_PARTITIONS: &str = "bindery_lane_partitions";
/// Records of a partition not committed yet; labels `lane`, `topic`, `partition`.
pub const LANE_LAG_RECORDS: &str = "bindery_lane_lag_records";
/// Age of the last committed record while records wait; labels `lane`, `topic`, `partition`.
pub const LANE_LAG_SECONDS: &str = "bindery_lane_lag_seconds";

/// All of them.
pub const ALL: [&str; 11] = [
    BUILD_INFO,
    LANE_PHASE,
    LANE_LOOP_AGE_SECONDS,
    LANE_RECORDS_TOTAL,
    LANE_WRITTEN_TOTAL,
    LANE_TRANSACTIONS_TOTAL,
    LANE_PRODUCERS_RENEWED_TOTAL,
    LANE_REBALANCES_TOTAL,
    LANE_PARTITIONS,
    LANE_LAG_RECORDS,
    LANE_LAG_SECONDS,
];
