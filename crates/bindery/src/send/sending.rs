//! Reading, sending and waiting for answers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kafka::{ClientSettings, SendError, Sender, TopicSpec};
use service::{Exit, Failure, Shutdown, stop_on_signals};

use super::Arguments;
use super::account::Account;
use super::form::{Form, Record};
use super::lines::{Line, Lines};
use super::progress::Progress;
use super::report::{Report, Stopped, tell};
use crate::console::Console;

/// How many lines are read ahead.
const LINES_AHEAD: usize = 64;
/// How long the queue may stay full before the broker counts as gone.
const STALL_LIMIT: Duration = Duration::from_secs(60);
/// When it is said that the queue is full.
const STALL_TOLD: Duration = Duration::from_secs(5);
/// How long the broker may take for the last events; shorter where somebody waits for the end, or
/// has waited already.
const FLUSH_LIMIT: Duration = Duration::from_secs(60);
const FLUSH_LIMIT_STOPPED: Duration = Duration::from_secs(10);
/// How often it is looked whether to stop.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How far a rate is caught up on after a pause.
const CATCH_UP: Duration = Duration::from_millis(100);

/// One run of `bindery send`.
pub(super) struct Sending<'a> {
    arguments: &'a Arguments,
    console: &'a Console,
    form: Form,
    topic: String,
    lines: Receiver<io::Result<Line>>,
    sender: Sender,
    account: Arc<Account>,
    shutdown: Shutdown,
    progress: Progress,
    report: Report,
    /// The last line that was answered, and where the next begins.
    last: u64,
    position: u64,
    due: Instant,
}

/// Why no more is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    AtEnd,
    Asked,
    Stalled,
}

impl<'a> Sending<'a> {
    /// Connects, and begins to read on a thread of its own: a pipe that is silent must not keep
    /// Ctrl-C from being heard.
    pub(super) fn start(
        client: &ClientSettings,
        spec: &TopicSpec,
        arguments: &'a Arguments,
        console: &'a Console,
    ) -> Result<Self, Failure> {
        let (lines, size) = arguments.open(spec.value_bytes_max())?;
        let account = Arc::new(Account::default());
        let deliveries = Arc::clone(&account);
        // The client's own limit is another than the topic's; 1000 is the least it takes.
        let bytes_max = spec.batch_bytes_max().max(1000).to_string();
        let sender = Sender::with_listener(
            client,
            &[("message.max.bytes", &bytes_max)],
            move |line, outcome| {
                let outcome = outcome.map_err(|error| kafka::Chain(error).to_string());
                deliveries.settle(line as u64, outcome);
            },
        )?;
        let shutdown = Shutdown::new();
        stop_on_signals("bindery", shutdown.clone(), Exit::Ok).map_err(Failure::internal)?;
        Ok(Self {
            arguments,
            console,
            form: arguments.form(spec),
            topic: spec.name.clone(),
            lines: read_ahead(lines)?,
            sender,
            account,
            shutdown,
            progress: Progress::new(console, size),
            report: Report::unsent(&spec.name),
            last: arguments.from_line - 1,
            position: 0,
            due: Instant::now(),
        })
    }

