use tempfile::TempDir;

use super::{Jvm, KafkaError, Node, RunningNode};

/// An Apache Kafka of one test that has not finalised transactions v2: `transaction.version` is 1, as after
/// an upgrade whose features were not raised. Dropping it kills the broker and removes its data.
pub struct OlderNode {
    node: RunningNode,
    // After the broker: fields are dropped in order.
    _home: TempDir,
}

impl OlderNode {
    /// Starts the broker on a free port and returns when it answers.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn start() -> Self {
        let home = tempfile::Builder::new()
            .prefix("bindery-older-")
            .tempdir()
            .expect("the temporary folder is writable");
        let up = || -> Result<_, KafkaError> {
            RunningNode::start(Node::format_with(home.path(), Jvm::Quick, "transaction.version=1")?)
        };
        let node = up().unwrap_or_else(|error| panic!("no Apache Kafka: {error}"));
        Self { node, _home: home }
    }

    /// Where clients connect, the same before and after a restart.
    pub fn bootstrap_servers(&self) -> String {
        self.node.bootstrap_servers()
    }

    /// Kills the broker with SIGKILL, starts it again on the same data and port, and returns when it
    /// answers.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn restart(&mut self) {
        self.node.restart().unwrap_or_else(|error| panic!("no Apache Kafka: {error}"));
    }
}
