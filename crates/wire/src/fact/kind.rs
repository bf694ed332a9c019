//! What a fact says: one message for each kind.

pub(crate) mod bound;
pub(crate) mod delivery;
pub(crate) mod hold;
pub(crate) mod not_supported;

use domain::{Attempt, FactKind};

use super::{
    BOUND, CANCEL_REQUESTED, CANCELLED, DELIVERY, DUPLICATE, EXPIRED, HELD, NOT_SUPPORTED,
    RECEIVED, RELEASED, number,
};
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Fields, Write, checked, need};
use crate::value::Value;

/// A fact's kind while it is read. Of several the last one counts; the same again is merged into what
/// is there, as protobuf has it.
#[derive(Default)]
pub(super) enum Draft<'a> {
    #[default]
    None,
    Received,
    Bound(bound::Draft<'a>),
    NotSupported(not_supported::Draft<'a>),
    Held(hold::Held<'a>),
    Released,
    Expired,
    Cancelled,
    CancelRequested,
    Duplicate(duplicate::Draft),
    Delivery(delivery::Draft<'a>),
}

/// Reads into the variant that is there, or into a new one. A null leaves all as it was.
macro_rules! merge {
    ($self:ident, $variant:ident, $value:ident) => {{
        if let Self::$variant(draft) = $self {
            $value.message(draft)?;
        } else {
            let mut draft = Default::default();
            if $value.message(&mut draft)? {
                *$self = Self::$variant(draft);
            }
        }
    }};
}

impl<'a> Draft<'a> {
    pub(super) fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::RECEIVED => self.empty(Self::Received, value)?,
            number::BOUND => merge!(self, Bound, value),
            number::NOT_SUPPORTED => merge!(self, NotSupported, value),
            number::HELD => merge!(self, Held, value),
            number::RELEASED => self.empty(Self::Released, value)?,
            number::EXPIRED => self.empty(Self::Expired, value)?,
            number::CANCELLED => self.empty(Self::Cancelled, value)?,
            number::CANCEL_REQUESTED => self.empty(Self::CancelRequested, value)?,
            number::DUPLICATE => merge!(self, Duplicate, value),
            number::DELIVERY => merge!(self, Delivery, value),
            _ => {}
        }
        Ok(())
    }

    fn empty(&mut self, kind: Self, value: Value<'a>) -> Result<(), Problem> {
        if value.message(&mut Nothing)? {
            *self = kind;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<FactKind<'a>, Malformed> {
        Ok(match self {
            Self::None => {
                return Err(Malformed::new("the fact says nothing, or something unknown"));
            }
            Self::Received => FactKind::Received,
            Self::Bound(draft) => draft.finish()?,
            Self::NotSupported(draft) => FactKind::NotSupported(draft.finish()?),
            Self::Held(draft) => FactKind::Held(checked(HELD, draft.hold.finish())?),
            Self::Released => FactKind::Released,
            Self::Expired => FactKind::Expired,
            Self::Cancelled => FactKind::Cancelled,
            Self::CancelRequested => FactKind::CancelRequested,
            Self::Duplicate(draft) => FactKind::Duplicate {
                of: need(duplicate::OF, Attempt::new(draft.of), "is missing")?,
            },
            Self::Delivery(draft) => draft.finish()?,
        })
    }
}

/// Writes a fact's kind.
pub(super) fn write(kind: &FactKind<'_>, out: &mut impl Write) {
    match kind {
        FactKind::Received => out.message(RECEIVED, |_| ()),
        FactKind::Bound { template_id, version, channel, revision, losers } => {
            out.message(BOUND, |out| {
                bound::write(template_id, *version, channel, *revision, losers, out);
            });
        }
        FactKind::NotSupported(why) => {
            out.message(NOT_SUPPORTED, |out| not_supported::write(why, out));
        }
        FactKind::Held(hold) => out.message(HELD, |out| hold::write_held(hold, out)),
        FactKind::Released => out.message(RELEASED, |_| ()),
        FactKind::Expired => out.message(EXPIRED, |_| ()),
        FactKind::Cancelled => out.message(CANCELLED, |_| ()),
        FactKind::CancelRequested => out.message(CANCEL_REQUESTED, |_| ()),
        FactKind::Duplicate { of } => {
            out.message(DUPLICATE, |out| out.uint32(duplicate::OF, of.get()));
        }
        FactKind::Delivery { outcome, reason, kind, provider, provider_message_id } => {
            out.message(DELIVERY, |out| {
                out.word(delivery::OUTCOME, *outcome);
                let reason = reason.as_ref().map(domain::DeliveryReason::as_str);
                out.optional(delivery::REASON, reason);
                if let Some(kind) = kind {
                    out.word(delivery::KIND, *kind);
                }
                out.optional(delivery::PROVIDER, provider.as_deref());
                out.optional(delivery::PROVIDER_MESSAGE_ID, provider_message_id.as_deref());
            });
        }
    }
}

/// A message without fields.
#[derive(Default)]
struct Nothing;

impl<'a> Fields<'a> for Nothing {
    const FIELDS: &'static [message::Field] = &[];
    const LEVEL: u32 = 1;

    fn set(&mut self, _: u32, _: Value<'a>) -> Result<(), Problem> {
        Ok(())
    }
}

pub(crate) mod duplicate {
    use crate::malformed::Problem;
    use crate::message::{self, Fields};
    use crate::value::Value;

    pub(crate) const OF: message::Field = message::Field { number: 1, name: "of", original: "of" };

    #[derive(Default)]
    pub(crate) struct Draft {
        pub(super) of: u32,
    }

    impl<'a> Fields<'a> for Draft {
        const FIELDS: &'static [message::Field] = &[OF];
        const LEVEL: u32 = 1;

        fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
            if number == OF.number {
                self.of = value.uint32()?;
            }
            Ok(())
        }
    }
}
