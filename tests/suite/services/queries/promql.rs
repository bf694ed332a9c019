use std::collections::BTreeSet;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};

use super::scraped::Series;

/// A query and what is made of its result.
pub(super) struct Query {
    /// The alert or panel it is of.
    pub(super) from: String,
    pub(super) text: String,
    /// The labels that a text or a legend shows of each result.
    pub(super) shown: Vec<String>,
    /// Whether the result is a series of the name `from`.
    pub(super) recorded: bool,
}

type Labels = BTreeSet<String>;

impl Query {
    /// The labels of its result, if each of its parts finds something among `series`.
    pub(super) fn labels(&self, series: &[Series]) -> Result<Labels, String> {
        let labels = labels_of(&parser::parse(&self.text)?, series)?;
        known(&self.shown, &labels, "shows")?;
        Ok(labels)
    }
}

fn labels_of(expr: &Expr, series: &[Series]) -> Result<Labels, String> {
    match expr {
        Expr::VectorSelector(selector) => selected(selector, series),
        Expr::MatrixSelector(matrix) => selected(&matrix.vs, series),
        Expr::Paren(inner) => labels_of(&inner.expr, series),
        Expr::Unary(inner) => labels_of(&inner.expr, series),
        Expr::Subquery(inner) => labels_of(&inner.expr, series),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(Labels::new()),
        Expr::Aggregate(aggregate) => {
            let inner = labels_of(&aggregate.expr, series)?;
            match &aggregate.modifier {
                None => Ok(Labels::new()),
                Some(LabelModifier::Include(by)) => {
                    known(&by.labels, &inner, "groups by")?;
                    Ok(by.labels.iter().cloned().collect())
                }
                Some(LabelModifier::Exclude(without)) => {
                    known(&without.labels, &inner, "groups without")?;
                    Ok(inner.into_iter().filter(|label| !without.labels.contains(label)).collect())
                }
            }
        }
        Expr::Binary(binary) => {
            let (left, right) = (labels_of(&binary.lhs, series)?, labels_of(&binary.rhs, series)?);
            let matching = binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref());
            match matching {
                Some(LabelModifier::Include(on)) => {
                    known(&on.labels, &left, "matches on")?;
                    known(&on.labels, &right, "matches on")?;
                }
                Some(LabelModifier::Exclude(ignoring)) => {
                    let both = left.union(&right).cloned().collect();
                    known(&ignoring.labels, &both, "ignores")?;
                }
                None => {}
            }
            // A number has no labels; between vectors the left one's stay.
            Ok(if left.is_empty() { right } else { left })
        }
        Expr::Call(call) => {
            let mut labels = Labels::new();
            for argument in &call.args.args {
                labels.extend(labels_of(argument, series)?);
            }
            match call.func.name {
                // Its result is no series that was there.
                "absent" => Ok(Labels::new()),
                "histogram_quantile" if !labels.remove("le") => {
                    Err("takes a quantile of what has no `le`".into())
                }
                _ => Ok(labels),
            }
        }
        Expr::Extension(_) => Err("has an extension of the parser".into()),
    }
}

/// The labels of the series that match; there has to be one.
fn selected(selector: &VectorSelector, series: &[Series]) -> Result<Labels, String> {
    let name = selector.name.as_deref().ok_or("selects without a name")?;
    let of_name: Vec<&Series> = series.iter().filter(|one| one.name == name).collect();
    if of_name.is_empty() {
        return Err(format!("nobody serves `{name}`"));
    }
    let matchers = &selector.matchers.matchers;
    let named = |matcher: &&Matcher| !matches!(matcher.op, MatchOp::NotEqual | MatchOp::NotRe(_));
    for matcher in matchers.iter().filter(named) {
        if !of_name.iter().any(|one| one.labels.contains_key(&matcher.name)) {
            return Err(format!("`{name}` has no label `{}`", matcher.name));
        }
    }
    let matching =
        of_name.iter().filter(|one| matchers.iter().all(|matcher| one.is_taken_by(matcher)));
    let labels: Vec<&String> = matching.flat_map(|one| one.labels.keys()).collect();
    if labels.is_empty() {
        return Err(format!("no series is `{selector}`"));
    }
    Ok(labels.into_iter().cloned().collect())
}

fn known(labels: &[String], among: &Labels, doing: &str) -> Result<(), String> {
    match labels.iter().find(|label| !among.contains(*label)) {
        Some(label) => {
            Err(format!("{doing} `{label}`, of which there is none; there are {among:?}"))
        }
        None => Ok(()),
    }
}

/// A query about `up{a="1", b="x"}` in, its labels or what is wrong with it out.
#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    let labels = [("a", "1"), ("b", "x")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let series = [Series { name: "up".into(), labels: labels.into() }];
    let query = Query { from: "q".into(), text: text.into(), shown: vec![], recorded: false };
    let found =
        query.labels(&series).map(|labels| labels.into_iter().collect::<Vec<_>>().join(" "));
    match (&found, expected) {
        (Ok(labels), Ok(expected)) => assert_eq!(labels, expected, "{text}"),
        (Err(problem), Err(expected)) => assert!(problem.contains(expected), "{text}: {problem}"),
        _ => panic!("{text}: {found:?}"),
    }
}

#[test]
fn a_query_is_followed_through_its_parts() {
    check(r#"up{a="1"}"#, Ok("a b"));
    check("sum by (a) (rate(up[5m])) / 2", Ok("a"));
    check("up > 0 unless on (a) changes(up[5m]) > 0", Ok("a b"));
    check("absent(up == 1)", Ok(""));
}

#[test]
fn a_slip_in_a_query_is_found() {
    check("down", Err("nobody serves `down`"));
    check(r#"up{c="1"}"#, Err("no label `c`"));
    check(r#"up{a="2"}"#, Err("no series is"));
    check("sum by (c) (up)", Err("groups by `c`"));
    check("up and on (c) up", Err("matches on `c`"));
    check("histogram_quantile(0.5, up)", Err("no `le`"));
    check("sum(", Err(""));
}
