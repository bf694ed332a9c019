//! A node that outlives the process that started it: what `cargo xtask kafka up` leaves behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Jvm, KafkaError, Node, home};
use crate::wait;

/// What [`up`] found or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Where clients connect.
    pub bootstrap_servers: String,
    /// Whether it was running before.
    pub already_running: bool,
}

/// Starts a node with empty data and leaves it running. One that runs already is kept, data and
/// port and all.
///
/// # Errors
///
/// [`KafkaError`], when it does not come up.
pub fn up(port: Option<u16>) -> Result<Up, KafkaError> {
    let state = State::file();
    if let Some(running) = State::read(&state).filter(State::is_running) {
        let bootstrap_servers = running.bootstrap_servers;
        return Ok(Up { bootstrap_servers, already_running: true });
    }
    let node = Node::format(&home().join("up"), port, Jvm::Steady, &[])?;
    let child = node.start()?;
    let bootstrap_servers = node.bootstrap_servers();
    let content = json!({"pid": child.id(), "bootstrapServers": bootstrap_servers});
    fs::write(&state, content.to_string()).map_err(KafkaError::file(&state))?;
    Ok(Up { bootstrap_servers, already_running: false })
}

/// Kills the node [`up`] left running and removes its data; returns its address, or `None` when
/// there was none.
///
/// # Errors
///
/// [`KafkaError::File`], when its data cannot be removed.
pub fn down() -> Result<Option<String>, KafkaError> {
    let file = State::file();
    let Some(state) = State::read(&file) else {
        return Ok(None);
    };
    let was_running = state.is_running();
    if was_running {
        state.kill();
    }
    fs::remove_file(&file).map_err(KafkaError::file(&file))?;
    let data = home().join("up/data");
    if data.exists() {
        fs::remove_dir_all(&data).map_err(KafkaError::file(&data))?;
    }
    Ok(was_running.then_some(state.bootstrap_servers))
}

/// What the state file says.
struct State {
    pid: i32,
    bootstrap_servers: String,
}

impl State {
    fn file() -> PathBuf {
        home().join("up.json")
    }

    fn read(path: &Path) -> Option<Self> {
        let content: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        Some(Self {
            pid: i32::try_from(content["pid"].as_i64()?).ok()?,
            bootstrap_servers: content["bootstrapServers"].as_str()?.to_owned(),
        })
    }

    /// The number may belong to another process by now: the command line tells.
    fn is_running(&self) -> bool {
        let properties = home().join("up/server.properties");
        fs::read(format!("/proc/{}/cmdline", self.pid)).is_ok_and(|command| {
            let command = String::from_utf8_lossy(&command);
            command.contains("kafka.Kafka") && command.contains(&*properties.to_string_lossy())
        })
    }

    fn kill(&self) {
        let pid = Pid::from_raw(self.pid).expect("a running process has a number");
        // It fails only when the process has ended meanwhile.
        let _ = kill_process(pid, Signal::KILL);
        // Its files can be removed when it is gone; if it never goes, removing says so.
        let _ = wait::poll(Duration::from_secs(10), &mut || {
            if self.is_running() { Err("still running".to_owned()) } else { Ok(()) }
        });
    }
}
