use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::exit::one_line;
use crate::settings::{LogFormat, LogSettings};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Example {
    kafka: kafka::ClientSettings,
    #[serde(default)]
    log: LogSettings,
    /// How long it waits,
    /// in ms.
    #[serde(default)]
    linger_ms: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    listen: Option<SocketAddr>,
}

const NO_DEFAULTS: BTreeMap<&str, u32> = BTreeMap::new();

struct Layers<'a> {
    file: Option<&'a str>,
    environment: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

const NOTHING: Layers<'_> = Layers { file: None, environment: &[], flags: &[] };

fn read(layers: &Layers<'_>) -> Result<Example, String> {
    configuration(layers).map(|configuration| configuration.settings)
}

fn configuration(layers: &Layers<'_>) -> Result<Configuration<Example>, String> {
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = layers.file.map(|text| {
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    let sources = Sources {
        file,
        environment: owned(layers.environment),
        bootstrap_servers: None,
        set: owned(layers.flags),
    };
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
    let set = vec![("log.level".to_owned(), "warn".to_owned())];
    let example: Example =
        load(&defaults, &Sources { set, ..Sources::default() }).unwrap().settings;
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
        "no setting is called `log.levl` (`BINDERY_LOG__LEVL`); did you mean `log.level`?",
    );
    check_refused(
        &Layers { file: Some(&format!("linger_s = 1\n{FILE}")), ..NOTHING },
        "no setting is called `linger_s` (`b.toml`); did you mean `linger_ms`?",
    );
    check_refused(
        &Layers { file: Some(FILE), flags: &[("log.colour", "red")], ..NOTHING },
        "no setting is called `log.colour` (`--set log.colour`); known are `log.format`, `log.level`",
    );
    check_refused(
        &Layers { file: Some(FILE), flags: &[("level", "info")], ..NOTHING },
        "no setting is called `level` (`--set level`); did you mean `log.level`?",
    );
    check_refused(
        &Layers { file: Some(FILE), flags: &[("log", "info")], ..NOTHING },
        "no setting is called `log` (`--set log`); known are `log.format`, `log.level`",
    );
    check_refused(
        &Layers { file: Some("[kafak]\nbootstrap_servers = 'file:1'"), ..NOTHING },
        "no setting is called `kafak` (`b.toml`); did you mean `kafka`?",
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
    let file = Layers { file: Some(FILE), ..NOTHING };
    check_refused(
        &Layers { environment: &[("BINDERY_LINGER_MS", "soon")], ..file },
        "the setting `linger_ms` (`BINDERY_LINGER_MS`) cannot be used: invalid type: found string \
         \"soon\", expected u32",
    );
    check_refused(
        &Layers { flags: &[("log.format", "xml")], ..file },
        "the setting `log.format` (`--set log.format`) cannot be used: `xml` is none of `text`, `json`",
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
    check_refused(
        &Layers { file: Some("# waits\nlinger_ms = = 1"), ..NOTHING },
        "`b.toml` is not valid TOML: line 2: extra `=`, expected nothing",
    );
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let sources = Sources { file: Some("/nowhere/b.toml".into()), ..Sources::default() };
    assert_eq!(
        one_line(&load::<Example>(&NO_DEFAULTS, &sources).unwrap_err()),
        "cannot read the configuration file `/nowhere/b.toml`: No such file or directory (os error 2)"
    );
}

#[test]
fn a_text_is_taken_as_it_is_written() {
    let flags = [("name", "0042")];
    assert_eq!(read(&Layers { file: Some(FILE), flags: &flags, ..NOTHING }).unwrap().name, "0042");
    let environment = [("KAFKA_BOOTSTRAP_SERVERS", "a:1"), ("BINDERY_NAME", "true")];
    assert_eq!(read(&Layers { environment: &environment, ..NOTHING }).unwrap().name, "true");
    let file = Some("name = 42\n[kafka]\nbootstrap_servers = 'file:1'");
    assert_eq!(read(&Layers { file, ..NOTHING }).unwrap().name, "42");
}

#[test]
fn properties_in_a_file_may_be_numbers_and_need_no_quotes() {
    let file = "[kafka]\nbootstrap_servers = 'file:1'\n[kafka.properties]\nsocket.timeout.ms = 5000\n\
                'enable.ssl.certificate.verification' = true";
    let properties = read(&Layers { file: Some(file), ..NOTHING }).unwrap().kafka.properties;
    let properties: Vec<_> = properties.iter().map(|(k, v)| (&**k, &**v)).collect();
    let expected = [("enable.ssl.certificate.verification", "true"), ("socket.timeout.ms", "5000")];
    assert_eq!(properties, expected);
}

#[test]
fn a_variable_can_name_a_file_with_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hunter2\n").unwrap();
    let variable = "BINDERY_KAFKA__PROPERTIES__SASL_PASSWORD__FILE";
    let environment = [(variable, path.to_str().unwrap())];
    let layers = Layers { file: Some(FILE), environment: &environment, ..NOTHING };
    let configuration = configuration(&layers).unwrap();
    assert_eq!(configuration.settings.kafka.properties["sasl.password"], "hunter2");
    let shown = configuration.effective().unwrap();
    let line = format!(r#"kafka.properties."sasl.password" = "<redacted>"  # {variable}"#);
    assert!(shown.contains(&line), "{shown}");
    let environment = [(variable, "/nowhere/password")];
    check_refused(
        &Layers { file: Some(FILE), environment: &environment, ..NOTHING },
        "cannot read the configuration file `/nowhere/password`: No such file or directory (os error 2)",
    );
}

#[test]
fn the_effective_configuration_says_where_each_setting_came_from() {
    let environment = [("RUST_LOG", "warn"), ("BINDERY_KAFKA__PROPERTIES__SSL_KEY_PEM", "hunter2")];
    let flags = [("linger_ms", "3")];
    let layers = Layers { file: Some(FILE), environment: &environment, flags: &flags };
    let expected = r#"kafka.bootstrap_servers = "file:1"  # b.toml
kafka.properties."security.protocol" = "SSL"  # b.toml
kafka.properties."ssl.key.pem" = "<redacted>"  # BINDERY_KAFKA__PROPERTIES__SSL_KEY_PEM
# kafka.token_command is not set
# kafka.token_file is not set
linger_ms = 3  # --set linger_ms
# listen is not set
log.format = "text"
log.level = "warn"  # RUST_LOG
name = ""
"#;
    let shown = configuration(&layers).unwrap().effective().unwrap();
    let shown: Vec<&str> = shown.lines().collect();
    let shown = shown.iter().map(|line| match line.split_once("  # /") {
        Some((setting, path)) => format!("{setting}  # {}\n", path.rsplit('/').next().unwrap()),
        None => format!("{line}\n"),
    });
    assert_eq!(shown.collect::<String>(), expected);
}

#[test]
fn the_effective_configuration_is_a_file_that_comes_to_the_same() {
    let file = Layers { file: Some(FILE), ..NOTHING };
    let shown = configuration(&file).unwrap().effective().unwrap();
    let again = configuration(&Layers { file: Some(&shown), ..NOTHING }).unwrap();
    let settings = |shown: &str| -> Vec<String> {
        shown.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(settings(&again.effective().unwrap()), settings(&shown));
}

#[test]
fn the_reference_has_every_setting_with_its_doc_comment() {
    let example = read(&Layers { file: Some(FILE), ..NOTHING }).unwrap();
    let rows = reference(&example).unwrap();
    let keys: Vec<&str> = rows.iter().map(|row| &*row.key).collect();
    let expected = [
        "kafka.bootstrap_servers",
        "kafka.properties.<name>",
        "kafka.token_command",
        "kafka.token_file",
        "linger_ms",
        "listen",
        "log.format",
        "log.level",
        "name",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        rows[4],
        Row {
            key: "linger_ms".to_owned(),
            kind: "whole number".to_owned(),
            default: Some("1".to_owned()),
            variable: "BINDERY_LINGER_MS".to_owned(),
            meaning: "How long it waits, in ms.".to_owned(),
        }
    );
    assert_eq!(rows[6].kind, "`text` or `json`");
    assert_eq!(rows[5].default, None);
}
