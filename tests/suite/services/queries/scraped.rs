use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use promql_parser::label::Matcher;

/// Stands for any value of a label.
const ANY: &str = "*";

/// One series of a metric, without its value.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

impl Series {
    /// What a metric of this name and these labels may have, whatever their values.
    pub(super) fn of_contract(name: &str, labels: &[&str]) -> Self {
        let scraped = ["job", "service", "instance"];
        let labels = labels.iter().chain(&scraped).map(|label| ((*label).to_owned(), ANY.into()));
        Self { name: name.to_owned(), labels: labels.collect() }
    }

    /// Whether `matcher` takes this series.
    pub(super) fn is_taken_by(&self, matcher: &Matcher) -> bool {
        let value = self.labels.get(&matcher.name).map_or("", String::as_str);
        value == ANY || matcher.is_match(value)
    }

    /// The same after Prometheus 3 has taken it in: it writes bounds as floats, `5` as `5.0`.
    pub(super) fn as_prometheus_3_has_it(&self) -> Self {
        let mut series = self.clone();
        if let Some(bound) = series.labels.get_mut("le")
            && bound.bytes().all(|byte| byte.is_ascii_digit())
        {
            bound.push_str(".0");
        }
        series
    }
}

/// Every series that the service at `address` serves.
pub(super) fn scrape(address: &str) -> Vec<Series> {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("it has a body");
    body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(series).collect()
}

/// `name{label="value",…} 1`, or without labels.
fn series(line: &str) -> Series {
    let end = line.find(['{', ' ']).expect("a line has a value");
    let mut labels = BTreeMap::new();
    let mut rest = &line[end + 1..];
    while line.as_bytes()[end] == b'{' {
        let Some((label, after)) = rest.split_once("=\"") else { break };
        let close = closing_quote(after);
        let value = after[..close].replace("\\\"", "\"").replace("\\\\", "\\");
        labels.insert(label.trim_start_matches(',').to_owned(), value);
        rest = &after[close + 1..];
    }
    Series { name: line[..end].to_owned(), labels }
}

/// Where the quote is that no backslash goes before.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    text.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })
    .expect("a value is closed")
}

#[test]
fn a_line_is_taken_apart() {
    let one = series(r#"m_total{a="x,y=\"z\"",b=""} 1"#);
    assert_eq!(one.name, "m_total");
    assert_eq!(one.labels["a"], "x,y=\"z\"");
    assert_eq!(one.labels["b"], "");
    assert_eq!(series("m 1").labels.len(), 0);
}
