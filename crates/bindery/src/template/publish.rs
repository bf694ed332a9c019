//! `bindery template publish`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use domain::TemplateState;
use serde_json::{Value, json};
use service::{Exit, Failure};

use super::check;
use super::folder::{ReadFailure, read_all};
use super::publication::{Outcome, publish};
use crate::config::Config;
use crate::console::{Console, Text, counted};

/// Publishes templates from files, all of them in one transaction or none.
///
/// A template whose content has not changed is not published again. All problems of all files are
/// told at once, each with file and line.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Template files, or folders with such files.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
}

/// Publishes the templates of files and folders; found wrong, and nothing published, if one of them
/// has a problem.
///
/// # Errors
/// 1 for a problem in a file, 69 where no broker answers, 78 where a file or topic is missing.
pub(crate) fn run(
    config: &Config,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let sources = match read_all(&arguments.paths) {
        Ok(sources) => sources,
        Err(ReadFailure::Problems(problems)) => {
            check::tell(&problems, console);
            return Err(Failure::found_wrong(anyhow!(
                "{} in the template files, nothing was published; mend what is told above and publish again",
                counted(problems.len(), "problem")
            )));
        }
        Err(failure @ (ReadFailure::Unreadable { .. } | ReadFailure::Nothing(_))) => {
            return Err(Failure::configuration(failure));
        }
    };
    let topics = &config.topics;
    let specs = [topics.message_template.clone(), topics.template_content.clone()];
    kafka::require(&config.kafka, &specs)?;
    let outcomes = publish(&config.kafka, topics, &sources)?;
    console.table(["template", "version", "", "required of ctx"], &[1], outcomes.iter().map(row));
    let n_published = outcomes.iter().filter(|outcome| is_published(outcome)).count();
    console.say(&format!(
        "\n{} published in one transaction, {} unchanged",
        counted(n_published, "template"),
        outcomes.len() - n_published
    ));
    console.object(&json!({ "templates": outcomes.iter().map(json_of).collect::<Vec<_>>() }));
    Ok(Exit::Ok)
}

fn is_published(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Published(_) => true,
        Outcome::Unchanged { .. } => false,
    }
}

fn row(outcome: &Outcome) -> [Text; 4] {
    match outcome {
        Outcome::Published(publication) => {
            let template = &publication.template;
            let required: Vec<&str> = template.required.iter().map(|path| path.as_str()).collect();
            let version = template.stable.0.to_string();
            let state = match template.state {
                TemplateState::Live => Text::good("published"),
                TemplateState::Paused => Text::notable("published, still paused"),
            };
            [(&*template.id).into(), version.into(), state, required.join(", ").into()]
        }
        Outcome::Unchanged { id, version } => {
            [id.into(), version.0.to_string().into(), "unchanged".into(), "".into()]
        }
    }
}

fn json_of(outcome: &Outcome) -> Value {
    let (id, version) = match outcome {
        Outcome::Published(publication) => (&*publication.template.id, publication.template.stable),
        Outcome::Unchanged { id, version } => (id.as_str(), *version),
    };
    json!({ "id": id, "version": version.0, "published": is_published(outcome) })
}
