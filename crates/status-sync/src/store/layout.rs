//! How keys and values are laid out.

use super::StoreError;

/// The next offset of the journal that is not folded in.
pub(super) const POSITION: &[u8] = b"p";
const STATUS: u8 = b's';
const AGE: u8 = b'x';

/// The key of an event's status.
pub(super) fn status_key(event_id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + event_id.len());
    key.push(STATUS);
    key.extend_from_slice(event_id.as_bytes());
    key
}

/// The key that lists an event among those that last changed in `period`.
pub(super) fn age_key(period: u64, event_id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + event_id.len());
    key.push(AGE);
    key.extend_from_slice(&period.to_be_bytes());
    key.extend_from_slice(event_id.as_bytes());
    key
}

/// The event and period of a key of that kind.
pub(super) fn read_age_key(key: &[u8]) -> Result<(u64, &str), StoreError> {
    let read = || {
        let (period, event_id) = key.strip_prefix(&[AGE])?.split_at_checked(8)?;
        let period = u64::from_be_bytes(period.try_into().ok()?);
        Some((period, std::str::from_utf8(event_id).ok()?))
    };
    read().ok_or_else(|| StoreError::Foreign("a key of no known form".into()))
}

/// A status as it is kept: the period of its last change, then the status itself.
pub(super) fn read_status(value: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (period, status) = value
        .split_at_checked(8)
        .ok_or_else(|| StoreError::Foreign("a status of no known form".into()))?;
    let period = u64::from_be_bytes(period.try_into().expect("eight bytes were split off"));
    Ok((period, status))
}
