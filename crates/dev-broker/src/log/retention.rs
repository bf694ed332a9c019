//! Retention: old segments go, by age and by size.

use std::io;

use super::partition::Partition;
use crate::topic_config::TopicConfig;

/// Kafka's `producer.id.expiration.ms`.
const PRODUCER_EXPIRATION_MS: i64 = 86_400_000;

impl Partition {
    /// Removes what the topic's limits do not cover any more.
    pub(crate) fn retain(&mut self, config: &TopicConfig, now_ms: i64) -> io::Result<()> {
        self.producers.expire(now_ms.saturating_sub(PRODUCER_EXPIRATION_MS));
        if !config.delete {
            return Ok(());
        }
        while self.has_outlived(config, now_ms) {
            if self.segments.len() == 1 {
                // The offsets go on where they were.
                self.roll()?;
            }
            let next = self.segments[1].base_offset;
            self.advance_log_start(next)?;
        }
        Ok(())
    }

    /// Whether the oldest segment should go. What a transaction may still decide about stays.
    fn has_outlived(&self, config: &TopicConfig, now_ms: i64) -> bool {
        let Some(oldest) = self.segments.first().filter(|segment| segment.size > 0) else {
            return false;
        };
        let end = self.segments.get(1).map_or(self.next_offset(), |next| next.base_offset);
        if end > self.last_stable() {
            return false;
        }
        let too_old = config
            .retention_ms
            .is_some_and(|limit| now_ms.saturating_sub(oldest.max_timestamp) > limit);
        let too_large = config
            .retention_bytes
            .is_some_and(|limit| self.segments.len() > 1 && self.size() - oldest.size >= limit);
        too_old || too_large
    }
}
