use super::program::{bindery, text_of};

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = bindery(&["completions", shell], "");
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for word in ["unpublish", "check-first"] {
            assert!(ran.out.contains(word), "{shell}: no `{word}`");
        }
    }
}

#[test]
fn every_command_gets_a_manual_page() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let pages = folder.path().join("man1");
    let ran = bindery(&["man", &text_of(&pages)], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (page, word) in [
        ("bindery.1", "KAFKA_BOOTSTRAP_SERVERS"),
        ("bindery-send.1", "check\\-first"),
        ("bindery-template-unpublish.1", "dry\\-run"),
    ] {
        let text = std::fs::read_to_string(pages.join(page)).expect("the page was written");
        assert!(text.contains(word), "{page}: no `{word}`");
    }
    let ran = bindery(&["man"], "");
    assert!(ran.out.contains(".TH bindery 1"), "{ran:?}");
}

#[test]
fn the_commands_are_listed_for_who_gives_none() {
    let ran = bindery(&[], "");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("Start with `bindery demo`"), "{ran:?}");
    assert!(!ran.err.contains('\u{1b}'), "colours where nobody sees them: {ran:?}");
    let colored = bindery(&["--color", "always", "help"], "");
    assert!(colored.out.contains('\u{1b}'), "{colored:?}");
}
