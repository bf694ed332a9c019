use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use testkit::{Process, workspace_root};
use wire::Format;

/// Every folder of `tests/clients`, in the order they have their turn: those that read the same form
/// of assignments behind each other.
const NAMES: [&str; 5] = ["python", "java", "node", "go", "kcat"];

/// How long a client may take to leave: more than the longest poll of any.
const LEAVING: Duration = Duration::from_secs(30);

const SIGTERM: i32 = 15;

/// A client in another language: a folder with the scripts `install.sh`, `order-events.sh` and
/// `order-mails.sh`.
pub(super) struct Foreign {
    name: &'static str,
}

impl Foreign {
    /// Those named `only`, or all.
    pub(super) fn all(only: &[String]) -> Result<Vec<Self>> {
        for name in only {
            ensure!(
                NAMES.contains(&name.as_str()),
                "there is no client `{name}`, only {}",
                NAMES.join(", ")
            );
        }
        let wanted = |name: &&str| only.is_empty() || only.iter().any(|only| only == name);
        Ok(NAMES.into_iter().filter(wanted).map(|name| Self { name }).collect())
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The form of assignments its delivery service reads.
    pub(super) fn reads(&self) -> Format {
        match self.name {
            "kcat" => Format::Json,
            _ => Format::Protobuf,
        }
    }

    /// Whether its delivery service leaves a message in its outbox for each assignment it sends.
    pub(super) fn leaves_messages(&self) -> bool {
        self.name != "kcat"
    }

    /// Fetches and builds what it needs, below `target`.
    pub(super) fn install(&self) -> Result<()> {
        let output = Command::new("sh")
            .arg(self.script("install"))
            .current_dir(workspace_root())
            .stdin(Stdio::null())
            .output()
            .context("cannot start a shell")?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} is not installed: {}", self.name, told.trim());
        Ok(())
    }

    /// Has its producer publish an event for each of `orders`, which are lines `ORDER EMAIL`.
    pub(super) fn publish(&self, servers: &str, orders: &str) -> Result<()> {
        let mut producer = Command::new("sh")
            .arg(self.script("order-events"))
            .current_dir(workspace_root())
            .env("KAFKA_BOOTSTRAP_SERVERS", servers)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start a shell")?;
        let mut stdin = producer.stdin.take().context("the input is a pipe")?;
        stdin.write_all(orders.as_bytes())?;
        drop(stdin);
        let status = producer.wait()?;
        if !status.success() {
            bail!("the producer of {} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Starts its delivery service, which leaves messages in `outbox`.
    pub(super) fn serve(&self, servers: &str, outbox: &Path) -> Service {
        let script = self.script("order-mails");
        let (script, outbox) = (script.to_string_lossy(), outbox.to_string_lossy());
        let envs = [("KAFKA_BOOTSTRAP_SERVERS", servers), ("OUTBOX", &*outbox)];
        // It passes signals on to a whole pipeline, and ends what should be forgotten.
        let process = Process::spawn("timeout", &["600", "sh", &script], &envs);
        Service { process, is_pipeline: self.name == "kcat" }
    }

    fn script(&self, name: &str) -> PathBuf {
        workspace_root().join("tests/clients").join(self.name).join(format!("{name}.sh"))
    }
}

/// A running delivery service.
pub(super) struct Service {
    process: Process,
    is_pipeline: bool,
}

impl Service {
    /// Asks it to leave and waits until it has.
    ///
    /// # Panics
    ///
    /// When it does not leave, or not in good order.
    pub(super) fn stop(mut self) {
        self.process.terminate();
        let status = self.process.wait(LEAVING);
        // Java tells by its code that it was a signal; a pipeline of the shell knows no other end.
        let in_order = matches!(status.code(), Some(0 | 143))
            || (self.is_pipeline && status.signal() == Some(SIGTERM));
        assert!(in_order, "it left with {status}: {}", self.process.lines().join("\n"));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Killed, `timeout` would leave the programs it started behind.
        self.process.terminate();
    }
}
