use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use domain::{LaneKind, Lost, Outcome, OutcomeKind, Status};
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use serde_yaml_ng::Value;

use super::map;

/// Fields of type `bytes` that hold JSON and stand in the JSON form as what they hold.
const OBJECTS: [(&str, &str); 3] =
    [("Event", "ctx"), ("Assignment", "ctx"), ("TemplateContent", "schema")];

/// The messages and enums of `proto/bindery/v1`, with their comments.
pub(super) struct Contract {
    files: Vec<FileDescriptorProto>,
}

impl Contract {
    pub(super) fn read() -> Result<Self> {
        let set = FileDescriptorSet::decode(wire::DESCRIPTORS).context("no descriptors")?;
        let ours = set.file.into_iter().filter(|file| file.package() == "bindery.v1");
        Ok(Self { files: ours.collect() })
    }

    /// The comment of a message.
    pub(super) fn about(&self, message: &str) -> String {
        self.messages()
            .find(|(found, _)| found.name() == message)
            .map(|(_, about)| about)
            .unwrap_or_default()
    }

    /// The JSON form of every message and enum, by name.
    pub(super) fn schemas(&self) -> Result<Value> {
        let mut schemas = BTreeMap::new();
        for file in &self.files {
            let comments = Comments::of(file);
            for (number, message) in (0..).zip(&file.message_type) {
                let schema = message_schema(message, &comments, number)?;
                schemas.insert(message.name(), schema);
            }
            for (number, words) in (0..).zip(&file.enum_type) {
                let schema = map([
                    ("type", "string".into()),
                    ("description", comments.at(&[ENUMS, number]).into()),
                    ("enum", words_of(words.name())?.into()),
                ]);
                schemas.insert(words.name(), schema);
            }
        }
        Ok(map(schemas))
    }

    fn messages(&self) -> impl Iterator<Item = (&DescriptorProto, String)> {
        self.files.iter().flat_map(|file| {
            let comments = Comments::of(file);
            (0..)
                .zip(&file.message_type)
                .map(move |(number, message)| (message, comments.at(&[MESSAGES, number])))
        })
    }
}

// The numbers of the fields of `FileDescriptorProto` and `DescriptorProto`, of which paths consist.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const FIELDS: i32 = 2;

/// The comments of one file, by the path of what they stand before.
struct Comments(BTreeMap<Vec<i32>, String>);

impl Comments {
    fn of(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        Self(locations.map(|it| (it.path.clone(), one_line(it.leading_comments()))).collect())
    }

    fn at(&self, path: &[i32]) -> String {
        self.0.get(path).cloned().unwrap_or_default()
    }
}

/// A comment without its line breaks; of several paragraphs all but indented examples.
fn one_line(comment: &str) -> String {
    let lines = comment.lines().filter(|line| !line.starts_with("     "));
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn message_schema(message: &DescriptorProto, comments: &Comments, number: i32) -> Result<Value> {
    let mut properties = Vec::new();
    let mut required = Vec::new();
    for (at, field) in (0..).zip(&message.field) {
        let about = comments.at(&[MESSAGES, number, FIELDS, at]);
        // A CloudEvent may name its type in an attribute.
        if about.starts_with("Required") && message.name() != "Event" {
            required.push(Value::from(field.json_name()));
        }
        properties.push((field.json_name(), field_schema(message, field, about)?));
    }
    let mut schema = vec![
        ("type", "object".into()),
        ("description", comments.at(&[MESSAGES, number]).into()),
        ("properties", map(properties)),
    ];
    if !required.is_empty() {
        schema.push(("required", required.into()));
    }
    Ok(map(schema))
}

fn field_schema(
    message: &DescriptorProto,
    field: &FieldDescriptorProto,
    about: String,
) -> Result<Value> {
    let one = value_schema(message, field)?;
    let is_list = field.label() == Label::Repeated;
    let mut schema =
        if is_list { vec![("type", "array".into()), ("items", map(one))] } else { one };
    // Beside a reference, older readers of JSON Schema see nothing.
    if let [("$ref", to)] = schema.as_slice() {
        schema = vec![("allOf", vec![map([("$ref", to.clone())])].into())];
    }
    schema.push(("description", about.into()));
    Ok(map(schema))
}

/// What one value of `field` is in proto3 JSON, but for what the contract has otherwise.
fn value_schema(
    message: &DescriptorProto,
    field: &FieldDescriptorProto,
) -> Result<Vec<(&'static str, Value)>> {
    let schema = match field.r#type() {
        Type::String => vec![("type", "string".into())],
        Type::Uint32 => vec![("type", "integer".into()), ("minimum", 0.into())],
        Type::Int32 => vec![("type", "integer".into())],
        Type::Int64 => vec![("type", "string".into()), ("pattern", "^-?[0-9]+$".into())],
        Type::Bool => vec![("type", "boolean".into())],
        Type::Bytes if OBJECTS.contains(&(message.name(), field.name())) => {
            vec![("type", "object".into())]
        }
        Type::Bytes => vec![("type", "string".into()), ("contentEncoding", "base64".into())],
        Type::Message if field.type_name() == ".google.protobuf.Timestamp" => {
            vec![("type", "string".into()), ("format", "date-time".into())]
        }
        Type::Message | Type::Enum => {
            let name = field.type_name().rsplit('.').next().unwrap_or_default();
            vec![("$ref", format!("#/components/schemas/{name}").into())]
        }
        Type::Double
        | Type::Float
        | Type::Uint64
        | Type::Fixed64
        | Type::Fixed32
        | Type::Group
        | Type::Sfixed32
        | Type::Sfixed64
        | Type::Sint32
        | Type::Sint64 => anyhow::bail!("`{}` has a type nothing here has yet", field.name()),
    };
    Ok(schema)
}

/// The words of an enum in JSON, as the code has them.
fn words_of(name: &str) -> Result<Vec<Value>> {
    let words: Vec<&str> = match name {
        "Status" => Status::ALL.map(Status::as_str).into(),
        "Outcome" => Outcome::ALL.map(Outcome::as_str).into(),
        "OutcomeKind" => [OutcomeKind::Hard, OutcomeKind::Soft, OutcomeKind::Ignored]
            .map(OutcomeKind::as_str)
            .into(),
        "Lane" => [LaneKind::Rt, LaneKind::Batch].map(LaneKind::as_str).into(),
        "Lost" => [Lost::Paused, Lost::Lane, Lost::Language, Lost::Older].map(Lost::as_str).into(),
        "TemplateState" => vec!["live", "paused"],
        _ => anyhow::bail!("the words of `{name}` are not known here"),
    };
    Ok(words.into_iter().map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_says_the_same_words_as_the_code() {
        for file in Contract::read().unwrap().files {
            let comments = Comments::of(&file);
            for (number, words) in (0..).zip(&file.enum_type) {
                let told = (0..).zip(&words.value).filter_map(|(at, _)| {
                    let comment = comments.at(&[ENUMS, number, FIELDS, at]);
                    Some(comment.strip_prefix("JSON: `")?.split_once('`')?.0.to_owned())
                });
                let told: Vec<String> = told.collect();
                let code = words_of(words.name()).unwrap();
                let mut code: Vec<&str> = code.iter().filter_map(Value::as_str).collect();
                let mut told: Vec<&str> = told.iter().map(String::as_str).collect();
                code.sort_unstable();
                told.sort_unstable();
                assert_eq!(told, code, "{}", words.name());
            }
        }
    }
}
