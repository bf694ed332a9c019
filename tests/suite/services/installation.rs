use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use domain::{
    Channel, EventStatus, Fact, FactKind, Lanes, RequiredPath, Template, TemplateState,
    TemplateVersion, Timestamp,
};
use event_consumer::{EventConsumerSettings, Side};
use kafka::{ClientSettings, Topics};
use lane::LaneSettings;
use status_sync::StatusSyncSettings;
use tempfile::TempDir;
use testkit::{Isolation, OwnedRecord, Process, binary, read_all, wait_until};
use wire::Format;

use crate::lane::copying::producer_client;

/// How long anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// How long a service may take to leave.
pub(crate) const DRAIN_SECONDS: u32 = 10;

/// One installation of Bindery on a cluster: its topics, two templates, its configuration files.
pub(crate) struct Installation {
    pub(crate) client: ClientSettings,
    pub(crate) topics: Topics,
    prefix: String,
    folder: TempDir,
}

impl Installation {
    /// Topics behind `prefix`, and templates for `order.shipped` and `order.paid` by e-mail.
    pub(crate) fn on(bootstrap_servers: &str, prefix: &str) -> Self {
        let installation = Self::without_topics(bootstrap_servers, prefix);
        installation.create();
        installation
    }

    /// What the names of its topics and groups begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Creates the topics and publishes the templates.
    pub(crate) fn create(&self) {
        kafka::apply(&self.client, &self.topics.specs()).expect("the topics can be created");
        for event_type in ["order.shipped", "order.paid"] {
            self.publish(&template(event_type));
        }
    }

    /// The same before anybody created its topics.
    pub(crate) fn without_topics(bootstrap_servers: &str, prefix: &str) -> Self {
        Self {
            client: ClientSettings::new(bootstrap_servers),
            topics: Topics::with_prefix(prefix),
            prefix: prefix.to_owned(),
            folder: tempfile::tempdir().expect("the temporary folder is writable"),
        }
    }

    /// Publishes one template.
    pub(crate) fn publish(&self, template: &Template) {
        let mut value = Vec::new();
        wire::template::encode(template, Format::Protobuf, &mut value);
        let headers = [("content-type", "application/protobuf")];
        let record = (template.id.as_ref(), value, headers);
        testkit::produce(
            &self.client.bootstrap_servers,
            &self.topics.message_template.name,
            [record],
        );
    }

    /// Puts a record that is no template among the templates.
    pub(crate) fn publish_garbage(&self) {
        let record = ("poisoned", "this is no template", [("content-type", "application/json")]);
        let topic = &self.topics.message_template.name;
        testkit::produce(&self.client.bootstrap_servers, topic, [record]);
    }

    /// The configuration of instance `instance` of an event consumer.
    pub(crate) fn settings(&self, side: Side, instance: &str) -> EventConsumerSettings {
        let servers = self.client.bootstrap_servers.as_str();
        let mut settings = EventConsumerSettings::new(side, servers);
        settings.topics = self.topics.clone();
        settings.group = format!("{}{}", self.prefix, side.name());
        settings.instance = instance.to_owned();
        quicken(&mut settings.lane);
        settings.health.listen = Some(([127, 0, 0, 1], 0).into());
        settings.shutdown.drain_seconds = DRAIN_SECONDS;
        settings
    }

    /// Starts instance `instance` of an event consumer as a process of its own.
    pub(crate) fn start(&self, side: Side, instance: &str) -> Process {
        self.start_with_lanes(side, instance, 1)
    }

    /// The same with several lanes in the process.
    pub(crate) fn start_with_lanes(&self, side: Side, instance: &str, lanes: u32) -> Process {
        let mut settings = self.settings(side, instance);
        settings.lanes = lanes;
        self.start_as(side, &settings)
    }

    /// The same with settings of the test's own.
    pub(crate) fn start_as(&self, side: Side, settings: &EventConsumerSettings) -> Process {
        let text = toml::to_string(settings).expect("it is TOML");
        self.spawn(side.name(), &settings.instance, &text)
    }

