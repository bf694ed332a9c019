//! Following a real topic, on whichever broker the tests run.

use std::time::{Duration, Instant};

use catalogue::Follower;
use domain::{Channel, Lanes, Template, TemplateState, TemplateVersion, Timestamp};
use kafka::{ClientSettings, TopicSpec, Topics};
use lane::{Outbox, OutputTopic, Publisher, TopicId};
use testkit::{OwnCluster, cluster, wait_until};
use wire::Format;

const DEADLINE: Duration = Duration::from_secs(60);

/// Writes templates to a topic of its own, as the command line does.
struct Publishing {
    client: ClientSettings,
    topic: String,
    publisher: Publisher,
    outbox: Outbox,
}

impl Publishing {
    fn on(bootstrap_servers: &str, topic: String) -> Self {
        let client = ClientSettings::new(bootstrap_servers);
        let topics = Topics::default();
        let spec = TopicSpec { name: topic.clone(), ..topics.message_template };
        kafka::apply(&client, std::slice::from_ref(&spec)).expect("the topic can be created");
        let outputs = [OutputTopic {
            name: topic.as_str().into(),
            partitions: 1,
            record_bytes_max: spec.value_bytes_max(),
        }];
        let publisher = Publisher::connect(&client, &topic, &outputs, DEADLINE)
            .expect("the broker accepts transactions");
        Self { client, topic, publisher, outbox: Outbox::new(outputs) }
    }

    fn on_the_cluster() -> Self {
        Self::on(cluster().bootstrap_servers(), cluster().topic("message-template"))
    }

    /// All of `values` in one transaction; `None` unpublishes.
    fn publish(&mut self, values: &[(&str, Option<Vec<u8>>)]) {
        self.outbox.clear();
        for (key, value) in values {
            let content_type = Format::Protobuf.content_type().as_bytes();
            let record = self.outbox.record(TopicId(0)).key(key.as_bytes());
            let record = record.header("content-type", content_type);
            let written = match value {
                Some(bytes) => record.value(|value| value.extend_from_slice(bytes)),
                None => record.tombstone(),
            };
            written.expect("it is smaller than the topic takes");
        }
        self.publisher.publish(&self.outbox).expect("the transaction commits");
    }

    fn follow(&self) -> Follower {
        Follower::start(&self.client, &self.topic).expect("the settings are valid")
    }
}

fn template(id: &str, version: u32) -> Vec<u8> {
    let template = Template {
        id: id.into(),
        event_type: "order.shipped".into(),
        channel: Channel::EMAIL,
        language: "".into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(version),
        canary: None,
        published_at: Timestamp::from_millis(version.into()),
        required: [].into(),
        retained: [TemplateVersion(version)].into(),
    };
    let mut value = Vec::new();
    wire::template::encode(&template, Format::Protobuf, &mut value);
    value
}

/// Waits until a loaded catalogue has exactly these templates.
#[track_caller]
fn check(follower: &Follower, expected: &[(&str, u32)]) {
    wait_until("the catalogue", DEADLINE, || {
        let catalogue = follower.snapshot();
        let mut found: Vec<(&str, u32)> =
            catalogue.templates().map(|one| (one.id.as_ref(), one.stable.0)).collect();
        found.sort_unstable();
        if follower.is_loaded() && found == expected { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

fn wait_until_loaded(follower: &Follower) {
    let started = Instant::now();
    assert!(follower.wait_until_loaded(|| started.elapsed() > DEADLINE));
}

#[test]
fn it_loads_what_is_there_and_follows_what_comes() {
    let mut publishing = Publishing::on_the_cluster();
    publishing.publish(&[("a", Some(template("a", 1))), ("b", Some(template("b", 1)))]);
    publishing.publish(&[("poison", Some(b"\x01".to_vec())), ("a", Some(template("a", 2)))]);
    let follower = publishing.follow();
    wait_until_loaded(&follower);
    check(&follower, &[("a", 2), ("b", 1)]);
    assert_eq!(follower.malformed(), 1);
    let before = follower.snapshot();
    publishing.publish(&[("b", None), ("c", Some(template("c", 1)))]);
    check(&follower, &[("a", 2), ("c", 1)]);
    assert_eq!(before.len(), 2, "a snapshot never changes");
    assert!(follower.snapshot().revision() > before.revision());
}

#[test]
fn an_empty_topic_is_loaded_too() {
    let publishing = Publishing::on_the_cluster();
    let follower = publishing.follow();
    wait_until_loaded(&follower);
    check(&follower, &[]);
}

#[test]
fn a_publication_of_several_templates_is_never_half_seen() {
    const TEMPLATES: usize = 40;
    const ROUNDS: u32 = 25;
    let mut publishing = Publishing::on_the_cluster();
    let ids: Vec<String> = (0..TEMPLATES).map(|number| format!("t{number}")).collect();
    let round = |version| -> Vec<(&str, Option<Vec<u8>>)> {
        ids.iter().map(|id| (id.as_str(), Some(template(id, version)))).collect()
    };
    publishing.publish(&round(1));
    let follower = publishing.follow();
    wait_until_loaded(&follower);
    let writer = std::thread::scope(|scope| {
        let writer =
            scope.spawn(|| (2..=ROUNDS).for_each(|version| publishing.publish(&round(version))));
        let started = Instant::now();
        loop {
            let catalogue = follower.snapshot();
            assert_eq!(catalogue.len(), TEMPLATES);
            let versions: Vec<u32> = catalogue.templates().map(|one| one.stable.0).collect();
            assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
            if versions[0] == ROUNDS {
                break;
            }
            assert!(started.elapsed() < DEADLINE, "still at version {}", versions[0]);
        }
        writer.join()
    });
    writer.unwrap();
}

#[test]
fn it_goes_on_after_the_broker_was_away() {
    let broker = OwnCluster::start();
    let mut publishing = Publishing::on(broker.bootstrap_servers(), "message-template".to_owned());
    publishing.publish(&[("a", Some(template("a", 1)))]);
    let follower = publishing.follow();
    wait_until_loaded(&follower);
    broker.kill();
    let late = publishing.follow();
    check(&follower, &[("a", 1)]);
    assert!(!late.is_loaded(), "nobody can load from a broker that is away");
    broker.restart();
    let mut publishing = Publishing::on(broker.bootstrap_servers(), "message-template".to_owned());
    publishing.publish(&[("b", Some(template("b", 1)))]);
    check(&follower, &[("a", 1), ("b", 1)]);
    check(&late, &[("a", 1), ("b", 1)]);
    follower.stop();
    late.stop();
}
