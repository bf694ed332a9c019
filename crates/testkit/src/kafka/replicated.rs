use std::path::Path;

use tempfile::TempDir;

use super::node::new_cluster_id;
use super::properties::Member;
use super::{Jvm, KafkaError, Node, RunningNode};

/// An Apache Kafka of three nodes for one test: every partition is on all of them, in racks `rack-1` to
/// `rack-3`. Dropping it kills them and removes their data.
///
/// The first node decides for all and has to live; the others may be killed, one at a time.
pub struct ReplicatedNodes {
    nodes: Vec<RunningNode>,
    // After the nodes: fields are dropped in order.
    _home: TempDir,
}

impl ReplicatedNodes {
    /// Starts the nodes.
    ///
    /// # Panics
    ///
    /// When they do not come up.
    #[track_caller]
    pub fn start() -> Self {
        let home = tempfile::Builder::new()
            .prefix("bindery-replicated-")
            .tempdir()
            .expect("the temporary folder is writable");
        let nodes = start(home.path()).unwrap_or_else(|error| panic!("no Apache Kafka: {error}"));
        Self { nodes, _home: home }
    }

    /// Where clients connect: every node.
    pub fn bootstrap_servers(&self) -> String {
        let addresses: Vec<_> = self.nodes.iter().map(RunningNode::bootstrap_servers).collect();
        addresses.join(",")
    }

    /// Kills node number `number`, 2 or 3, with SIGKILL and returns when it is gone.
    pub fn kill(&mut self, number: usize) {
        assert_ne!(number, 1, "without the first node nobody makes another one a leader");
        self.nodes[number - 1].kill9();
    }

    /// Starts node number `number` again on the same data and port, and returns when it answers.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn restart(&mut self, number: usize) {
        let restarted = self.nodes[number - 1].restart();
        restarted.unwrap_or_else(|error| panic!("node {number} does not come back: {error}"));
    }
}

fn start(home: &Path) -> Result<Vec<RunningNode>, KafkaError> {
    let cluster_id = new_cluster_id();
    let node = |id: u8, controller| {
        let home = home.join(id.to_string());
        Node::format_member(&home, Jvm::Quick, &Member { id, controller }, &cluster_id)
    };
    let first = node(1, None)?;
    let controller = Some(first.controller_port());
    let mut nodes = vec![RunningNode::start(first)?];
    for id in [2, 3] {
        nodes.push(RunningNode::start(node(id, controller)?)?);
    }
    Ok(nodes)
}
