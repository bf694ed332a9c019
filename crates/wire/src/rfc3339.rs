//! RFC 3339 times, read and written over the years 1 to 9999, the range of
//! `google.protobuf.Timestamp`: a producer's "never" is often the last second of 9999.

use std::ops::RangeInclusive;

use domain::Timestamp;

/// The seconds since the epoch of the years 1 to 9999.
pub(crate) const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

const SECONDS_PER_DAY: i64 = 86_400;
const POWERS_OF_TEN: [i32; 9] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const DAYS_PER_ERA: i64 = 146_097;

/// The seconds and, of the second, the milliseconds; within [`SECONDS`].
#[inline]
pub(crate) fn split(time: Timestamp) -> (i64, i64) {
    let first = *SECONDS.start() * 1_000;
    let last = *SECONDS.end() * 1_000 + 999;
    let millis = time.as_millis().clamp(first, last);
    (millis.div_euclid(1_000), millis.rem_euclid(1_000))
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`; a time outside the years 1 to 9999 is written as the nearest within.
pub(crate) fn format(time: Timestamp) -> [u8; 24] {
    let (seconds, millis) = split(time);
    let (year, month, day) = date_of_day(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], second / 3_600);
    put(&mut text[14..16], second / 60 % 60);
    put(&mut text[17..19], second % 60);
    put(&mut text[20..23], millis);
    text
}

/// The seconds since the epoch and the nanoseconds of a text; `None` where it is no RFC 3339 time or
/// one outside the years 1 to 9999. A leap second is read as the one before it.
pub(crate) fn parse(text: &str) -> Option<(i64, i32)> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(19)?;
    let separators = [date[4], date[7], date[10] | 0x20, date[13], date[16]];
    if separators != *b"--t::" {
        return None;
    }
    let (year, month, day) = (digits(&date[0..4])?, digits(&date[5..7])?, digits(&date[8..10])?);
    let (hour, minute, second) =
        (digits(&date[11..13])?, digits(&date[14..16])?, digits(&date[17..19])?);
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_of_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let seconds = day_of_date(year, month, day) * SECONDS_PER_DAY
        + hour * 3_600
        + minute * 60
        + second.min(59)
        - offset(zone)?;
    SECONDS.contains(&seconds).then_some((seconds, nanos))
}

/// The nanoseconds of `.123` and what follows; at most nine digits.
fn fraction(rest: &[u8]) -> Option<(i32, &[u8])> {
    let Some((b'.', rest)) = rest.split_first() else { return Some((0, rest)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let (fraction, zone) = rest.split_at(length);
    let fraction = i32::try_from(digits(fraction)?).ok()?;
    Some((fraction * POWERS_OF_TEN[9 - length], zone))
}

/// The seconds that local time is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), hour @ .., b':', minute_1, minute_2] if hour.len() == 2 => {
            let (hour, minute) = (digits(hour)?, digits(&[*minute_1, *minute_2])?);
            if hour > 23 || minute > 59 {
                return None;
            }
            let ahead = hour * 3_600 + minute * 60;
            Some(if *sign == b'+' { ahead } else { -ahead })
        }
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn put(text: &mut [u8], mut number: i64) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since the epoch. Years start in March here, so that the leap day is the last.
const fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - 719_468
}

/// The opposite of [`day_of_date`].
const fn date_of_day(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(DAYS_PER_ERA);
    let day_of_era = day.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}
