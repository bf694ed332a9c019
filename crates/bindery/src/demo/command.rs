//! The run itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::Args;
use domain::LaneKind;
use service::{Exit, Failure, Shutdown, Watchdog, stop_on_signals};

use super::further::{self, Further};
use super::installation::{CLOSE_LIMIT, Installation};
use super::ledger::Ledger;
use super::progress::Progress;
use super::readers::Readers;
use super::report::{Latency, Report};
use super::senders::{ReadySenders, Senders};
use super::services::Services;
use super::traffic::Traffic;
use crate::cli::Common;
use crate::config;
use crate::console::Console;
use crate::event::{self, LanguageFlag};
use crate::template;

/// What the events are made from; the same events in every run.
const SEED: u64 = 0x0b1d_e120;
/// How long nothing at all may happen before what is missing counts as lost.
const STALL_LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked whether the services still run, once everything is counted.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Shows the whole line at work: broker, topics, templates, services, events, and a check.
///
/// Without `--bootstrap-servers` it starts the embedded broker. On a cluster it uses topics and
/// groups under a name of its own, and deletes the topics at the end.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How many events to send.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    events: u32,
    /// Stay up after the table until Ctrl-C, and leave the topics on a cluster.
    #[arg(long)]
    keep: bool,
    /// A folder with templates to publish instead of those that come with the program.
    #[arg(long, value_name = "FOLDER")]
    templates: Option<PathBuf>,
    /// The language of the statuses' labels.
    #[arg(long = "lang", value_enum, value_name = "LANGUAGE", default_value_t)]
    language: LanguageFlag,
    /// The folder that messages are written to; one in the temporary directory if left out.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Runs the demo; found wrong if anything was lost, duplicated or regressed.
///
/// # Errors
/// 69 where no broker answers, 70 where a service fails, 78 where the configuration is wrong, 130 where
/// somebody stopped it before the end.
pub(crate) fn run(
    common: &Common,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let cluster = config::load_optional(common)?;
    let shutdown = Shutdown::new();
    stop_on_signals("bindery", shutdown.clone(), Exit::Interrupted).map_err(Failure::internal)?;
    let _watchdog =
        Watchdog::start("bindery", shutdown.clone(), CLOSE_LIMIT).map_err(Failure::internal)?;
    if let Some(cluster) = &cluster
        && !cluster.reach(|| shutdown.is_requested())?
    {
        return Err(Failure::interrupted(anyhow!("stopped before a broker answered")));
    }
    let installation = Installation::open(cluster)?;
    let demo =
        Demo { common, arguments, console, shutdown: &shutdown, installation: &installation };
    let ran = demo.run();
    let closed = installation.close(arguments.keep);
    let exit = ran?;
    closed?;
    Ok(exit)
}

struct Demo<'a> {
    common: &'a Common,
    arguments: &'a Arguments,
    console: &'a Console,
    shutdown: &'a Shutdown,
    installation: &'a Installation,
}

