//! Moments and durations, as people read and give them.

use std::str::FromStr;

use domain::Timestamp;
use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment given as a time (`2026-11-26T14:00:00Z`) or as how long ago it was (`90s`, `2h`, `3d`).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since {
    /// At that time.
    At(Timestamp),
    /// So long before now.
    Ago(Span),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(Timestamp::from_millis(at.as_millisecond())));
        }
        match text.parse::<Span>() {
            Ok(span) if !span.is_negative() => Ok(Self::Ago(span)),
            Ok(_) | Err(_) => Err("give a time as `2026-11-26T14:00:00Z` or an age as `2h`".into()),
        }
    }
}

impl Since {
    /// The moment it is, at `now`; the earliest there is where it would be before that.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => {
                let before = utc(now).and_then(|now| now.checked_sub(span).ok());
                let millis = before.map_or(0, |before| before.timestamp().as_millisecond());
                Timestamp::from_millis(millis)
            }
        }
    }
}

/// The moment this is called; only a command's own entry calls it.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

fn utc(at: Timestamp) -> Option<ZonedDateTime> {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    Some(at.to_zoned_datetime(TimeZone::UTC))
}

/// `2026-11-26 14:00:00.123 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    utc(at).map_or_else(|| "?".into(), |at| at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
}

/// `14:00:00.123`.
pub(crate) fn clock(at: Timestamp) -> String {
    utc(at).map_or_else(|| "?".into(), |at| at.strftime("%H:%M:%S%.3f").to_string())
}

/// How long `from` was before `now`, to the second; nothing where it was not.
pub(crate) fn ago(from: Timestamp, now: Timestamp) -> Option<String> {
    let millis = now.as_millis().saturating_sub(from.as_millis());
    (millis >= SECOND_MS).then(|| elapsed(millis))
}

/// A duration in its two greatest units: `18 ms`, `1.2 s`, `3 min 12 s`, `2 h 4 min`, `3 d 7 h`.
pub(crate) fn elapsed(millis: i64) -> String {
    let (sign, size) = if millis < 0 { ("-", millis.saturating_neg()) } else { ("", millis) };
    let two = |unit: i64, name: &str, below: i64, name_below: &str| {
        let rest = size % unit / below;
        let rest = if rest > 0 { format!(" {rest} {name_below}") } else { String::new() };
        format!("{sign}{} {name}{rest}", size / unit)
    };
    match size {
        ..SECOND_MS => format!("{sign}{size} ms"),
        SECOND_MS..10_000 => format!("{sign}{}.{} s", size / SECOND_MS, size % SECOND_MS / 100),
        10_000..MINUTE_MS => format!("{sign}{} s", size / SECOND_MS),
        MINUTE_MS..HOUR_MS => two(MINUTE_MS, "min", SECOND_MS, "s"),
        HOUR_MS..DAY_MS => two(HOUR_MS, "h", MINUTE_MS, "min"),
        DAY_MS.. => two(DAY_MS, "d", HOUR_MS, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(millis: i64, expected: &str) {
        assert_eq!(elapsed(millis), expected);
    }

    #[test]
    fn a_duration_is_told_in_its_greatest_units() {
        check(0, "0 ms");
        check(999, "999 ms");
        check(1_250, "1.2 s");
        check(59_999, "59 s");
        check(72_000, "1 min 12 s");
        check(2 * HOUR_MS + 4 * MINUTE_MS, "2 h 4 min");
        check(3 * DAY_MS, "3 d");
        check(-1_500, "-1.5 s");
        check(i64::MIN, "-106751991167 d 7 h");
    }

    /// At noon of one day.
    #[track_caller]
    fn check_since(text: &str, expected: &str) {
        let noon: jiff::Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let noon = Timestamp::from_millis(noon.as_millisecond());
        assert_eq!(moment(text.parse::<Since>().unwrap().before(noon)), expected);
    }

    #[test]
    fn a_moment_is_given_as_a_time_or_an_age() {
        check_since("2026-11-26T10:00:00+01:00", "2026-11-26 09:00:00.000 UTC");
        check_since("2h", "2026-11-26 10:00:00.000 UTC");
        check_since("1d 30m", "2026-11-25 11:30:00.000 UTC");
        assert!("yesterday".parse::<Since>().is_err());
        assert!("-2h".parse::<Since>().is_err());
    }
}
