//! What came of it, as people and programs are told.

use std::time::Duration;

use anyhow::anyhow;
use indicatif::HumanCount;
use serde_json::{Value, json};
use service::{Exit, Failure};

use super::progress::per_second;
use crate::console::Console;

/// What came of one run.
#[derive(Debug, Default)]
pub(super) struct Report {
    topic: String,
    /// Lines read, without empty ones.
    pub(super) n_lines: u64,
    /// Lines that are no events.
    pub(super) n_bad: u64,
    /// How long it took; `None` where nothing was to be sent.
    pub(super) took: Option<Duration>,
    /// Events given to the client.
    pub(super) n_sent: u64,
    /// Events the broker has.
    pub(super) n_acknowledged: u64,
    /// Events the broker has not.
    pub(super) n_undelivered: u64,
    /// Events of which it is not known.
    pub(super) n_unsettled: u64,
    /// Somebody asked to stop, or the broker took nothing any more; the line to go on from.
    pub(super) stopped: Option<Stopped>,
}

/// Where and why it stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    /// The first line that is not known to have arrived. Every event before it has.
    pub(super) at: u64,
    /// Whether it was a pipe, which cannot be read again.
    pub(super) is_pipe: bool,
    /// The broker took nothing any more; else somebody asked.
    pub(super) is_stalled: bool,
}

/// Tells one line that was not sent, as it is found: on standard error for a person, as an object for a
/// program.
pub(super) fn tell(console: &Console, name: &str, line: u64, problem: &str, detail: &str) {
    if console.is_json() {
        console.object(&json!({ "line": line, "problem": problem, "detail": detail }));
    } else {
        console.note(&format!("{name}:{line}: {detail}"));
    }
}

impl Report {
    /// One for lines that are only checked.
    pub(super) fn unsent(topic: &str) -> Self {
        Self { topic: topic.to_owned(), ..Self::default() }
    }

    /// Prints it, and says how the process ends.
    pub(super) fn finish(&self, name: &str, console: &Console) -> Result<Exit, Failure> {
        console.say(&self.text());
        console.object(&self.json());
        match self.failure(name) {
            None => Ok(Exit::Ok),
            Some(failure) => Err(failure),
        }
    }

    pub(super) fn text(&self) -> String {
        let Some(took) = self.took else {
            let n_good = HumanCount(self.n_lines - self.n_bad);
            return format!(
                "{n_good} of {} lines are events; nothing was sent",
                HumanCount(self.n_lines)
            );
        };
        let acknowledged = if self.n_acknowledged == self.n_sent {
            "all acknowledged".to_owned()
        } else {
            format!("{} acknowledged", HumanCount(self.n_acknowledged))
        };
        format!(
            "sent {} events to `{}` in {:.1} s, {}/s, {acknowledged}",
            HumanCount(self.n_sent),
            self.topic,
            took.as_secs_f64(),
            HumanCount(per_second(self.n_sent, took)),
        )
    }

    fn json(&self) -> Value {
        json!({
            "topic": self.topic,
            "lines": self.n_lines,
            "bad": self.n_bad,
            "sent": self.n_sent,
            "acknowledged": self.n_acknowledged,
            "undelivered": self.n_undelivered,
            "unknown": self.n_unsettled,
            "stoppedAtLine": self.stopped.map(|stopped| stopped.at),
        })
    }

