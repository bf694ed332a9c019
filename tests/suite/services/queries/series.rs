use std::collections::BTreeMap;

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
}
