//! Templates, as far as binding needs to know them.

use std::borrow::Cow;

use domain::{
    Canary, Channel, LaneKind, Lanes, RequiredPath, Template, TemplateState, TemplateVersion,
};

use crate::content::Content;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need, time_of};
use crate::value::{Moment, Value};

fields! {
    ID = 1 "id" "id";
    EVENT_TYPE = 2 "eventType" "event_type";
    CHANNEL = 3 "channel" "channel";
    LANGUAGE = 4 "language" "language";
    LANES = 5 "lanes" "lanes";
    STATE = 6 "state" "state";
    STABLE_VERSION = 7 "stableVersion" "stable_version";
    CANARY = 8 "canary" "canary";
    PUBLISHED_AT = 9 "publishedAt" "published_at";
    REQUIRED_PATHS = 10 "requiredPaths" "required_paths";
    RETAINED_VERSIONS = 11 "retainedVersions" "retained_versions";
}

/// Appends a template to `buffer`.
pub fn encode(template: &Template, format: Format, buffer: &mut Vec<u8>) {
    template.append(format, buffer);
}

/// Reads a record of `message-template`. A record without a value is a tombstone, which its reader
/// tells apart before it comes here.
///
/// # Errors
/// [`Malformed`] where it is no template, or something it needs is missing or out of bounds.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Template, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for Template {
    fn write(&self, out: &mut impl Write) {
        out.text(ID, &self.id);
        out.text(EVENT_TYPE, &self.event_type);
        out.text(CHANNEL, self.channel.as_str());
        out.text(LANGUAGE, &self.language);
        let lanes = [LaneKind::Rt, LaneKind::Batch];
        out.words(LANES, lanes.into_iter().filter(|lane| self.lanes.serve(*lane)));
        out.word(STATE, self.state);
        out.uint32(STABLE_VERSION, self.stable.0);
        if let Some(canary) = self.canary {
            out.message(CANARY, |out| {
                out.uint32(canary::VERSION, canary.version.0);
                out.uint32(canary::PERCENTAGE, u32::from(canary.percentage));
            });
        }
        out.time(PUBLISHED_AT, self.published_at);
        out.texts(REQUIRED_PATHS, self.required.iter().map(RequiredPath::as_str));
        out.uint32s(RETAINED_VERSIONS, self.retained.iter().map(|version| version.0));
    }
}

#[derive(Default)]
struct Draft<'a> {
    id: Cow<'a, str>,
    event_type: Cow<'a, str>,
    channel: Cow<'a, str>,
    language: Cow<'a, str>,
    lanes: Option<Lanes>,
    state: Option<TemplateState>,
    stable: u32,
    canary: Option<canary::Draft>,
    published_at: Moment,
    required: Vec<RequiredPath>,
    retained: Vec<TemplateVersion>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::ID => value.text_over(&mut self.id)?,
            number::EVENT_TYPE => value.text_over(&mut self.event_type)?,
            number::CHANNEL => value.text_over(&mut self.channel)?,
            number::LANGUAGE => value.text_over(&mut self.language)?,
            number::LANES => value.packed_elements(|element| self.add_lane(element))?,
            number::STATE => self.state = value.word()?,
            number::STABLE_VERSION => self.stable = value.uint32()?,
            number::CANARY => {
                let mut canary = self.canary.take().unwrap_or_default();
                self.canary = value.message(&mut canary)?.then_some(canary);
            }
            number::PUBLISHED_AT => self.published_at.set(value)?,
            number::REQUIRED_PATHS => value.elements(|element| {
                let path = RequiredPath::new(&element.text()?);
                self.required.push(path.ok_or(Problem("has a path with an empty segment"))?);
                Ok(())
            })?,
            number::RETAINED_VERSIONS => value.packed_elements(|element| {
                self.retained.push(TemplateVersion(element.uint32()?));
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn add_lane(&mut self, value: Value<'a>) -> Result<(), Problem> {
        let lane = value.word()?.ok_or(Problem("has a lane without a name"))?;
        let lanes = self.lanes.get_or_insert(Lanes { rt: false, batch: false });
        match lane {
            LaneKind::Rt => lanes.rt = true,
            LaneKind::Batch => lanes.batch = true,
        }
        Ok(())
    }

    fn finish(self) -> Result<Template, Malformed> {
        let text = |text: Cow<'_, str>| (!text.is_empty()).then(|| text.into_owned().into());
        let version = |number: u32| (number > 0).then_some(TemplateVersion(number));
        let channel = Channel::new(self.channel.into_owned()).ok();
        let published_at = time_of(PUBLISHED_AT, self.published_at)?;
        let canary = self.canary.map(canary::Draft::finish);
        Ok(Template {
            id: need(ID, text(self.id), "is missing")?,
            event_type: need(EVENT_TYPE, text(self.event_type), "is missing")?,
            channel: need(CHANNEL, channel, "is not the name of a channel")?,
            language: self.language.into_owned().into(),
            lanes: self.lanes.unwrap_or(Lanes::BOTH),
            state: self.state.unwrap_or(TemplateState::Live),
            stable: need(STABLE_VERSION, version(self.stable), "is missing")?,
            canary: canary
                .map(|canary| need(CANARY, canary, "needs a version, and a percentage up to 100"))
                .transpose()?,
            published_at: need(PUBLISHED_AT, published_at, "is missing")?,
            required: self.required.into(),
            retained: self.retained.into(),
        })
    }
}

pub(crate) mod canary {
    use super::{Canary, Problem, TemplateVersion, Value};
    use crate::message::{self, Fields, fields};

    fields! {
        VERSION = 1 "version" "version";
        PERCENTAGE = 2 "percentage" "percentage";
    }

    #[derive(Default)]
    pub(crate) struct Draft {
        version: u32,
        percentage: u32,
    }

    impl<'a> Fields<'a> for Draft {
        const FIELDS: &'static [message::Field] = FIELDS;
        const LEVEL: u32 = 1;

        fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
            match number {
                number::VERSION => self.version = value.uint32()?,
                number::PERCENTAGE => self.percentage = value.uint32()?,
                _ => {}
            }
            Ok(())
        }
    }

    impl Draft {
        pub(super) fn finish(self) -> Option<Canary> {
            let percentage = u8::try_from(self.percentage).ok().filter(|share| *share <= 100)?;
            (self.version > 0)
                .then_some(Canary { version: TemplateVersion(self.version), percentage })
        }
    }
}
