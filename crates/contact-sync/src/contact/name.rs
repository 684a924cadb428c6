//! Names: trimmed, never judged, split only when they came as one string.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::text::tidy;

/// A person's name in the two parts that vendors ask for; either may be missing.
///
/// `Debug` shows which parts there are.
///
/// ```
/// use contact_sync::PersonName;
///
/// let name = PersonName::split("  Ludwig   van Beethoven ");
/// assert_eq!((name.first(), name.last()), (Some("Ludwig"), Some("van Beethoven")));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    first: Option<String>,
    last: Option<String>,
}

impl PersonName {
    /// Takes the parts as they were typed; white space and invisible characters are tidied, blanks become `None`.
    pub fn new(first: Option<&str>, last: Option<&str>) -> Self {
        Self {
            first: first.and_then(tidy),
            last: last.and_then(tidy),
        }
    }

    /// Splits a name that came as one string.
    ///
    /// `Lee, Ann` is read as last and first name. Otherwise the last word is the last name, together with the
    /// particles before it (`van`, `de la`, `bin`) and a suffix after it (`Jr.`, `III`). One word is a first name.
    /// A guess, and the best that a single field allows: names of many cultures are ordered differently.
    pub fn split(full: &str) -> Self {
        let Some(full) = tidy(full) else {
            return Self::default();
        };
        if let Some((before, after)) = full.split_once(',') {
            let (before, after) = (before.trim(), after.trim());
            let ordinary = !after.contains(',')
                && !before.is_empty()
                && !after.is_empty()
                && !is_suffix(after);
            if ordinary {
                return Self::new(Some(after), Some(before));
            }
        }
        let words: Vec<&str> = full.split(' ').collect();
        let mut last_from = words.len().saturating_sub(1);
        while last_from > 1 && words.get(last_from).is_some_and(|word| is_suffix(word)) {
            last_from -= 1;
        }
        while last_from > 1
            && words
                .get(last_from - 1)
                .is_some_and(|word| is_particle(word))
        {
            last_from -= 1;
        }
        let (first, last) = words.split_at(last_from.max(1));
        Self::new(Some(&first.join(" ")), Some(&last.join(" ")))
    }

    /// Returns the first name, with any middle names that came in the same string.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Returns the last name.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Tells whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// Takes each part of `newer` that is there.
    pub(super) fn merge(&mut self, newer: Self) {
        self.first = newer.first.or(self.first.take());
        self.last = newer.last.or(self.last.take());
    }

    /// Returns the form in which names are compared: lower case, accents off, words in order of the alphabet.
    pub(crate) fn folded(&self) -> String {
        let parts = [self.first(), self.last()];
        // A name longer than this is no name; comparing it would cost the square of its length.
        let letters = parts
            .iter()
            .flatten()
            .flat_map(|part| part.nfkd().chain([' ']))
            .take(MAX_COMPARED);
        let plain: String = letters
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .collect();
        let mut words: Vec<&str> = plain
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        words.sort_unstable();
        words.join(" ")
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonName")
            .field("first", &self.first.is_some())
            .field("last", &self.last.is_some())
            .finish_non_exhaustive()
    }
}

const MAX_COMPARED: usize = 200;

fn is_particle(word: &str) -> bool {
    const PARTICLES: [&str; 26] = [
        "al", "am", "ben", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "di",
        "dos", "du", "el", "ibn", "la", "le", "st.", "ten", "ter", "van", "vom", "von", "zu",
    ];
    PARTICLES.contains(&word.to_lowercase().as_str())
}

fn is_suffix(word: &str) -> bool {
    const SUFFIXES: [&str; 10] = [
        "jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "dds", "cpa",
    ];
    let plain: String = word
        .chars()
        .filter(|c| *c != '.')
        .flat_map(char::to_lowercase)
        .collect();
    SUFFIXES.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Ann Lee", Some("Ann"), Some("Lee"))]
    #[case(" Ann \u{a0}\t Lee\n", Some("Ann"), Some("Lee"))]
    #[case("Ann", Some("Ann"), None)]
    #[case("Ann Mary Lee", Some("Ann Mary"), Some("Lee"))]
    #[case("Lee, Ann", Some("Ann"), Some("Lee"))]
    #[case("Lee, Ann Mary", Some("Ann Mary"), Some("Lee"))]
    #[case("Ann Lee, Jr.", Some("Ann"), Some("Lee, Jr."))]
    #[case("Ann Lee III", Some("Ann"), Some("Lee III"))]
    #[case("Ludwig van Beethoven", Some("Ludwig"), Some("van Beethoven"))]
    #[case("María de la Cruz", Some("María"), Some("de la Cruz"))]
    #[case("Van Morrison", Some("Van"), Some("Morrison"))]
    #[case(
        "Jürgen Müller-Lüdenscheidt",
        Some("Jürgen"),
        Some("Müller-Lüdenscheidt")
    )]
    #[case("山田太郎", Some("山田太郎"), None)]
    #[case("=cmd|'/c calc'!A1 Lee", Some("=cmd|'/c calc'!A1"), Some("Lee"))]
    #[case("Jr.", Some("Jr."), None)]
    #[case(",", Some(","), None)]
    #[case("Lee,", Some("Lee,"), None)]
    #[case("", None, None)]
    #[case(" \u{200e}\u{0} ", None, None)]
    fn splits(#[case] full: &str, #[case] first: Option<&str>, #[case] last: Option<&str>) {
        let name = PersonName::split(full);
        assert_eq!((name.first(), name.last()), (first, last));
    }

    #[rstest]
    #[case("Ann Lee", "lee ANN")]
    #[case("Jürgen Müller", "Jurgen Muller")]
    #[case("Ann-Mary Lee", "Ann Mary Lee")]
    fn folds_alike(#[case] one: &str, #[case] other: &str) {
        assert_eq!(
            PersonName::split(one).folded(),
            PersonName::split(other).folded()
        );
    }

    #[test]
    fn a_long_name_stays_whole_and_compares_short() {
        let name = PersonName::new(Some(&"a".repeat(10_000)), None);
        assert_eq!(name.first().map(str::len), Some(10_000));
        assert_eq!(name.folded().len(), MAX_COMPARED);
    }

    #[test]
    fn debug_shows_no_name() {
        assert_eq!(
            format!("{:?}", PersonName::split("Ann Lee")),
            "PersonName { first: true, last: true, .. }"
        );
    }

    proptest! {
        #[test]
        fn splitting_loses_no_letter(full in any::<String>()) {
            let name = PersonName::split(&full);
            let mut kept: Vec<char> = [name.first(), name.last()].into_iter().flatten()
                .flat_map(str::chars).filter(|c| c.is_alphanumeric()).collect();
            let mut given: Vec<char> = full.chars().filter(|c| c.is_alphanumeric()).collect();
            kept.sort_unstable();
            given.sort_unstable();
            prop_assert_eq!(kept, given);
        }

        #[test]
        fn tidying_is_a_fixed_point(first in any::<String>(), last in any::<String>()) {
            let once = PersonName::new(Some(&first), Some(&last));
            prop_assert_eq!(PersonName::new(once.first(), once.last()), once);
        }
    }
}
