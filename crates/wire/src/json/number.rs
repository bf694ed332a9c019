use crate::malformed::Problem;

const BAD_NUMBER: Problem = Problem("has a number that is not well formed");
const OUT_OF_RANGE: Problem = Problem("has a number beyond the range of a double");

/// More digits than any double has before its point: below that, a number without an exponent is
/// within range.
const DIGITS_SURE: usize = 300;

/// The place after the number that starts at `at`.
pub(super) fn skip(text: &str, at: usize) -> Result<usize, Problem> {
    let bytes = text.as_bytes();
    let mut here = at;
    if bytes.get(here) == Some(&b'-') {
        here += 1;
    }
    let whole = digits(bytes, here);
    if whole == 0 || (whole > 1 && bytes[here] == b'0') {
        return Err(BAD_NUMBER);
    }
    here += whole;
    if bytes.get(here) == Some(&b'.') {
        let fraction = digits(bytes, here + 1);
        if fraction == 0 {
            return Err(BAD_NUMBER);
        }
        here += 1 + fraction;
    }
    let mut exponent = false;
    if let Some(b'e' | b'E') = bytes.get(here) {
        exponent = true;
        here += 1;
        if let Some(b'+' | b'-') = bytes.get(here) {
            here += 1;
        }
        let power = digits(bytes, here);
        if power == 0 {
            return Err(BAD_NUMBER);
        }
        here += power;
    }
    if (exponent || whole > DIGITS_SURE) && !text[at..here].parse::<f64>().is_ok_and(f64::is_finite)
    {
        return Err(OUT_OF_RANGE);
    }
    Ok(here)
}

#[inline]
fn digits(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}
