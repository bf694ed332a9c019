//! The files of the chart that are made and not written.

mod dashboard;
mod panels;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use kafka::Topics;
use serde_json::{Value, json};

use crate::report;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Write Grafana's dashboard and the topics to where the chart takes them from.
    Write,
    /// Fail when what is there is something else.
    Check,
}

/// Each file and what is to be in it.
fn files() -> [(PathBuf, Value); 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/helm/bindery/files");
    [
        (folder.join("dashboard.json"), dashboard::dashboard()),
        (folder.join("topics.json"), json!(Topics::default())),
    ]
}

pub(crate) fn run(task: &Task) -> Result<()> {
    for (path, value) in files() {
        let name = path.display();
        let text = format!("{value:#}\n");
        match task {
            Task::Write => {
                fs::write(&path, text).with_context(|| format!("cannot write `{name}`"))?;
                report(&format!("wrote {name}"));
            }
            Task::Check => {
                let found =
                    fs::read_to_string(&path).with_context(|| format!("cannot read `{name}`"))?;
                ensure!(found == text, "`{name}` is out of date; run `cargo xtask deploy write`");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_has_the_topics_of_the_code_and_the_panels_there_are() {
        run(&Task::Check).unwrap();
    }
}
