use std::convert::Infallible;
use std::sync::Arc;

use catalogue::CatalogueHandle;
use domain::{LaneKind, Timestamp};
use kafka::{TopicSpec, Topics};
use lane::{Batch, Handler, Outbox, OutputTopic, TopicId, TransactionReport};
use service::LaneTraces;

use crate::answer::Answers;
use crate::{DecisionCounts, Decisions, Formats, Side};

/// Decodes, binds and answers every record of a lane.
pub struct EventHandler {
    lane: LaneKind,
    catalogue: CatalogueHandle,
    formats: Formats,
    counts: Arc<DecisionCounts>,
    traces: LaneTraces,
    /// Of the batch under way.
    decisions: Decisions,
}

/// The topics an event consumer writes to, in the order of its outbox.
#[derive(Clone, Debug)]
pub struct Outputs(Arc<[OutputTopic]>);

impl Outputs {
    pub(crate) const ASSIGNMENT: TopicId = TopicId(0);
    pub(crate) const JOURNAL: TopicId = TopicId(1);
    pub(crate) const DEAD_LETTER: TopicId = TopicId(2);
    pub(crate) const HELD_EVENT: TopicId = TopicId(3);

    /// The outputs of `side`.
    pub fn of(side: Side, topics: &Topics) -> Self {
        let output = |spec: &TopicSpec| OutputTopic {
            name: spec.name.as_str().into(),
            partitions: spec.partitions,
            record_bytes_max: spec.value_bytes_max(),
        };
        let assignment = match side {
            Side::Rt => &topics.rt_assignment,
            Side::Batch => &topics.batch_assignment,
        };
        let outputs = [assignment, &topics.event_journal, &topics.dead_letter, &topics.held_event];
        Self(outputs.map(output).into())
    }

    /// For an outbox or a lane.
    pub fn topics(&self) -> Arc<[OutputTopic]> {
        Arc::clone(&self.0)
    }
}

impl EventHandler {
    /// Binds the events of `lane` to the templates of `catalogue`, and counts what is committed.
    pub fn new(
        lane: LaneKind,
        catalogue: CatalogueHandle,
        formats: Formats,
        counts: Arc<DecisionCounts>,
    ) -> Self {
        let (traces, decisions) = (LaneTraces::off(), Decisions::default());
        Self { lane, catalogue, formats, counts, traces, decisions }
    }

    /// The same, making spans.
    pub fn traced(self, traces: LaneTraces) -> Self {
        Self { traces, ..self }
    }
}

impl Handler for EventHandler {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        let catalogue = self.catalogue.load();
        let answers = Answers {
            lane: self.lane,
            catalogue: &catalogue,
            formats: self.formats,
            now: Timestamp::from_millis(now_ms),
        };
        for record in batch.records() {
            answers.answer(&record, outbox, &mut self.decisions, &mut self.traces);
        }
        for parked in batch.parked() {
            answers.pass_over(&parked, outbox, &mut self.decisions);
        }
        Ok(())
    }

    fn committed(&mut self) -> Result<(), Infallible> {
        self.counts.add(&std::mem::take(&mut self.decisions));
        Ok(())
    }

    fn aborted(&mut self) {
        self.decisions = Decisions::default();
    }

    fn ended(&mut self, report: &TransactionReport<'_>) {
        self.traces.ended(report);
    }
}
