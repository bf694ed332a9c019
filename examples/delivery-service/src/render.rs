//! A template's content and an assignment's data become a message.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

use crate::contract::{Assignment, Content};

/// A message, ready to be handed to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The subject of an e-mail, or the title of a push message.
    pub subject: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
}

impl Message {
    /// The message for a person to read: the subject, an empty line, the text.
    pub(crate) fn as_text(&self) -> String {
        let text = self.text.as_deref().unwrap_or_default();
        match &self.subject {
            Some(subject) => format!("{subject}\n\n{text}"),
            None => text.to_owned(),
        }
    }
}

/// Renders `content` with the assignment's data under `ctx`. HTML is escaped; the rest is not.
///
/// # Errors
/// What minijinja said: the content cannot be rendered with this data.
pub(crate) fn render(
    content: &Content,
    assignment: &Assignment,
) -> Result<Message, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    let data = context! { ctx => minijinja::Value::from(Serde(&assignment.ctx)) };
    // minijinja escapes by the extension of the name.
    let part = |name: &str, source: &str| {
        (!source.is_empty()).then(|| environment.render_named_str(name, source, &data)).transpose()
    };
    let headline = if content.subject.is_empty() { &content.title } else { &content.subject };
    Ok(Message {
        subject: part("subject.txt", headline)?,
        text: part("message.txt", &content.text)?,
        html: part("message.html", &content.html)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment() -> Assignment {
        let ctx = serde_json::json!({"name": "Ada <ada@example.com>"});
        Assignment { ctx, ..Assignment::default() }
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let content = Content {
            subject: "For {{ ctx.name }}".into(),
            text: "Dear {{ ctx.name }}{{ ctx.nothing }}".into(),
            html: "<p>{{ ctx.name }}</p>".into(),
            ..Content::default()
        };
        let message = render(&content, &assignment()).unwrap();
        assert_eq!(message.as_text(), "For Ada <ada@example.com>\n\nDear Ada <ada@example.com>");
        assert_eq!(message.html.as_deref(), Some("<p>Ada &lt;ada@example.com&gt;</p>"));
    }

    #[test]
    fn content_that_looks_into_nothing_cannot_be_rendered() {
        let content = Content { text: "{{ ctx.order.number }}".into(), ..Content::default() };
        assert!(render(&content, &assignment()).is_err());
    }
}
