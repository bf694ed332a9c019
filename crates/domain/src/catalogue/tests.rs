use proptest::prelude::*;

use super::*;
use crate::{Lanes, RequiredPath, TemplateState, TemplateVersion, Timestamp};

fn template(id: &str, event_type: &str, channel: &str, language: &str, age: i64) -> Template {
    Template {
        id: id.into(),
        event_type: event_type.into(),
        channel: Channel::new(channel.to_owned()).unwrap(),
        language: language.into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: Timestamp::from_millis(1000 - age),
        required: [].into(),
        retained: [].into(),
    }
}

/// Every event type with its channels and their templates in order.
fn describe(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for name in catalogue.event_types() {
        let entry = catalogue.event_types.get(name).unwrap();
        let mut channels: Vec<&ChannelTemplates> = entry.channels.iter().collect();
        channels.sort_by_key(|entry| entry.channel.clone());
        for channel in channels {
            let mut ids = Vec::new();
            for (placed, id) in Group(channel).named() {
                assert_eq!(*placed.template.id, *id);
                ids.push(id);
            }
            text += &format!("{name}/{}: {}; ", channel.channel, ids.join(" "));
        }
    }
    text
}

#[track_caller]
fn check(catalogue: &Catalogue, revision: i64, expected: &str) {
    assert_eq!(describe(catalogue).trim_end(), expected);
    assert_eq!(catalogue.revision(), Revision(revision));
    assert_eq!(catalogue.len(), catalogue.templates().count());
    assert!(catalogue.templates().all(|template| catalogue.get(&template.id) == Some(template)));
}

#[test]
fn templates_stand_by_language_and_age() {
    let mut builder = CatalogueBuilder::new();
    for (id, language, age) in
        [("fr-old", "fr", 9), ("default", "", 5), ("fr-new", "FR", 1), ("de", "de", 1)]
    {
        builder.publish(template(id, "order", "email", language, age));
    }
    builder.publish(template("sms", "order", "sms", "", 1));
    builder.publish(template("bill", "bill", "email", "", 1));
    let catalogue = builder.build(Revision(6));
    check(
        &catalogue,
        6,
        "bill/email: bill; order/email: default de fr-new fr-old; order/sms: sms;",
    );
}

#[test]
fn a_new_catalogue_leaves_the_old_one_as_it_was() {
    let mut builder = CatalogueBuilder::new();
    builder.publish(template("a", "order", "email", "", 1));
    builder.publish(template("b", "bill", "email", "", 1));
    let old = builder.build(Revision(2));
    let mut builder = CatalogueBuilder::from(&old);
    builder.publish(template("c", "order", "email", "", 0));
    builder.publish(template("a", "order", "email", "", 2));
    assert!(builder.unpublish("b"));
    assert!(!builder.unpublish("b"));
    let new = builder.build(Revision(5));
    check(&old, 2, "bill/email: b; order/email: a;");
    check(&new, 5, "order/email: c a;");
}

#[test]
fn a_template_can_move_to_another_event_type_or_channel() {
    let mut builder = CatalogueBuilder::new();
    builder.publish(template("a", "order", "email", "", 1));
    let first = builder.build(Revision(1));
    let mut builder = CatalogueBuilder::from(&first);
    builder.publish(template("a", "order", "sms", "", 1));
    let second = builder.build(Revision(2));
    check(&second, 2, "order/sms: a;");
    let mut builder = CatalogueBuilder::from(&second);
    builder.publish(template("a", "bill", "sms", "", 1));
    check(&builder.build(Revision(3)), 3, "bill/sms: a;");
}

#[test]
fn what_was_put_in_and_taken_out_leaves_nothing() {
    let mut builder = CatalogueBuilder::from(&Catalogue::empty());
    builder.publish(template("a", "order", "email", "", 1));
    builder.unpublish("a");
    let catalogue = builder.build(Revision(2));
    check(&catalogue, 2, "");
    assert!(catalogue.is_empty());
    assert_eq!(catalogue.nearest("order"), None);
}

