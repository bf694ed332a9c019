//! How to look at what the demo left running: commands that can be pasted in another terminal.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use domain::{Language, Status};
use kafka::Topics;

/// What the commands need to know.
pub(super) struct Further<'a> {
    /// Where the broker is.
    pub(super) address: &'a str,
    /// Whether the broker wants more of its clients than its address.
    pub(super) has_properties: bool,
    /// The configuration file that was given.
    pub(super) config: Option<&'a Path>,
    /// What the names of topics and groups begin with; empty where with nothing.
    pub(super) prefix: &'a str,
    /// The topics.
    pub(super) topics: &'a Topics,
    /// How this program is called.
    pub(super) program: String,
    /// An event of each status that has one.
    pub(super) examples: Vec<(Status, &'a str)>,
    /// In which language labels are shown.
    pub(super) language: Language,
}

impl Further<'_> {
    /// The commands, each on a line of its own.
    pub(super) fn text(&self) -> String {
        let mut lines =
            vec!["\nstaying up until Ctrl-C; to look further, in another terminal:".into()];
        lines.push(String::new());
        lines.extend(self.exports());
        lines.push(String::new());
        lines.extend(self.of_events());
        lines.push(format!("  {} lag", self.program));
        lines.push(format!(
            "  echo '{{\"type\":\"account.sign-in-code\",\"mobilePhone\":\"+33612345678\",\
             \"ctx\":{{\"code\":\"123456\"}}}}' | {} send rt",
            self.program
        ));
        lines.push(String::new());
        lines.extend(self.with_kcat());
        lines.join("\n")
    }

    fn exports(&self) -> Vec<String> {
        let mut exports = vec![("KAFKA_BOOTSTRAP_SERVERS", quoted(self.address).into_owned())];
        if !self.prefix.is_empty() {
            exports.push(("BINDERY_PREFIX", quoted(self.prefix).into_owned()));
        }
        if let Some(path) = self.config {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            exports.push(("BINDERY_CONFIG", quoted(&path.to_string_lossy()).into_owned()));
        }
        exports.into_iter().map(|(name, value)| format!("  export {name}={value}")).collect()
    }

    fn of_events(&self) -> Vec<String> {
        let flag = match self.language {
            Language::En => "",
            Language::Fr => " --lang fr",
        };
        let command = |verb: &str, (status, id): &(Status, &str)| {
            let label = status.label(self.language);
            format!("  {} {verb} {}{flag}   # {label}", self.program, quoted(id))
        };
        let statuses = self.examples.iter().map(|example| command("status", example));
        // The ends of the story that people ask about.
        let asked = |(status, _): &&(Status, &str)| {
            matches!(status, Status::NotSupported | Status::DeliveryError)
        };
        let stories = self.examples.iter().filter(asked).map(|example| command("explain", example));
        statuses.chain(stories).collect()
    }

    fn with_kcat(&self) -> Vec<String> {
        let Topics { event_journal, event_status, delivery_log, .. } = self.topics;
        let kcat = |topic: &str| format!("  kcat -b {} -C -t {topic} -e -q", quoted(self.address));
        let mut lines = Vec::new();
        if self.has_properties {
            lines.push(
                "  # kcat takes each property of your file's `kafka.properties` after -X".into(),
            );
        }
        lines.push(format!(
            "{} -f '%k\\n' | sort -u | wc -l   # events with a status",
            kcat(&event_status.name)
        ));
        lines.push(format!(
            "{} -c 3   # what the delivery service reported",
            kcat(&delivery_log.name)
        ));
        if let Some((_, id)) = self.examples.last() {
            lines.push(format!(
                "{} -f '%k %p/%o %T %h\\n' | grep -F {}   # where its facts are",
                kcat(&event_journal.name),
                quoted(&format!("{id} "))
            ));
        }
        lines
    }
}

/// How this program is called in a shell: by its name where the path leads to it, else by its file.
pub(super) fn program() -> String {
    const NAME: &str = "bindery";
    let Ok(this) = std::env::current_exe() else { return NAME.into() };
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&folders).map(|folder| folder.join(NAME));
    let first: Option<PathBuf> = found.find(|file| file.is_file());
    match first.and_then(|file| file.canonicalize().ok()) {
        Some(file) if Some(&file) == this.canonicalize().ok().as_ref() => NAME.into(),
        Some(_) | None => quoted(&this.to_string_lossy()).into_owned(),
    }
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@+".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(quoted(text), expected);
    }

    #[test]
    fn whatever_a_producer_calls_its_event_is_one_word_of_the_shell() {
        check("demo-0000001", "demo-0000001");
        check("/shop/orders#7", "'/shop/orders#7'");
        check("it's $HOME", r"'it'\''s $HOME'");
        check("", "''");
    }

    #[test]
    fn what_is_printed_says_where_the_events_are() {
        let further = Further {
            address: "127.0.0.1:9092",
            has_properties: false,
            config: None,
            prefix: "demo-1.",
            topics: &Topics::with_prefix("demo-1."),
            program: "bindery".into(),
            examples: vec![(Status::Sent, "a#1"), (Status::DeliveryError, "b")],
            language: Language::Fr,
        };
        let expected = r#"
staying up until Ctrl-C; to look further, in another terminal:

  export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092
  export BINDERY_PREFIX=demo-1.

  bindery status 'a#1' --lang fr   # Envoyé
  bindery status b --lang fr   # Erreur de diffusion
  bindery explain b --lang fr   # Erreur de diffusion
  bindery lag
  echo '{"type":"account.sign-in-code","mobilePhone":"+33612345678","ctx":{"code":"123456"}}' | bindery send rt

  kcat -b 127.0.0.1:9092 -C -t demo-1.event-status -e -q -f '%k\n' | sort -u | wc -l   # events with a status
  kcat -b 127.0.0.1:9092 -C -t demo-1.delivery-log -e -q -c 3   # what the delivery service reported
  kcat -b 127.0.0.1:9092 -C -t demo-1.event-journal -e -q -f '%k %p/%o %T %h\n' | grep -F 'b '   # where its facts are"#;
        assert_eq!(further.text(), expected);
    }
}
