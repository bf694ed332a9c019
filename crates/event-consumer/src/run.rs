use std::sync::Arc;

use catalogue::{CatalogueHandle, Follower};
use kafka::TopicSpec;
use lane::{LaneSpec, LaneStatus, OffsetReset, Stop, Subscription, run_lanes};
use service::{Context, Failure, MetricSource, Traces};
use tracing::info;

use crate::observed::{CatalogueHealth, ConsumerMetrics};
use crate::{DecisionCounts, EventConsumerSettings, EventHandler, Outputs, Side};

/// One event consumer: its lanes and the catalogue they share.
pub struct EventConsumer {
    side: Side,
    settings: EventConsumerSettings,
    statuses: Vec<Arc<LaneStatus>>,
    decisions: Arc<DecisionCounts>,
    catalogue: CatalogueHandle,
    traces: Traces,
}

impl EventConsumer {
    /// One of `side`. Opens nothing yet.
    pub fn new(side: Side, settings: EventConsumerSettings) -> Self {
        let statuses = (0..settings.lanes).map(|_| LaneStatus::new()).collect();
        Self {
            side,
            settings,
            statuses,
            decisions: Arc::default(),
            catalogue: CatalogueHandle::new(),
            traces: Traces::off(),
        }
    }

    /// Shows it in the process' health endpoints and metrics, and makes spans where they are exported.
    pub fn observed(self, context: &Context) -> Self {
        for (name, status) in self.lanes() {
            context.watch_lane(&name, status);
        }
        context.watch(Arc::new(CatalogueHealth(self.catalogue.clone())));
        context.metrics().watch(self.metrics());
        self.traced(context.traces())
    }

    /// The metrics of its decisions and its catalogue.
    pub fn metrics(&self) -> Arc<dyn MetricSource> {
        Arc::new(ConsumerMetrics {
            side: self.side,
            decisions: Arc::clone(&self.decisions),
            catalogue: self.catalogue.clone(),
        })
    }

    /// The same, making spans where `traces` are exported.
    pub fn traced(self, traces: &Traces) -> Self {
        Self { traces: traces.clone(), ..self }
    }

    /// The same without recording where the time of transactions goes: what measuring is measured
    /// against.
    pub fn without_detail(mut self) -> Self {
        self.statuses.iter_mut().for_each(|status| *status = LaneStatus::without_detail());
        self
    }

    /// Each lane's name and what it is doing.
    pub fn lanes(&self) -> impl Iterator<Item = (String, &Arc<LaneStatus>)> {
        self.statuses.iter().enumerate().map(|(number, status)| (self.lane_name(number), status))
    }

    /// How many committed decisions there were of each kind.
    pub fn decisions(&self) -> &Arc<DecisionCounts> {
        &self.decisions
    }

    /// Waits for a broker, checks the topics, loads the catalogue, and binds until `stop`.
    ///
    /// # Errors
    /// A configuration failure where a topic is missing or mis-shaped; an internal one where a lane
    /// gave up, and a restart goes on from the committed offsets.
    pub fn run(mut self, stop: &Stop) -> Result<(), Failure> {
        let client = &self.settings.kafka.clone();
        if !kafka::wait_for_broker(client, || stop.is_requested())? {
            return Ok(());
        }
        kafka::require(client, &self.topics())?;
        kafka::adopt_limits(client, &mut self.settings.topics)?;
        let topic = &self.settings.topics.message_template.name;
        let follower = Follower::start_for(self.catalogue.clone(), client, topic)
            .map_err(Failure::internal)?;
        if !follower.wait_until_loaded(|| stop.is_requested()) {
            return Ok(());
        }
        let n_templates = follower.snapshot().len();
        info!(n_templates, "catalogue loaded");
        Ok(run_lanes(self.lane_specs(&follower), stop)?)
    }

    fn lane_specs(&self, follower: &Follower) -> Vec<LaneSpec<EventHandler>> {
        let outputs = Outputs::of(self.side, &self.settings.topics);
        let lane = |(name, status): (String, &Arc<LaneStatus>)| LaneSpec {
            name,
            client: self.settings.kafka.clone(),
            settings: self.settings.lane.clone(),
            subscription: Subscription {
                group: self.settings.group.clone(),
                topics: vec![self.intake().name.clone()],
                offset_reset: OffsetReset::Earliest,
            },
            outputs: outputs.topics(),
            handler: EventHandler::new(
                self.side.lane_kind(),
                follower.handle(),
                self.settings.formats,
                Arc::clone(&self.decisions),
            )
            .traced(self.traces.lane()),
            status: Arc::clone(status),
        };
        self.lanes().map(lane).collect()
    }

    /// Stable over restarts: it is the transactional id.
    fn lane_name(&self, number: usize) -> String {
        format!("{}-{}-{number}", self.settings.group, self.settings.instance)
    }

    fn intake(&self) -> &TopicSpec {
        match self.side {
            Side::Rt => &self.settings.topics.rt_event,
            Side::Batch => &self.settings.topics.batch_event,
        }
    }

    /// Every topic it reads or writes.
    fn topics(&self) -> Vec<TopicSpec> {
        let topics = &self.settings.topics;
        let assignment = match self.side {
            Side::Rt => &topics.rt_assignment,
            Side::Batch => &topics.batch_assignment,
        };
        let used = [
            self.intake(),
            assignment,
            &topics.message_template,
            &topics.event_journal,
            &topics.dead_letter,
            &topics.held_event,
        ];
        used.into_iter().cloned().collect()
    }
}
