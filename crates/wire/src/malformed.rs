use std::borrow::Cow;

/// A record is not the message it should be.
///
/// Says which field is wrong and how, never what it holds. Its reader parks the record in
/// `dead-letter` and goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Malformed {
    detail: Cow<'static, str>,
}

impl Malformed {
    pub(crate) fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into() }
    }

    pub(crate) fn of_field(name: &str, problem: Problem) -> Self {
        Self::new(format!("`{name}` {}", problem.0))
    }

    /// What is wrong, as one line for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn into_detail(self) -> Cow<'static, str> {
        self.detail
    }
}

/// What is wrong with one field, or with the bytes at one place: the end of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem(pub(crate) &'static str);
