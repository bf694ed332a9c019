//! Compaction: of every key only the last record stays, of aborted transactions nothing.
//!
//! It works in three steps. The partition makes a [`Plan`] of closed segments; any thread carries
//! it out, writing new files beside the old; the partition takes the result over, unless the
//! segment has gone meanwhile.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use bytes::Bytes;

use super::batch::BatchHeader;
use super::partition::{AbortedTransaction, Partition};
use super::records;
use super::segment::Segment;
use crate::topic_config::TopicConfig;

/// What a compaction goes over, and what it has to know.
#[derive(Debug)]
pub(crate) struct Plan {
    segments: Vec<Segment>,
    /// Compaction must not touch this offset or any after it.
    end: i64,
    aborted: Vec<AbortedTransaction>,
    /// The last data batch of each producer stays, if only as a husk: its sequence is needed.
    last_data: HashSet<(i64, i64)>,
    /// Tombstones below this offset were shown for long enough.
    tombstones_gone_below: i64,
    markers_gone_before_ms: i64,
}

/// A segment that was rewritten.
#[derive(Debug)]
struct Rewritten {
    base_offset: i64,
    old_size: u64,
    path: PathBuf,
}

/// The outcome of a compaction.
#[derive(Debug)]
pub(crate) struct Compacted {
    segments: Vec<Rewritten>,
    end: i64,
    markers_removed: HashSet<i64>,
}

impl Partition {
    /// Plans a compaction if enough has been written since the last one.
    pub(crate) fn plan_compaction(&mut self, config: &TopicConfig, now_ms: i64) -> Option<Plan> {
        let closed = self.segments.len().saturating_sub(1);
        let oldest_allowed = now_ms.saturating_sub(config.min_compaction_lag_ms);
        let stable = self.last_stable();
        let old_enough = |segment: &&Segment| {
            config.min_compaction_lag_ms == 0 || segment.max_timestamp <= oldest_allowed
        };
        let segments: Vec<Segment> = self.segments[..closed]
            .iter()
            .take_while(|segment| segment.base_offset < stable)
            .take_while(old_enough)
            .map(Segment::closed_copy)
            .collect();
        let next = self.segments.get(segments.len())?.base_offset;
        let total: u64 = segments.iter().map(|segment| segment.size).sum();
        let dirty: u64 = segments
            .iter()
            .filter(|segment| segment.base_offset >= self.clean_to)
            .map(|segment| segment.size)
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let is_dirty = dirty > 0 && dirty as f64 >= config.min_cleanable_dirty_ratio * total as f64;
        if !is_dirty {
            return None;
        }
        let shown_before = now_ms.saturating_sub(config.delete_retention_ms);
        let shown = self.clean_passes.iter().filter(|(_, at_ms)| *at_ms <= shown_before);
        Some(Plan {
            tombstones_gone_below: shown.map(|(end, _)| *end).max().unwrap_or(0),
            markers_gone_before_ms: shown_before,
            segments,
            end: next.min(stable),
            aborted: self.aborted.clone(),
            last_data: self.producers.last_data_batches(),
        })
    }

    /// Puts the rewritten segments in the place of the old ones.
    pub(crate) fn take_over(&mut self, compacted: Compacted, now_ms: i64) -> io::Result<()> {
        for rewritten in compacted.segments {
            let found = self.segments.iter().position(|segment| {
                segment.base_offset == rewritten.base_offset && segment.size == rewritten.old_size
            });
            let Some(at) = found.filter(|at| at + 1 < self.segments.len()) else {
                // Retention was faster.
                std::fs::remove_file(&rewritten.path)?;
                continue;
            };
            std::fs::rename(&rewritten.path, self.segments[at].path())?;
            let mut segment = Segment::reopen(self.directory(), rewritten.base_offset)?;
            if segment.size == 0 && at > 0 {
                segment.delete()?;
                self.segments.remove(at);
            } else {
                self.segments[at] = segment;
            }
        }
        let removed = &compacted.markers_removed;
        self.aborted.retain(|aborted| !removed.contains(&aborted.last_offset));
        self.clean_to = self.clean_to.max(compacted.end);
        self.clean_passes.push((compacted.end, now_ms));
        // Older passes over less say nothing that is still needed once there are many.
        if self.clean_passes.len() > REMEMBERED_PASSES {
            self.clean_passes.remove(0);
        }
        Ok(())
    }
}

