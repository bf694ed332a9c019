use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;

use kafka::Topics;
use serde_json::json;
use testkit::{OwnCluster, OwnedRecord, wait_until};

use super::program::{DEADLINE, Site, bindery, text_of};

const THREE: &str = r#"{"type":"a","id":"1","ctx":{"customer":{"id":7}}}

{"type":"a","id":"2","externalId":"x","ctx":{"customer":{"id":8}}}
{"type":"a","id":"3","ctx":{"customer":{"id":9}}}
"#;

fn keys(records: &[OwnedRecord]) -> Vec<String> {
    let key = |record: &OwnedRecord| {
        String::from_utf8(record.key.clone().unwrap_or_default()).expect("keys are text")
    };
    let mut keys: Vec<String> = records.iter().map(key).collect();
    keys.sort();
    keys
}

/// Sends `input` with `flags`: these keys have to be in the topic, and the last object printed.
#[track_caller]
fn check(flags: &[&str], input: &str, code: i32, expected: &[&str], summary: &serde_json::Value) {
    let site = Site::new();
    let ran = site.run(&[&["send", "rt", "--json"], flags].concat(), input);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    let object = ran.object();
    for (name, value) in summary.as_object().expect("an object") {
        assert_eq!(&object[name], value, "{name}: {ran:?}");
    }
    assert_eq!(keys(&site.read(&site.topics.rt_event.name)), expected, "{ran:?}");
}

#[test]
fn every_line_of_a_pipe_is_sent_and_acknowledged() {
    check(
        &[],
        THREE,
        0,
        &["1", "3", "x"],
        &json!({ "lines": 3, "bad": 0, "sent": 3, "acknowledged": 3, "undelivered": 0, "unknown": 0 }),
    );
}

#[test]
fn the_key_is_the_field_asked_for() {
    check(&["--key-field", "ctx.customer.id"], THREE, 0, &["7", "8", "9"], &json!({ "sent": 3 }));
}

#[test]
fn it_goes_on_where_it_is_told_to() {
    check(&["--from-line", "3"], THREE, 0, &["3", "x"], &json!({ "lines": 2, "sent": 2 }));
}

#[test]
fn bad_lines_are_left_out_and_told_by_their_number() {
    let input = format!("{THREE}nonsense\n{{\"id\":\"5\"}}\n{{\"type\":\"a\",\"id\":\"6\"}}\n");
    check(
        &[],
        &input,
        1,
        &["1", "3", "6", "x"],
        &json!({ "lines": 6, "bad": 2, "sent": 4, "acknowledged": 4 }),
    );
    let site = Site::new();
    let ran = site.run(&["send", "batch"], &input);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told: Vec<&str> = ran.err.lines().collect();
    assert!(told[0].starts_with("<stdin>:5: "), "{ran:?}");
    assert!(told[1].starts_with("<stdin>:6: `type` is missing"), "{ran:?}");
    assert!(told[2].starts_with("bindery: 2 of 6 lines in `<stdin>` are no events"), "{ran:?}");
    assert!(ran.out.starts_with("sent 4 events to "), "{ran:?}");
}

#[test]
fn nothing_is_sent_of_a_file_with_a_bad_line_when_it_is_checked_first() {
    let site = Site::new();
    let file = site.file("events.ndjson", &format!("{THREE}nonsense\n"));
    let ran = site.run(&["send", "rt", &file, "--check-first"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("nothing was sent"), "{ran:?}");
    assert!(site.read(&site.topics.rt_event.name).is_empty());
    let file = site.file("events.ndjson", THREE);
    let ran = site.run(&["send", "rt", &file, "--check-first"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(site.read(&site.topics.rt_event.name).len(), 3);
}

#[test]
fn lines_are_checked_without_a_broker() {
    let ran = bindery(&["send", "rt", "--dry-run"], THREE);
    assert_eq!((ran.code, ran.out.trim()), (Some(0), "3 of 3 lines are events; nothing was sent"));
    let ran = bindery(&["send", "rt", "--dry-run", "--json"], "{}\n");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let bad = json!({ "line": 1, "problem": "bad", "detail": "`type` is missing" });
    assert_eq!(ran.objects()[0], bad);
}

#[test]
fn records_say_in_which_format_they_are() {
    for (format, content_type) in [
        ("json", "application/json"),
        ("protobuf", "application/protobuf"),
        ("cloudevents", "application/cloudevents+json"),
    ] {
        let site = Site::new();
        let ran = site.run(&["send", "rt", "--format", format], THREE);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let records = site.read(&site.topics.rt_event.name);
        let expected = [("content-type".to_owned(), content_type.as_bytes().to_vec())];
        assert!(records.iter().all(|record| record.headers == expected), "{records:?}");
        assert_eq!(records.len(), 3);
    }
}

#[test]
fn a_rate_is_kept_to() {
    let site = Site::new();
    let started = std::time::Instant::now();
    let ran = site.run(&["send", "rt", "--rate", "4"], THREE);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // The first goes at once at the earliest, the third half a second later, less what is caught up.
    assert!(started.elapsed() >= std::time::Duration::from_millis(400), "{:?}", started.elapsed());
}

/// A named pipe, and its other end once somebody reads.
fn fifo(site: &Site) -> String {
    let path = text_of(&site.folder.path().join("events"));
    let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo is there");
    assert!(made.success());
    path
}

#[test]
fn a_pipe_that_does_not_end_is_sent_as_it_comes_until_somebody_stops_it() {
    let site = Site::new();
    let path = fifo(&site);
    let mut process = site.start(&["send", "rt", &path]);
    let mut pipe = OpenOptions::new().write(true).open(&path).expect("somebody reads");
    for number in 1..=2 {
        writeln!(pipe, r#"{{"type":"a","id":"{number}"}}"#).expect("somebody reads");
        wait_until("the event in its topic", DEADLINE, || {
            let n = site.read(&site.topics.rt_event.name).len();
            if n == number { Ok(()) } else { Err(format!("{n} events")) }
        });
    }
    process.interrupt();
    assert_eq!(process.wait(DEADLINE).code(), Some(0), "{:?}", process.lines());
    process.wait_for_line("sent 2 events to ", DEADLINE);
}

#[test]
fn lines_that_the_broker_did_not_take_are_told() {
    let cluster = OwnCluster::start();
    let mut site = Site::at(cluster.bootstrap_servers(), Topics::default());
    site.create_topics();
    site.property("message.timeout.ms", "4000");
    let path = fifo(&site);
    let mut process = site.start(&["send", "rt", &path]);
    let mut pipe = OpenOptions::new().write(true).open(&path).expect("somebody reads");
    writeln!(pipe, r#"{{"type":"a","id":"1"}}"#).expect("somebody reads");
    wait_until("the event in its topic", DEADLINE, || {
        let n = site.read(&site.topics.rt_event.name).len();
        if n == 1 { Ok(()) } else { Err(format!("{n} events")) }
    });
    cluster.kill();
    writeln!(pipe, r#"{{"type":"a","id":"2"}}"#).expect("somebody reads");
    drop(pipe);
    let status = process.wait(DEADLINE);
    assert_eq!(status.code(), Some(69), "{:?}", process.lines());
    process.wait_for_line(&format!("{path}:2: not delivered: "), DEADLINE);
    process.wait_for_line("bindery: 1 of 2 events were not delivered", DEADLINE);
}
