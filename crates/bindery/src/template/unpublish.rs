//! `bindery template unpublish`.

use clap::Args;
use domain::Template;
use serde_json::{Value, json};
use service::{Exit, Failure};

use super::effect::{After, Effect, effects};
use super::list::language_of;
use super::publication::unpublish;
use super::published::{Contents, Published};
use super::show::unknown;
use crate::config::Config;
use crate::console::{Console, Text, counted};

/// Takes templates out of force, all of them in one transaction or none.
///
/// Says what becomes of the events they served. What is bound already is sent all the same: contents
/// are kept. Publishing a file again brings its template back.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The templates' ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Only say what would become of the events.
    #[arg(long)]
    dry_run: bool,
}

/// Unpublishes templates; found wrong, and nothing changed, if one of them is not published.
///
/// # Errors
/// 69 where no broker answers, 78 where a topic is missing.
pub(super) fn run(
    config: &Config,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let topics = &config.topics;
    kafka::require(
        &config.kafka,
        &[topics.message_template.clone(), topics.template_content.clone()],
    )?;
    let mut ids: Vec<&str> = arguments.ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let published = Published::load(&config.kafka, topics, Contents::Unread)?;
    let missing: Vec<&str> =
        ids.iter().copied().filter(|id| published.template(id).is_none()).collect();
    if !missing.is_empty() {
        return Err(unknown(&published, &missing));
    }
    let gone: Vec<&Template> = ids.iter().filter_map(|id| published.template(id)).collect();
    let effects = effects(&published, &gone);
    if !arguments.dry_run {
        unpublish(&config.kafka, topics, &ids)?;
    }
    let columns = ["template", "its events", "rt", "batch"];
    console.table(columns, &[], effects.iter().map(row));
    let n_templates = counted(ids.len(), "template");
    console.say(&if arguments.dry_run {
        format!("\n{n_templates} would be unpublished; nothing was changed")
    } else {
        format!("\n{n_templates} unpublished in one transaction")
    });
    let templates: Vec<Value> = effects.iter().map(json_of).collect();
    console.object(&json!({ "unpublished": !arguments.dry_run, "templates": templates }));
    Ok(Exit::Ok)
}

fn row(effect: &Effect<'_>) -> [Text; 4] {
    let template = effect.template;
    let channel = template.channel.as_str();
    let events = format!("{} by {channel} in {}", template.event_type, language_of(template));
    [(&*template.id).into(), events.into(), told(&effect.rt), told(&effect.batch)]
}

fn told(after: &After) -> Text {
    match after {
        After::NotServed => "not served".into(),
        After::Bound(id) => format!("bound to {id}").into(),
        After::Held(id) => Text::notable(format!("held until {id} is resumed")),
        After::Unbound => Text::bad("no longer bound: no_template"),
    }
}

fn json_of(effect: &Effect<'_>) -> Value {
    let lane = |after: &After| match after {
        After::NotServed => Value::Null,
        After::Bound(id) => json!({ "outcome": "bound", "template": id }),
        After::Held(id) => json!({ "outcome": "held", "template": id }),
        After::Unbound => json!({ "outcome": "no_template" }),
    };
    let template = effect.template;
    json!({
        "id": template.id,
        "type": template.event_type,
        "channel": template.channel.as_str(),
        "language": template.language,
        "rt": lane(&effect.rt),
        "batch": lane(&effect.batch),
    })
}
