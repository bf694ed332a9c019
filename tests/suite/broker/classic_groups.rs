//! Groups of the classic protocol.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};

use super::client::{Client, PATIENCE, text};
use super::offsets::{NOBODY, commit, commit_in_transaction, fixture};
use super::transactions::Producer;

/// A request to join; the metadata is not looked into.
fn join_request(group: &str, member: &str, instance: Option<&str>) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(&[0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins, taking the id that is offered.
fn join(
    client: &mut Client,
    group: &str,
    member: &str,
    instance: Option<&str>,
) -> JoinGroupResponse {
    let request = join_request(group, member, instance);
    let (code, answer) = client.settled(|client| {
        let answer = client.call(6, &request);
        (answer.error_code, answer)
    });
    if code == 79 {
        return join(client, group, &answer.member_id, instance);
    }
    answer
}

fn sync(
    client: &mut Client,
    group: &str,
    (member, generation): (&str, i32),
    assignments: &[(&str, &str)],
) -> (i16, Bytes) {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(Bytes::from((*assignment).to_owned()))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(Some(text("range")))
        .with_assignments(assignments.collect());
    let answer = client.call(5, &request);
    (answer.error_code, answer.assignment)
}

fn heartbeat(
    client: &mut Client,
    group: &str,
    (member, generation): (&str, i32),
    instance: Option<&str>,
) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text));
    client.call(4, &request).error_code
}

fn leave(client: &mut Client, group: &str, member: &str, instance: Option<&str>) -> (i16, i16) {
    let identity = MemberIdentity::default()
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text));
    let request = LeaveGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_members(vec![identity]);
    let answer = client.call(4, &request);
    (answer.error_code, answer.members.first().map_or(0, |member| member.error_code))
}

/// Waits for a state: Kafka describes what it has written down, a moment after it answered.
#[track_caller]
fn check_state(client: &mut Client, group: &str, expected: &str) {
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        let state = client.call(4, &request).groups[0].group_state.to_string();
        if state == expected {
            return;
        }
        assert!(std::time::Instant::now() < until, "the group is {state}, not {expected}");
    }
}

#[test]
fn a_member_is_given_an_id_before_it_is_let_in() {
    let (mut client, group, _) = fixture();
    let (code, answer) = client.settled(|client| {
        let answer = client.call(6, &join_request(&group, "", None));
        (answer.error_code, answer)
    });
    assert_eq!(code, 79);
    let joined = join(&mut client, &group, &answer.member_id, None);
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    assert_eq!((&joined.member_id, &joined.leader), (&answer.member_id, &answer.member_id));
    assert_eq!(joined.members.len(), 1);
    let old = client.call(3, &join_request(&format!("{group}-old"), "", None));
    assert_eq!(old.error_code, 0, "older clients are let in at once");
}

#[test]
fn a_group_goes_through_its_states() {
    let (mut client, group, topic) = fixture();
    let joined = join(&mut client, &group, "", None);
    let id = joined.member_id.to_string();
    let me = (id.as_str(), joined.generation_id);
    assert_eq!(commit(&mut client, 8, &group, (me.0, me.1, None), &topic), 27);
    assert_eq!(sync(&mut client, &group, me, &[(me.0, "mine")]), (0, Bytes::from("mine")));
    check_state(&mut client, &group, "Stable");
    assert_eq!(sync(&mut client, &group, me, &[]), (0, Bytes::from("mine")));
    assert_eq!(heartbeat(&mut client, &group, me, None), 0);
    assert_eq!(commit(&mut client, 8, &group, (me.0, me.1, None), &topic), 0);

    let delete = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(&group))]);
    assert_eq!(client.call(2, &delete).results[0].error_code, 68);
    assert_eq!(leave(&mut client, &group, me.0, None), (0, 0));
    check_state(&mut client, &group, "Empty");
    assert_eq!(client.call(2, &delete).results[0].error_code, 0);
    check_state(&mut client, &group, "Dead");
}

