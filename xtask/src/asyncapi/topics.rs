use kafka::{TopicSpec, Topics};
use serde_yaml_ng::Value;

use super::messages::Payload;
use super::{map, reference};

/// A topic: what is in it, and in words what for.
fn contents(topics: &Topics) -> [(&TopicSpec, &'static [Payload], &'static str); 12] {
    use Payload as Is;
    [
        (&topics.rt_event, &[Is::Event], "Events to be answered at once."),
        (
            &topics.batch_event,
            &[Is::Event],
            "Events in large amounts, answered in large transactions.",
        ),
        (
            &topics.message_template,
            &[Is::MessageTemplate],
            "What binding needs to know of each template. Keyed by template id; a record without a value \
             unpublishes.",
        ),
        (
            &topics.template_content,
            &[Is::TemplateContent],
            "What each version of a template looks like, for delivery services.",
        ),
        (&topics.rt_assignment, &[Is::Assignment], "Messages to send, from `rt-event`."),
        (&topics.batch_assignment, &[Is::Assignment], "Messages to send, from `batch-event`."),
        (&topics.event_journal, &[Is::Fact], "Everything that is known of each event."),
        (
            &topics.event_status,
            &[Is::EventStatus],
            "What became of each event. The statuses of one event never go backwards; a record without a \
             value says that its retention is over.",
        ),
        (
            &topics.delivery_log,
            &[Is::DeliveryLog],
            "What delivery services say became of each assignment, in any order and any number of times.",
        ),
        (&topics.dead_letter, &[Is::DeadLetter], "Records that are not what their topic holds."),
        (
            &topics.held_event,
            &[Is::HeldEvent],
            "Events kept until a time or a template comes. A record without a value says that the event was \
             released.",
        ),
        (
            &topics.event_cancellation,
            &[Is::Cancellation],
            "Events called off. Nothing reads it yet.",
        ),
    ]
}

/// Who does what.
struct Role {
    /// Also the default name of its consumer group.
    service: &'static str,
    receives: &'static [&'static str],
    /// Read from the start by every instance, without a group.
    follows: &'static [&'static str],
    sends: &'static [&'static str],
}

const ROLES: [Role; 6] = [
    Role {
        service: "rt-event-consumer",
        receives: &["rt-event"],
        follows: &["message-template"],
        sends: &["rt-assignment", "event-journal", "dead-letter", "held-event"],
    },
    Role {
        service: "batch-event-consumer",
        receives: &["batch-event"],
        follows: &["message-template"],
        sends: &["batch-assignment", "event-journal", "dead-letter", "held-event"],
    },
    Role {
        service: "status-sync-announce",
        receives: &["rt-event", "batch-event"],
        follows: &[],
        sends: &["event-journal"],
    },
    Role {
        service: "status-sync-collect",
        receives: &["delivery-log"],
        follows: &[],
        sends: &["event-journal", "dead-letter"],
    },
    Role {
        service: "status-sync-fold",
        receives: &["event-journal"],
        follows: &[],
        sends: &["event-status", "dead-letter"],
    },
    Role {
        service: "bindery-template-publish",
        receives: &[],
        follows: &[],
        sends: &["message-template", "template-content"],
    },
];

/// Every topic.
pub(super) fn channels() -> Value {
    let topics = Topics::default();
    map(contents(&topics).map(|(spec, messages, description)| {
        let messages = messages.iter().map(|message| {
            (message.name(), reference(&format!("components/messages/{}", message.name())))
        });
        let channel = map([
            ("address", spec.name.as_str().into()),
            ("description", description.into()),
            ("messages", map(messages)),
            ("bindings", map([("kafka", binding(spec))])),
        ]);
        (spec.name.clone(), channel)
    }))
}

fn binding(spec: &TopicSpec) -> Value {
    let configuration = spec.config.iter().map(|(key, value)| {
        let value = match key.as_str() {
            "cleanup.policy" => value.split(',').map(Value::from).collect::<Vec<_>>().into(),
            _ => value.parse::<i64>().map_or_else(|_| value.as_str().into(), Value::from),
        };
        (key.as_str(), value)
    });
    map([
        ("partitions", spec.partitions.into()),
        ("topicConfiguration", map(configuration)),
        ("bindingVersion", "0.5.0".into()),
    ])
}

/// What each service does with each topic.
pub(super) fn operations() -> Value {
    let of = |role: &'static Role| {
        let receives = role.receives.iter().map(|topic| operation(role, "receive", topic, true));
        let follows = role.follows.iter().map(|topic| operation(role, "receive", topic, false));
        let sends = role.sends.iter().map(|topic| operation(role, "send", topic, false));
        receives.chain(follows).chain(sends).collect::<Vec<_>>()
    };
    map(ROLES.iter().flat_map(of))
}

fn operation(role: &Role, action: &str, topic: &str, in_group: bool) -> (String, Value) {
    let mut entries = vec![
        ("action", action.into()),
        ("channel", reference(&format!("channels/{topic}"))),
        ("tags", vec![map([("name", role.service.into())])].into()),
    ];
    if in_group {
        let group = map([("type", "string".into()), ("const", role.service.into())]);
        let binding = map([("groupId", group), ("bindingVersion", "0.5.0".into())]);
        entries.push(("bindings", map([("kafka", binding)])));
    }
    (format!("{}-{action}-{topic}", role.service), map(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_of_an_installation_is_described_once() {
        let topics = Topics::default();
        let described = contents(&topics).map(|(spec, ..)| spec.name.as_str());
        assert_eq!(described, topics.all().map(|spec| spec.name.as_str()));
    }
}
