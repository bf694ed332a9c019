use domain::{Channel, Lanes, Template, TemplateState, TemplateVersion, Timestamp};
use wire::Format;

use super::*;

fn template(id: &str) -> Template {
    Template {
        id: id.into(),
        event_type: format!("type.{id}").into(),
        channel: Channel::EMAIL,
        language: "".into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: Timestamp::from_millis(1),
        required: [].into(),
        retained: [TemplateVersion(1)].into(),
    }
}

const HEADERS: [(&str, Option<&[u8]>); 1] =
    [("content-type", Some(Format::Protobuf.content_type().as_bytes()))];

/// Applies `(key, value)` from `offset` on. Of a value, `+id` is a template, `0` a tombstone, and
/// anything else the bytes themselves.
fn apply(applying: &mut Applying, offset: i64, records: &[(&str, &str)]) {
    for (offset, (key, value)) in (offset..).zip(records) {
        let mut bytes = Vec::new();
        let value = match value.strip_prefix('+') {
            Some(id) => {
                wire::template::encode(&template(id), Format::Protobuf, &mut bytes);
                Some(bytes.as_slice())
            }
            None if *value == "0" => None,
            None => Some(value.as_bytes()),
        };
        let key = Some(key.as_bytes()).filter(|key| !key.is_empty());
        applying.apply(offset, key, value, HEADERS.into_iter());
    }
}

/// What is in force after the last record, and how many records were skipped.
#[track_caller]
fn check(applying: &mut Applying, expected: Option<(i64, &[&str])>, malformed: u64) {
    let settled = applying.settle();
    let described = settled.as_ref().map(|catalogue| {
        let ids: Vec<&str> =
            catalogue.event_types().map(|name| name.strip_prefix("type.").unwrap()).collect();
        (catalogue.revision().0, ids)
    });
    assert_eq!(described, expected.map(|(revision, ids)| (revision, ids.to_vec())));
    assert_eq!(applying.malformed(), malformed);
}

#[test]
fn templates_come_and_go_by_their_keys() {
    let mut applying = Applying::default();
    check(&mut applying, None, 0);
    apply(&mut applying, 0, &[("a", "+a"), ("b", "+b"), ("c", "+c")]);
    check(&mut applying, Some((3, &["a", "b", "c"])), 0);
    check(&mut applying, None, 0);
    apply(&mut applying, 7, &[("a", "0"), ("d", "+d"), ("unknown", "0")]);
    check(&mut applying, Some((10, &["b", "c", "d"])), 0);
}

#[test]
fn a_record_that_is_no_template_is_counted_and_skipped() {
    let mut applying = Applying::default();
    let long = "\u{ff}".repeat(100_000);
    let poison = [("x", "\u{1}"), ("x", ""), ("x", &long), ("", "+a"), ("b", "+other")];
    apply(&mut applying, 0, &[("a", "+a")]);
    apply(&mut applying, 1, &poison);
    applying.apply(6, Some(b"\xff"), Some(b"1"), HEADERS.into_iter());
    apply(&mut applying, 7, &[("c", "+c")]);
    check(&mut applying, Some((8, &["a", "c"])), 6);
}

#[test]
fn a_poisoned_record_leaves_the_template_it_would_replace() {
    let mut applying = Applying::default();
    apply(&mut applying, 0, &[("a", "+a"), ("a", "garbage")]);
    check(&mut applying, Some((2, &["a"])), 1);
}

#[test]
fn a_topic_made_anew_starts_an_empty_catalogue() {
    let mut applying = Applying::default();
    apply(&mut applying, 0, &[("a", "+a"), ("b", "+b")]);
    check(&mut applying, Some((2, &["a", "b"])), 0);
    apply(&mut applying, 0, &[("c", "+c")]);
    check(&mut applying, Some((1, &["c"])), 0);
}
