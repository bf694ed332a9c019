use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::exit::one_line;
use crate::settings::{LogFormat, LogSettings};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    kafka: kafka::ClientSettings,
    #[serde(default)]
    log: LogSettings,
    #[serde(default)]
    linger_ms: u32,
}

const NO_DEFAULTS: BTreeMap<&str, u32> = BTreeMap::new();

struct Layers<'a> {
    file: Option<&'a str>,
    environment: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

const NOTHING: Layers<'_> = Layers { file: None, environment: &[], flags: &[] };

fn read(layers: &Layers<'_>) -> Result<Example, String> {
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = layers.file.map(|text| {
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    let sources =
        Sources { file, environment: owned(layers.environment), flags: owned(layers.flags) };
    load(&NO_DEFAULTS, &sources)
        .map_err(|error| one_line(&error).replace(&format!("{}/", folder.path().display()), ""))
}

const FILE: &str = "
    linger_ms = 1
    [kafka]
    bootstrap_servers = 'file:1'
    properties = { 'security.protocol' = 'SSL' }
    [log]
    level = 'debug'
";

#[test]
fn a_file_that_sets_a_part_leaves_the_defaults_of_the_rest() {
    let defaults = serde_json::json!({"kafka": {"bootstrap_servers": "default:1"}, "linger_ms": 7});
    let flags = vec![("log.level".to_owned(), "warn".to_owned())];
    let sources = Sources { file: None, environment: Vec::new(), flags };
    let example: Example = load(&defaults, &sources).unwrap();
    assert_eq!(example.kafka.bootstrap_servers, "default:1");
    assert_eq!((example.linger_ms, &*example.log.level), (7, "warn"));
}

/// The layers in, bootstrap servers, linger and level out.
#[track_caller]
fn check(layers: &Layers<'_>, expected: (&str, u32, &str)) {
    let example = read(layers).unwrap();
    let found = (&*example.kafka.bootstrap_servers, example.linger_ms, &*example.log.level);
    assert_eq!(found, expected);
}

#[test]
fn each_layer_goes_before_the_one_below_it() {
    let file = Layers { file: Some(FILE), ..NOTHING };
    check(&file, ("file:1", 1, "debug"));
    let known = [("KAFKA_BOOTSTRAP_SERVERS", "known:1")];
    check(&Layers { environment: &known, ..file }, ("known:1", 1, "debug"));
    let environment =
        [known[0], ("BINDERY_KAFKA__BOOTSTRAP_SERVERS", "env:1"), ("BINDERY_LINGER_MS", "2")];
    check(&Layers { environment: &environment, ..file }, ("env:1", 2, "debug"));
    let flags = [("kafka.bootstrap_servers", "flag:1"), ("linger_ms", "3")];
    check(&Layers { environment: &environment, flags: &flags, ..file }, ("flag:1", 3, "debug"));
    check(&Layers { environment: &environment, ..NOTHING }, ("env:1", 2, "info"));
}

#[test]
fn properties_of_the_client_are_text_and_their_underscores_dots() {
    let environment = [
        ("BINDERY_KAFKA__PROPERTIES__SASL_PASSWORD", "0123"),
        ("BINDERY_KAFKA__PROPERTIES__SOCKET_TIMEOUT_MS", "5000"),
    ];
    let flags = [("kafka.properties.ssl.ca.location", "/ca")];
    let layers = Layers { file: Some(FILE), environment: &environment, flags: &flags };
    let properties = read(&layers).unwrap().kafka.properties;
    let properties: Vec<_> = properties.iter().map(|(k, v)| (&**k, &**v)).collect();
    assert_eq!(
        properties,
        [
            ("sasl.password", "0123"),
            ("security.protocol", "SSL"),
            ("socket.timeout.ms", "5000"),
            ("ssl.ca.location", "/ca"),
        ]
    );
}

#[test]
fn variables_that_are_not_settings_are_passed_over() {
    let environment = [
        ("KAFKA_BOOTSTRAP_SERVERS", "known:1"),
        ("BINDERY_CONFIG", "/etc/bindery.toml"),
        ("BINDERY_TEST_BROKER", "kafka"),
        ("BINDERY_PORT", "tcp://10.0.0.1:8080"),
        ("BINDERY_RT_SERVICE_HOST", "10.0.0.1"),
        ("BINDERY_RT_SERVICE_PORT_HEALTH", "8080"),
        ("BINDERY_RT_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("PATH", "/bin"),
    ];
    check(&Layers { environment: &environment, ..NOTHING }, ("known:1", 0, "info"));
}

/// The layers in, the line of the refusal out.
#[track_caller]
fn check_refused(layers: &Layers<'_>, expected: &str) {
    assert_eq!(read(layers).unwrap_err(), expected);
}

#[test]
fn a_misspelt_setting_is_refused_with_the_nearest_name() {
    let environment = [("KAFKA_BOOTSTRAP_SERVERS", "known:1"), ("BINDERY_LOG__LEVL", "info")];
    check_refused(
        &Layers { environment: &environment, ..NOTHING },
        "no setting is called `log.levl` (the environment); did you mean `level`?",
    );
    check_refused(
        &Layers { file: Some(&format!("linger_s = 1\n{FILE}")), ..NOTHING },
        "no setting is called `linger_s` (`b.toml`); did you mean `linger_ms`?",
    );
    check_refused(
        &Layers { file: Some(FILE), flags: &[("log.colour", "red")], ..NOTHING },
        "no setting is called `log.colour` (the command line); known are `format`, `level`",
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
    let file = Layers { file: Some(FILE), ..NOTHING };
    check_refused(
        &Layers { environment: &[("BINDERY_LINGER_MS", "soon")], ..file },
        "the setting `linger_ms` (the environment) cannot be used: invalid type: found string \
         \"soon\", expected u32",
    );
    check_refused(
        &Layers { flags: &[("log.format", "xml")], ..file },
        "the setting `log.format` (the command line) cannot be used: `xml` is none of `text`, `json`",
    );
    let example = read(&Layers { flags: &[("log.format", "json")], ..file }).unwrap();
    assert_eq!(example.log.format, LogFormat::Json);
}

#[test]
fn a_missing_setting_is_refused_with_the_ways_to_set_it() {
    check_refused(
        &Layers { file: Some("[kafka]"), ..NOTHING },
        "the setting `kafka.bootstrap_servers` is missing; set it in the file, as \
         `BINDERY_KAFKA__BOOTSTRAP_SERVERS` or with `--set kafka.bootstrap_servers=…`",
    );
}

#[test]
fn a_file_that_is_not_toml_is_refused_in_one_line() {
    let refusal = read(&Layers { file: Some("linger_ms = = 1"), ..NOTHING }).unwrap_err();
    assert!(
        refusal.starts_with("`b.toml` is not valid TOML: TOML parse error at line 1"),
        "{refusal}"
    );
    assert!(!refusal.contains('\n') && !refusal.contains('|'), "{refusal}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let sources = Sources { file: Some("/nowhere/b.toml".into()), ..Sources::default() };
    assert_eq!(
        one_line(&load::<Example>(&NO_DEFAULTS, &sources).unwrap_err()),
        "cannot read the configuration file `/nowhere/b.toml`: No such file or directory (os error 2)"
    );
}
