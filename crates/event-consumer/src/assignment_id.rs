use std::fmt::{self, Write as _};

use domain::{AssignmentId, EventId};

/// An assignment id as text, without an allocation: the longest event id, a colon and ten digits.
pub(crate) struct AssignmentIdText {
    bytes: [u8; EventId::BYTES_MAX + 11],
    length: usize,
}

impl AssignmentIdText {
    pub(crate) fn of(id: &AssignmentId<'_>) -> Self {
        let mut text = Self { bytes: [0; EventId::BYTES_MAX + 11], length: 0 };
        write!(text, "{id}").expect("the longest assignment id fits");
        text
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("it was written as text")
    }
}

impl fmt::Write for AssignmentIdText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Attempt;

    use super::*;

    #[test]
    fn the_longest_id_fits() {
        let event_id = EventId::new("x".repeat(EventId::BYTES_MAX)).unwrap();
        let id = AssignmentId { event_id, attempt: Attempt::new(u32::MAX).unwrap() };
        assert_eq!(AssignmentIdText::of(&id).as_str(), id.to_string());
    }
}