    /// The worst of what went wrong, and what to do.
    fn failure(&self, name: &str) -> Option<Failure> {
        let resume = self.stopped.map(|stopped| {
            let at = stopped.at;
            if stopped.is_pipe {
                format!("; every event before line {at} has arrived")
            } else {
                format!("; every event before line {at} has arrived, go on with `--from-line {at}`")
            }
        });
        let resume = resume.unwrap_or_default();
        if self.n_unsettled > 0 || self.stopped.is_some_and(|stopped| stopped.is_stalled) {
            return Some(Failure::unreachable(anyhow!(
                "the broker takes no more events; of {} it is not known whether they arrived{resume}",
                self.n_unsettled
            )));
        }
        if self.n_undelivered > 0 {
            return Some(Failure::unreachable(anyhow!(
                "{} of {} events were not delivered; send the lines told above again{resume}",
                self.n_undelivered,
                self.n_sent
            )));
        }
        if self.stopped.is_some_and(|stopped| !stopped.is_pipe) {
            return Some(Failure::found_wrong(anyhow!("stopped before the end{resume}")));
        }
        if self.n_bad > 0 {
            let (bad, lines) = (self.n_bad, self.n_lines);
            return Some(Failure::found_wrong(if self.took.is_some() {
                anyhow!(
                    "{bad} of {lines} lines in `{name}` are no events and were not sent; mend them and send those lines again"
                )
            } else {
                anyhow!(
                    "{bad} of {lines} lines in `{name}` are no events; nothing was sent, mend them first"
                )
            }));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            topic: "rt-event".into(),
            n_lines: 12_000,
            n_sent: 12_000,
            n_acknowledged: 12_000,
            took: Some(Duration::from_millis(1500)),
            ..Report::default()
        }
    }

    #[track_caller]
    fn check(report: &Report, text: &str, exit: Exit, last_words: &str) {
        assert_eq!(report.text(), text);
        match report.failure("events.ndjson") {
            None => assert_eq!((exit, last_words), (Exit::Ok, "")),
            Some(failure) => {
                assert_eq!((failure.exit(), failure.to_string().as_str()), (exit, last_words));
            }
        }
    }

    #[test]
    fn all_is_well_when_all_is_acknowledged() {
        let text = "sent 12,000 events to `rt-event` in 1.5 s, 8,000/s, all acknowledged";
        check(&report(), text, Exit::Ok, "");
    }

    #[test]
    fn bad_lines_are_found_wrong() {
        let report = Report { n_bad: 2, n_sent: 11_998, n_acknowledged: 11_998, ..report() };
        check(
            &report,
            "sent 11,998 events to `rt-event` in 1.5 s, 7,998/s, all acknowledged",
            Exit::FoundWrong,
            "2 of 12000 lines in `events.ndjson` are no events and were not sent; mend them and send those lines again",
        );
    }

    #[test]
    fn nothing_is_sent_where_lines_are_only_checked() {
        let report = Report { n_bad: 2, n_lines: 3, ..Report::unsent("rt-event") };
        check(
            &report,
            "1 of 3 lines are events; nothing was sent",
            Exit::FoundWrong,
            "2 of 3 lines in `events.ndjson` are no events; nothing was sent, mend them first",
        );
    }

    #[test]
    fn a_broker_that_is_gone_is_told_before_anything_else() {
        let stopped = Some(Stopped { at: 501, is_pipe: false, is_stalled: true });
        let report =
            Report { n_acknowledged: 11_990, n_unsettled: 10, n_bad: 1, stopped, ..report() };
        check(
            &report,
            "sent 12,000 events to `rt-event` in 1.5 s, 8,000/s, 11,990 acknowledged",
            Exit::Unreachable,
            "the broker takes no more events; of 10 it is not known whether they arrived; every event before line 501 has arrived, go on with `--from-line 501`",
        );
    }

    #[test]
    fn a_file_cut_short_is_found_wrong_and_a_pipe_is_not() {
        let text = "sent 12,000 events to `rt-event` in 1.5 s, 8,000/s, all acknowledged";
        let stopped = |is_pipe| Some(Stopped { at: 12_001, is_pipe, is_stalled: false });
        let last_words = "stopped before the end; every event before line 12001 has arrived, go on with `--from-line 12001`";
        check(&Report { stopped: stopped(false), ..report() }, text, Exit::FoundWrong, last_words);
        check(&Report { stopped: stopped(true), ..report() }, text, Exit::Ok, "");
    }

    #[test]
    fn the_summary_for_programs_has_these_members() {
        let expected = json!({
            "topic": "rt-event", "lines": 12_000, "bad": 0, "sent": 12_000, "acknowledged": 12_000,
            "undelivered": 0, "unknown": 0, "stoppedAtLine": null,
        });
        assert_eq!(report().json(), expected);
    }
}
