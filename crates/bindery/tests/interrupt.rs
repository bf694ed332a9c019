//! What is left of a demo that somebody stops.

use std::path::Path;
use std::time::Duration;

use testkit::{Process, binary};

const SOON: Duration = Duration::from_secs(60);

fn left_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is readable");
    entries.map(|entry| entry.expect("it is readable").file_name().display().to_string()).collect()
}

/// Interrupts a demo once it has printed `moment`.
#[track_caller]
fn check(moment: &str) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let folder_name = folder.path().to_str().expect("its name is text");
    // On the embedded broker, whatever the suite's cluster is.
    let envs = [("TMPDIR", folder_name), ("KAFKA_BOOTSTRAP_SERVERS", "")];
    let mut demo = Process::spawn(binary("bindery"), &["demo", "--events", "1000000"], &envs);
    demo.wait_for_line(moment, SOON);
    demo.interrupt();
    assert_eq!(demo.wait(SOON).code(), Some(130));
    let line = demo.wait_for_line("bindery: ", SOON);
    let expected = " of 1000000 events accounted for; nothing was checked";
    assert!(line.starts_with("bindery: stopped with ") && line.ends_with(expected), "{line}");
    assert_eq!(left_in(folder.path()), Vec::<String>::new());
}

#[test]
fn a_demo_that_is_interrupted_says_so_and_leaves_nothing_behind() {
    for moment in ["broker embedded at", "published", "accounted for"] {
        check(moment);
    }
}

#[test]
fn a_demo_that_waits_for_a_broker_ends_at_once_when_it_is_interrupted() {
    // Connections are taken, and nothing is ever said.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    let mut demo =
        Process::spawn(binary("bindery"), &["demo", "--bootstrap-servers", &address], &[]);
    let connection = listener.accept();
    demo.interrupt();
    assert_eq!(demo.wait(SOON).code(), Some(130), "{:?}", demo.lines());
    assert_eq!(demo.lines(), ["bindery: stopped before a broker answered"]);
    drop(connection);
}
