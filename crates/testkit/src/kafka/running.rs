use std::process::Child;

use super::{KafkaError, Node};
use crate::guard::Guard;

/// A broker process of a [`Node`]. Dropping it kills it; so does the death of this process.
pub struct RunningNode {
    node: Node,
    process: Option<(Child, Guard)>,
}

impl RunningNode {
    /// Starts the broker and returns when it answers.
    ///
    /// # Errors
    ///
    /// [`KafkaError`], when it ends or stays silent.
    pub fn start(node: Node) -> Result<Self, KafkaError> {
        let mut running = Self { node, process: None };
        running.restart()?;
        Ok(running)
    }

    /// Where clients connect.
    pub fn bootstrap_servers(&self) -> String {
        self.node.bootstrap_servers()
    }

    /// The process id; `None` while it is killed.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(|(child, _)| child.id())
    }

    /// Starts it again on the same data and port, killing it first if it runs.
    ///
    /// # Errors
    ///
    /// [`KafkaError`], when it ends or stays silent.
    pub fn restart(&mut self) -> Result<(), KafkaError> {
        self.kill9();
        let child = self.node.spawn()?;
        let guard = Guard::of(&child);
        // Owned before the wait, so that an error or a panic in it leaves no process behind.
        let (child, _) = self.process.insert((child, guard));
        self.node.wait_until_ready(child)
    }

    /// Kills the broker, as a power failure of its machine would.
    pub fn kill9(&mut self) {
        if let Some((mut child, guard)) = self.process.take() {
            drop(guard);
            // Killing fails only when it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.kill9();
    }
}
