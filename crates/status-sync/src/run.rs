use std::sync::Arc;

use kafka::TopicSpec;
use lane::{LaneSpec, LaneStatus, OffsetReset, Stop, Subscription, run_lanes};
use service::{Context, Failure, Traces};

use crate::announce::Announce;
use crate::collect::Collect;
use crate::each_record::EachRecord;
use crate::fold::{FoldHandler, KafkaPast, RestoreTopics};
use crate::handler::{StatusHandler, Work};
use crate::observed::StatusMetrics;
use crate::outputs::Outputs;
use crate::store::{Store, StoreError};
use crate::{StatusCounts, StatusSyncSettings};

/// One status-sync: its lanes of three kinds, and the store that the folding ones share.
pub struct StatusSync {
    settings: StatusSyncSettings,
    lanes: Vec<Lane>,
    counts: Arc<StatusCounts>,
    traces: Traces,
}

struct Lane {
    kind: Kind,
    number: u32,
    status: Arc<LaneStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Collect,
    Fold,
    Announce,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Fold => "fold",
            Self::Announce => "announce",
        }
    }
}

impl StatusSync {
    /// Opens nothing yet.
    pub fn new(settings: StatusSyncSettings) -> Self {
        let numbers = [
            (Kind::Collect, settings.collect_lanes),
            (Kind::Fold, settings.fold_lanes),
            (Kind::Announce, settings.announce_lanes),
        ];
        let lanes = numbers.into_iter().flat_map(|(kind, lanes)| {
            (0..lanes).map(move |number| Lane { kind, number, status: LaneStatus::new() })
        });
        Self { lanes: lanes.collect(), settings, counts: Arc::default(), traces: Traces::off() }
    }

    /// Shows it in the process' health endpoints and metrics, and makes spans where they are exported.
    pub fn observed(self, context: &Context) -> Self {
        for (name, status) in self.lanes() {
            context.watch_lane(&name, status);
        }
        context.metrics().watch(Arc::new(StatusMetrics(Arc::clone(&self.counts))));
        Self { traces: context.traces().clone(), ..self }
    }

    /// Each lane's name and what it is doing.
    pub fn lanes(&self) -> impl Iterator<Item = (String, &Arc<LaneStatus>)> {
        self.lanes.iter().map(|lane| (self.lane_name(lane), &lane.status))
    }

    /// What was committed so far.
    pub fn counts(&self) -> &Arc<StatusCounts> {
        &self.counts
    }

    /// Waits for a broker, checks the topics, opens the store, and keeps statuses until `stop`.
    ///
    /// # Errors
    /// A configuration failure where a topic is missing or mis-shaped or the state directory cannot
    /// be used; an internal one where a lane gave up, and a restart goes on from the committed offsets.
    pub fn run(mut self, stop: &Stop) -> Result<(), Failure> {
        let client = &self.settings.kafka.clone();
        if !kafka::wait_for_broker(client, || stop.is_requested())? {
            return Ok(());
        }
        kafka::require(client, &self.topics())?;
        kafka::adopt_limits(client, &mut self.settings.topics)?;
        let cluster = kafka::cluster_id(client)?;
        let store = self.open_store(cluster.as_deref()).map_err(store_failure)?;
        let specs = self.lanes.iter().map(|lane| self.lane_spec(lane, &store)).collect();
        drop(store);
        Ok(run_lanes(specs, stop)?)
    }

    /// The state of another instance, cluster or journal would be that of other events.
    fn open_store(&self, cluster: Option<&str>) -> Result<Store, StoreError> {
        let settings = &self.settings;
        let is_plain = |name: &&str| !matches!(*name, "" | "." | "..") && !name.contains('/');
        let directory = settings
            .state_directory
            .join(&settings.instance)
            .join(cluster.filter(is_plain).unwrap_or("cluster"));
        Store::open(&directory, &settings.topics.event_journal, settings.age())
    }

    fn lane_spec(&self, lane: &Lane, store: &Store) -> LaneSpec<StatusHandler> {
        let settings = &self.settings;
        LaneSpec {
            name: self.lane_name(lane),
            client: settings.kafka.clone(),
            settings: match lane.kind {
                Kind::Collect | Kind::Fold => settings.lane.clone(),
                Kind::Announce => settings.announce_lane.clone(),
            },
            subscription: Subscription {
                group: format!("{}-{}", settings.group, lane.kind.name()),
                topics: self.inputs(lane.kind),
                offset_reset: OffsetReset::Earliest,
            },
            outputs: Outputs::of(&settings.topics).topics(),
            handler: StatusHandler {
                work: self.work(lane.kind, store),
                traces: self.traces.lane(),
            },
            status: Arc::clone(&lane.status),
        }
    }

    fn work(&self, kind: Kind, store: &Store) -> Work {
        let StatusSyncSettings { topics, formats, kafka, .. } = &self.settings;
        let counts = Arc::clone(&self.counts);
        match kind {
            Kind::Collect => {
                let topic = topics.delivery_log.name.clone();
                let collect = Collect { topic, format: formats.fact };
                Work::Collect(EachRecord::new(collect, counts))
            }
            Kind::Announce => {
                let rt_topic = topics.rt_event.name.clone();
                let announce = Announce { rt_topic, format: formats.fact };
                Work::Announce(EachRecord::new(announce, counts))
            }
            Kind::Fold => {
                let past = Box::new(KafkaPast::new(kafka.clone()));
                let restore = RestoreTopics {
                    journal: topics.event_journal.name.clone(),
                    status: topics.event_status.name.clone(),
                };
                let store = store.clone();
                let fold = FoldHandler::new(store, past, restore, formats.status, counts);
                Work::Fold(Box::new(fold))
            }
        }
    }

    fn inputs(&self, kind: Kind) -> Vec<String> {
        let topics = &self.settings.topics;
        match kind {
            Kind::Collect => {
                let name = &topics.delivery_log.name;
                vec![name.clone(), format!("^{}\\..+", name.replace('.', "\\."))]
            }
            Kind::Fold => vec![topics.event_journal.name.clone()],
            Kind::Announce => vec![topics.rt_event.name.clone(), topics.batch_event.name.clone()],
        }
    }

    /// Stable over restarts: it is the transactional id.
    fn lane_name(&self, lane: &Lane) -> String {
        let (group, instance) = (&self.settings.group, &self.settings.instance);
        format!("{group}-{instance}-{}-{}", lane.kind.name(), lane.number)
    }

    /// Every topic it reads or writes.
    fn topics(&self) -> Vec<TopicSpec> {
        let topics = &self.settings.topics;
        let mut used = vec![
            &topics.delivery_log,
            &topics.event_journal,
            &topics.event_status,
            &topics.dead_letter,
        ];
        if self.settings.announce_lanes > 0 {
            used.extend([&topics.rt_event, &topics.batch_event]);
        }
        used.into_iter().cloned().collect()
    }
}

fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::InUse(_) | StoreError::Directory { .. } => Failure::configuration(error),
        StoreError::Database(_) | StoreError::Foreign(_) => Failure::internal(error),
    }
}
