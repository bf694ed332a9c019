//! How far sending is, on a terminal and nowhere else.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::console::Console;

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// A bar for a file, a line for a pipe.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    drawn: Instant,
}

impl Progress {
    /// Of `size` bytes, if that is known.
    pub(super) fn new(console: &Console, size: Option<u64>) -> Self {
        let bar = console.is_live().then(|| {
            let (bar, template) = match size {
                Some(size) => {
                    (ProgressBar::new(size), "{bar:24} {percent:>3} %  {msg}, {eta} left")
                }
                None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
            };
            let style = ProgressStyle::with_template(template);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, started: Instant::now(), drawn: Instant::now() }
    }

    /// Draws it, if it is time to: `position` bytes read, so many events sent and acknowledged.
    pub(super) fn show(
        &mut self,
        position: u64,
        n_sent: u64,
        n_acknowledged: impl FnOnce() -> u64,
    ) {
        let Some(bar) = &self.bar else { return };
        if self.drawn.elapsed() < INTERVAL {
            return;
        }
        self.drawn = Instant::now();
        let elapsed = self.started.elapsed();
        bar.set_position(position);
        bar.set_message(format!(
            "{} sent, {} acknowledged, {}/s",
            HumanCount(n_sent),
            HumanCount(n_acknowledged()),
            HumanCount(per_second(n_sent, elapsed)),
        ));
    }

    /// Runs `print` with the bar out of its way.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How many of `n` there were in a second of `elapsed`.
pub(super) fn per_second(n: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(n) * 1000 / millis).unwrap_or(u64::MAX)
}
