use std::sync::Arc;

use domain::Status;
use service::{MetricSource, Samples, names};

use crate::outputs::UNDECODABLE;
use crate::{RestoreWay, StatusCounts};

/// The metrics of facts and statuses, of all lanes together.
pub(crate) struct StatusMetrics(pub(crate) Arc<StatusCounts>);

impl MetricSource for StatusMetrics {
    fn read(&self, _: i64, samples: &mut Samples) {
        let totals = self.0.totals();
        samples.counter(names::LOGS_COLLECTED_TOTAL, &[], totals.collected);
        samples.counter(names::EVENTS_ANNOUNCED_TOTAL, &[], totals.announced);
        samples.counter(names::FACTS_FOLDED_TOTAL, &[], totals.facts);
        for (status, count) in Status::ALL.into_iter().zip(totals.published) {
            samples.counter(names::STATUSES_PUBLISHED_TOTAL, &[status.as_str()], count);
        }
        samples.counter(names::STATUSES_EXPIRED_TOTAL, &[], totals.expired);
        samples.counter(names::ORPHAN_LOGS_TOTAL, &[], totals.orphans);
        samples.counter(names::DEAD_LETTERS_TOTAL, &[UNDECODABLE], totals.dead_letters);
        for way in RestoreWay::ALL {
            let reading = self.0.restored(way).read();
            samples.histogram(names::FOLD_RESTORE_DURATION_SECONDS, &[way.as_str()], &reading);
        }
    }
}
