use serde_json::{Value, json};

use super::program::{Ran, Site};

/// The state of the topic whose name ends in `name`.
fn state(ran: &Ran, name: &str) -> Value {
    let object = ran.object();
    let topics = object["topics"].as_array().expect("a list of topics");
    let found =
        topics.iter().find(|topic| topic["topic"].as_str().is_some_and(|n| n.ends_with(name)));
    found.unwrap_or_else(|| panic!("no topic `{name}`: {object}"))["state"].clone()
}

#[test]
fn what_is_missing_is_told_then_created_then_as_it_has_to_be() {
    let site = Site::bare();
    let ran = site.run(&["topics", "check", "--json"], "");
    assert_eq!((ran.code, state(&ran, "rt-event")), (Some(1), json!("missing")), "{ran:?}");
    let ran = site.run(&["topics", "apply", "--json"], "");
    assert_eq!((ran.code, state(&ran, "rt-event")), (Some(0), json!("created")), "{ran:?}");
    let ran = site.run(&["topics", "check", "--json"], "");
    assert_eq!((ran.code, state(&ran, "rt-event")), (Some(0), json!("ok")), "{ran:?}");
    let ran = site.run(&["topics", "check"], "");
    assert!(ran.out.contains("all 12 topics are as they have to be"), "{ran:?}");
}

#[test]
fn what_differs_is_told_with_its_remedy() {
    let mut site = Site::new();
    site.topics.rt_event.partitions += 1;
    site.topics.held_event.config.insert("cleanup.policy".into(), "delete".into());
    let ran = site.run(&["topics", "apply"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let servers = &site.client.bootstrap_servers;
    let (rt_event, held_event) = (&site.topics.rt_event.name, &site.topics.held_event.name);
    for expected in [
        "has 6 partitions",
        "has cleanup.policy=compact instead of delete",
        &format!(
            "kafka-topics.sh --bootstrap-server {servers} --alter --topic {rt_event} --partitions 7"
        ),
        "set `partitions = 6` in `[topics.rt_event]`",
        &format!("--entity-name {held_event} --add-config cleanup.policy=delete"),
    ] {
        assert!(ran.out.contains(expected), "no `{expected}`: {ran:?}");
    }
    assert!(!ran.out.contains('\u{1b}'), "colours where nobody sees them: {ran:?}");
}
