//! One template, one TOML file.
//!
//! ```toml
//! id = "order-shipped-sms-en"       # unique; the key of its topic
//! type = "order.shipped"            # the event type it answers
//! channel = "sms"
//! language = "en"                   # left out: the default language
//! lanes = ["rt", "batch"]           # left out: both
//! optional = ["parcel.expected"]    # paths the text prints that an event may lack
//! text = "Order {{ ctx.order.number }} is on its way."
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use domain::{Channel, Lanes, RequiredPath};
use serde::Deserialize;
use toml::Spanned;

use super::analysis::analyse;

/// A template as its author wrote it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    /// The file it was read from, as given.
    pub file: String,
    /// Its name, the key of `message-template`.
    pub id: String,
    /// The event type it answers.
    pub event_type: String,
    /// The channel it is written for.
    pub channel: Channel<'static>,
    /// BCP 47 tag; empty: the default language.
    pub language: String,
    /// The lanes it serves.
    pub lanes: Lanes,
    /// Paths into `ctx` that its content cannot do without, in order.
    pub required: Vec<RequiredPath>,
    /// What is rendered.
    pub content: Content,
}

/// The texts of a template; each is minijinja, with the event's data under `ctx`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The subject of an e-mail.
    pub subject: Option<String>,
    /// The title of a push message.
    pub title: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
}

/// One thing wrong with a template file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as given.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
    /// What is wrong and what to do, as a fragment.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The file's own form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    id: Spanned<String>,
    r#type: Spanned<String>,
    channel: Spanned<String>,
    #[serde(default)]
    language: Option<Spanned<String>>,
    #[serde(default)]
    lanes: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    optional: Vec<Spanned<String>>,
    #[serde(default)]
    subject: Option<Spanned<String>>,
    #[serde(default)]
    title: Option<Spanned<String>>,
    #[serde(default)]
    text: Option<Spanned<String>>,
    #[serde(default)]
    html: Option<Spanned<String>>,
}

/// Reads the template in `source`, the content of `file`.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
pub fn read(file: &str, source: &str) -> Result<TemplateSource, Vec<Problem>> {
    let form: Form = toml::from_str(source).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![Problem {
            file: file.to_owned(),
            line: line_of(source, at),
            message: error.message().replace('\n', " "),
        }]
    })?;
    let mut check = Check { file, source, problems: Vec::new() };
    let template = check.template(form);
    check.problems.sort();
    match template {
        Some(template) if check.problems.is_empty() => Ok(template),
        _ => Err(check.problems),
    }
}

struct Check<'s> {
    file: &'s str,
    source: &'s str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, at: Range<usize>, message: impl Into<String>) {
        let line = line_of(self.source, at.start);
        self.problems.push(Problem { file: self.file.to_owned(), line, message: message.into() });
    }

    fn template(&mut self, form: Form) -> Option<TemplateSource> {
        self.name(&form.id, "id");
        self.name(&form.r#type, "type");
        let channel = self.channel(&form.channel);
        let language = form.language.as_ref().map(|tag| self.language(tag)).unwrap_or_default();
        let lanes = form.lanes.as_ref().map_or(Lanes::BOTH, |names| self.lanes(names));
        self.texts_for(channel.as_ref(), &form);
        let required = self.required(&form);
        let text = |text: Option<Spanned<String>>| text.map(Spanned::into_inner);
        Some(TemplateSource {
            file: self.file.to_owned(),
            id: form.id.into_inner(),
            event_type: form.r#type.into_inner(),
            channel: channel?,
            language,
            lanes,
            required,
            content: Content {
                subject: text(form.subject),
                title: text(form.title),
                text: text(form.text),
                html: text(form.html),
            },
        })
    }

    fn name(&mut self, name: &Spanned<String>, field: &str) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let text = name.as_ref();
        if text.is_empty() || text.len() > 128 || !text.chars().all(allowed) {
            let message = format!(
                "`{field}` is `{text}`; it has 1 to 128 letters, digits, dots, dashes, underscores"
            );
            self.problem(name.span(), message);
        }
    }

    fn channel(&mut self, name: &Spanned<String>) -> Option<Channel<'static>> {
        let channel = Channel::new(name.as_ref().clone());
        channel
            .map_err(|fault| self.problem(name.span(), format!("`{}`: {fault}", name.as_ref())))
            .ok()
    }

    fn language(&mut self, tag: &Spanned<String>) -> String {
        let well_formed = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let text = tag.as_ref();
        if !text.is_empty() && !text.split('-').all(well_formed) {
            let message =
                format!("`{text}` is no language tag; write `en`, `fr-CA` or leave it out");
            self.problem(tag.span(), message);
        }
        text.clone()
    }

    fn lanes(&mut self, names: &Spanned<Vec<String>>) -> Lanes {
        let mut lanes = Lanes { rt: false, batch: false };
        for name in names.as_ref() {
            match name.as_str() {
                "rt" => lanes.rt = true,
                "batch" => lanes.batch = true,
                other => {
                    let message = format!("`{other}` is no lane; there are `rt` and `batch`");
                    self.problem(names.span(), message);
                }
            }
        }
        if names.as_ref().is_empty() {
            self.problem(
                names.span(),
                "no lane: write `rt`, `batch`, or leave `lanes` out for both",
            );
        }
        lanes
    }

    /// What a message of this channel cannot be without.
    fn texts_for(&mut self, channel: Option<&Channel<'_>>, form: &Form) {
        let start = form.id.span();
        if channel == Some(&Channel::EMAIL) {
            if form.subject.is_none() {
                self.problem(start.clone(), "an e-mail needs a `subject`");
            }
            if form.text.is_none() && form.html.is_none() {
                self.problem(start, "an e-mail needs a `text` or an `html`");
            }
        } else if form.text.is_none() {
            self.problem(start, "the template has no `text`");
        }
    }

    /// The required paths of all texts, less what is declared optional.
    fn required(&mut self, form: &Form) -> Vec<RequiredPath> {
        let mut required = BTreeSet::new();
        let mut mentioned = BTreeSet::new();
        let mut complete = true;
        let texts = [&form.subject, &form.title, &form.text, &form.html];
        for text in texts.into_iter().flatten() {
            let first = content_line(self.source, text.span());
            match analyse(text.as_ref()) {
                Ok(needs) => {
                    mentioned.extend(needs.mentioned);
                    required.extend(needs.required.into_keys());
                }
                Err(faults) => {
                    complete = false;
                    self.problems.extend(faults.into_iter().map(|fault| Problem {
                        file: self.file.to_owned(),
                        line: first + fault.line - 1,
                        message: fault.message,
                    }));
                }
            }
        }
        for path in &form.optional {
            let name = path.as_ref();
            let used = mentioned.iter().any(|known| lies_within(known, name));
            if complete && !used {
                self.problem(
                    path.span(),
                    format!("optional path `{name}` is not used in the content"),
                );
            }
            required.retain(|known| !lies_within(known, name));
        }
        // What lies deeper asks for what is above it.
        let implied =
            |path: &String| required.iter().any(|other| other != path && lies_within(other, path));
        let deepest = required.iter().filter(|path| !implied(path));
        deepest.filter_map(|path| RequiredPath::new(path)).collect()
    }
}

