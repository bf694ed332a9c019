use std::borrow::Cow;

use domain::{Candidate, Channel, FactKind, Losers, Lost, Revision, TemplateVersion};

use crate::malformed::{Malformed, Problem};
use crate::message::{self, Fields, Write, fields, need};
use crate::value::Value;

fields! {
    TEMPLATE_ID = 1 "templateId" "template_id";
    VERSION = 2 "version" "version";
    CHANNEL = 3 "channel" "channel";
    REVISION = 4 "revision" "revision";
    LOSERS = 5 "losers" "losers";
}

#[derive(Default)]
pub(crate) struct Draft<'a> {
    template_id: Cow<'a, str>,
    version: u32,
    channel: Cow<'a, str>,
    revision: i64,
    losers: Vec<Candidate<'a>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;
    const LEVEL: u32 = 1;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::TEMPLATE_ID => value.text_over(&mut self.template_id)?,
            number::VERSION => self.version = value.uint32()?,
            number::CHANNEL => value.text_over(&mut self.channel)?,
            number::REVISION => self.revision = value.signed()?,
            number::LOSERS => value.elements(|element| {
                let mut draft = candidate::Draft::default();
                element.message(&mut draft)?;
                self.losers.push(draft.finish()?);
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    pub(super) fn finish(self) -> Result<FactKind<'a>, Malformed> {
        let channel = Channel::new(self.channel).ok();
        Ok(FactKind::Bound {
            template_id: self.template_id,
            version: TemplateVersion(self.version),
            channel: need(CHANNEL, channel, "is not the name of a channel")?,
            revision: Revision(self.revision),
            losers: self.losers.into(),
        })
    }
}

/// Writes what a Bound fact says.
pub(super) fn write(
    template_id: &str,
    version: TemplateVersion,
    channel: &Channel<'_>,
    revision: Revision,
    losers: &Losers<'_>,
    out: &mut impl Write,
) {
    out.text(TEMPLATE_ID, template_id);
    out.uint32(VERSION, version.0);
    out.text(CHANNEL, channel.as_str());
    out.int64(REVISION, revision.0);
    out.messages(LOSERS, losers.iter(), |out, loser| {
        out.text(candidate::TEMPLATE_ID, &loser.template_id);
        out.word(candidate::LOST, loser.lost);
    });
}

pub(crate) mod candidate {
    use super::{Candidate, Cow, Lost, Problem, Value};
    use crate::message::{self, Fields, fields};

    fields! {
        TEMPLATE_ID = 1 "templateId" "template_id";
        LOST = 2 "lost" "lost";
    }

    #[derive(Default)]
    pub(crate) struct Draft<'a> {
        template_id: Cow<'a, str>,
        lost: Option<Lost>,
    }

    impl<'a> Fields<'a> for Draft<'a> {
        const FIELDS: &'static [message::Field] = FIELDS;
        const LEVEL: u32 = 2;

        fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
            match number {
                number::TEMPLATE_ID => value.text_over(&mut self.template_id)?,
                number::LOST => self.lost = value.word()?,
                _ => {}
            }
            Ok(())
        }
    }

    impl<'a> Draft<'a> {
        pub(super) fn finish(self) -> Result<Candidate<'a>, Problem> {
            let lost = self.lost.ok_or(Problem("does not say why a candidate lost"))?;
            Ok(Candidate { template_id: self.template_id, lost })
        }
    }
}
