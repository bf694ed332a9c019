//! A cluster that is killed and comes back.

use testkit::{Isolation, NO_HEADERS, OwnCluster, create_topics, produce, read_all};

#[test]
fn acknowledged_records_survive_a_killed_broker() {
    let cluster = OwnCluster::start();
    let bootstrap = cluster.bootstrap_servers().to_owned();
    create_topics(&bootstrap, &[("kept", 1, &[])]);
    produce(&bootstrap, "kept", [((), "before", NO_HEADERS)]);

    cluster.kill();
    cluster.restart();

    assert_eq!(cluster.bootstrap_servers(), bootstrap);
    produce(&bootstrap, "kept", [((), "after", NO_HEADERS)]);
    let records = read_all(&bootstrap, "kept", Isolation::ReadCommitted);
    let values: Vec<_> = records.iter().map(|record| record.value_text()).collect();
    assert_eq!(values, ["before", "after"]);
}
