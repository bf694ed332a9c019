//! Every query of the alerts and of the dashboard, against what running services serve.

mod promql;
mod scraped;

use std::collections::BTreeMap;
use std::path::Path;

use event_consumer::Side;
use serde::Deserialize;
use serde_json::Value;
use service::names::{ALL, Kind};
use testkit::{cluster, wait_until};

use super::installation::{DEADLINE, Installation};
use promql::Query;
use scraped::{Series, scrape};

const ALERTS: &str = include_str!("../../../deploy/helm/bindery/files/alerts.yaml");
const DASHBOARD: &str = include_str!("../../../deploy/helm/bindery/files/dashboard.json");
/// What stands for the dashboard's variables. Longer names first.
const VARIABLES: [(&str, &str); 4] =
    [("$__rate_interval", "5m"), ("$__range", "1h"), ("$service", ".+"), ("$job", "suite")];

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    record: Option<String>,
    alert: Option<String>,
    expr: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(ALERTS).expect("the alerts are YAML");
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// The queries of alerts, with the labels that their texts name.
fn alerts() -> Vec<Query> {
    let query = |rule: Rule| Query {
        from: rule.record.clone().or(rule.alert).expect("a rule records or alerts"),
        text: rule.expr,
        shown: rule.annotations.values().flat_map(|text| named(text, "$labels.")).collect(),
        recorded: rule.record.is_some(),
    };
    rules().into_iter().map(query).collect()
}

/// The queries of panels with the labels in their legends, and those of the variables.
fn panels() -> Vec<Query> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let mut queries = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            queries.push(Query {
                from: text(&panel["title"]),
                text: filled_in(&text(&target["expr"])),
                shown: named(&text(&target["legendFormat"]), "{{"),
                recorded: false,
            });
        }
    }
    for variable in list(&dashboard["templating"]["list"]) {
        if let Some(definition) = variable["definition"].as_str() {
            let inner = definition.strip_prefix("label_values(").expect("it asks for labels");
            let inner = inner.strip_suffix(')').expect("it is closed");
            let (selector, label) = inner.rsplit_once(", ").expect("it names a label");
            queries.push(Query {
                from: text(&variable["name"]),
                text: filled_in(selector),
                shown: vec![label.to_owned()],
                recorded: false,
            });
        }
    }
    queries
}

fn filled_in(query: &str) -> String {
    VARIABLES.iter().fold(query.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// The names that follow `mark` in `text`.
fn named(text: &str, mark: &str) -> Vec<String> {
    let word = |rest: &str| {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    };
    text.split(mark).skip(1).map(word).filter(|name| !name.is_empty()).collect()
}

/// The three services with some of everything to do, and where they answer.
struct Running {
    _processes: Vec<testkit::Process>,
    addresses: Vec<(&'static str, String)>,
}

fn running(installation: &Installation) -> Running {
    let processes = [
        ("rt-event-consumer", installation.start(Side::Rt, "0")),
        ("batch-event-consumer", installation.start(Side::Batch, "0")),
        ("status-sync", installation.start_status_sync("0")),
    ];
    let addresses = processes.iter().map(|(name, process)| {
        let line = process.wait_for_line("health endpoints listen", DEADLINE);
        let address = line.split("address=").nth(1).expect("the line names it").trim();
        (*name, address.to_owned())
    });
    let addresses = addresses.collect();
    let topics = &installation.topics;
    installation.produce(&topics.rt_event.name, 0..50);
    installation.produce(&topics.batch_event.name, 50..100);
    let json = [("content-type", "application/json")];
    let servers = cluster().bootstrap_servers();
    testkit::produce(servers, &topics.rt_event.name, [("k", "this is no event", json)]);
    let logs = ["event-000001", "nobody-knows"]
        .map(|event| (event, format!(r#"{{"assignmentId":"{event}:1","outcome":"sent"}}"#), json));
    testkit::produce(servers, &topics.delivery_log.name, logs);
    let processes = processes.into_iter().map(|(_, process)| process).collect();
    Running { _processes: processes, addresses }
}

/// What a Prometheus would have after scraping all of them.
fn all_series(running: &Running) -> Vec<Series> {
    let scraped = running.addresses.iter().flat_map(|(service, address)| {
        let mut series = scrape(address);
        for one in &mut series {
            for (name, value) in [("job", "suite"), ("service", service), ("instance", address)] {
                one.labels.insert(name.to_owned(), value.to_owned());
            }
        }
        series
    });
    scraped.collect()
}

/// What the services promise to serve.
fn contract() -> Vec<Series> {
    let mut series = Vec::new();
    for metric in ALL {
        let (name, labels) = (metric.name, metric.labels);
        match metric.kind {
            Kind::Counter | Kind::Gauge => series.push(Series::of_contract(name, labels)),
            Kind::Histogram => {
                let bounds: Vec<&str> = labels.iter().copied().chain(["le"]).collect();
                series.push(Series::of_contract(&format!("{name}_bucket"), &bounds));
                for part in ["sum", "count"] {
                    series.push(Series::of_contract(&format!("{name}_{part}"), labels));
                }
            }
        }
    }
    series
}

/// What is wrong with any query.
fn problems(mut series: Vec<Series>) -> Vec<String> {
    let mut problems = Vec::new();
    for query in alerts().into_iter().chain(panels()) {
        match query.labels(&series) {
            Err(problem) => problems.push(format!("{}: {problem}", query.from)),
            Ok(labels) if query.recorded => {
                let value = |name: &String| (name.clone(), "suite".to_owned());
                let labels = labels.iter().map(value).collect();
                series.push(Series { name: query.from, labels });
            }
            Ok(_) => {}
        }
    }
    problems
}

#[test]
fn every_query_of_alerts_and_dashboard_asks_for_what_is_promised() {
    let problems = problems(contract());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_query_of_alerts_and_dashboard_finds_its_metrics_and_labels() {
    let prefix = format!("{}queries-", cluster().prefix());
    let installation = Installation::on(cluster().bootstrap_servers(), &prefix);
    let running = running(&installation);
    wait_until("every query to find what it asks for", DEADLINE, || {
        let series = all_series(&running);
        let mut problems = problems(series.iter().map(Series::as_prometheus_3_has_it).collect());
        problems.extend(self::problems(series));
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    });
}

#[test]
fn every_alert_has_a_runbook_page_that_the_list_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = std::fs::read_to_string(root.join("docs/runbooks/README.md")).unwrap();
    let alerts: Vec<Rule> = rules().into_iter().filter(|rule| rule.alert.is_some()).collect();
    assert!(!alerts.is_empty());
    for rule in alerts {
        let name = rule.alert.unwrap();
        let url = &rule.annotations["runbook_url"];
        assert!(root.join(url).is_file(), "{name}: there is no `{url}`");
        let page = url.strip_prefix("docs/runbooks/").unwrap();
        let row = format!("| `{name}` | [{}]({page}) |", page.strip_suffix(".md").unwrap());
        assert!(list.contains(&row), "docs/runbooks/README.md has no row {row}");
    }
}
