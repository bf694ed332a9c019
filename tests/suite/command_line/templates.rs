use serde_json::{Value, json};

use super::program::{Ran, Site, example_templates, text_of};

/// The ids in a list of templates.
fn ids(ran: &Ran) -> Vec<Value> {
    let object = ran.object();
    let templates = object["templates"].as_array().expect("a list of templates");
    templates.iter().map(|template| template["id"].clone()).collect()
}

fn sms(id: &str, language: &str, text: &str) -> String {
    format!(
        "id = \"{id}\"\ntype = \"order.shipped\"\nchannel = \"sms\"\nlanguage = \"{language}\"\ntext = \"{text}\"\n"
    )
}

#[test]
fn files_and_folders_are_published_listed_and_filtered() {
    let site = Site::new();
    let one = site.file("one.toml", &sms("one", "en", "Order {{ ctx.order.number }}"));
    let ran =
        site.run(&["template", "publish", &one, &text_of(&example_templates()), "--json"], "");
    assert_eq!((ran.code, ids(&ran).len()), (Some(0), 18), "{ran:?}");
    let ran = site.run(&["template", "list", "--json"], "");
    assert_eq!((ran.code, ids(&ran).len()), (Some(0), 18), "{ran:?}");
    let filters = ["--type", "order.shipped", "--channel", "sms", "--language", "en"];
    let ran = site.run(&[&["template", "list", "--json"], filters.as_slice()].concat(), "");
    assert_eq!(ids(&ran), ["one", "order-shipped-sms-en"].map(Value::from), "{ran:?}");
    let ran = site.run(&["template", "list", "--channel", "paper"], "");
    assert!(ran.out.contains("none of the 18 published templates"), "{ran:?}");
}

#[test]
fn a_template_is_shown_with_the_content_of_any_version() {
    let site = Site::new();
    for text in ["first {{ ctx.a.b }}", "second {{ ctx.a.b }} {{ ctx.c }}"] {
        let file = site.file("one.toml", &sms("one", "en", text));
        assert_eq!(site.run(&["template", "publish", &file], "").code, Some(0));
    }
    let ran = site.run(&["template", "show", "one", "--json"], "");
    let object = ran.object();
    assert_eq!(object["version"], 2, "{ran:?}");
    assert_eq!(object["required"], json!(["a.b", "c"]), "{ran:?}");
    assert_eq!(object["content"], Value::Null, "{ran:?}");
    let ran = site.run(&["template", "show", "one", "--content", "--json"], "");
    let second = json!({ "version": 2, "text": "second {{ ctx.a.b }} {{ ctx.c }}" });
    assert_eq!(ran.object()["content"], second, "{ran:?}");
    let ran = site.run(&["template", "show", "one", "--version", "1"], "");
    assert!(ran.out.contains("first {{ ctx.a.b }}"), "{ran:?}");
    let ran = site.run(&["template", "show", "one", "--version", "9"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("no content of version 9; kept are 1, 2"), "{ran:?}");
    let ran = site.run(&["template", "show", "oen"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("no template `oen` (there is `one`) is published"), "{ran:?}");
}

#[test]
fn what_is_unpublished_is_said_to_be_bound_no_longer() {
    let site = Site::new();
    let english = site.file("en.toml", &sms("sms-en", "en", "Hello"));
    let french = site.file("fr.toml", &sms("sms-fr", "fr", "Bonjour"));
    assert_eq!(site.run(&["template", "publish", &english, &french], "").code, Some(0));

    let ran = site.run(&["template", "unpublish", "sms-en", "sms-de"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("no template `sms-de`"), "{ran:?}");

    let ran = site.run(&["template", "unpublish", "sms-en", "--dry-run"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("bound to sms-fr"), "{ran:?}");
    assert_eq!(ids(&site.run(&["template", "list", "--json"], "")).len(), 2);

    let ran = site.run(&["template", "unpublish", "sms-en", "sms-fr", "--json"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let unbound = json!({ "outcome": "no_template" });
    assert_eq!(ran.object()["templates"][0]["rt"], unbound, "{ran:?}");
    let ran = site.run(&["template", "list"], "");
    assert!(ran.out.contains("no template is published"), "{ran:?}");

    // Messages bound to version 1 may still be on their way.
    let ran = site.run(&["template", "publish", &english, "--json"], "");
    assert_eq!(ran.object()["templates"][0]["version"], 2, "{ran:?}");
}

#[test]
fn all_problems_of_all_files_are_told_without_a_broker() {
    let site = Site::bare();
    let good = site.file("good.toml", &sms("good", "en", "Hello"));
    let ran = super::program::bindery(&["template", "check", &good], "");
    assert_eq!((ran.code, ran.out.trim()), (Some(0), "1 template, no problems"), "{ran:?}");
    site.file("bad.toml", &sms("bad", "en", "{{ name }}"));
    site.file("worse.toml", "id = 1");
    let folder = text_of(site.folder.path());
    let ran = super::program::bindery(&["template", "check", &folder], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].contains("bad.toml:5: unknown variable `name`"), "{ran:?}");
    assert!(lines[1].contains("worse.toml:1: "), "{ran:?}");
    assert!(ran.err.contains("2 problems in the template files"), "{ran:?}");
    let ran = super::program::bindery(&["template", "check", "--json", &folder], "");
    assert_eq!(ran.object()["problems"][0]["line"], 5, "{ran:?}");
}
