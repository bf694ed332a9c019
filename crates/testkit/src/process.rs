use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::guard::Guard;
use crate::wait;

/// How many of the last lines a panic shows.
const SHOWN: usize = 40;

/// A program a test started: its lines of output, its end. Dropping it kills it.
///
/// It is also killed when the test process dies without dropping anything.
pub struct Process {
    binary: PathBuf,
    child: Child,
    guard: Option<Guard>,
    output: Arc<Output>,
}

impl Process {
    /// Starts `binary` with `args`, and with `envs` on top of the environment of the test.
    /// Standard input is empty.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(binary: impl AsRef<Path>, args: &[&str], envs: &[(&str, &str)]) -> Self {
        let binary = binary.as_ref().to_owned();
        let mut child = Command::new(&binary)
            .args(args)
            .envs(envs.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", binary.display()));
        let guard = Guard::of(&child);
        let output = Arc::new(Output::default());
        output.follow(child.stdout.take().expect("piped above"));
        output.follow(child.stderr.take().expect("piped above"));
        Self { binary, child, guard: Some(guard), output }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Every line written so far, standard output and standard error in the order they came.
    pub fn lines(&self) -> Vec<String> {
        self.output.state().lines.clone()
    }

    /// Waits for a line that contains `text`, among those already written too, and returns it.
    ///
    /// # Panics
    ///
    /// When `deadline` has passed or the output ended without one.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, deadline: Duration) -> String {
        match self.output.find(text, Instant::now() + deadline) {
            Some(line) => line,
            None => panic!("no line with `{text}` within {deadline:?} {}", self.tail()),
        }
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    ///
    /// When `deadline` has passed.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let ended =
            wait::poll(deadline, &mut || self.try_wait().ok_or_else(|| "still running".to_owned()));
        match ended {
            Ok(status) => status,
            Err(_) => panic!("still running after {deadline:?} {}", self.tail()),
        }
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("it is our child");
        if status.is_some() {
            self.guard = None;
        }
        status
    }

    /// Sends SIGTERM: the polite request to drain and leave.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&mut self) {
        self.signal(Signal::INT);
    }

    /// Sends SIGKILL and reaps it: no chance to clean up anything.
    pub fn kill9(&mut self) {
        self.guard = None;
        // It fails only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&mut self, signal: Signal) {
        // A process that was reaped may have left its number to another.
        if self.try_wait().is_none() {
            kill_process(Pid::from_child(&self.child), signal).expect("our child can be signalled");
        }
    }

    /// Who it is and what it said last, for panics.
    fn tail(&self) -> String {
        let state = self.output.state();
        let from = state.lines.len().saturating_sub(SHOWN);
        let mut tail = format!("from `{}` ({})", self.binary.display(), self.child.id());
        for line in &state.lines[from..] {
            let _ = write!(tail, "\n  | {line}");
        }
        tail
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
        // A test that fails while a process runs is rarely understood without its words.
        if std::thread::panicking() {
            show(&self.tail());
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test harness shows it with the failure")]
fn show(text: &str) {
    eprintln!("{text}");
}

/// What a process has written, filled by one thread per stream.
#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    open: usize,
}

impl Output {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        self.state().open += 1;
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(n) if n > 0) {
                let text = String::from_utf8_lossy(&line);
                output.state().lines.push(text.trim_end_matches(['\n', '\r']).to_owned());
                output.changed.notify_all();
                line.clear();
            }
            output.state().open -= 1;
            output.changed.notify_all();
        });
    }

    fn find(&self, text: &str, until: Instant) -> Option<String> {
        let mut state = self.state();
        let mut seen = 0;
        loop {
            if let Some(line) = state.lines[seen..].iter().find(|line| line.contains(text)) {
                return Some(line.clone());
            }
            seen = state.lines.len();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.open == 0 {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Process {
        Process::spawn("/bin/sh", &["-c", script], &[("GREETING", "hello")])
    }

    #[test]
    fn both_streams_are_captured_line_by_line() {
        let process = shell("echo $GREETING out; echo err >&2; exec cat /dev/zero >/dev/null");
        assert_eq!(process.wait_for_line("hello", SOON), "hello out");
        assert_eq!(process.wait_for_line("err", SOON), "err");
        assert_eq!(process.lines().len(), 2);
    }

    #[test]
    #[should_panic(expected = "| the last words")]
    fn a_missing_line_panics_with_the_last_lines() {
        shell("echo the last words").wait_for_line("never said", SOON);
    }

    #[test]
    fn the_three_ways_to_end_are_told_apart() {
        let mut polite = shell(
            "trap 'exit 7' TERM; echo up; while :; do read -r _ < /dev/tty || sleep 0.01; done",
        );
        polite.wait_for_line("up", SOON);
        polite.terminate();
        assert_eq!(polite.wait(SOON).code(), Some(7));

        let mut killed = shell("echo up; exec sleep 600");
        killed.wait_for_line("up", SOON);
        killed.kill9();
        assert_eq!(killed.wait(SOON).signal(), Some(9));
    }
}