/// Whether `path` is `root` or lies below it.
fn lies_within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The line of the byte at `at`, from 1.
fn line_of(source: &str, at: usize) -> u32 {
    let before = source.as_bytes().get(..at).unwrap_or(source.as_bytes());
    let newlines = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(newlines).unwrap_or(u32::MAX).saturating_add(1)
}

/// The line on which the content of the string at `span` begins: behind the opening `'''` a line
/// break does not belong to it.
fn content_line(source: &str, span: Range<usize>) -> u32 {
    let line = line_of(source, span.start);
    let literal = source.get(span).unwrap_or_default();
    let opening = literal.strip_prefix("'''").or_else(|| literal.strip_prefix("\"\"\""));
    let skipped = opening.is_some_and(|rest| rest.starts_with('\n') || rest.starts_with("\r\n"));
    line + u32::from(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id = \"a\"\ntype = \"t\"\nchannel = \"sms\"\n";

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let described = match read("a.toml", source) {
            Ok(template) => {
                let paths: Vec<&str> = template.required.iter().map(RequiredPath::as_str).collect();
                format!("needs {}", paths.join(" "))
            }
            Err(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                lines.join(" | ")
            }
        };
        assert!(described.starts_with(expected), "{described}\nexpected: {expected}");
    }

    #[test]
    fn the_required_paths_are_those_of_all_texts_less_the_optional_ones() {
        check(&format!("{HEAD}text = \"{{{{ ctx.a.b }}}} {{{{ ctx.c }}}}\""), "needs a.b c");
        check(
            &format!("{HEAD}optional = [\"a\"]\ntext = \"{{{{ ctx.a.b }}}} {{{{ ctx.c }}}}\""),
            "needs c",
        );
        check(
            &format!("{HEAD}title = \"{{{{ ctx.a }}}}\"\ntext = \"{{{{ ctx.ab }}}}\""),
            "needs a ab",
        );
    }

    #[test]
    fn a_path_that_a_deeper_one_asks_for_is_left_out() {
        check(
            &format!("{HEAD}text = \"{{{{ ctx.a.b }}}} {{{{ ctx.a.c|d(1) }}}} {{{{ ctx.ab }}}}\""),
            "needs a.b ab",
        );
    }

    #[test]
    fn a_fault_names_the_line_of_the_file() {
        check(
            &format!("{HEAD}text = '''\nHello\n{{{{ name }}}}\n'''"),
            "a.toml:6: unknown variable",
        );
        check(&format!("{HEAD}text = \"{{{{ name }}}}\""), "a.toml:4: unknown variable `name`");
    }

    #[test]
    fn every_problem_of_a_file_is_told() {
        let source =
            "id = \"a b\"\ntype = \"t\"\nchannel = \"SMS\"\nlanes = [\"fast\"]\ntext = \"{{ x }}\"";
        let problems = read("a.toml", source).expect_err("problems");
        let lines: Vec<u32> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 3, 4, 5], "{problems:?}");
    }

    #[test]
    fn an_optional_path_that_is_not_used_is_a_slip() {
        check(
            &format!("{HEAD}optional = [\"nte\"]\ntext = \"x\""),
            "a.toml:4: optional path `nte`",
        );
    }

    #[test]
    fn a_file_that_is_no_template_is_told_with_its_line() {
        check("id = ", "a.toml:1: ");
        check("id = \"a\"\ntype = \"t\"\n", "a.toml:1: missing field `channel`");
        check(&format!("{HEAD}text = \"x\"\ncolour = \"red\""), "a.toml:5: unknown field `colour`");
        check(&format!("{HEAD}language = \"en_GB!\"\ntext = \"x\""), "a.toml:4: `en_GB!`");
        check(HEAD, "a.toml:1: the template has no `text`");
    }
}