const REMEMBERED_PASSES: usize = 64;

impl Plan {
    /// Writes the new segments. Takes as long as it takes; nothing is in use yet.
    pub(crate) fn carry_out(self) -> io::Result<Compacted> {
        let latest = self.latest_offsets()?;
        let mut open: HashSet<i64> = HashSet::new();
        let mut markers_removed = HashSet::new();
        let mut rewritten = Vec::new();
        for segment in &self.segments {
            let path = segment.path().with_extension("cleaned");
            let mut out = BufWriter::new(File::create(&path)?);
            segment.walk(0, |position, header, _| {
                let bytes = segment.read(position, header.size)?;
                if header.is_control() {
                    if self.drops_marker(header, &mut open) {
                        markers_removed.insert(header.base_offset);
                    } else {
                        out.write_all(&bytes)?;
                    }
                } else if let Some(kept) = self.thin_out(&bytes, header, &latest)? {
                    if header.is_transactional() {
                        open.insert(header.producer_id);
                    }
                    out.write_all(&kept)?;
                }
                Ok(true)
            })?;
            out.flush()?;
            rewritten.push(Rewritten {
                base_offset: segment.base_offset,
                old_size: segment.size,
                path,
            });
        }
        Ok(Compacted { segments: rewritten, end: self.end, markers_removed })
    }

    /// Where the last committed record of each key is.
    fn latest_offsets(&self) -> io::Result<HashMap<Bytes, i64>> {
        let mut latest = HashMap::new();
        self.each_data_batch(|bytes, header| {
            if self.is_aborted(header) {
                return Ok(());
            }
            for record in records::read(bytes)? {
                if let Some(key) = record.key {
                    // A copy, so that one key does not keep a whole batch in memory.
                    latest.insert(Bytes::copy_from_slice(&key), record.offset);
                }
            }
            Ok(())
        })?;
        Ok(latest)
    }

    fn each_data_batch(
        &self,
        mut visit: impl FnMut(&Bytes, &BatchHeader) -> io::Result<()>,
    ) -> io::Result<()> {
        for segment in &self.segments {
            segment.walk(0, |position, header, _| {
                if header.base_offset >= self.end {
                    return Ok(false);
                }
                if !header.is_control() {
                    visit(&segment.read(position, header.size)?, header)?;
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    fn is_aborted(&self, header: &BatchHeader) -> bool {
        header.is_transactional()
            && self.aborted.iter().any(|aborted| {
                aborted.producer_id == header.producer_id
                    && (aborted.first_offset..aborted.last_offset).contains(&header.base_offset)
            })
    }

    /// A marker goes when nothing it ends is left and readers had time to see it.
    fn drops_marker(&self, header: &BatchHeader, open: &mut HashSet<i64>) -> bool {
        let ends_something = open.remove(&header.producer_id);
        header.base_offset < self.end
            && !ends_something
            && header.max_timestamp < self.markers_gone_before_ms
    }

    /// What is left of a data batch; nothing if the whole batch goes.
    fn thin_out(
        &self,
        bytes: &Bytes,
        header: &BatchHeader,
        latest: &HashMap<Bytes, i64>,
    ) -> io::Result<Option<Bytes>> {
        if header.base_offset >= self.end {
            return Ok(Some(bytes.clone()));
        }
        let mut kept = if self.is_aborted(header) { Vec::new() } else { records::read(bytes)? };
        kept.retain(|record| {
            let is_latest = record
                .key
                .as_ref()
                .and_then(|key| latest.get(key))
                .is_some_and(|offset| *offset == record.offset);
            is_latest && !(record.is_tombstone && record.offset < self.tombstones_gone_below)
        });
        if kept.len() == usize::try_from(header.record_count).unwrap_or(0) {
            return Ok(Some(bytes.clone()));
        }
        let is_needed = self.last_data.contains(&(header.producer_id, header.base_offset));
        if kept.is_empty() && !is_needed {
            return Ok(None);
        }
        Ok(Some(Bytes::from(records::thinned(bytes, header, &kept)?)))
    }
}
