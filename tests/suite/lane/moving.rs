//! Lanes on three brokers, whose leaders and coordinators move.

use testkit::kafka::ReplicatedNodes;

use super::copying::Copying;

/// Three brokers, where this run has Apache Kafka at all: the embedded broker is one.
fn three_nodes() -> Option<ReplicatedNodes> {
    testkit::runs_on_kafka().then(ReplicatedNodes::start)
}

#[test]
fn brokers_that_die_and_come_back_cost_no_record_and_double_none() {
    const STEP: usize = 500;
    let Some(mut nodes) = three_nodes() else { return };
    let mut copying = Copying::on(&nodes.bootstrap_servers(), "moving");
    // Reads from followers, one of which is killed.
    copying.settings.properties.insert("client.rack".into(), "rack-3".into());
    let (first, second) = (copying.start("0"), copying.start("1"));
    let mut copied = 0;
    let mut copy_some = || {
        copying.produce(copied..copied + STEP);
        copied += STEP;
        copying.check_copied_once(copied);
    };
    copy_some();
    // With a broker go leaders, and the coordinators of the group and of transactions; when it is back, they
    // return to it.
    for number in [2, 3, 2] {
        nodes.kill(number);
        copy_some();
        nodes.restart(number);
        copy_some();
    }
    for instance in [first, second] {
        assert_eq!(instance.status.client(), Some(copying.client));
        instance.stop();
    }
}
