use std::borrow::Cow;

use domain::{DeliveryReason, FactKind, Outcome, OutcomeKind};

use crate::malformed::{Malformed, Problem};
use crate::message::{self, Fields, fields, need};
use crate::value::Value;

fields! {
    OUTCOME = 1 "outcome" "outcome";
    REASON = 2 "reason" "reason";
    KIND = 3 "kind" "kind";
    PROVIDER = 4 "provider" "provider";
    PROVIDER_MESSAGE_ID = 5 "providerMessageId" "provider_message_id";
}

#[derive(Default)]
pub(crate) struct Draft<'a> {
    outcome: Option<Outcome>,
    reason: Option<Cow<'a, str>>,
    kind: Option<OutcomeKind>,
    provider: Option<Cow<'a, str>>,
    provider_message_id: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;
    const LEVEL: u32 = 1;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::OUTCOME => self.outcome = value.word()?,
            number::REASON => value.text_into(&mut self.reason)?,
            number::KIND => self.kind = value.word()?,
            number::PROVIDER => value.text_into(&mut self.provider)?,
            number::PROVIDER_MESSAGE_ID => value.text_into(&mut self.provider_message_id)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    pub(super) fn finish(self) -> Result<FactKind<'a>, Malformed> {
        Ok(FactKind::Delivery {
            outcome: need(OUTCOME, self.outcome, "is missing")?,
            reason: self.reason.map(reason_of_word),
            kind: self.kind,
            provider: self.provider,
            provider_message_id: self.provider_message_id,
        })
    }
}

/// A delivery service's word; one of another form must not cost the outcome it came with.
pub(crate) fn reason_of_word(word: Cow<'_, str>) -> DeliveryReason<'_> {
    DeliveryReason::new(word).unwrap_or_else(|| {
        DeliveryReason::new("undefined").expect("a lower-case word is well formed")
    })
}
