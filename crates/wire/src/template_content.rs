//! What templates look like: what a delivery service renders.

use std::borrow::Cow;

use domain::TemplateVersion;

use crate::content::Content;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need};
use crate::value::Value;

fields! {
    TEMPLATE_ID = 1 "templateId" "template_id";
    VERSION = 2 "version" "version";
    SUBJECT = 3 "subject" "subject";
    TEXT = 4 "text" "text";
    HTML = 5 "html" "html";
    TITLE = 6 "title" "title";
    SCHEMA = 7 "schema" "schema";
}

/// The content of one version of a template. Its texts are templates in the Jinja language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateContent<'a> {
    /// The template; not empty.
    pub template_id: Cow<'a, str>,
    /// The version.
    pub version: TemplateVersion,
    /// The subject line of an e-mail.
    pub subject: Option<Cow<'a, str>>,
    /// The text of an SMS or a push message, or the plain alternative of an e-mail.
    pub text: Option<Cow<'a, str>>,
    /// The HTML body of an e-mail.
    pub html: Option<Cow<'a, str>>,
    /// The title of a push message.
    pub title: Option<Cow<'a, str>>,
    /// A JSON Schema of the data the texts were written for, as JSON; empty where there is none.
    pub schema: Cow<'a, [u8]>,
}

/// Appends a template's content to `buffer`. A schema that is no JSON stands in the JSON form as a
/// string.
pub fn encode(content: &TemplateContent<'_>, format: Format, buffer: &mut Vec<u8>) {
    content.append(format, buffer);
}

/// Reads a record of `template-content`.
///
/// # Errors
/// [`Malformed`] where it is no template's content.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<TemplateContent<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for TemplateContent<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(TEMPLATE_ID, &self.template_id);
        out.uint32(VERSION, self.version.0);
        out.optional(SUBJECT, self.subject.as_deref());
        out.optional(TEXT, self.text.as_deref());
        out.optional(HTML, self.html.as_deref());
        out.optional(TITLE, self.title.as_deref());
        out.unchecked_json(SCHEMA, &self.schema);
    }
}

#[derive(Default)]
struct Draft<'a> {
    template_id: Cow<'a, str>,
    version: u32,
    subject: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    html: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    schema: &'a [u8],
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::TEMPLATE_ID => value.text_over(&mut self.template_id)?,
            number::VERSION => self.version = value.uint32()?,
            number::SUBJECT => value.text_into(&mut self.subject)?,
            number::TEXT => value.text_into(&mut self.text)?,
            number::HTML => value.text_into(&mut self.html)?,
            number::TITLE => value.text_into(&mut self.title)?,
            number::SCHEMA => self.schema = value.json()?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<TemplateContent<'a>, Malformed> {
        let has_id = !self.template_id.is_empty();
        Ok(TemplateContent {
            template_id: need(TEMPLATE_ID, has_id.then_some(self.template_id), "is missing")?,
            version: need(VERSION, version(self.version), "is missing")?,
            subject: self.subject,
            text: self.text,
            html: self.html,
            title: self.title,
            schema: Cow::Borrowed(self.schema),
        })
    }
}

fn version(number: u32) -> Option<TemplateVersion> {
    (number > 0).then_some(TemplateVersion(number))
}
