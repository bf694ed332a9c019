//! What people see of an event and of the installation, with the command line as they have it.

use std::process::Command;
use std::time::Duration;

use event_consumer::Side;
use testkit::{Process, binary, cluster, wait_until};

use super::installation::{DEADLINE, Installation, event_id};

/// What a command said and how it ended.
struct Said {
    code: Option<i32>,
    lines: Vec<String>,
}

impl Said {
    /// Everything in one text.
    fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// What it said on its first line, as JSON.
    #[track_caller]
    fn object(&self) -> serde_json::Value {
        let line = self.lines.first().expect("it says something");
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

fn installation(name: &str) -> Installation {
    Installation::on(cluster().bootstrap_servers(), &format!("{}{name}-", cluster().prefix()))
}

/// The arguments of `bindery` on this installation.
fn on<'a>(installation: &'a Installation, args: &[&'a str]) -> Vec<&'a str> {
    let servers = installation.client.bootstrap_servers.as_str();
    [args, &["--bootstrap-servers", servers, "--prefix", installation.prefix()]].concat()
}

/// Runs `bindery` on this installation to its end.
#[track_caller]
fn bindery(installation: &Installation, args: &[&str]) -> Said {
    let output = Command::new(binary("bindery"))
        .args(on(installation, args))
        .output()
        .expect("the command line was built and can be started");
    let lines = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let lines = lines.iter().flat_map(|text| text.lines().map(str::to_owned));
    Said { code: output.status.code(), lines: lines.collect() }
}

/// Reports of a delivery service on the first attempt of one event.
fn report(installation: &Installation, number: usize, outcomes: &[&str]) {
    let log = |outcome: &&str| {
        let id = event_id(number);
        let value = format!(
            r#"{{"assignmentId":"{id}:1","outcome":"{outcome}","reason":"mailbox_full","kind":"soft","provider":"acme"}}"#
        );
        (id, value, [("content-type", "application/json")])
    };
    let topic = &installation.topics.delivery_log.name;
    testkit::produce(&installation.client.bootstrap_servers, topic, outcomes.iter().map(log));
}

#[track_caller]
fn wait_for_status(installation: &Installation, id: &str, expected: &str) -> serde_json::Value {
    wait_until(&format!("`{id}` to be {expected}"), DEADLINE, || {
        let said = bindery(installation, &["status", id, "--json"]);
        let object = said.object();
        if object["status"] == expected { Ok(object) } else { Err(said.text()) }
    })
}

#[test]
fn an_event_is_found_followed_and_explained() {
    let installation = installation("look");
    let id = event_id(0);
    let args = on(&installation, &["status", &id, "--watch", "--lang", "fr"]);
    let mut watch = Process::spawn(binary("bindery"), &args, &[]);
    watch.wait_for_line("en attente de son premier statut", DEADLINE);
    let _consumer = installation.start(Side::Rt, "0");
    let _sync = installation.start_status_sync("0");
    installation.produce(&installation.topics.rt_event.name, 0..50);
    wait_for_status(&installation, &id, "PENDING_DELIVERY");
    report(&installation, 0, &["accepted", "failed"]);

    let status = wait_for_status(&installation, &id, "DELIVERY_ERROR");
    assert_eq!(status["label"], "Delivery error");
    assert_eq!(status["restName"], "deliveryFailed");
    assert_eq!(status["assignmentId"], format!("{id}:1"));
    let told = bindery(&installation, &["status", &id]).text();
    assert!(told.contains("mailbox_full (the recipient's mailbox is full)"), "{told}");

    assert_eq!(watch.wait(DEADLINE).code(), Some(0), "the final status ends it");
    let last = watch.wait_for_line("DELIVERY_ERROR", DEADLINE);
    assert!(last.contains("Erreur de diffusion"), "{last}");

    let story = bindery(&installation, &["explain", &id, "--json"]).object();
    let words: Vec<&str> = ["received", "bound", "delivery", "delivery"].into();
    let facts = story["facts"].as_array().expect("a list of facts");
    for (fact, word) in facts.iter().zip(&words) {
        assert!(fact["fact"].get(*word).is_some(), "{word} was due: {fact}");
    }
    assert_eq!(facts.len(), words.len(), "{story}");
    assert_eq!(story["status"]["status"], "DELIVERY_ERROR");
    assert_eq!(story["setBy"], facts[3]["offset"]);
    let told = bindery(&installation, &["explain", &id]).text();
    assert!(told.contains("bound to template order.shipped-email, version 1, by email"), "{told}");
    assert!(told.contains("Fact 4 set it."), "{told}");
    let since = bindery(&installation, &["explain", &id, "--since", "1h"]).text();
    assert_eq!(since, told, "all of it happened within the hour");
}

#[test]
fn what_is_not_known_is_said_with_the_next_step() {
    let installation = installation("unknown");
    let said = bindery(&installation, &["status", "nobody:1"]);
    assert_eq!((said.code, said.lines.len()), (Some(1), 1), "{}", said.text());
    assert!(said.text().contains("its event is `nobody`"), "{}", said.text());
    assert_eq!(bindery(&installation, &["explain", "nobody"]).code, Some(1));

    // Without status-sync there are facts, and no status.
    let _consumer = installation.start(Side::Rt, "0");
    installation.produce(&installation.topics.rt_event.name, 0..1);
    installation.wait_for_decisions(1);
    let said = bindery(&installation, &["status", &event_id(0)]);
    assert_eq!(said.code, Some(1));
    assert!(said.text().contains("has no status yet, but there are facts (1)"), "{}", said.text());
}

/// The lane of that name in what `bindery lag --json` said.
#[track_caller]
fn lane(installation: &Installation, name: &str) -> serde_json::Value {
    let lag = bindery(installation, &["lag", "--json"]).object();
    let lanes = lag["lanes"].as_array().expect("a list of lanes");
    lanes.iter().find(|lane| lane["lane"] == name).expect("every kind of lane is listed").clone()
}

#[test]
fn lag_is_what_waits_and_how_long_it_has() {
    let installation = installation("lag");
    installation.produce(&installation.topics.rt_event.name, 0..100);
    let before = lane(&installation, "rt");
    assert_eq!((&before["records"], &before["members"]), (&100.into(), &serde_json::Value::Null));
    assert!(before["secondsBehind"].is_number(), "{before}");
    let told = bindery(&installation, &["lag"]).text();
    assert!(told.contains("rt: no group"), "{told}");

    let _consumer = installation.start(Side::Rt, "0");
    installation.wait_for_decisions(100);
    wait_until("nothing to wait any more", DEADLINE, || {
        let after = lane(&installation, "rt");
        let is_level = after["records"] == 0 && after["secondsBehind"] == 0.0;
        if is_level && after["members"] == 1 { Ok(()) } else { Err(after.to_string()) }
    });
    assert_ne!(lane(&installation, "fold")["records"], 0, "nobody folds");
}

#[test]
fn what_the_demo_prints_can_be_pasted_in_another_terminal() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let out = folder.path().to_str().expect("the temporary folder's name is text");
    let args = ["demo", "--events", "1500", "--keep", "--lang", "fr", "--out", out];
    let mut demo = Process::spawn(binary("bindery"), &args, &[]);
    demo.wait_for_line("# where its facts are", DEADLINE);
    let lines = demo.lines();
    assert!(lines.iter().any(|line| line.contains("Erreur de diffusion")), "{lines:?}");
    let from = lines.iter().position(|line| line.contains("in another terminal")).expect("there");
    // All but kcat, which not every machine has.
    let mut script: Vec<&str> = vec!["set -e"];
    script.extend(
        lines[from + 1..].iter().map(|line| line.trim()).filter(|line| !line.starts_with("kcat")),
    );
    let pasted = Command::new("sh").args(["-c", &script.join("\n")]).output().expect("a shell");
    let said = String::from_utf8_lossy(&pasted.stdout);
    let failed = String::from_utf8_lossy(&pasted.stderr);
    assert!(pasted.status.success(), "{}\n{said}\n{failed}", script.join("\n"));
    for label in ["En attente", "En attente de diffusion", "Envoyé", "Ignoré par la diffusion"] {
        assert!(said.contains(&format!(": {label}\n")), "{label} was due:\n{said}");
    }
    assert!(said.contains("1 events") || said.contains("sent"), "{said}");
    demo.interrupt();
    assert_eq!(demo.wait(Duration::from_secs(40)).code(), Some(0), "Ctrl-C ends it in order");
}
