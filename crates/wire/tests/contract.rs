//! What producers and delivery services compile against: no field may change its number, name or type,
//! no enum value its number or name, and none may go.
//!
//! `golden/contract.txt` records them all. With `WRITE_GOLDEN=1` the test appends what is new.

use std::collections::BTreeSet;
use std::path::Path;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

fn fields(message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    let name = message.name();
    lines.insert(format!("message {name}"));
    for field in &message.field {
        let kind = if matches!(field.r#type(), Type::Message | Type::Enum) {
            field.type_name()
        } else {
            field.r#type().as_str_name()
        };
        let repeated = if field.label() == Label::Repeated { " repeated" } else { "" };
        let optional = if field.proto3_optional() { " optional" } else { "" };
        let oneof = match field.oneof_index {
            Some(_) if !field.proto3_optional() => " oneof",
            _ => "",
        };
        lines.insert(format!(
            "field {name}.{} {} {} {kind}{repeated}{optional}{oneof}",
            field.number(),
            field.name(),
            field.json_name(),
        ));
    }
}

#[test]
fn the_contract_only_grows() {
    let set = FileDescriptorSet::decode(wire::DESCRIPTORS).expect("descriptors");
    let mut now = BTreeSet::new();
    for file in set.file.iter().filter(|file| file.package() == "bindery.v1") {
        for message in &file.message_type {
            fields(message, &mut now);
        }
        for set in &file.enum_type {
            for value in &set.value {
                now.insert(format!("value {}.{} {}", set.name(), value.number(), value.name()));
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/contract.txt");
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    let recorded: BTreeSet<_> = recorded.lines().map(str::to_owned).collect();
    let gone: Vec<_> = recorded.difference(&now).collect();
    assert!(gone.is_empty(), "changed or gone: {gone:#?}");
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        let lines: Vec<_> = now.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, lines.concat()).expect("the folder is there");
        return;
    }
    let new: Vec<_> = now.difference(&recorded).collect();
    assert!(new.is_empty(), "not recorded yet: {new:#?}");
}
