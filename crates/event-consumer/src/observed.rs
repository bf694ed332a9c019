//! What others see of an event consumer, beside its lanes.

use std::sync::Arc;

use catalogue::CatalogueHandle;
use domain::RejectionReason;
use service::{HealthSource, MetricSource, Samples, names};

use crate::{DecisionCounts, Side};

/// The catalogue as a part of the process: ready once it is loaded. Where no broker answers it waits,
/// with the last catalogue in force, so it is always alive.
pub(crate) struct CatalogueHealth(pub(crate) CatalogueHandle);

impl HealthSource for CatalogueHealth {
    fn name(&self) -> &'static str {
        "catalogue"
    }

    fn live(&self, _: i64) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        self.0.is_loaded().then_some(()).ok_or_else(|| "loading".to_owned())
    }

    fn started(&self) -> bool {
        self.0.is_loaded()
    }
}

/// The metrics of decisions and of the catalogue.
pub(crate) struct ConsumerMetrics {
    pub(crate) side: Side,
    pub(crate) decisions: Arc<DecisionCounts>,
    pub(crate) catalogue: CatalogueHandle,
}

impl ConsumerMetrics {
    fn read_decisions(&self, samples: &mut Samples) {
        let totals = self.decisions.totals();
        let side = match self.side {
            Side::Rt => "rt",
            Side::Batch => "batch",
        };
        let outcomes = [
            ("bound", "", totals.bound),
            ("held", "scheduled", totals.scheduled),
            ("held", "template_paused", totals.paused),
            ("expired", "", totals.expired),
            ("cancelled", "", totals.cancelled),
            ("duplicate", "", totals.duplicate),
        ];
        let refused = RejectionReason::ALL.into_iter().zip(totals.not_supported);
        let refused = refused.map(|(reason, count)| ("not_supported", reason.as_str(), count));
        for (outcome, reason, count) in outcomes.into_iter().chain(refused) {
            samples.counter(names::DECISIONS_TOTAL, &[side, outcome, reason], count);
        }
        let undecodable = RejectionReason::Undecodable.as_str();
        samples.counter(names::DEAD_LETTERS_TOTAL, &[undecodable], totals.dead_letters);
    }

    #[expect(clippy::cast_precision_loss, reason = "no topic of templates has 2^53 records")]
    fn read_catalogue(&self, samples: &mut Samples) {
        let catalogue = self.catalogue.load();
        let age = self.catalogue.age().unwrap_or_default();
        samples.gauge(names::CATALOGUE_REVISION, &[], catalogue.revision().0 as f64);
        samples.gauge(names::CATALOGUE_AGE_SECONDS, &[], age.as_secs_f64());
        samples.gauge(names::CATALOGUE_TEMPLATES, &[], catalogue.len() as f64);
        let rejected = self.catalogue.malformed();
        samples.counter(names::CATALOGUE_REJECTED_RECORDS_TOTAL, &[], rejected);
    }
}

impl MetricSource for ConsumerMetrics {
    fn read(&self, _: i64, samples: &mut Samples) {
        self.read_decisions(samples);
        self.read_catalogue(samples);
    }
}