#[test]
fn strangers_and_stragglers_are_told_so() {
    let (mut client, group, topic) = fixture();
    assert_eq!(heartbeat(&mut client, &group, ("nobody", 1), None), 25);
    assert_eq!(join(&mut client, &group, "nobody", None).error_code, 25);
    let joined = join(&mut client, &group, "", None);
    let id = joined.member_id.to_string();
    sync(&mut client, &group, (&id, 1), &[(&id, "mine")]);
    assert_eq!(heartbeat(&mut client, &group, ("nobody", 1), None), 25);
    assert_eq!(heartbeat(&mut client, &group, (&id, 2), None), 22);
    assert_eq!(sync(&mut client, &group, (&id, 2), &[]).0, 22);
    assert_eq!(sync(&mut client, &group, ("nobody", 1), &[]).0, 25);
    assert_eq!(leave(&mut client, &group, "nobody", None), (0, 25));
    assert_eq!(commit(&mut client, 8, &group, (&id, 2, None), &topic), 22);
    assert_eq!(commit(&mut client, 8, &group, ("nobody", 1, None), &topic), 25);
    assert_eq!(commit(&mut client, 8, &group, NOBODY, &topic), 25);
}

#[test]
fn a_request_to_join_has_to_fit() {
    let (mut client, group, _) = fixture();
    let short = join_request(&group, "", None).with_session_timeout_ms(10);
    assert_eq!(client.call(6, &short).error_code, 26);
    let nowhere = join_request("", "", None);
    assert_eq!(client.call(6, &nowhere).error_code, 24);
    let nothing = join_request(&group, "", None).with_protocols(Vec::new());
    assert_eq!(client.call(6, &nothing).error_code, 23);
    join(&mut client, &group, "", None);
    let mut other = join_request(&group, "", None);
    other.protocols[0].name = text("something-else");
    assert_eq!(client.call(6, &other).error_code, 23);
}

#[test]
fn a_second_member_starts_a_rebalance_and_gets_its_share() {
    let (mut first, group, _) = fixture();
    let leader = join(&mut first, &group, "", None).member_id.to_string();
    sync(&mut first, &group, (&leader, 1), &[(&leader, "all")]);
    let mut second = Client::connect();
    let offered = second.call(6, &join_request(&group, "", None)).member_id.to_string();
    second.send(6, &join_request(&group, &offered, None));
    let until = std::time::Instant::now() + PATIENCE;
    while heartbeat(&mut first, &group, (&leader, 1), None) != 27 {
        assert!(std::time::Instant::now() < until, "no rebalance");
    }
    check_state(&mut first, &group, "PreparingRebalance");
    let again = join(&mut first, &group, &leader, None);
    let joined = second.receive::<JoinGroupRequest>(6);
    assert_eq!((again.generation_id, joined.generation_id), (2, 2));
    assert_eq!((again.members.len(), joined.members.len()), (2, 0));
    assert_eq!((again.leader.as_str(), joined.leader.as_str()), (&*leader, &*leader));
    let shares = [(leader.as_str(), "left"), (offered.as_str(), "right")];
    assert_eq!(sync(&mut first, &group, (&leader, 2), &shares).1, "left");
    assert_eq!(sync(&mut second, &group, (&offered, 2), &[]).1, "right");
}

#[test]
fn a_static_member_returns_without_a_rebalance_and_fences_its_predecessor() {
    let (mut client, group, topic) = fixture();
    let instance = Some("one");
    let before = join(&mut client, &group, "", instance).member_id.to_string();
    sync(&mut client, &group, (&before, 1), &[(&before, "mine")]);
    let returned = join(&mut client, &group, "", instance);
    let after = returned.member_id.to_string();
    assert_eq!((returned.error_code, returned.generation_id), (0, 1));
    assert_ne!(before, after);
    assert_eq!(sync(&mut client, &group, (&after, 1), &[]), (0, Bytes::from("mine")));
    assert_eq!(heartbeat(&mut client, &group, (&before, 1), instance), 82);
    assert_eq!(heartbeat(&mut client, &group, (&after, 1), instance), 0);
    assert_eq!(commit(&mut client, 8, &group, (&before, 1, instance), &topic), 82);
    assert_eq!(commit(&mut client, 8, &group, (&after, 1, instance), &topic), 0);
    assert_eq!(leave(&mut client, &group, "", instance), (0, 0));
}

#[test]
fn a_transaction_checks_the_member_it_commits_for() {
    let (mut client, group, topic) = fixture();
    let member = join(&mut client, &group, "", None).member_id.to_string();
    sync(&mut client, &group, (&member, 1), &[(&member, "mine")]);
    let mut producer = Producer::new();
    assert_eq!(producer.add_group(3, &group), 0);
    let mut check = |who, expected| {
        assert_eq!(commit_in_transaction(&mut producer, &group, who, &topic), expected);
    };
    check((member.as_str(), 1, None), 0);
    check((member.as_str(), 0, None), 22);
    check(("nobody", 1, None), 25);
    check((member.as_str(), 1, Some("nobody")), 25);
    check(NOBODY, 0);
}
