//! `bindery template check`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use service::{Exit, Failure};

use super::file::Problem;
use super::folder::{ReadFailure, read_all};
use crate::console::{Console, counted};

/// Checks template files without a broker: what `publish` would refuse, all problems of all files,
/// each with file and line.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Template files, or folders with such files.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
}

/// Reads the templates of files and folders; found wrong if one of them has a problem.
///
/// # Errors
/// 1 for a problem in a file, 78 where a file cannot be read.
pub(super) fn run(arguments: &Arguments, console: &Console) -> Result<Exit, Failure> {
    match read_all(&arguments.paths) {
        Ok(sources) => {
            console.say(&format!("{}, no problems", counted(sources.len(), "template")));
            console.object(&json!({ "templates": sources.len(), "problems": [] }));
            Ok(Exit::Ok)
        }
        Err(ReadFailure::Problems(problems)) => {
            tell(&problems, console);
            Err(Failure::found_wrong(anyhow!(
                "{} in the template files; mend what is told above",
                counted(problems.len(), "problem")
            )))
        }
        Err(failure @ (ReadFailure::Unreadable { .. } | ReadFailure::Nothing(_))) => {
            Err(Failure::configuration(failure))
        }
    }
}

/// Prints problems as compilers do, a line each, for editors to find the place.
pub(super) fn tell(problems: &[Problem], console: &Console) {
    for problem in problems {
        console.say(&problem.to_string());
    }
    let told = |problem: &Problem| json!({ "file": problem.file, "line": problem.line, "message": problem.message });
    console.object(&json!({ "problems": problems.iter().map(told).collect::<Vec<_>>() }));
}