    /// Sends until the end, or until it is asked to stop, and waits for what is on its way.
    ///
    /// # Errors
    /// Where reading fails. What was sent before is waited for all the same.
    pub(super) fn run(mut self) -> Result<Report, Failure> {
        let started = Instant::now();
        let ended = self.send_all();
        self.settle(&ended);
        self.progress.finish();
        self.report.took = Some(started.elapsed());
        self.report.n_acknowledged = self.account.n_acknowledged();
        let (n_unsettled, first) = self.account.unsettled();
        self.report.n_unsettled = n_unsettled;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let name = self.arguments.name();
                self.console.say(&self.report.text());
                return Err(Failure::configuration(
                    anyhow::Error::from(error).context(format!("cannot read on in `{name}`")),
                ));
            }
        };
        if ended != Ended::AtEnd || n_unsettled > 0 {
            self.report.stopped = Some(Stopped {
                at: first.unwrap_or(self.last + 1),
                is_pipe: self.arguments.is_pipe(),
                is_stalled: ended == Ended::Stalled,
            });
        }
        Ok(self.report)
    }

    fn send_all(&mut self) -> io::Result<Ended> {
        while !self.shutdown.is_requested() {
            let line = match self.lines.recv_timeout(LOOK_INTERVAL) {
                Ok(line) => line?,
                Err(RecvTimeoutError::Timeout) => {
                    self.look();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::AtEnd),
            };
            self.report.n_lines += 1;
            self.position = line.end;
            let number = line.number;
            match line.content.and_then(|content| self.form.record(number, content)) {
                Err(detail) => self.bad(number, &detail),
                Ok(record) => {
                    self.wait_until_due();
                    if let Some(ended) = self.send(number, &record) {
                        return Ok(ended);
                    }
                }
            }
            self.last = number;
            self.look();
        }
        Ok(Ended::Asked)
    }

    /// Sends one record, waiting for room; says why not, if it was not sent and no other will be.
    fn send(&mut self, number: u64, record: &Record) -> Option<Ended> {
        let started = Instant::now();
        let headers: [(&str, &[u8]); 1] = [("content-type", record.content_type.as_bytes())];
        let key = record.key.as_deref().map(str::as_bytes);
        // A number of the 64 bits of a pointer carries it.
        let tag = usize::try_from(number).unwrap_or(usize::MAX);
        self.account.send(number);
        let mut is_told = false;
        loop {
            match self.sender.try_send(tag, &self.topic, key, &record.value, &headers) {
                Ok(true) => {
                    self.report.n_sent += 1;
                    return None;
                }
                Ok(false) => {
                    let ended =
                        match (self.shutdown.is_requested(), started.elapsed() > STALL_LIMIT) {
                            (true, _) => Some(Ended::Asked),
                            (false, true) => Some(Ended::Stalled),
                            (false, false) => None,
                        };
                    if ended.is_some() {
                        self.account.take_back(number);
                        return ended;
                    }
                    if !is_told && started.elapsed() > STALL_TOLD {
                        is_told = true;
                        self.note("the broker takes no events; waiting for it");
                    }
                    self.shutdown.stop().wait(Duration::from_millis(1));
                    self.look();
                }
                Err(error) => {
                    self.account.take_back(number);
                    self.bad(number, &kafka::Chain(&error).to_string());
                    return None;
                }
            }
        }
    }

    /// Waits for what is on its way, within bounds.
    fn settle(&mut self, ended: &io::Result<Ended>) {
        let started = Instant::now();
        loop {
            let is_hurried = self.shutdown.is_requested() || matches!(ended, Ok(Ended::Stalled));
            let limit = if is_hurried { FLUSH_LIMIT_STOPPED } else { FLUSH_LIMIT };
            let (n_unsettled, _) = self.account.unsettled();
            if n_unsettled == 0 || started.elapsed() > limit {
                break;
            }
            // What was not delivered is in the account; here it only matters that time passes.
            match self.sender.flush(LOOK_INTERVAL) {
                Ok(()) | Err(SendError::Stalled(_) | SendError::Undelivered(_)) => {}
                Err(SendError::Settings(_) | SendError::Refused { .. }) => break,
            }
            self.look();
        }
        self.look();
    }

    /// Keeps to the rate, and catches up a little where it was late.
    fn wait_until_due(&mut self) {
        let Some(rate) = self.arguments.rate else { return };
        let now = Instant::now();
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        self.due = (self.due + Duration::from_secs(1) / rate).max(earliest);
        let early = self.due.saturating_duration_since(now);
        if !early.is_zero() {
            self.shutdown.stop().wait(early);
        }
    }

    /// Tells what did not arrive, and how far it is.
    fn look(&mut self) {
        for (number, detail) in self.account.take_undelivered() {
            self.report.n_undelivered += 1;
            self.tell(number, "undelivered", &format!("not delivered: {detail}"));
        }
        let account = &self.account;
        self.progress.show(self.position, self.report.n_sent, || account.n_acknowledged());
    }

    fn bad(&mut self, number: u64, detail: &str) {
        self.report.n_bad += 1;
        self.tell(number, "bad", detail);
    }

    fn note(&self, line: &str) {
        self.progress.aside(|| self.console.note(line));
    }

    fn tell(&self, number: u64, problem: &str, detail: &str) {
        let name = self.arguments.name();
        self.progress.aside(|| tell(self.console, name, number, problem, detail));
    }
}

/// Lines as they come, a few ahead. The thread ends with its source, or with the process.
fn read_ahead(lines: Lines) -> Result<Receiver<io::Result<Line>>, Failure> {
    let (sender, receiver) = sync_channel(LINES_AHEAD);
    Builder::new()
        .name("read lines".to_owned())
        .spawn(move || {
            for line in lines {
                let is_last = line.is_err();
                if sender.send(line).is_err() || is_last {
                    break;
                }
            }
        })
        .context("cannot start a thread to read")
        .map_err(Failure::internal)?;
    Ok(receiver)
}
