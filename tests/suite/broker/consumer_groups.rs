//! Groups of the protocol of KIP-848.

use std::collections::BTreeSet;

use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    GroupId,
};
use testkit::cluster;
use uuid::Uuid;

use super::client::{Client, PATIENCE, name, text};
use super::offsets::{NOBODY, commit, commit_in_transaction};
use super::transactions::Producer;

/// A member that reports what it is told to hold.
struct Member {
    client: Client,
    group: String,
    id: String,
    epoch: i32,
    topic: String,
    topic_id: Uuid,
    held: BTreeSet<i32>,
}

impl Member {
    fn new(group: &str, topic: &str) -> Member {
        let mut client = Client::connect();
        client.find_coordinator(0, group);
        let topic_id = client.topic_id(topic);
        let id = Uuid::new_v4().to_string();
        let (group, topic) = (group.to_owned(), topic.to_owned());
        Member { client, group, id, epoch: 0, topic, topic_id, held: BTreeSet::new() }
    }

    /// A first heartbeat.
    fn join(&self) -> ConsumerGroupHeartbeatRequest {
        self.beat(0)
            .with_rebalance_timeout_ms(30_000)
            .with_subscribed_topic_names(Some(vec![name(&self.topic)]))
            .with_server_assignor(Some(text("uniform")))
            .with_topic_partitions(Some(Vec::new()))
    }

    fn beat(&self, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_member_id(text(&self.id))
            .with_member_epoch(epoch)
            .with_rebalance_timeout_ms(-1)
            .with_topic_partitions(None)
    }

    fn held(&self) -> Vec<TopicPartitions> {
        let partitions: Vec<i32> = self.held.iter().copied().collect();
        let held =
            TopicPartitions::default().with_topic_id(self.topic_id).with_partitions(partitions);
        if self.held.is_empty() { Vec::new() } else { vec![held] }
    }

    fn call(&mut self, request: &ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse {
        self.client
            .settled(|client| {
                let answer = client.call(1, request);
                (answer.error_code, answer)
            })
            .1
    }

    /// Beats once and does as it is told.
    fn step(&mut self) {
        let request = match self.epoch {
            0 => self.join(),
            epoch => self.beat(epoch).with_topic_partitions(Some(self.held())),
        };
        let answer = self.call(&request);
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
        self.epoch = answer.member_epoch;
        if let Some(assignment) = answer.assignment {
            let partitions = assignment.topic_partitions.into_iter().flat_map(|t| t.partitions);
            self.held = partitions.collect();
        }
    }
}

/// Lets all members beat until they hold so many partitions each, none of them twice.
fn settle(members: &mut [&mut Member], sizes: &[usize]) {
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        members.iter_mut().for_each(|member| member.step());
        let held: Vec<usize> = members.iter().map(|member| member.held.len()).collect();
        let all: BTreeSet<i32> = members.iter().flat_map(|member| member.held.clone()).collect();
        assert_eq!(all.len(), held.iter().sum::<usize>(), "a partition is held twice");
        if held == sizes {
            return;
        }
        assert!(std::time::Instant::now() < until, "they hold {held:?}, not {sizes:?}");
    }
}

fn fixture(partitions: i32) -> (String, String) {
    let topic = Client::connect().topic(partitions, &[]);
    (format!("{}group", cluster().prefix()), topic)
}

#[test]
fn partitions_move_without_ever_having_two_owners() {
    let (group, topic) = fixture(6);
    let mut first = Member::new(&group, &topic);
    settle(&mut [&mut first], &[6]);
    let had = first.held.clone();
    let mut second = Member::new(&group, &topic);
    settle(&mut [&mut first, &mut second], &[3, 3]);
    assert!(first.held.is_subset(&had));
    assert_eq!(first.epoch, second.epoch);
    let farewell = second.beat(-1);
    assert_eq!(second.call(&farewell).member_epoch, -1);
    settle(&mut [&mut first], &[6]);
}

#[test]
fn epochs_are_checked() {
    let (group, topic) = fixture(2);
    let mut member = Member::new(&group, &topic);
    let early = member.beat(1);
    assert_eq!(member.call(&early).error_code, 69);
    settle(&mut [&mut member], &[2]);
    let ahead = member.beat(member.epoch + 1);
    assert_eq!(member.call(&ahead).error_code, 110);
    let stranger = member.beat(1).with_member_id(text("nobody"));
    assert_eq!(member.call(&stranger).error_code, 25);
    let odd = member.join().with_server_assignor(Some(text("odd")));
    assert_eq!(member.call(&odd).error_code, 112);
    let (id, epoch) = (member.id.clone(), member.epoch);
    let client = &mut member.client;
    assert_eq!(commit(client, 9, &group, (&id, epoch, None), &topic), 0);
    assert_eq!(commit(client, 9, &group, (&id, epoch - 1, None), &topic), 113);
    assert_eq!(commit(client, 9, &group, ("nobody", epoch, None), &topic), 25);
    assert_eq!(commit(client, 9, &group, NOBODY, &topic), 25);
}

#[test]
fn a_transaction_checks_the_epoch_it_commits_for() {
    let (group, topic) = fixture(2);
    let mut member = Member::new(&group, &topic);
    settle(&mut [&mut member], &[2]);
    let mut producer = Producer::new();
    assert_eq!(producer.add_group(3, &group), 0);
    let mut check = |who, expected| {
        assert_eq!(commit_in_transaction(&mut producer, &group, who, &topic), expected);
    };
    check((member.id.as_str(), member.epoch, None), 0);
    check((member.id.as_str(), member.epoch - 1, None), 22);
    check(("nobody", member.epoch, None), 25);
    check(NOBODY, 0);
}

#[test]
fn a_static_member_keeps_its_place_while_it_is_away() {
    let (group, topic) = fixture(4);
    let instance = Some(text("one"));
    let mut first = Member::new(&group, &topic);
    let answer = first.call(&first.join().with_instance_id(instance.clone()));
    assert_eq!(answer.error_code, 0);
    let mut second = Member::new(&group, &topic);
    let taken = second.call(&second.join().with_instance_id(instance.clone()));
    assert_eq!(taken.error_code, 111);
    let farewell = first.beat(-2).with_instance_id(instance.clone());
    assert_eq!(first.call(&farewell).member_epoch, -2);
    let back = second.call(&second.join().with_instance_id(instance));
    assert_eq!(back.error_code, 0);
    // A group's epoch also rises when a broker sees news of a topic just created.
    assert!(back.member_epoch >= answer.member_epoch, "{}", back.member_epoch);
    let partitions: usize = back
        .assignment
        .iter()
        .flat_map(|assignment| &assignment.topic_partitions)
        .map(|topic| topic.partitions.len())
        .sum();
    assert_eq!(partitions, 4);
}

#[test]
fn a_group_describes_itself() {
    let (group, topic) = fixture(3);
    let mut member = Member::new(&group, &topic);
    settle(&mut [&mut member], &[3]);
    let request =
        ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(text(&group))]);
    let described = member.client.call(0, &request).groups[0].clone();
    assert_eq!((described.error_code, described.group_state.as_str()), (0, "Stable"));
    assert_eq!(described.assignor_name.as_str(), "uniform");
    assert_eq!(described.members.len(), 1);
    assert_eq!(described.members[0].member_id.as_str(), member.id);
    let assigned = &described.members[0].assignment.topic_partitions;
    assert_eq!((assigned[0].topic_name.as_str(), assigned[0].partitions.len()), (&*topic, 3));
}
