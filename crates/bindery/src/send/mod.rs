//! `bindery send`: events from a file or a pipe, line by line.

mod account;
mod form;
mod lines;
mod progress;
mod report;
mod sending;

use std::fs::{self, File};
use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use kafka::TopicSpec;
use service::{Exit, Failure};

use crate::cli::Common;
use crate::config::{self, Config};
use crate::console::Console;
use form::{Form, Format};
use lines::Lines;
use report::{Report, tell};
use sending::Sending;

/// Sends events from a file or a pipe, one JSON object a line.
///
/// Events are sent as they are read, so that a pipe may go on for ever and a file may be larger than
/// memory. Each line is checked as the services would read it. A bad one is told with its number and
/// left out; the others are sent, acknowledged by all in-sync replicas, and the exit code is 1. With
/// `--check-first` nothing is sent of a file that has a bad line.
///
/// A line is an event or a structured CloudEvent. The record's key is the event's `externalId`, else
/// its `id`. Ctrl-C stops reading, waits for what was sent and says how far it came.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The side to send to.
    #[arg(value_enum)]
    side: Side,
    /// The file, one JSON object a line; `-` or nothing: standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    /// How the records are written. A line that is written so already is sent byte for byte.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Take the record's key from this field of the line: a name, or a path such as
    /// `ctx.customer.id`. A line without it is bad.
    #[arg(long, value_name = "PATH")]
    key_field: Option<String>,
    /// Send no more than this many events a second.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Check the whole file before the first event is sent, and send nothing if a line is bad.
    #[arg(long, conflicts_with = "dry_run")]
    check_first: bool,
    /// Only check the lines; no broker is asked.
    #[arg(long)]
    dry_run: bool,
    /// Begin at this line: to go on where an earlier run stopped.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from_line: u64,
}

/// The two sides an event can be sent to.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// `rt-event`: bound as soon as it arrives.
    Rt,
    /// `batch-event`: bound in large transactions.
    Batch,
}

impl Arguments {
    /// Whether it can be read once only, and ends when somebody ends it.
    fn is_pipe(&self) -> bool {
        self.file == "-" || fs::metadata(&self.file).is_ok_and(|metadata| !metadata.is_file())
    }

    /// What the file is called where lines are told.
    fn name(&self) -> &str {
        if self.file == "-" { "<stdin>" } else { &self.file }
    }

    /// Says what is wrong with the file before a broker is waited for. A pipe is left alone: opening it
    /// would be seen at its other end.
    fn look(&self) -> Result<(), Failure> {
        if self.file == "-" {
            return Ok(());
        }
        let looked = fs::metadata(&self.file).and_then(|metadata| {
            if metadata.is_file() {
                File::open(&self.file)?;
            }
            Ok(metadata.is_dir())
        });
        match looked.with_context(|| format!("cannot read `{}`", self.file)) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Failure::configuration(anyhow!(
                "`{}` is a folder; give a file with one event a line",
                self.file
            ))),
            Err(error) => Err(Failure::configuration(error)),
        }
    }

    /// The lines from where it was asked to begin, none longer than `bytes_max`, and the size of the
    /// file in bytes.
    fn open(&self, bytes_max: usize) -> Result<(Lines, Option<u64>), Failure> {
        if self.file == "-" {
            return Ok((Lines::new(io::stdin(), self.from_line, bytes_max), None));
        }
        let opened = File::open(&self.file).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened
            .with_context(|| format!("cannot read `{}`", self.file))
            .map_err(Failure::configuration)?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok((Lines::new(file, self.from_line, bytes_max), size))
    }

    fn form(&self, spec: &TopicSpec) -> Form {
        Form::new(self.format, self.key_field.as_deref(), spec)
    }
}

/// Sends the events of a file or pipe; found wrong if a line was not sent.
///
/// # Errors
/// 69 where the broker does not take the events, 78 where the file cannot be read or the topic is
/// missing.
pub(crate) fn run(
    common: &Common,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    if arguments.check_first && arguments.is_pipe() {
        return Err(Failure::usage(anyhow!(
            "`--check-first` needs a file given by name: a pipe can be read only once"
        )));
    }
    arguments.look()?;
    if arguments.dry_run {
        let topics = config::topics(common)?;
        let report = check(arguments, spec_of(&topics, arguments.side), console)?;
        return report.finish(arguments.name(), console);
    }
    let Config { kafka: client, topics, .. } = config::connect(common)?;
    let mut spec = spec_of(&topics, arguments.side).clone();
    kafka::require(&client, std::slice::from_ref(&spec))?;
    kafka::adopt_limit(&client, &mut spec)?;
    if arguments.check_first {
        let report = check(arguments, &spec, console)?;
        if report.n_bad > 0 {
            return report.finish(arguments.name(), console);
        }
    }
    if arguments.file == "-" && io::stdin().is_terminal() {
        console.note("reading events from this terminal, one JSON object a line; Ctrl-D ends");
    }
    let report = Sending::start(&client, &spec, arguments, console)?.run()?;
    report.finish(arguments.name(), console)
}

fn spec_of(topics: &kafka::Topics, side: Side) -> &TopicSpec {
    match side {
        Side::Rt => &topics.rt_event,
        Side::Batch => &topics.batch_event,
    }
}

/// Reads every line and sends none.
fn check(arguments: &Arguments, spec: &TopicSpec, console: &Console) -> Result<Report, Failure> {
    let (lines, _) = arguments.open(spec.value_bytes_max())?;
    let form = arguments.form(spec);
    let mut report = Report::unsent(&spec.name);
    for line in lines {
        let line = line
            .with_context(|| format!("cannot read on in `{}`", arguments.name()))
            .map_err(Failure::configuration)?;
        report.n_lines += 1;
        if let Err(detail) = line.content.and_then(|content| form.record(line.number, content)) {
            report.n_bad += 1;
            tell(console, arguments.name(), line.number, "bad", &detail);
        }
    }
    Ok(report)
}
