use std::path::Path;

/// One more listener.
pub(super) struct Listener {
    pub(super) name: &'static str,
    pub(super) protocol: &'static str,
    pub(super) port: u16,
}

/// `server.properties` of a node on loopback, `port` for clients and `port + 1` for itself.
pub(super) fn server(data: &Path, port: u16, others: &[Listener]) -> String {
    let controller = port + 1;
    let data = data.display();
    let listeners: String =
        others.iter().map(|one| format!(",{}://127.0.0.1:{}", one.name, one.port)).collect();
    let protocols: String =
        others.iter().map(|one| format!(",{}:{}", one.name, one.protocol)).collect();
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{protocols}
log.dirs={data}
num.network.threads=1
num.io.threads=2
auto.create.topics.enable=false
{ONE_NODE}{TESTABLE}"
    )
}

/// What a cluster of one node needs.
const ONE_NODE: &str = "\
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
";

/// What happens after minutes elsewhere happens while a test waits. Only pauses and lower limits
/// differ from the defaults, never a rule.
const TESTABLE: &str = "\
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.initial.task.delay.ms=500
log.retention.check.interval.ms=1000
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=16777216
";

/// One node of several.
pub(super) struct Member {
    pub(super) id: u8,
    /// The port of the node that decides for all; `None` for that node itself.
    pub(super) controller: Option<u16>,
}

/// What such a node has beside the usual and, where it is named there too, instead of it: of a property
/// that comes twice the last one counts.
pub(super) fn member(port: u16, member: &Member) -> String {
    let id = member.id;
    let follows = member.controller.map(|controller| {
        format!(
            "\
process.roles=broker
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
"
        )
    });
    format!("node.id={id}\nbroker.rack=rack-{id}\n{}{THREE_NODES}", follows.unwrap_or_default())
}

/// What a cluster of three nodes needs: two of three have what is acknowledged, a dead one is noticed while a
/// test waits, and leaders return to one that is back.
const THREE_NODES: &str = "\
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
leader.imbalance.check.interval.seconds=2
leader.imbalance.per.broker.percentage=0
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
";

/// Warnings and errors to standard error.
pub(super) const LOG4J: &str = "\
appender.c.type=Console
appender.c.name=C
appender.c.target=SYSTEM_ERR
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
";
