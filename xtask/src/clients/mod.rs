//! Producers and delivery services in other languages, as other teams would write them, against the
//! real services: `tests/clients`.

mod foreign;
mod line;
mod orders;

use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use testkit::OwnCluster;

use crate::{print, report};
use foreign::Foreign;
use line::Line;

/// Run the producers and delivery services of `tests/clients` and check every event's status.
///
/// Creates Bindery's topics under their default names, and leaves them.
#[derive(Args)]
pub(crate) struct Task {
    /// The cluster; without it an embedded broker is started.
    #[arg(long, value_name = "ADDRESS")]
    bootstrap_servers: Option<String>,
    /// Only these folders of `tests/clients`, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Take what the clients need as installed by an earlier run.
    #[arg(long)]
    installed: bool,
}

pub(crate) fn run(task: &Task) -> Result<()> {
    let clients = Foreign::all(&task.only)?;
    if !task.installed {
        install(&clients)?;
    }
    let own = task.bootstrap_servers.is_none().then(OwnCluster::start);
    let servers = own.as_ref().map(OwnCluster::bootstrap_servers);
    let servers = servers.or(task.bootstrap_servers.as_deref()).unwrap_or_default();
    let mut outcomes = Vec::new();
    let mut line = Line::start(servers);
    for client in &clients {
        line.write_assignments_as(client.reads());
        outcomes.push(tried(client.name(), || orders::check(client, &line)));
    }
    drop(line);
    if task.only.is_empty() {
        outcomes.push(tried("operators", || line::check_guide(servers)));
    }
    let n_failed = outcomes.iter().filter(|passed| !**passed).count();
    print(&format!("{} passed, {n_failed} failed", outcomes.len() - n_failed));
    ensure!(n_failed == 0, "{n_failed} of {} failed", outcomes.len());
    Ok(())
}

/// Whether `check` came to its end; prints what it told. The test kit panics with what it saw last,
/// and the others still have their turn.
fn tried(name: &str, check: impl FnOnce() -> String + Send) -> bool {
    let started = Instant::now();
    let outcome = thread::scope(|scope| scope.spawn(check).join());
    let seconds = started.elapsed().as_secs_f64();
    match &outcome {
        Ok(told) => print(&format!("ok     {name:<9} {seconds:5.1} s  {told}")),
        Err(_) => print(&format!("FAILED {name:<9} {seconds:5.1} s  see above")),
    }
    outcome.is_ok()
}

/// Installs what each client needs, all at the same time.
fn install(clients: &[Foreign]) -> Result<()> {
    let failures: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> =
            clients.iter().map(|client| scope.spawn(move || client.install())).collect();
        running
            .into_iter()
            .filter_map(|running| match running.join() {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some("an installation panicked".to_owned()),
            })
            .collect()
    });
    for failure in &failures {
        report(failure);
    }
    ensure!(
        failures.is_empty(),
        "{} of {} clients are not installed",
        failures.len(),
        clients.len()
    );
    Ok(())
}
