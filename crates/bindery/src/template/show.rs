//! `bindery template show`.

use std::collections::HashSet;

use anyhow::anyhow;
use clap::Args;
use domain::{Template, TemplateState, TemplateVersion};
use serde_json::{Value, json};
use service::{Exit, Failure};

use super::file::Content;
use super::list::{lanes_of, language_of, template_json, version_of};
use super::published::{Contents, Published};
use crate::config::Config;
use crate::console::{Console, Text, moment};

/// Shows one template: what binding knows of it and, if asked, its content.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The template's id.
    id: String,
    /// Print the content as well, as it is rendered from.
    #[arg(long)]
    content: bool,
    /// The version whose content to print instead of the one in force.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
}

/// Shows one template; found wrong if it is not published or has no such version.
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
    let ids = HashSet::from([arguments.id.as_str()]);
    let wants_content = arguments.content || arguments.version.is_some();
    let contents = if wants_content { Contents::Of(&ids) } else { Contents::Unread };
    let published = Published::load(&config.kafka, topics, contents)?;
    let template =
        published.template(&arguments.id).ok_or_else(|| unknown(&published, &[&arguments.id]))?;
    let version = arguments.version.map_or(template.stable, TemplateVersion);
    let content = wants_content
        .then(|| {
            published.content(&template.id, version).ok_or_else(|| no_content(template, version))
        })
        .transpose()?;
    tell(template, content, version, console);
    let mut object = template_json(template);
    if let Some(content) = content {
        object["content"] = content_json(content, version);
    }
    console.object(&object);
    Ok(Exit::Ok)
}

/// Says that none of `ids` is published, and what may have been meant.
pub(super) fn unknown(published: &Published, ids: &[&str]) -> Failure {
    let named: Vec<String> = ids
        .iter()
        .map(|id| match nearest(published, id) {
            Some(nearest) => format!("`{id}` (there is `{nearest}`)"),
            None => format!("`{id}`"),
        })
        .collect();
    let named = named.join(", ");
    let advice = "`bindery template list` shows those that are";
    Failure::found_wrong(match ids {
        [_] => anyhow!("no template {named} is published; {advice}"),
        _ => anyhow!("no templates {named} are published; {advice}"),
    })
}

/// The published id that is a slip of the keyboard away, no more than every third character wrong.
fn nearest<'a>(published: &'a Published, id: &str) -> Option<&'a str> {
    let distance = |template: &&Template| strsim::osa_distance(&template.id, id);
    let nearest = published.templates().into_iter().min_by_key(distance)?;
    (distance(&nearest) <= id.len() / 3).then_some(&*nearest.id)
}

fn no_content(template: &Template, version: TemplateVersion) -> Failure {
    let kept: Vec<String> = template.retained.iter().map(|kept| kept.0.to_string()).collect();
    Failure::found_wrong(anyhow!(
        "template `{}` has no content of version {}; kept are {}",
        template.id,
        version.0,
        kept.join(", ")
    ))
}

fn tell(
    template: &Template,
    content: Option<&Content>,
    version: TemplateVersion,
    console: &Console,
) {
    let required: Vec<&str> = template.required.iter().map(|path| path.as_str()).collect();
    let kept: Vec<String> = template.retained.iter().map(|kept| kept.0.to_string()).collect();
    let rows: [[Text; 2]; 10] = [
        ["id".into(), (&*template.id).into()],
        ["event type".into(), (&*template.event_type).into()],
        ["channel".into(), template.channel.as_str().into()],
        ["language".into(), language_of(template).into()],
        ["lanes".into(), lanes_of(template).join(", ").into()],
        [
            "state".into(),
            match template.state {
                TemplateState::Live => Text::good("live"),
                TemplateState::Paused => {
                    Text::notable("paused: events that only it could serve are held")
                }
            },
        ],
        ["version".into(), version_of(template).into()],
        ["published at".into(), moment(template.published_at).into()],
        ["required of ctx".into(), required.join("\n").into()],
        ["versions kept".into(), kept.join(", ").into()],
    ];
    console.pairs(rows);
    for (name, text) in content.map(parts).into_iter().flatten() {
        console.say(&format!("\n── {name} of version {} ──\n{}", version.0, text.trim_end()));
    }
}

/// The texts a content has, by name.
fn parts(content: &Content) -> impl Iterator<Item = (&'static str, &str)> {
    let texts = [
        ("subject", &content.subject),
        ("title", &content.title),
        ("text", &content.text),
        ("html", &content.html),
    ];
    texts.into_iter().filter_map(|(name, text)| text.as_deref().map(|text| (name, text)))
}

fn content_json(content: &Content, version: TemplateVersion) -> Value {
    let mut object = json!({ "version": version.0 });
    for (name, text) in parts(content) {
        object[name] = text.into();
    }
    object
}
