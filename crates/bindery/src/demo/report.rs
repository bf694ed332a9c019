//! The figures of a run, as a table and as one JSON object.

use std::time::Duration;

use domain::{LaneKind, Language, Status};
use serde_json::{Map, Value, json};
use service::Exit;

use super::ledger::Ledger;
use super::senders::Senders;
use super::verdict::Verdict;
use crate::console::table;

/// The figures of a run.
pub(super) struct Report {
    pub(super) events: usize,
    pub(super) statuses: Vec<(Status, usize)>,
    pub(super) assignments: u64,
    pub(super) dead_letters: u64,
    pub(super) rt: Latency,
    pub(super) batch: Latency,
    pub(super) elapsed: Duration,
    pub(super) broker: String,
    pub(super) verdict: Verdict,
}

/// How long it took from the moment an event was due to be sent until its assignment was visible
/// under `read_committed`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Latency {
    /// For half of the events, in milliseconds.
    pub(super) p50: f64,
    /// For 99 of 100 events, in milliseconds.
    pub(super) p99: f64,
}

impl Latency {
    /// Of these.
    pub(super) fn of(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { p50: percentile(&latencies, 50), p99: percentile(&latencies, 99) }
    }

    /// Of the assignments of one side.
    pub(super) fn of_side(lane: LaneKind, ledger: &Ledger, senders: &Senders) -> Self {
        let latency = |(number, at)| senders.latency(number, at);
        Self::of(ledger.visible(lane).filter_map(latency).collect())
    }

    fn json(self) -> Value {
        json!({ "p50": self.p50, "p99": self.p99 })
    }
}

/// The value that `percent` of `sorted` do not exceed, in milliseconds with one decimal.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    let value = sorted.get(rank - 1).copied().unwrap_or_default();
    (value.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Report {
    /// What the program ends with: found wrong if anything was lost, duplicated or regressed.
    pub(super) fn exit(&self) -> Exit {
        if self.verdict.is_good() { Exit::Ok } else { Exit::FoundWrong }
    }

    fn events_per_second(&self) -> f64 {
        let events = u32::try_from(self.events).map_or(f64::from(u32::MAX), f64::from);
        (events / self.elapsed.as_secs_f64().max(0.001)).round()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let statuses: Map<String, Value> = self
            .statuses
            .iter()
            .map(|(status, count)| (status.as_str().to_owned(), json!(count)))
            .collect();
        json!({
            "events": self.events,
            "statuses": statuses,
            "assignments": self.assignments,
            "deadLetters": self.dead_letters,
            "lost": self.verdict.lost,
            "duplicated": self.verdict.duplicated,
            "regressed": self.verdict.regressed,
            "latencyMs": { "rt": self.rt.json(), "batch": self.batch.json() },
            "eventsPerSecond": self.events_per_second(),
            "broker": self.broker,
        })
    }

    /// For people, the statuses labelled in `language`.
    pub(super) fn text(&self, language: Language) -> String {
        let shown = self.statuses.iter().filter(|(_, count)| *count > 0);
        let rows = shown.map(|(status, count)| {
            let label = status.label(language).to_owned();
            [status.as_str().to_owned(), label, count.to_string()]
        });
        let statuses = table(["status", "", "events"], &[2], rows);
        let latency = |side: &str, of: Latency| {
            [side.to_owned(), format!("{:.1} ms", of.p50), format!("{:.1} ms", of.p99)]
        };
        let rows = [latency("rt", self.rt), latency("batch", self.batch)];
        let latencies = table(["sent to assigned", "p50", "p99"], &[1, 2], rows);
        let verdict = &self.verdict;
        let outcome = if verdict.is_good() {
            "every event is accounted for exactly once".to_owned()
        } else {
            let Verdict { lost, duplicated, regressed, findings } = verdict;
            let findings = findings.join("\n  ");
            format!("{lost} lost, {duplicated} duplicated, {regressed} regressed\n  {findings}")
        };
        format!(
            "\n{statuses}\n\n{latencies}\n\n{} events in {:.1} s ({} a second), {} assignments, {} dead letters\n\
             check: {outcome}",
            self.events,
            self.elapsed.as_secs_f64(),
            self.events_per_second(),
            self.assignments,
            self.dead_letters,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(millis: &[u64], p50: f64, p99: f64) {
        let latencies = millis.iter().map(|ms| Duration::from_millis(*ms)).collect();
        assert_eq!(Latency::of(latencies), Latency { p50, p99 });
    }

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        check(&[], 0.0, 0.0);
        check(&[7], 7.0, 7.0);
        check(&[3, 1, 2, 4], 2.0, 4.0);
        check(&(1..=200).rev().collect::<Vec<u64>>(), 100.0, 198.0);
    }

    fn report(verdict: Verdict) -> Report {
        let counts = [(Status::Pending, 1), (Status::NotSupported, 2), (Status::Sent, 7)];
        let count = |status| counts.iter().find(|(of, _)| *of == status).map_or(0, |(_, n)| *n);
        Report {
            events: 10,
            statuses: Status::ALL.into_iter().map(|status| (status, count(status))).collect(),
            assignments: 7,
            dead_letters: 2,
            rt: Latency { p50: 1.5, p99: 20.0 },
            batch: Latency { p50: 100.0, p99: 200.5 },
            elapsed: Duration::from_secs(2),
            broker: "embedded".into(),
            verdict,
        }
    }

    /// What is for programs, word by word, and what the program ends with.
    #[track_caller]
    fn check_outcome([lost, duplicated, regressed]: [u64; 3], code: u8) {
        let report = report(Verdict { lost, duplicated, regressed, findings: Vec::new() });
        let expected = json!({
            "events": 10,
            "statuses": {
                "PENDING": 1,
                "PAUSED": 0,
                "PENDING_DELIVERY": 0,
                "EXPIRED": 0,
                "CANCELLED": 0,
                "NOT_SUPPORTED": 2,
                "IGNORED": 0,
                "SENT": 7,
                "DELIVERY_ERROR": 0,
            },
            "assignments": 7,
            "deadLetters": 2,
            "lost": lost,
            "duplicated": duplicated,
            "regressed": regressed,
            "latencyMs": { "rt": { "p50": 1.5, "p99": 20.0 }, "batch": { "p50": 100.0, "p99": 200.5 } },
            "eventsPerSecond": 5.0,
            "broker": "embedded",
        });
        assert_eq!(report.json(), expected);
        assert_eq!(report.exit().code(), code);
    }

    #[test]
    fn programs_are_told_all_figures_and_fail_on_anything_lost_duplicated_or_regressed() {
        check_outcome([0, 0, 0], 0);
        check_outcome([3, 0, 0], 1);
        check_outcome([0, 4, 0], 1);
        check_outcome([0, 0, 5], 1);
    }
}
