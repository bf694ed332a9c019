use std::time::Duration;

use event_consumer::Side;
use testkit::cluster;

use super::installation::Installation;

/// Enough to be in the middle of for a while.
const N_EVENTS: usize = 10_000;

fn installation(name: &str) -> Installation {
    Installation::on(cluster().bootstrap_servers(), &format!("{}{name}-", cluster().prefix()))
}

#[test]
fn a_consumer_killed_in_mid_run_and_restarted_answers_every_event_once() {
    let installation = installation("kill");
    let topics = &installation.topics;
    installation.produce(&topics.rt_event.name, 0..N_EVENTS);
    for _ in 0..2 {
        let mut consumer = installation.start(Side::Rt, "0");
        installation.in_mid_run(&topics.rt_assignment.name, N_EVENTS, || consumer.kill9());
    }
    let _consumer = installation.start(Side::Rt, "0");
    installation.check_answered_once(&topics.rt_assignment.name, N_EVENTS);
}

#[test]
fn two_instances_share_the_work_and_one_that_leaves_loses_nothing() {
    let installation = installation("share");
    let topics = &installation.topics;
    let mut first = installation.start(Side::Batch, "0");
    let second = installation.start(Side::Batch, "1");
    second.wait_for_line("partitions assigned", Duration::from_secs(60));
    installation.while_producing(&topics.batch_event.name, 0..N_EVENTS, || {
        installation.in_mid_run(&topics.batch_assignment.name, N_EVENTS, || first.terminate());
    });
    let status = first.wait(Duration::from_secs(20));
    assert_eq!(status.code(), Some(0), "an instance told to stop leaves in order");
    installation.produce(&topics.batch_event.name, N_EVENTS..N_EVENTS + 1_000);
    installation.check_answered_once(&topics.batch_assignment.name, N_EVENTS + 1_000);
}

#[test]
fn an_instance_killed_while_another_lives_loses_nothing() {
    let installation = installation("takeover");
    let topics = &installation.topics;
    let mut first = installation.start(Side::Rt, "0");
    let second = installation.start(Side::Rt, "1");
    second.wait_for_line("partitions assigned", Duration::from_secs(60));
    installation.while_producing(&topics.rt_event.name, 0..N_EVENTS, || {
        installation.in_mid_run(&topics.rt_assignment.name, N_EVENTS, || first.kill9());
    });
    installation.check_answered_once(&topics.rt_assignment.name, N_EVENTS);
}

#[test]
fn several_lanes_of_one_process_answer_every_event_once_also_after_a_kill() {
    let installation = installation("lanes");
    let topics = &installation.topics;
    installation.produce(&topics.rt_event.name, 0..N_EVENTS);
    let mut consumer = installation.start_with_lanes(Side::Rt, "0", 3);
    installation.in_mid_run(&topics.rt_assignment.name, N_EVENTS, || consumer.kill9());
    let _consumer = installation.start_with_lanes(Side::Rt, "0", 2);
    installation.produce(&topics.rt_event.name, N_EVENTS..N_EVENTS + 1_000);
    installation.check_answered_once(&topics.rt_assignment.name, N_EVENTS + 1_000);
}
