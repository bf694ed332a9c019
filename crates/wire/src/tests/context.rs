use domain::{Context, ContextFault, RequiredPath};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::strategies;
use crate::JsonContext;

fn paths(paths: &[impl AsRef<str>]) -> Vec<RequiredPath> {
    paths.iter().map(|path| RequiredPath::new(path.as_ref()).unwrap()).collect()
}

fn exists(value: &Value, path: &str) -> bool {
    let found = path.split('.').try_fold(value, |value, segment| match value {
        Value::Object(object) => object.get(segment),
        // Only an index as it is written counts, not `01`.
        Value::Array(array) => array
            .get(segment.parse::<usize>().ok()?)
            .filter(|_| segment == "0" || !segment.starts_with(['0', '+'])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    });
    found.is_some()
}

fn reference(ctx: &[u8], required: &[RequiredPath]) -> Result<(), Option<usize>> {
    let value: Value = serde_json::from_slice(ctx).map_err(|_| None)?;
    if !value.is_object() {
        return Err(None);
    }
    match required.iter().position(|path| !exists(&value, path.as_str())) {
        Some(index) => Err(Some(index)),
        None => Ok(()),
    }
}

#[track_caller]
fn check(ctx: &[u8], required: &[RequiredPath]) {
    let ours = JsonContext.check(ctx, required).map_err(|fault| match fault {
        ContextFault::Invalid(_) => None,
        ContextFault::Missing(index) => Some(index),
    });
    let shown = String::from_utf8_lossy(ctx);
    assert_eq!(ours, reference(ctx, required), "{shown} {required:?}");
}

fn path() -> impl Strategy<Value = String> {
    "[abc01]{1,2}(\\.[abc01é]{1,2}){0,3}"
}

/// Every path that is there.
fn all_paths(value: &Value, before: &str, out: &mut Vec<String>) {
    let mut add = |key: &str, value: &Value| {
        if !key.is_empty() && !key.contains('.') {
            let path = if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") };
            out.push(path.clone());
            all_paths(value, &path, out);
        }
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| add(key, value)),
        Value::Array(array) => {
            array.iter().enumerate().for_each(|(index, value)| add(&index.to_string(), value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn paths_are_found_as_serde_json_finds_them(
        object in strategies::object(),
        more in vec(path(), 0..4),
        pretty in any::<bool>(),
        edit in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut required = Vec::new();
        all_paths(&Value::Object(object.clone()), "", &mut required);
        let mut bytes =
            if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();
        check(&bytes, &paths(&required));
        required.extend(more);
        if let Some((index, byte)) = edit {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes, &paths(&required));
    }

    #[test]
    fn of_a_repeated_key_the_last_one_counts(
        parts in vec(("[ab]", "1|null|\\{\\}|\\{\"a\":1\\}|\\{\"a\":\\{\"b\":1\\}\\}|\\[1,2\\]|\\[\\{\"a\":0\\}\\]"), 0..6),
        required in vec("[ab](\\.[ab01]){0,2}", 1..6),
    ) {
        let parts: Vec<_> = parts.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        check(format!("{{{}}}", parts.join(",")).as_bytes(), &paths(&required));
    }
}

#[test]
fn paths_are_found_in_objects_and_arrays() {
    let ctx = br#"{"order":{"lines":[{"name":"a"},{"name":null}],"0":1},"a.b":1,"\u0063":{"d":1}}"#;
    for path in [
        "order",
        "order.lines",
        "order.lines.0.name",
        "order.lines.1.name",
        "order.lines.2",
        "order.0",
        "order.lines.01",
        "order.lines.name",
        "a.b",
        "a",
        "c.d",
        "c",
        "d",
        "order.line",
        "order.liness",
    ] {
        check(ctx, &paths(&[path]));
    }
    check(ctx, &paths(&["order", "nothing", "less"]));
}

#[test]
fn more_paths_than_a_word_has_bits_are_looked_for() {
    let names: Vec<_> = (0..200).map(|n| format!("k{n}")).collect();
    let all: Vec<_> = names.iter().map(|name| format!("\"{name}\":1")).collect();
    for missing in [None, Some(0), Some(63), Some(64), Some(127), Some(199)] {
        let mut some = all.clone();
        if let Some(missing) = missing {
            some.remove(missing);
        }
        check(format!("{{{}}}", some.join(",")).as_bytes(), &paths(&names));
    }
}

#[test]
fn what_is_no_object_is_invalid() {
    for ctx in [
        "",
        "1",
        "[]",
        "null",
        "\"{}\"",
        "{",
        "{} x",
        "{}{}",
        "{\"a\":1e999}",
        "{\"a\":\"\\ud800\"}",
    ] {
        check(ctx.as_bytes(), &[]);
        check(ctx.as_bytes(), &paths(&["a"]));
    }
    check(b"{\"a\":\"\xff\"}", &[]);
}

#[test]
fn data_may_nest_120_levels_so_that_the_assignment_around_it_can_be_read() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let deepest = vec!["a"; 119].join(".");
    for required in [vec![], paths(&["a.a.a"]), paths(&[deepest])] {
        assert_eq!(JsonContext.check(nested(120).as_bytes(), &required), Ok(()));
        let fault = JsonContext.check(nested(121).as_bytes(), &required);
        assert!(matches!(fault, Err(ContextFault::Invalid(_))), "{fault:?}");
        let fault = JsonContext.check(nested(200_000).as_bytes(), &required);
        assert!(matches!(fault, Err(ContextFault::Invalid(_))), "{fault:?}");
    }
}
