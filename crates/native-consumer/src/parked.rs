use std::sync::Arc;

use bytes::Bytes;

use crate::Reason;

/// A batch that was passed over, because its records cannot be had.
#[derive(Clone, Debug)]
pub struct Parked {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset of its first record.
    pub base_offset: i64,
    /// The offset of its last record.
    pub last_offset: i64,
    /// Its latest timestamp, in milliseconds since the epoch; -1 where it has none.
    pub timestamp_ms: i64,
    /// What stands in the way.
    pub reason: Reason,
    /// Its records as they were fetched, still compressed.
    pub bytes: Bytes,
}
