//! `bindery template list`.

use clap::Args;
use domain::{Template, TemplateState};
use serde_json::{Value, json};
use service::{Exit, Failure};

use super::published::{Contents, Published};
use crate::config::Config;
use crate::console::{Console, Text, moment};

/// What stands for the language of templates that have none.
pub(super) const DEFAULT_LANGUAGE: &str = "default";

/// Lists the templates in force.
#[derive(Args, Debug, Default)]
pub(crate) struct Arguments {
    /// Only those for this event type.
    #[arg(long = "type", value_name = "EVENT TYPE")]
    event_type: Option<String>,
    /// Only those for this channel: `email`, `sms`, …
    #[arg(long)]
    channel: Option<String>,
    /// Only those in this language, as a tag such as `fr-CA`; `default`: those without one.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
}

/// Lists what is published.
///
/// # Errors
/// 69 where no broker answers, 78 where the topic is missing.
pub(super) fn run(
    config: &Config,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    kafka::require(&config.kafka, std::slice::from_ref(&config.topics.message_template))?;
    let published = Published::load(&config.kafka, &config.topics, Contents::Unread)?;
    let all = published.templates();
    let found: Vec<&Template> =
        all.iter().copied().filter(|template| arguments.admit(template)).collect();
    if all.is_empty() {
        console.say("no template is published; `bindery template publish` publishes some");
    } else if found.is_empty() {
        console.say(&format!("none of the {} published templates is one of those", all.len()));
    } else {
        let columns =
            ["id", "type", "channel", "language", "lanes", "state", "version", "published at"];
        console.table(columns, &[6], found.iter().map(|template| row(template)));
    }
    console
        .object(&json!({ "templates": found.into_iter().map(template_json).collect::<Vec<_>>() }));
    Ok(Exit::Ok)
}

impl Arguments {
    fn admit(&self, template: &Template) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        is(&self.event_type, &template.event_type)
            && is(&self.channel, template.channel.as_str())
            && is(&self.language, language_of(template))
    }
}

fn row(template: &Template) -> [Text; 8] {
    [
        (&*template.id).into(),
        (&*template.event_type).into(),
        template.channel.as_str().into(),
        language_of(template).into(),
        lanes_of(template).join(", ").into(),
        match template.state {
            TemplateState::Live => "live".into(),
            TemplateState::Paused => Text::notable("paused"),
        },
        version_of(template).into(),
        moment(template.published_at).into(),
    ]
}

/// The language, or the word for none.
pub(super) fn language_of(template: &Template) -> &str {
    if template.language.is_empty() { DEFAULT_LANGUAGE } else { &template.language }
}

/// The lanes a template serves.
pub(super) fn lanes_of(template: &Template) -> Vec<&'static str> {
    let lanes = [("rt", template.lanes.rt), ("batch", template.lanes.batch)];
    lanes.into_iter().filter(|(_, serves)| *serves).map(|(name, _)| name).collect()
}

/// The version that events get, and the one on trial.
pub(super) fn version_of(template: &Template) -> String {
    let stable = template.stable.0;
    match template.canary {
        None => stable.to_string(),
        Some(canary) => format!("{stable}, {} for {} %", canary.version.0, canary.percentage),
    }
}

/// What binding knows of a template, for a program.
pub(super) fn template_json(template: &Template) -> Value {
    let required: Vec<&str> = template.required.iter().map(|path| path.as_str()).collect();
    let retained: Vec<u32> = template.retained.iter().map(|version| version.0).collect();
    json!({
        "id": template.id,
        "type": template.event_type,
        "channel": template.channel.as_str(),
        "language": template.language,
        "lanes": lanes_of(template),
        "state": match template.state {
            TemplateState::Live => "live",
            TemplateState::Paused => "paused",
        },
        "version": template.stable.0,
        "canary": template.canary.map(|canary| json!({
            "version": canary.version.0, "percentage": canary.percentage,
        })),
        "publishedAt": moment(template.published_at),
        "required": required,
        "retained": retained,
    })
}

#[cfg(test)]
mod tests {
    use domain::{Channel, Lanes, TemplateVersion, Timestamp};

    use super::*;

    fn template() -> Template {
        Template {
            id: "a".into(),
            event_type: "order.shipped".into(),
            channel: Channel::SMS,
            language: "fr-CA".into(),
            lanes: Lanes::BOTH,
            state: TemplateState::Live,
            stable: TemplateVersion(3),
            canary: None,
            published_at: Timestamp::from_millis(1_700_000_000_000),
            required: [].into(),
            retained: Box::new([TemplateVersion(3)]),
        }
    }

    #[track_caller]
    fn check(filters: [Option<&str>; 3], expected: bool) {
        let [event_type, channel, language] = filters.map(|filter| filter.map(str::to_owned));
        let arguments = Arguments { event_type, channel, language };
        assert_eq!(arguments.admit(&template()), expected, "{arguments:?}");
    }

    #[test]
    fn every_filter_has_to_admit_a_template() {
        check([None, None, None], true);
        check([Some("order.shipped"), Some("sms"), Some("fr-ca")], true);
        check([Some("order.paid"), None, None], false);
        check([None, Some("email"), None], false);
        check([Some("order.shipped"), None, Some("fr")], false);
        check([None, None, Some("default")], false);
    }

    #[test]
    fn a_template_without_a_language_is_found_as_the_default() {
        let mut template = template();
        template.language = "".into();
        let arguments = Arguments { language: Some("default".into()), ..Arguments::default() };
        assert!(arguments.admit(&template));
    }

    #[test]
    fn a_template_in_json_has_these_members() {
        let expected = json!({
            "id": "a", "type": "order.shipped", "channel": "sms", "language": "fr-CA",
            "lanes": ["rt", "batch"], "state": "live", "version": 3, "canary": null,
            "publishedAt": "2023-11-14T22:13:20Z", "required": [], "retained": [3],
        });
        assert_eq!(template_json(&template()), expected);
    }
}
