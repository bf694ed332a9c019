//! What a whole process does: its codes, its last words, its endpoints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use testkit::{Process, get};

const SOON: Duration = Duration::from_secs(30);

fn probe(settings: &[&str], envs: &[(&str, &str)]) -> Process {
    let mut args = vec!["--bootstrap-servers", "127.0.0.1:1"];
    for setting in settings {
        args.extend(["--set", setting]);
    }
    Process::spawn(testkit::example("probe"), &args, envs)
}

const READY: &str = "health endpoints listen";

/// A probe that has started, with its health address.
fn started(settings: &[&str]) -> (Process, String) {
    let mut all = vec!["health.listen=127.0.0.1:0"];
    all.extend(settings);
    let process = probe(&all, &[("RUST_LOG", "info")]);
    let line = process.wait_for_line(READY, SOON);
    let address = line.split("address=").nth(1).unwrap().trim().to_owned();
    (process, address)
}

/// Settings and environment in, the code and the last line out.
#[track_caller]
fn check_refused(settings: &[&str], envs: &[(&str, &str)], code: i32, line: &str) {
    let mut process = probe(settings, envs);
    assert_eq!(process.wait(SOON).code(), Some(code));
    assert_eq!(process.wait_for_line("probe: ", SOON), line);
}

#[test]
fn a_rejected_configuration_ends_with_78_and_one_line() {
    check_refused(
        &["log.levle=info"],
        &[],
        78,
        "probe: no setting is called `log.levle` (`--set log.levle`); did you mean `log.level`?",
    );
    check_refused(
        &[],
        &[("BINDERY_SHUTDOWN__DRAIN_SECONDS", "0")],
        78,
        "probe: `shutdown.drain_seconds` is 0; give it time",
    );
    check_refused(
        &["telemetry.otlp.endpoint=collector:4317"],
        &[],
        78,
        "probe: `telemetry.otlp.endpoint` is `collector:4317`; it has to begin with `http://` and \
         name a host",
    );
    check_refused(
        &["kafka.properties.acks=1"],
        &[],
        78,
        "probe: `acks` is not configurable: exactly once stands on it; remove it",
    );
}

#[test]
fn a_taken_port_ends_with_78_and_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    check_refused(
        &[&format!("health.listen={address}")],
        &[],
        78,
        &format!(
            "probe: cannot listen at `{address}`; set `health.listen` to another: Address already \
             in use (os error 98)"
        ),
    );
}

#[test]
fn each_failure_has_its_code() {
    check_refused(&["behaviour=unreachable"], &[], 69, "probe: nobody is there");
    check_refused(&["behaviour=panic"], &[], 70, "probe: stopped by a panic, see above");
}

#[test]
fn the_endpoints_answer() {
    let (_process, address) = started(&[]);
    testkit::wait_until("readiness", SOON, || match get(&address, "/ready") {
        (200, _) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(get(&address, "/live"), (200, r#"{"problems":[]}"#.to_owned()));
    assert_eq!(get(&address, "/startup").0, 200);
    let (status, metrics) = get(&address, "/metrics");
    assert!(status == 200 && metrics.contains("bindery_build_info{"), "{metrics}");
    assert_eq!(get(&address, "/other").0, 404);
}

#[test]
fn a_signal_drains_and_ends_well() {
    for signal in [Process::terminate, Process::interrupt] {
        let (mut process, _) = started(&[]);
        signal(&mut process);
        assert_eq!(process.wait(SOON).code(), Some(0));
        process.wait_for_line("probe ends", SOON);
    }
}

#[test]
fn who_drains_is_alive_and_not_ready_and_a_second_signal_leaves_at_once() {
    let (mut process, address) = started(&["behaviour=stuck"]);
    process.terminate();
    process.wait_for_line("stopping", SOON);
    let draining = r#"{"problems":[{"part":"process","problem":"draining"}]}"#;
    testkit::wait_until("draining", SOON, || match get(&address, "/ready") {
        (503, body) if body == draining => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(get(&address, "/live").0, 200);
    process.terminate();
    assert_eq!(process.wait(SOON).code(), Some(143));
}

#[test]
fn a_drain_without_end_is_ended_with_the_code_of_the_request() {
    let last_words = "probe: not drained after 1s, leaving all the same";
    let (mut process, _) = started(&["behaviour=stuck", "shutdown.drain_seconds=1"]);
    process.terminate();
    assert_eq!(process.wait(SOON).code(), Some(0));
    process.wait_for_line(last_words, SOON);

    let (mut process, _) = started(&["behaviour=failed-and-stuck", "shutdown.drain_seconds=1"]);
    assert_eq!(process.wait(SOON).code(), Some(70));
    process.wait_for_line(last_words, SOON);
}

#[test]
fn the_effective_configuration_is_logged_without_secrets() {
    let secrets = ["password=hunter2", "kafka.properties.sasl.password=hunter3"];
    let (process, _) = started(&secrets);
    let line = process.wait_for_line("probe starts", SOON);
    assert!(line.contains("<redacted>") && line.contains("127.0.0.1:1"), "{line}");
    assert!(!process.lines().concat().contains("hunter"), "{line}");
}

#[test]
fn json_lines_are_objects() {
    let settings = ["health.listen=127.0.0.1:0", "log.format=json"];
    let process = probe(&settings, &[("RUST_LOG", "info")]);
    let line = process.wait_for_line(READY, SOON);
    assert!(line.starts_with('{') && line.contains(r#""level":"INFO""#), "{line}");
}
