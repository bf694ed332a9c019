use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// How a process ends: the numbers an operator, a script and an orchestrator act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked to, or was asked to stop.
    Ok,
    /// It looked and found something wrong.
    FoundWrong,
    /// The command line makes no sense.
    Usage,
    /// No broker answers.
    Unreachable,
    /// It failed in a way that a restart may cure.
    Internal,
    /// The configuration, or what it names, has to be changed first. A restart does not help.
    Configuration,
    /// Somebody stopped it before it was done, as a shell says it of Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::FoundWrong => 1,
            Self::Usage => 2,
            Self::Unreachable => 69,
            Self::Internal => 70,
            Self::Configuration => 78,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a process ends otherwise than well, and the code it ends with.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// An error and the code it ends the process with.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// The configuration, or what it names, has to be changed first.
    pub fn configuration(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Configuration, error)
    }

    /// No broker answers.
    pub fn unreachable(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Unreachable, error)
    }

    /// It failed in a way that a restart may cure.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Internal, error)
    }

    /// The command line makes no sense.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Usage, error)
    }

    /// It looked and found something wrong.
    pub fn found_wrong(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::FoundWrong, error)
    }

    /// Somebody stopped it before it was done.
    pub fn interrupted(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Interrupted, error)
    }

    /// The code the process ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes the whole chain as one line on standard error, after the name of the program, and
    /// returns the code to end with.
    pub fn report(&self, program: &str) -> Exit {
        say(&format!("{program}: {self}"));
        self.exit
    }
}

/// What nobody classified may be cured by a restart.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(error)
    }
}

/// The whole chain in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(self.error.as_ref()))
    }
}

/// An error and all its sources, outermost first, in one line. A source that its parent already
/// repeats is left out.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    kafka::Chain(error).to_string()
}

/// The last words of a process, which must reach a human whatever became of the logs.
#[expect(clippy::print_stderr, reason = "this is the one place that writes there itself")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// What was asked for, on standard output. A reader who has left is no failure.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones() {
        let exits = [
            (Exit::Ok, 0),
            (Exit::FoundWrong, 1),
            (Exit::Usage, 2),
            (Exit::Unreachable, 69),
            (Exit::Internal, 70),
            (Exit::Configuration, 78),
            (Exit::Interrupted, 130),
        ];
        for (exit, code) in exits {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }

    #[test]
    fn a_chain_is_one_line_without_repetition() {
        let error = Err::<(), _>(anyhow::anyhow!("no\n  such   file"))
            .context("no such file")
            .context("cannot read `bindery.toml`")
            .unwrap_err();
        assert_eq!(
            Failure::configuration(error).to_string(),
            "cannot read `bindery.toml`: no such file"
        );
    }

    #[test]
    fn an_unclassified_error_is_internal() {
        assert_eq!(Failure::from(anyhow::anyhow!("odd")).exit(), Exit::Internal);
    }
}