    /// Starts status-sync as a process of its own, with its store in this installation's folder.
    pub(crate) fn start_status_sync(&self, instance: &str) -> Process {
        self.start_status_sync_as(&self.status_sync_settings(instance))
    }

    /// The same with settings of the test's own.
    pub(crate) fn start_status_sync_as(&self, settings: &StatusSyncSettings) -> Process {
        let text = toml::to_string(settings).expect("it is TOML");
        self.spawn("status-sync", &settings.instance, &text)
    }

    /// The configuration of instance `instance` of status-sync.
    pub(crate) fn status_sync_settings(&self, instance: &str) -> StatusSyncSettings {
        let mut settings = StatusSyncSettings::new(self.client.bootstrap_servers.as_str());
        settings.topics = self.topics.clone();
        settings.group = format!("{}status-sync", self.prefix);
        settings.instance = instance.to_owned();
        settings.state_directory = self.folder.path().join("state");
        settings.health.listen = Some(([127, 0, 0, 1], 0).into());
        for lane in [&mut settings.lane, &mut settings.announce_lane] {
            quicken(lane);
        }
        settings.shutdown.drain_seconds = DRAIN_SECONDS;
        settings.health.listen = Some(([127, 0, 0, 1], 0).into());
        settings
    }

    /// Removes what status-sync remembers on its disk.
    pub(crate) fn forget_status_sync(&self) {
        let removed = std::fs::remove_dir_all(self.folder.path().join("state"));
        removed.expect("status-sync has run and left its store");
    }

    fn spawn(&self, name: &str, instance: &str, settings: &str) -> Process {
        let file: PathBuf = self.folder.path().join(format!("{name}-{instance}.toml"));
        std::fs::write(&file, settings).expect("the temporary folder is writable");
        let file = file.to_str().expect("the temporary folder's name is text");
        // A flag, because the environment that names the suite's cluster goes before a file.
        let servers = self.client.bootstrap_servers.as_str();
        let args = ["--config", file, "--bootstrap-servers", servers];
        Process::spawn(binary(name), &args, &[("RUST_BACKTRACE", "1")])
    }

    /// Produces good events numbered `numbers` to `topic`; the key is shared by a few of them.
    pub(crate) fn produce(&self, topic: &str, numbers: std::ops::Range<usize>) {
        let record = |number: usize| {
            let event_type = if number.is_multiple_of(2) { "order.shipped" } else { "order.paid" };
            let value = format!(
                r#"{{"id":"{}","type":"{event_type}","email":"ada@example.com","ctx":{{"order":{{"number":"{number}"}}}}}}"#,
                event_id(number)
            );
            (format!("customer-{}", number % 97), value, [("content-type", "application/json")])
        };
        testkit::produce(&self.client.bootstrap_servers, topic, numbers.map(record));
    }