#[track_caller]
fn check_nearest(mistyped: &str, expected: Option<&str>) {
    let mut builder = CatalogueBuilder::new();
    // Neighbours in plenty, so that only the right window finds the right one.
    for number in 0..2000 {
        builder.publish(template(
            &format!("n{number}"),
            &format!("order.x{number:04}"),
            "email",
            "",
            1,
        ));
        builder.publish(template(
            &format!("m{number}"),
            &format!("m{number:04}.shipped"),
            "sms",
            "",
            1,
        ));
    }
    for name in ["order.shipped", "password.reset", "invoice", "é.livrée"] {
        builder.publish(template(name, name, "email", "", 1));
    }
    assert_eq!(builder.build(Revision(1)).nearest(mistyped), expected, "`{mistyped}`");
}

#[test]
fn the_nearest_event_type_is_found_wherever_the_mistake_is() {
    check_nearest("xrder.shipped", Some("order.shipped"));
    check_nearest("orde.shipped", Some("order.shipped"));
    check_nearest("order.shiped", Some("order.shipped"));
    check_nearest("order.shippedd", Some("order.shipped"));
    check_nearest("order_shipped", Some("order.shipped"));
    check_nearest("Order.Shipped", Some("order.shipped"));
    check_nearest("pasword.reset", Some("password.reset"));
    check_nearest("invoices", Some("invoice"));
    check_nearest("e.livrée", Some("é.livrée"));
}

#[test]
fn what_is_like_nothing_has_no_nearest() {
    check_nearest("appointment.reminder", None);
    check_nearest("zz", None);
    check_nearest("", None);
    check_nearest(&"x".repeat(10_000), None);
}

#[derive(Clone, Debug)]
enum Step {
    Publish { id: u8, event_type: u8, channel: u8, age: i64 },
    Unpublish { id: u8 },
    Build,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let publish = (0..12_u8, 0..4_u8, 0..2_u8, 0..3_i64)
        .prop_map(|(id, event_type, channel, age)| Step::Publish { id, event_type, channel, age });
    let unpublish = (0..12_u8).prop_map(|id| Step::Unpublish { id });
    prop::collection::vec(prop_oneof![4 => publish, 2 => unpublish, 1 => Just(Step::Build)], 0..80)
}

proptest! {
    #[test]
    fn in_steps_or_at_once_the_catalogue_is_the_same(steps in steps()) {
        let mut catalogue = Catalogue::empty();
        let mut builder = CatalogueBuilder::from(&catalogue);
        let mut present = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Publish { id, event_type, channel, age } => {
                    let channel = if channel == 0 { "email" } else { "sms" };
                    let new = template(&id.to_string(), &format!("t{event_type}"), channel, "", age);
                    present.insert(id, new.clone());
                    builder.publish(new);
                }
                Step::Unpublish { id } => {
                    prop_assert_eq!(builder.unpublish(&id.to_string()), present.remove(&id).is_some());
                }
                Step::Build => {
                    catalogue = builder.build(Revision(1));
                    builder = CatalogueBuilder::from(&catalogue);
                }
            }
        }
        catalogue = builder.build(Revision(1));
        let mut at_once = CatalogueBuilder::new();
        present.into_values().for_each(|template| at_once.publish(template));
        let at_once = at_once.build(Revision(1));
        prop_assert_eq!(describe(&catalogue), describe(&at_once));
        prop_assert_eq!(catalogue.len(), at_once.len());
        prop_assert!(catalogue.names.backward_is_sorted());
    }
}

#[test]
fn templates_that_require_the_same_share_it() {
    let requiring = |id, language, path| {
        let required = [RequiredPath::new(path).unwrap()].into();
        Template { required, ..template(id, "order", "email", language, 1) }
    };
    let mut builder = CatalogueBuilder::new();
    builder.publish(requiring("en", "en", "order.number"));
    builder.publish(requiring("fr", "fr", "order.number"));
    builder.publish(requiring("de", "de", "order.total"));
    let catalogue = builder.build(Revision(3));
    let required = |id| &catalogue.get(id).unwrap().required;
    assert!(Arc::ptr_eq(required("en"), required("fr")));
    assert_eq!(required("de")[0].as_str(), "order.total");
}