impl Demo<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let Installation { client, topics, .. } = self.installation;
        self.console.say(&format!(
            "broker {} at {}",
            self.installation.broker(),
            client.bootstrap_servers
        ));
        self.publish()?;
        let state = tempfile::tempdir().context("cannot make a temporary directory")?;
        let out = self.out();
        let senders = ReadySenders::connect(client).map_err(Failure::from)?;
        let mut services = Services::start(self.installation, state.path(), &out)?;
        services.wait_until_ready(self.shutdown.stop())?;
        let now = event::now();
        let traffic = Traffic::new(self.arguments.events as usize, SEED, now);
        let readers = Readers::start(client, topics, traffic).map_err(Failure::internal)?;
        readers.wait_until_ready(self.shutdown.stop());
        let mut senders =
            senders.start(topics, traffic, self.shutdown.stop()).map_err(Failure::internal)?;
        let mut ledger = Ledger::new(traffic);
        self.account(&mut ledger, &readers, &senders, &mut services)?;
        let elapsed = senders.started().elapsed();
        let sent = senders.join().map_err(Failure::from);
        if self.shutdown.is_requested() {
            drop(readers);
            services.stop()?;
            if self.arguments.out.is_none() {
                // Nobody was told where it is. What is left of it does no harm.
                let _ = std::fs::remove_dir_all(&out);
            }
            return Err(Failure::interrupted(anyhow!(
                "stopped with {} of {} events accounted for; nothing was checked",
                ledger.n_settled(),
                traffic.len()
            )));
        }
        sent?;
        // What a service still writes while it drains is to be seen as well.
        let services =
            if self.arguments.keep { Some(services) } else { services.stop().map(|()| None)? };
        readers.finish(|observation| ledger.take(observation)).map_err(Failure::from)?;
        let report = Report {
            events: traffic.len(),
            statuses: ledger.statuses(),
            assignments: ledger.totals().assignments,
            dead_letters: ledger.totals().dead_letters,
            rt: Latency::of_side(LaneKind::Rt, &ledger, &senders),
            batch: Latency::of_side(LaneKind::Batch, &ledger, &senders),
            elapsed,
            broker: self.installation.broker().to_owned(),
            verdict: ledger.verdict(),
        };
        self.console.say(&report.text(self.arguments.language.into()));
        self.console.say(&format!("messages to open: {}", out.display()));
        if let Some(mut services) = services {
            self.stay(&ledger, &mut services)?;
            services.stop()?;
        }
        self.console.object(&report.json());
        Ok(report.exit())
    }

    fn publish(&self) -> Result<(), Failure> {
        let sources = match &self.arguments.templates {
            Some(folder) => template::read_all(std::slice::from_ref(folder)),
            None => template::embedded(),
        };
        let sources = sources.map_err(|failure| match failure {
            template::ReadFailure::Problems(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Failure::configuration(anyhow!("{}", lines.join("; ")))
            }
            failure @ (template::ReadFailure::Unreadable { .. }
            | template::ReadFailure::Nothing(_)) => Failure::configuration(failure),
        })?;
        template::publish(&self.installation.client, &self.installation.topics, &sources)?;
        self.console.say(&format!("published {} templates in one transaction", sources.len()));
        Ok(())
    }

    fn out(&self) -> PathBuf {
        let unnamed = || {
            let id = uuid::Uuid::new_v4().simple().to_string();
            std::env::temp_dir().join(format!("bindery-demo-{}", &id[..8]))
        };
        self.arguments.out.clone().unwrap_or_else(unnamed)
    }

    /// Takes in what the readers see until every event is accounted for, nothing happens any more, or
    /// somebody asks to stop.
    fn account(
        &self,
        ledger: &mut Ledger,
        readers: &Readers,
        senders: &Senders,
        services: &mut Services,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new(self.console, self.arguments.events as usize);
        let mut last = Instant::now();
        while !self.shutdown.is_requested() {
            match readers.next(Duration::from_millis(20)).map_err(Failure::from)? {
                Some(observation) => {
                    ledger.take(observation);
                    last = Instant::now();
                }
                None => {
                    services.look()?;
                    let totals = ledger.totals();
                    let is_done = senders.are_finished()
                        && services.delivery_is_done(totals.assignments, totals.logs)
                        && ledger.is_settled();
                    if is_done || last.elapsed() > STALL_LIMIT {
                        break;
                    }
                }
            }
            progress.show(ledger);
        }
        progress.finish();
        Ok(())
    }

    /// Says how to look at what is there, until somebody asks to stop.
    fn stay(&self, ledger: &Ledger, services: &mut Services) -> Result<(), Failure> {
        let Installation { client, topics, prefix, .. } = self.installation;
        let further = Further {
            address: &client.bootstrap_servers,
            has_properties: !client.properties.is_empty(),
            config: self.common.flags.config.as_deref(),
            prefix,
            topics,
            program: further::program(),
            examples: ledger.examples(),
            language: self.arguments.language.into(),
        };
        self.console.say(&further.text());
        while !self.shutdown.stop().wait(LOOK_INTERVAL) {
            services.look()?;
        }
        Ok(())
    }
}
