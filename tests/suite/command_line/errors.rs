use testkit::free_port;

use super::program::{Site, bindery};

/// A command without a broker has to end with `code` and say `expected` in its one line.
#[track_caller]
fn check(args: &[&str], code: i32, expected: &[&str]) {
    let ran = bindery(args, "");
    assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
    assert_eq!(ran.err.lines().count(), 1, "one line: {ran:?}");
    assert!(ran.err.starts_with("bindery: "), "{ran:?}");
    for expected in expected {
        assert!(ran.err.contains(expected), "no `{expected}`: {ran:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let site = Site::bare();
    let folder = site.folder.path().to_str().expect("it is text").to_owned();
    let nowhere = format!("{folder}/nowhere");
    check(&["send", "rt", &nowhere], 78, &["cannot read", "nowhere", "No such file"]);
    check(&["send", "rt", &folder], 78, &["is a folder; give a file"]);
    check(&["template", "check", &nowhere], 78, &["cannot read", "nowhere", "No such file"]);
    check(&["template", "check", &folder], 78, &["no template file (`*.toml`) in"]);
    check(&["topics", "check", "--config", &nowhere], 78, &["cannot read", "nowhere"]);
}

#[test]
fn a_configuration_that_is_wrong_is_named_with_its_line() {
    let site = Site::bare();
    let config = site.file("broken.toml", "[kafka]\nbootstrap_servers = ");
    check(&["topics", "check", "--config", &config], 78, &["broken.toml", "line 2"]);
    let config = site.file("typo.toml", "[kafka]\nbootstrap_server = \"b:9092\"");
    check(&["topics", "check", "--config", &config], 78, &["typo.toml", "kafka.bootstrap_server`"]);
}

#[test]
fn a_command_that_needs_a_broker_says_how_to_name_one() {
    for args in [
        ["topics", "check"].as_slice(),
        &["template", "list"],
        &["template", "show", "x"],
        &["template", "unpublish", "x"],
        &["send", "rt"],
    ] {
        check(args, 78, &["no broker is named", "--bootstrap-servers host:port"]);
    }
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    let address = format!("127.0.0.1:{}", free_port());
    for args in [["topics", "check"].as_slice(), &["template", "list"], &["send", "rt"]] {
        let args = [args, &["--bootstrap-servers", &address]].concat();
        check(&args, 69, &["no broker answers at", &address, "Connection refused"]);
    }
}

#[test]
fn a_port_that_is_taken_is_told_with_the_flag_that_chooses_another() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    check(&["broker", "--port", &port], 78, &["cannot listen on", &port, "`--port`"]);
}

#[test]
fn a_topic_that_is_missing_is_named_with_the_command_that_creates_it() {
    let site = Site::bare();
    for (args, topic) in [
        (["template", "list"].as_slice(), "message-template"),
        (&["template", "show", "x"], "message-template"),
        (&["template", "unpublish", "x"], "message-template"),
        (&["send", "batch"], "batch-event"),
    ] {
        let ran = site.run(args, "");
        assert_eq!(ran.code, Some(78), "{args:?}: {ran:?}");
        assert!(ran.err.contains(&format!("{topic}` does not exist")), "{ran:?}");
        assert!(ran.err.contains("run `bindery topics apply`"), "{ran:?}");
    }
}

#[test]
fn a_slip_in_the_command_is_answered_with_the_nearest_one() {
    for (args, expected) in [
        (["tempalte", "list"].as_slice(), "'template'"),
        (&["template", "pubish", "x"], "'publish'"),
        (&["send", "rtt"], "'rt'"),
        (&["send", "rt", "--fromat", "json"], "'--format'"),
    ] {
        let ran = bindery(args, "");
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(expected), "no `{expected}`: {ran:?}");
    }
    let ran = bindery(&["send", "rt", "--check-first"], "");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("a pipe can be read only once"), "{ran:?}");
}
