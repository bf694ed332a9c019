//! How far the run is, while it runs.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::ledger::{Ledger, Totals};
use crate::console::Console;

/// How often a line is printed where no bar can be drawn.
const LINE_INTERVAL: Duration = Duration::from_secs(2);
/// How often the bar is drawn.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// A bar on a terminal, a line now and then elsewhere, nothing for a program.
pub(super) struct Progress<'a> {
    console: &'a Console,
    bar: Option<ProgressBar>,
    n_events: usize,
    started: Instant,
    last: Instant,
}

impl<'a> Progress<'a> {
    /// Of `n_events`.
    pub(super) fn new(console: &'a Console, n_events: usize) -> Self {
        let bar = console.is_live().then(|| {
            let style =
                ProgressStyle::with_template("{bar:24} {pos}/{len} accounted for  {wide_msg}");
            ProgressBar::new(n_events as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { console, bar, n_events, started: Instant::now(), last: Instant::now() }
    }

    /// Shows how far it is, if it is time to.
    pub(super) fn show(&mut self, ledger: &Ledger) {
        let interval = if self.bar.is_some() { BAR_INTERVAL } else { LINE_INTERVAL };
        if self.last.elapsed() < interval {
            return;
        }
        self.last = Instant::now();
        let Totals { intake, assignments, statuses, logs, .. } = ledger.totals();
        let counts = format!(
            "{intake} sent, {assignments} assigned, {logs} delivery logs, {statuses} status changes"
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(ledger.n_settled() as u64);
                bar.set_message(counts);
            }
            None => self.console.say(&format!(
                "{:5.1} s  {}/{} accounted for  {counts}",
                self.started.elapsed().as_secs_f64(),
                ledger.n_settled(),
                self.n_events,
            )),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
