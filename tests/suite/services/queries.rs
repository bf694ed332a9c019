//! Every query of the alerts and of the dashboard, against what the services promise to serve.

mod promql;
mod series;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use service::names::{ALL, Kind};

use promql::Query;
use series::Series;

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
