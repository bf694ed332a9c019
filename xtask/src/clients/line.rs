use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testkit::{Isolation, Process, binary, read_all, wait_until, workspace_root};
use wire::Format;

/// How long a service may take to be ready or to leave.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bindery as a team finds it: topics, the templates of `examples`, `rt-event-consumer`, `status-sync`.
pub(super) struct Line {
    servers: String,
    assignments: Format,
    consumer: Process,
    _status_sync: Process,
    _state: TempDir,
}

impl Line {
    /// Starts all of it on the cluster at `servers`.
    ///
    /// # Panics
    ///
    /// When a part of it does not come up.
    pub(super) fn start(servers: &str) -> Self {
        bindery(servers, &["topics", "apply"]);
        bindery(servers, &["template", "publish", "examples/templates"]);
        let state = tempfile::tempdir().expect("the temporary folder is writable");
        let directory = format!("state_directory={}", state.path().display());
        let status_sync = service(servers, "status-sync", &["instance=clients", &directory]);
        let consumer = consumer(servers, Format::Protobuf);
        Self {
            servers: servers.to_owned(),
            assignments: Format::Protobuf,
            consumer,
            _status_sync: status_sync,
            _state: state,
        }
    }

    /// Where clients connect.
    pub(super) fn servers(&self) -> &str {
        &self.servers
    }

    /// Has assignments written in this form from now on.
    pub(super) fn write_assignments_as(&mut self, format: Format) {
        if self.assignments == format {
            return;
        }
        self.consumer.terminate();
        self.consumer.wait(PATIENCE);
        self.consumer = consumer(&self.servers, format);
        self.assignments = format;
    }
}

/// Runs what the operators' guide shows, in a shell as a person would, and demands a status for its
/// event.
///
/// # Panics
///
/// When a command fails, or no status comes.
pub(super) fn check_guide(servers: &str) -> String {
    let built = binary("batch-event-consumer");
    let built = built.parent().expect("a binary is in a folder").display();
    let root = workspace_root().display();
    // Where status-sync leaves its state behind.
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let script = format!(
        "set -e; PATH={built}:$PATH; cd {}; ln -s {root}/examples .; \
         . {root}/tests/clients/operators.sh; echo all is sent; wait",
        folder.path().display()
    );
    let envs = [("KAFKA_BOOTSTRAP_SERVERS", servers)];
    let mut shell = Process::spawn("timeout", &["120", "bash", "-c", &script], &envs);
    shell.wait_for_line("all is sent", PATIENCE);
    wait_until("the status of the event", PATIENCE, || {
        let statuses = read_all(servers, "event-status", Isolation::ReadCommitted);
        let is_there = statuses.iter().any(|status| status.key_text() == "hello-1");
        if is_there { Ok(()) } else { Err(format!("{} others", statuses.len())) }
    });
    shell.terminate();
    shell.wait(PATIENCE);
    "every command, and a status".to_owned()
}

fn consumer(servers: &str, format: Format) -> Process {
    let format = match format {
        Format::Protobuf => "formats.assignment=protobuf",
        Format::Json => "formats.assignment=json",
    };
    service(servers, "rt-event-consumer", &["instance=clients", format])
}

/// Starts a service and waits until it has work.
fn service(servers: &str, name: &str, settings: &[&str]) -> Process {
    let mut args = vec!["--bootstrap-servers", servers];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let process = Process::spawn(binary(name), &args, &[]);
    process.wait_for_line("partitions assigned", PATIENCE);
    process
}

/// Runs a command of `bindery` to its end.
fn bindery(servers: &str, args: &[&str]) {
    let output = Command::new(binary("bindery"))
        .args(["--bootstrap-servers", servers])
        .args(args)
        .current_dir(workspace_root())
        .output()
        .expect("bindery can be started");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bindery {}: {told}", args.join(" "));
}
