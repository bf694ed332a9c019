//! The templates that benchmarks bind to; other crates' too.

use domain::{
    Catalogue, CatalogueBuilder, Channel, Lanes, RequiredPath, Revision, Template, TemplateState,
    TemplateVersion, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_763_924_345_678);
pub(crate) const CHANNELS: [&str; 4] = ["email", "sms", "ios", "android"];
pub(crate) const LANGUAGES: [&str; 8] = ["en", "fr", "de", "es", "it", "nl", "pt", "pl"];

/// 200 event types, each in 4 channels and 8 languages; all of them require these paths of `ctx`.
pub(crate) fn catalogue(required: &[&str]) -> Catalogue {
    let mut builder = CatalogueBuilder::new();
    for kind in 0..200 {
        for channel in CHANNELS {
            for language in LANGUAGES {
                builder.publish(template(kind, channel, language, required));
            }
        }
    }
    builder.build(Revision(6_400))
}

fn template(kind: usize, channel: &'static str, language: &str, required: &[&str]) -> Template {
    Template {
        id: format!("type-{kind}-{channel}-{language}").into(),
        event_type: format!("shop.order.{kind}.shipped").into(),
        channel: Channel::new(channel).unwrap(),
        language: language.into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: NOW,
        required: required.iter().map(|path| RequiredPath::new(path).unwrap()).collect(),
        retained: [TemplateVersion(1)].into(),
    }
}
