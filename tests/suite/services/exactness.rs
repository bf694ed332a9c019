use std::time::Duration;

use event_consumer::Side;
use testkit::cluster;

use super::installation::Installation;

fn installation(name: &str) -> Installation {
    Installation::on(cluster().bootstrap_servers(), &format!("{}{name}-", cluster().prefix()))
}

#[test]
fn a_consumer_killed_in_mid_run_and_restarted_answers_every_event_once() {
    let installation = installation("kill");
    let topic = installation.topics.rt_event.name.clone();
    let mut consumer = installation.start(Side::Rt, "0");
    for round in 0..3 {
        installation.produce(&topic, round * 2_000..(round + 1) * 2_000);
        installation.wait_for_decisions(round * 2_000 + 200);
        consumer.kill9();
        consumer = installation.start(Side::Rt, "0");
    }
    installation.check_answered_once(&installation.topics.rt_assignment.name, 6_000);
}

#[test]
fn two_instances_share_the_work_and_one_that_leaves_loses_nothing() {
    let installation = installation("share");
    let topic = installation.topics.batch_event.name.clone();
    let mut first = installation.start(Side::Batch, "0");
    let second = installation.start(Side::Batch, "1");
    second.wait_for_line("partitions assigned", Duration::from_secs(60));
    installation.produce(&topic, 0..4_000);
    installation.wait_for_decisions(1_000);
    first.terminate();
    let status = first.wait(Duration::from_secs(20));
    assert_eq!(status.code(), Some(0), "an instance told to stop leaves in order");
    installation.produce(&topic, 4_000..6_000);
    installation.check_answered_once(&installation.topics.batch_assignment.name, 6_000);
}

#[test]
fn an_instance_killed_while_another_lives_loses_nothing() {
    let installation = installation("takeover");
    let topic = installation.topics.rt_event.name.clone();
    let mut first = installation.start(Side::Rt, "0");
    let second = installation.start(Side::Rt, "1");
    second.wait_for_line("partitions assigned", Duration::from_secs(60));
    installation.produce(&topic, 0..4_000);
    installation.wait_for_decisions(500);
    first.kill9();
    installation.check_answered_once(&installation.topics.rt_assignment.name, 4_000);
}

#[test]
fn several_lanes_of_one_process_answer_every_event_once_also_after_a_kill() {
    let installation = installation("lanes");
    let topic = installation.topics.rt_event.name.clone();
    let mut consumer = installation.start_with_lanes(Side::Rt, "0", 3);
    installation.produce(&topic, 0..3_000);
    installation.wait_for_decisions(500);
    consumer.kill9();
    let _consumer = installation.start_with_lanes(Side::Rt, "0", 2);
    installation.produce(&topic, 3_000..4_000);
    installation.check_answered_once(&installation.topics.rt_assignment.name, 4_000);
}
