//! `bindery template publish`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use service::{Exit, Failure};

use super::file::Problem;
use super::folder::{ReadFailure, read_all};
use super::publication::{Outcome, publish};
use crate::config::Config;
use crate::console::{Console, table};

/// The flags of `bindery template publish`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Template files, or folders with such files.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
}

/// Publishes the templates of files and folders; found wrong, and nothing published, if one of them
/// has a problem.
///
/// # Errors
/// 1 for a problem in a file, 69 where no broker answers, 78 where a file or topic is missing.
pub fn run(config: &Config, arguments: &Arguments, console: &Console) -> Result<Exit, Failure> {
    let sources = match read_all(&arguments.paths) {
        Ok(sources) => sources,
        Err(ReadFailure::Problems(problems)) => return Err(tell(&problems, console)),
        Err(failure) => return Err(Failure::configuration(failure)),
    };
    let topics = &config.topics;
    let specs = [topics.message_template.clone(), topics.template_content.clone()];
    kafka::require(&config.kafka, &specs)?;
    let outcomes = publish(&config.kafka, topics, &sources)?;
    let rows = outcomes.iter().map(|outcome| match outcome {
        Outcome::Published(publication) => {
            let template = &publication.template;
            let required: Vec<&str> = template.required.iter().map(|path| path.as_str()).collect();
            let version = format!("{} published", template.stable.0);
            [template.id.to_string(), version, required.join(", ")]
        }
        Outcome::Unchanged { id, version } => {
            [id.clone(), format!("{} unchanged", version.0), String::new()]
        }
    });
    console.say(&table(["template", "version", "required of ctx"], &[], rows));
    let templates: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Published(publication) => json!({
                "id": publication.template.id,
                "version": publication.template.stable.0,
                "published": true,
            }),
            Outcome::Unchanged { id, version } => {
                json!({ "id": id, "version": version.0, "published": false })
            }
        })
        .collect();
    console.object(&json!({ "templates": templates }));
    Ok(Exit::Ok)
}

fn tell(problems: &[Problem], console: &Console) -> Failure {
    for problem in problems {
        console.say(&problem.to_string());
    }
    let told = |problem: &Problem| json!({ "file": problem.file, "line": problem.line, "message": problem.message });
    console.object(&json!({ "problems": problems.iter().map(told).collect::<Vec<_>>() }));
    let advice = "nothing was published: mend the problems above and publish again";
    Failure::found_wrong(anyhow!("{} problems; {advice}", problems.len()))
}
