use std::borrow::Cow;

use domain::{NotSupported, RejectionReason};

use crate::malformed::{Malformed, Problem};
use crate::message::{self, Fields, Write, fields, need};
use crate::value::Value;

fields! {
    REASON = 1 "reason" "reason";
    DETAIL = 2 "detail" "detail";
    NEAREST = 3 "nearest" "nearest";
}

#[derive(Default)]
pub(crate) struct Draft<'a> {
    reason: Cow<'a, str>,
    detail: Cow<'a, str>,
    nearest: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;
    const LEVEL: u32 = 1;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::REASON => value.text_over(&mut self.reason)?,
            number::DETAIL => value.text_over(&mut self.detail)?,
            number::NEAREST => value.text_into(&mut self.nearest)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    pub(super) fn finish(self) -> Result<NotSupported<'a>, Malformed> {
        let mut known = RejectionReason::ALL.into_iter();
        let reason = known.find(|reason| reason.as_str() == self.reason);
        Ok(NotSupported {
            reason: need(REASON, reason, "is not one of its words")?,
            detail: self.detail,
            nearest: self.nearest,
        })
    }
}

/// Writes what a NotSupported fact says.
pub(super) fn write(why: &NotSupported<'_>, out: &mut impl Write) {
    out.text(REASON, why.reason.as_str());
    out.text(DETAIL, &why.detail);
    out.optional(NEAREST, why.nearest.as_deref());
}
