use std::cmp::Ordering;

/// A BCP 47 language tag as somebody wrote it, compared without regard to case.
///
/// An underscore counts as a hyphen, because so many platforms write their locales with one.
#[derive(Clone, Copy, Debug)]
pub struct LanguageTag<'a>(&'a str);

impl<'a> LanguageTag<'a> {
    /// The default language, which every other falls back to.
    pub const DEFAULT: LanguageTag<'static> = LanguageTag("");

    /// Takes `text` for a tag; one that is none simply equals no template's.
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The tag as written.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The tag without its last subtag, and without a single-letter subtag that would end it then;
    /// `None` where nothing would be left.
    fn truncated(self) -> Option<Self> {
        let mut rest = self.0;
        loop {
            rest = &rest[..rest.rfind(['-', '_'])?];
            let last = rest.rfind(['-', '_']).map_or(rest, |at| &rest[at + 1..]);
            if last.len() > 1 {
                return Some(Self(rest));
            }
        }
    }

    /// What tags are searched by; in the same order as they are.
    pub(crate) fn start(self) -> LanguageStart {
        let mut start = [0; LanguageStart::BYTES];
        for (place, byte) in start.iter_mut().zip(self.folded()) {
            *place = byte;
        }
        LanguageStart(start)
    }

    fn folded(self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() })
    }
}

/// The first eight bytes of a tag without regard to case: all of it, nearly always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LanguageStart([u8; LanguageStart::BYTES]);

impl LanguageStart {
    /// How much of a tag it holds, in bytes: tags as long and no longer, with one start, are equal.
    pub(crate) const BYTES: usize = 8;
}

impl PartialEq for LanguageTag<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.cmp(other).is_eq()
    }
}

impl Eq for LanguageTag<'_> {}

impl PartialOrd for LanguageTag<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LanguageTag<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

/// The longest tag looked up, in bytes. Ten registered subtags fit; what is longer is no language,
/// and would only make the fallback long.
const TAG_BYTES_MAX: usize = 100;

/// The lookup of RFC 4647, section 3.4: asks `find` for `range`, then for ever shorter forms of it.
///
/// `None` when nothing was found, also for `*` and the empty range; the caller then takes its
/// default.
pub fn lookup<'a, T>(
    range: LanguageTag<'a>,
    mut find: impl FnMut(LanguageTag<'a>) -> Option<T>,
) -> Option<T> {
    let usable = |range: &LanguageTag<'a>| {
        !range.0.is_empty() && range.0 != "*" && range.0.len() <= TAG_BYTES_MAX
    };
    let mut next = Some(range).filter(usable);
    while let Some(tag) = next {
        if let Some(found) = find(tag) {
            return Some(found);
        }
        next = tag.truncated();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form asked for, in order.
    #[track_caller]
    fn check_order(range: &str, expected: &[&str]) {
        let mut asked = Vec::new();
        let found = lookup(LanguageTag::new(range), |tag| {
            asked.push(tag.as_str());
            None::<()>
        });
        assert_eq!((found, asked.as_slice()), (None, expected), "range `{range}`");
    }

    #[track_caller]
    fn check(range: &str, available: &[&str], expected: Option<&str>) {
        let found = lookup(LanguageTag::new(range), |tag| {
            available.iter().copied().find(|candidate| LanguageTag::new(candidate) == tag)
        });
        assert_eq!(found, expected, "range `{range}` among {available:?}");
    }

    #[test]
    fn the_worked_example_of_the_standard_holds() {
        check_order(
            "zh-Hant-CN-x-private1-private2",
            &[
                "zh-Hant-CN-x-private1-private2",
                "zh-Hant-CN-x-private1",
                "zh-Hant-CN",
                "zh-Hant",
                "zh",
            ],
        );
    }

    #[test]
    fn several_single_letters_in_a_row_go_together() {
        check_order("de-a-b-c", &["de-a-b-c", "de"]);
        check_order("x-y", &["x-y"]);
        check_order("i-klingon", &["i-klingon"]);
    }

    #[test]
    fn no_language_asks_for_nothing() {
        check_order("", &[]);
        check_order("*", &[]);
        check_order(&"a-".repeat(100), &[]);
    }

    #[test]
    fn broken_tags_neither_panic_nor_loop() {
        check_order("--", &["--"]);
        check_order("fr-", &["fr-", "fr"]);
        check_order("-fr", &["-fr"]);
        check_order("é-ü-日本", &["é-ü-日本", "é-ü", "é"]);
    }

    #[test]
    fn the_longest_available_form_is_found() {
        check("fr-CA", &["fr", "fr-CA", "en"], Some("fr-CA"));
        check("fr-CH-1996", &["fr", "fr-CA", "en"], Some("fr"));
        check("FR-ca", &["fr", "fr-CA"], Some("fr-CA"));
        check("fr_CA", &["fr", "fr-CA"], Some("fr-CA"));
        check("fr-CA", &["fr_ca"], Some("fr_ca"));
        check("de", &["fr", "fr-CA"], None);
        check("fr", &["fr-CA"], None);
    }
}