    /// The same on a thread of its own, while `meanwhile` runs; returns when both are done.
    pub(crate) fn while_producing(
        &self,
        topic: &str,
        numbers: std::ops::Range<usize>,
        meanwhile: impl FnOnce(),
    ) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.produce(topic, numbers));
            meanwhile();
        });
    }

    /// Every committed record of `topic`.
    pub(crate) fn read(&self, topic: &str) -> Vec<OwnedRecord> {
        read_all(&self.client.bootstrap_servers, topic, Isolation::ReadCommitted)
    }

    /// How often each event has a decision fact, by event id.
    pub(crate) fn decisions(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for record in self.read(&self.topics.event_journal.name) {
            let fact = fact_in(&record);
            if is_decision(&fact.kind) {
                *times.entry(fact.event_id.to_string()).or_default() += 1;
            }
        }
        times
    }

    /// Waits until events `0..n` are decided, then demands one decision and one assignment for each.
    #[track_caller]
    pub(crate) fn check_answered_once(&self, assignment_topic: &str, n: usize) {
        self.wait_for_decisions(n);
        let once: BTreeMap<String, usize> = (0..n).map(|number| (event_id(number), 1)).collect();
        let decisions = self.decisions();
        assert_eq!(decisions.len(), n, "events with a decision");
        assert!(decisions == once, "decided otherwise than once: {:?}", odd(&decisions));
        let mut assignments = BTreeMap::new();
        for record in self.read(assignment_topic) {
            let assignment = wire::assignment::decode(record.value.as_deref(), headers(&record))
                .expect("an assignment can be decoded");
            *assignments.entry(assignment.event_id.to_string()).or_default() += 1;
        }
        assert!(assignments == once, "assigned otherwise than once: {:?}", odd(&assignments));
    }

    /// Runs `fault` as soon as more is written to `assignment_topic`, and demands that it came in mid-run: that some
    /// of the `n` events produced so far were not decided yet.
    #[track_caller]
    pub(crate) fn in_mid_run(&self, assignment_topic: &str, n: usize, fault: impl FnOnce()) {
        self.wait_for_more(assignment_topic);
        fault();
        // Decided later than the fault, if at all: what is left now was left then.
        let decided = self.decisions().len();
        assert!(0 < decided && decided < n, "{decided} of {n} events decided at the fault");
    }

    /// Waits until more is visible in `topic` than when it was called.
    #[track_caller]
    pub(crate) fn wait_for_more(&self, topic: &str) {
        let end = || -> i64 {
            let ends = testkit::end_offsets(
                &self.client.bootstrap_servers,
                topic,
                Isolation::ReadCommitted,
            );
            ends.iter().sum()
        };
        let before = end();
        wait_until(&format!("more in `{topic}`"), DEADLINE, || {
            let now = end();
            if now > before { Ok(()) } else { Err(format!("its ends add up to {now}")) }
        });
    }

    /// Waits until at least `n` events have a decision.
    #[track_caller]
    pub(crate) fn wait_for_decisions(&self, n: usize) {
        wait_until("every event decided", DEADLINE, || {
            let decided = self.decisions().len();
            if decided >= n { Ok(()) } else { Err(format!("{decided} of {n}")) }
        });
    }
}

/// Makes a lane find out soon what a test breaks.
fn quicken(lane: &mut LaneSettings) {
    lane.session_timeout_ms = 6_000;
    lane.socket_timeout_ms = 4_000;
    lane.transaction_timeout_ms = 10_000;
    lane.records_max = 100;
    lane.client = producer_client();
}

fn odd(times: &BTreeMap<String, usize>) -> Vec<(&String, &usize)> {
    times.iter().filter(|(_, times)| **times != 1).take(20).collect()
}

/// The id of event number `number`.
pub(crate) fn event_id(number: usize) -> String {
    format!("event-{number:06}")
}

/// A live e-mail template for `event_type` that requires `order.number`.
pub(crate) fn template(event_type: &str) -> Template {
    Template {
        id: format!("{event_type}-email").into(),
        event_type: event_type.into(),
        channel: Channel::EMAIL,
        language: "".into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: Timestamp::from_millis(1_700_000_000_000),
        required: RequiredPath::new("order.number").into_iter().collect(),
        retained: Box::new([TemplateVersion(1)]),
    }
}

/// The headers of a record, as `wire` takes them.
pub(crate) fn headers(record: &OwnedRecord) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
    record.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice())))
}

/// The fact in a record of the journal.
pub(crate) fn fact_in(record: &OwnedRecord) -> Fact<'_> {
    wire::fact::decode(record.value.as_deref(), headers(record)).expect("a fact can be decoded")
}

/// The status in a record of `event-status`.
pub(crate) fn status_in(record: &OwnedRecord) -> EventStatus<'_> {
    let status = wire::status::decode(record.value.as_deref(), headers(record));
    status.expect("a status can be decoded")
}

/// Whether a fact is what an event consumer decided.
pub(crate) fn is_decision(kind: &FactKind<'_>) -> bool {
    match kind {
        FactKind::Bound { .. }
        | FactKind::NotSupported(_)
        | FactKind::Held(_)
        | FactKind::Expired
        | FactKind::Cancelled
        | FactKind::Duplicate { .. } => true,
        FactKind::Received
        | FactKind::Released
        | FactKind::CancelRequested
        | FactKind::Delivery { .. } => false,
    }
}
