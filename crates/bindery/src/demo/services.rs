//! The services, in threads of this process: their own code, configured as anywhere else.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use delivery_service::{Mix, Progress};
use event_consumer::{EventConsumer, EventConsumerSettings, Side};
use lane::{LaneStatus, Phase, Stop};
use service::Failure;
use status_sync::{StatusSync, StatusSyncSettings};

use super::installation::Installation;

/// How long the services may take until every lane has its partitions.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How many messages are written to files.
const FILES_MAX: usize = 300;
/// How long after the sending a late bounce comes.
const BOUNCE_AFTER: Duration = Duration::from_millis(500);

/// The services at work.
pub(super) struct Services {
    stop: Stop,
    delivery_stop: Arc<AtomicBool>,
    lanes: Vec<(String, Arc<LaneStatus>)>,
    threads: Vec<(&'static str, JoinHandle<Result<(), Failure>>)>,
    delivery: Arc<Progress>,
}

impl Services {
    /// Starts them all. `state` is for the folded statuses, `out` for the messages.
    pub(super) fn start(
        installation: &Installation,
        state: &Path,
        out: &Path,
    ) -> Result<Self, Failure> {
        let mut services = Self {
            stop: Stop::new(),
            delivery_stop: Arc::default(),
            lanes: Vec::new(),
            threads: Vec::new(),
            delivery: Arc::default(),
        };
        for side in [Side::Rt, Side::Batch] {
            services.start_consumer(side, installation)?;
        }
        services.start_status_sync(installation, state)?;
        services.start_delivery(installation, out)?;
        Ok(services)
    }

    fn start_consumer(&mut self, side: Side, installation: &Installation) -> Result<(), Failure> {
        let mut settings = EventConsumerSettings::new(side, "");
        settings.kafka = installation.client.clone();
        settings.topics = installation.topics.clone();
        settings.group = format!("{}{}", installation.prefix, side.name());
        let consumer = EventConsumer::new(side, settings);
        self.lanes.extend(consumer.lanes().map(|(name, status)| (name, Arc::clone(status))));
        let stop = self.stop.clone();
        self.spawn(side.name(), move || consumer.run(&stop))
    }

    fn start_status_sync(
        &mut self,
        installation: &Installation,
        state: &Path,
    ) -> Result<(), Failure> {
        let mut settings = StatusSyncSettings::new("");
        settings.kafka = installation.client.clone();
        settings.topics = installation.topics.clone();
        settings.group = format!("{}status-sync", installation.prefix);
        settings.state_directory = state.to_owned();
        let sync = StatusSync::new(settings);
        self.lanes.extend(sync.lanes().map(|(name, status)| (name, Arc::clone(status))));
        let stop = self.stop.clone();
        self.spawn("status-sync", move || sync.run(&stop))
    }

    fn start_delivery(&mut self, installation: &Installation, out: &Path) -> Result<(), Failure> {
        let topics = &installation.topics;
        let settings = delivery_service::Settings {
            bootstrap_servers: installation.client.bootstrap_servers.clone(),
            properties: installation.client.properties.clone(),
            group: format!("{}example-delivery", installation.prefix),
            assignments: vec![
                topics.rt_assignment.name.clone(),
                topics.batch_assignment.name.clone(),
            ],
            template_content: topics.template_content.name.clone(),
            delivery_log: topics.delivery_log.name.clone(),
            out: out.to_owned(),
            files_max: FILES_MAX,
            mix: Mix::default(),
            bounce_after: BOUNCE_AFTER,
        };
        let (progress, stop) = (Arc::clone(&self.delivery), Arc::clone(&self.delivery_stop));
        self.spawn("delivery-service", move || {
            delivery_service::run(&settings, &progress, &stop).map_err(Failure::internal)
        })
    }

    fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let spawned = Builder::new().name(name.into()).spawn(work);
        let thread = spawned.with_context(|| format!("cannot start {name}"))?;
        self.threads.push((name, thread));
        Ok(())
    }

    /// Waits until every lane runs and one of each service has partitions, or until `stop`.
    ///
    /// # Errors
    /// Where a service ended, or it takes too long.
    pub(super) fn wait_until_ready(&mut self, stop: &Stop) -> Result<(), Failure> {
        let started = Instant::now();
        let is_ready = |status: &LaneStatus| {
            status.phase() == Phase::Running && !status.partitions().is_empty()
        };
        while !stop.wait(Duration::from_millis(10)) {
            self.look()?;
            let waiting = self.lanes.iter().find(|(_, status)| !is_ready(status));
            match waiting {
                None => return Ok(()),
                Some((name, status)) if started.elapsed() > READY_LIMIT => {
                    let phase = status.phase();
                    let advice =
                        anyhow!("lane `{name}` is not ready after {READY_LIMIT:?}: {phase:?}");
                    return Err(Failure::internal(advice));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the delivery service has handled `assignments` and written `logs` reports, and keeps
    /// none back.
    pub(super) fn delivery_is_done(&self, assignments: u64, logs: u64) -> bool {
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Acquire);
        load(&self.delivery.handled) == assignments
            && load(&self.delivery.reports_waiting) == 0
            && load(&self.delivery.reported) == logs
    }

    /// # Errors
    /// Where a service has ended, which none does before it is told to.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        let Some(at) = self.threads.iter().position(|(_, thread)| thread.is_finished()) else {
            return Ok(());
        };
        let (name, thread) = self.threads.swap_remove(at);
        Err(match thread.join() {
            Ok(Err(failure)) => failure,
            Ok(Ok(())) => Failure::internal(anyhow!("{name} ended before it was told to")),
            Err(_) => Failure::internal(anyhow!("{name} was stopped by a panic, see above")),
        })
    }

    /// Tells them all to stop and waits until they have.
    ///
    /// # Errors
    /// The first failure of a service.
    pub(super) fn stop(self) -> Result<(), Failure> {
        self.stop.request();
        self.delivery_stop.store(true, Ordering::Release);
        let mut first = Ok(());
        for (name, thread) in self.threads {
            let panicked = || Err(Failure::internal(anyhow!("{name} was stopped by a panic")));
            let ended = thread.join().unwrap_or_else(|_| panicked());
            first = first.and(ended);
        }
        first
    }
}
