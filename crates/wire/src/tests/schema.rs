use std::collections::BTreeMap;

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

use crate::message::Field;
use crate::words::Word;
use crate::{
    DESCRIPTORS, assignment, cancellation, delivery_log, event, fact, held_event, position, status,
    template, template_content,
};

fn contract() -> (BTreeMap<String, DescriptorProto>, BTreeMap<String, EnumDescriptorProto>) {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let ours = set.file.into_iter().filter(|file| file.package() == "bindery.v1");
    let (mut messages, mut enums) = (BTreeMap::new(), BTreeMap::new());
    for file in ours {
        messages.extend(file.message_type.into_iter().map(|it| (it.name().to_owned(), it)));
        enums.extend(file.enum_type.into_iter().map(|it| (it.name().to_owned(), it)));
    }
    (messages, enums)
}

#[test]
fn every_field_has_the_number_and_the_names_of_the_contract() {
    use fact::kind;
    let tables: [(&str, &[Field]); 19] = [
        ("Event", event::FIELDS),
        ("Assignment", assignment::FIELDS),
        ("Fact", fact::FIELDS),
        ("Received", &[]),
        ("Bound", kind::bound::FIELDS),
        ("Candidate", kind::bound::candidate::FIELDS),
        ("NotSupported", kind::not_supported::FIELDS),
        ("Held", kind::hold::FIELDS),
        ("Duplicate", &[kind::duplicate::OF]),
        ("Delivery", kind::delivery::FIELDS),
        ("DeliveryLog", delivery_log::FIELDS),
        ("EventStatus", status::FIELDS),
        ("MessageTemplate", template::FIELDS),
        ("Canary", template::canary::FIELDS),
        ("TemplateContent", template_content::FIELDS),
        ("HeldEvent", held_event::FIELDS),
        ("RecordHeader", held_event::header::FIELDS),
        ("Cancellation", cancellation::FIELDS),
        ("SourcePosition", position::FIELDS),
    ];
    let (mut messages, _) = contract();
    for (name, table) in tables {
        let message = messages.remove(name).unwrap_or_else(|| panic!("no message {name}"));
        let theirs: Vec<_> = message
            .field
            .iter()
            .map(|it| (u32::try_from(it.number()).unwrap(), it.json_name(), it.name()))
            .collect();
        let ours: Vec<_> = table.iter().map(|it| (it.number, it.name, it.original)).collect();
        assert_eq!(ours, theirs, "{name}");
    }
    // Only messages without fields may be left.
    for (name, message) in messages {
        assert_eq!(message.field, [], "{name} has no table");
    }
}

#[test]
fn every_word_has_the_number_and_the_name_of_the_contract() {
    #[track_caller]
    fn check<W: Word>(name: &str, prefix: &str) {
        let (_, enums) = contract();
        let theirs: Vec<_> = enums[name]
            .value
            .iter()
            .filter(|value| value.number() != 0)
            .map(|value| {
                let short = value.name().strip_prefix(prefix).unwrap();
                (value.number(), short.to_lowercase())
            })
            .collect();
        let ours: Vec<_> =
            W::ALL.iter().map(|word| (word.number(), word.name().to_lowercase())).collect();
        assert_eq!(ours, theirs, "{name}");
    }
    check::<domain::LaneKind>("Lane", "LANE_");
    check::<domain::Lost>("Lost", "LOST_");
    check::<domain::Outcome>("Outcome", "OUTCOME_");
    check::<domain::OutcomeKind>("OutcomeKind", "OUTCOME_KIND_");
    check::<domain::TemplateState>("TemplateState", "TEMPLATE_STATE_");
    check::<domain::Status>("Status", "STATUS_");
}
