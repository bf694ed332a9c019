use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies;
use crate::json::{LEVELS_MAX, Scanner};

/// Whether our scanner takes `bytes` as one JSON value.
fn is_value(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut scanner = Scanner::new(text, LEVELS_MAX);
    scanner.value().and_then(|_| scanner.end()).is_ok()
}

#[track_caller]
fn check(bytes: &[u8]) {
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    assert_eq!(is_value(bytes), theirs.is_ok(), "{shown}: {:?}", theirs.err());
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[{}\\[\\],:]",
        Just("\"a\":".to_owned()),
        "\"[a\\\\\"bu0d8cé]{0,9}\"",
        "\"\\\\u[dD][89cdEF][0-9a-f]{2}(\\\\u[dD][c-f][0-9a-f]{2})?\"",
        "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,4})?",
        "true|false|null|tru|nul|\\+|NaN|[ \t\n\r\u{b}]",
        "\"[\\x00-\\x22]{0,4}\"",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn tokens_are_taken_as_serde_json_takes_them(tokens in vec(token(), 0..10)) {
        check(tokens.concat().as_bytes());
        check(format!("[{}]", tokens.join(",")).as_bytes());
        check(format!("{{\"k\":{}}}", tokens.concat()).as_bytes());
    }

    #[test]
    fn damaged_objects_are_taken_as_serde_json_takes_them(
        object in strategies::object(),
        pretty in any::<bool>(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes =
            if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();
        check(&bytes);
        for (index, byte) in &edits {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        check(&bytes);
    }

    #[test]
    fn a_string_means_what_serde_json_says_it_means(text in strategies::text(), raw in "\"(\\\\u00[0-7][0-9a-f]|\\\\u[dD]83[dD]\\\\u[dD]e0[0-9]|\\\\u20[aA]c|\\\\[\"\\\\/bfnrt]|[ a-z]){0,20}\"") {
        let plain = serde_json::to_string(&text).unwrap();
        for json in [plain.as_str(), raw.as_str()] {
            let (ours, after) = crate::json::Text::scan(json, 0).unwrap();
            prop_assert_eq!(after, json.len());
            prop_assert_eq!(ours.unescape().into_owned(), serde_json::from_str::<String>(json).unwrap());
        }
    }
}

#[test]
fn the_corners_of_json_are_taken_as_serde_json_takes_them() {
    for corner in [
        "",
        " ",
        "{",
        "}",
        "{}",
        " {} ",
        "{}x",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "\u{feff}{}",
        "{\"a\":1}{\"a\":1}",
        "01",
        "-",
        "-0",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "1e308",
        "1e309",
        "-1e309",
        "1e-999",
        "0e999",
        "0e99999999999",
        "1e99999999999",
        "1e-99999999999",
        "0.0000000001e318",
        "1.7976931348623157e308",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\u{7f}\"",
        "\"\t\"",
        "\"",
        "\"\\",
        "\"\\\"",
        "'a'",
        "truefalse",
        "true",
        "tru",
        "nulll",
        "[null]",
        "{\"a\":{\"b\":[1,{\"c\":[]}]}}",
        "[[]",
        "[}",
        "{]",
        "{\"a\":[}]",
        "{1:2}",
        "{\"\":0}",
        "\u{a0}1",
        "// x\n1",
        "\"\\ud800\\ud800\"",
        "\"\\ud800\\\"",
        "[1,2,3]\u{0}",
    ] {
        check(corner.as_bytes());
        check(format!("{{\"k\": {corner} }}").as_bytes());
    }
    check(format!("1{}", "0".repeat(307)).as_bytes());
    check(format!("1{}", "0".repeat(310)).as_bytes());
    check(format!("-1{}.5", "0".repeat(400)).as_bytes());
    check(b"\"\xff\"");
    check(b"\"\xed\xa0\x80\"");
}

#[test]
fn nesting_ends_where_serde_json_ends_it_and_costs_no_stack() {
    for depth in [1, 2, 126, 127, 128, 129, 500_000] {
        check(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        check(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes());
        check("[".repeat(depth).as_bytes());
        check("{\"a\":[".repeat(depth).as_bytes());
    }
}
