use domain::Timestamp;
use proptest::prelude::*;

use super::strategies;
use crate::rfc3339;

proptest! {
    #[test]
    fn a_time_is_written_as_jiff_writes_it_and_read_again(time in strategies::time()) {
        let text = rfc3339::format(time);
        let text = std::str::from_utf8(&text).unwrap();
        let (seconds, nanos) = rfc3339::parse(text).unwrap();
        prop_assert_eq!(seconds * 1_000 + i64::from(nanos / 1_000_000), time.as_millis());
        if let Ok(theirs) = jiff::Timestamp::from_millisecond(time.as_millis()) {
            prop_assert_eq!(text, format!("{theirs:.3}"));
        }
    }

    #[test]
    fn a_text_is_read_as_jiff_reads_it(
        text in "[0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9]T[012][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])",
    ) {
        let ours = rfc3339::parse(&text);
        let theirs: Option<jiff::Timestamp> = text.parse().ok();
        match (ours, theirs) {
            (Some((seconds, nanos)), Some(theirs)) => {
                let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
                prop_assert_eq!(nanos, theirs.as_nanosecond());
            }
            // jiff's range has a year before ours, and ends a day earlier.
            (ours, theirs) => prop_assert!(
                ours.is_none() && theirs.is_none()
                    || text.starts_with("0000-") || text.starts_with("0001-01-01")
                    || text.starts_with("9999-12-3"),
                "{} {:?} {:?}", text, ours, theirs
            ),
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_times_panic(text in "\\PC{0,40}") {
        let _ = rfc3339::parse(&text);
    }
}

#[test]
fn times_of_rfc_3339_are_read_and_no_others() {
    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        let read = rfc3339::parse(text)
            .map(|(seconds, nanos)| seconds * 1_000 + i64::from(nanos / 1_000_000));
        assert_eq!(read, expected, "{text}");
    }
    check("1970-01-01T00:00:00Z", Some(0));
    check("1970-01-01t00:00:00z", Some(0));
    check("1970-01-01T01:00:00.5+01:00", Some(500));
    check("1969-12-31T23:59:59.999999999Z", Some(-1));
    check("2024-02-29T00:00:00Z", Some(1_709_164_800_000));
    check("2023-02-29T00:00:00Z", None);
    check("1900-02-29T00:00:00Z", None);
    check("2016-12-31T23:59:60Z", Some(1_483_228_799_000));
    check("9999-12-31T23:59:59Z", Some(253_402_300_799_000));
    check("9999-12-31T23:59:59-00:01", None);
    check("0001-01-01T00:00:00Z", Some(-62_135_596_800_000));
    check("0001-01-01T00:00:00+00:01", None);
    for text in [
        "",
        "2024-01-01",
        "2024-01-01T00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00+01",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+24:00",
        "2024-13-01T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "+2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00Zx",
        "1704067200",
        "2024-01-01T00:00:00é",
        "20é4-01-01T00:00:00Z",
        "2024-01-01T00:00:00+1é:0",
    ] {
        check(text, None);
    }
}

#[test]
fn a_time_out_of_range_is_written_as_the_nearest_within() {
    let first = rfc3339::format(Timestamp::from_millis(i64::MIN));
    assert_eq!(&first, b"0001-01-01T00:00:00.000Z");
    let last = rfc3339::format(Timestamp::from_millis(i64::MAX));
    assert_eq!(&last, b"9999-12-31T23:59:59.999Z");
}
