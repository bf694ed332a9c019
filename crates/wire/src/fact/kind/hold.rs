//! For what an event is kept: part of a Held fact and of a held event.

use std::borrow::Cow;

use domain::Hold;

use crate::malformed::Problem;
use crate::message::{Field, Fields, Write, fields};
use crate::value::{Moment, Value};

fields! {
    SCHEDULED_UNTIL = 1 "scheduledUntil" "scheduled_until";
    PAUSED_TEMPLATE_ID = 2 "pausedTemplateId" "paused_template_id";
}

/// A hold while it is read: the last of the two counts.
#[derive(Default)]
pub(crate) enum Draft<'a> {
    #[default]
    None,
    Scheduled(Moment),
    Paused(Cow<'a, str>),
}

impl<'a> Draft<'a> {
    pub(crate) fn set_scheduled(&mut self, value: Value<'a>) -> Result<(), Problem> {
        let mut until = if let Self::Scheduled(until) = self { *until } else { Moment::default() };
        until.set(value)?;
        if !matches!(value, Value::Null) {
            *self = Self::Scheduled(until);
        }
        Ok(())
    }

    pub(crate) fn set_paused(&mut self, value: Value<'a>) -> Result<(), Problem> {
        if !matches!(value, Value::Null) {
            *self = Self::Paused(value.text()?);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Hold<'a>, Problem> {
        match self {
            Self::Scheduled(until) => {
                let until = until.timestamp()?.ok_or(Problem("does not say until when"))?;
                Ok(Hold::Scheduled { until })
            }
            Self::Paused(template_id) if template_id.is_empty() => {
                Err(Problem("does not say for which template"))
            }
            Self::Paused(template_id) => Ok(Hold::Paused { template_id }),
            Self::None => Err(Problem("does not say for what")),
        }
    }
}

/// Writes one of the two fields.
pub(crate) fn write(hold: &Hold<'_>, scheduled: Field, paused: Field, out: &mut impl Write) {
    match hold {
        Hold::Scheduled { until } => out.time(scheduled, *until),
        Hold::Paused { template_id } => out.text(paused, template_id),
    }
}

/// The message `Held`, which has nothing but a hold.
#[derive(Default)]
pub(crate) struct Held<'a> {
    pub(super) hold: Draft<'a>,
}

impl<'a> Fields<'a> for Held<'a> {
    const FIELDS: &'static [Field] = FIELDS;
    const LEVEL: u32 = 1;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::SCHEDULED_UNTIL => self.hold.set_scheduled(value),
            number::PAUSED_TEMPLATE_ID => self.hold.set_paused(value),
            _ => Ok(()),
        }
    }
}

/// Writes what a Held fact says.
pub(super) fn write_held(hold: &Hold<'_>, out: &mut impl Write) {
    write(hold, SCHEDULED_UNTIL, PAUSED_TEMPLATE_ID, out);
}
