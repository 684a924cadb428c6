//! Invented numbers and addresses in place of real ones.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate};

/// What stands in place of a text.
const REDACTED: &str = "redacted";
/// What stands in place of a link.
pub(super) const LINK: &str = "https://example.com/redacted";
/// What stands in place of a date somebody entered, which may be a birthday.
const DATE: &str = "2000-01-01T00:00:00.000Z";
const DAY: &str = "2000-01-01";

/// What callers without a number are called.
const NOBODY: [&str; 3] = ["anonymous", "blocked", "restricted"];
/// What a person sends to a number to opt out or in, which carriers and hosts act on.
const OPT_WORDS: [&str; 11] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "start",
    "unstop",
    "yes",
    "help",
    "info",
];

/// Who was given which place in the row of invented people.
#[derive(Clone, Default)]
pub(super) struct Pseudonyms {
    numbers: HashMap<String, usize>,
    addresses: HashMap<String, usize>,
}

impl Pseudonyms {
    /// Replaces a text by one of the same form.
    pub(super) fn replace(&mut self, text: &str) -> String {
        let lower = text.trim().to_ascii_lowercase();
        if text.is_empty() || NOBODY.contains(&&*lower) || OPT_WORDS.contains(&&*lower) {
            return text.to_owned();
        }
        if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
            return DAY.to_owned();
        }
        // One text with commas between them is how a group's numbers come.
        let parts = || {
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
        };
        if parts().next().is_some() && parts().all(|part| digits_of(part).is_some()) {
            let numbers: Vec<_> = parts().map(|part| self.number(part)).collect();
            return numbers.join(",");
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return LINK.to_owned();
        }
        if text.contains('@') && !text.contains(char::is_whitespace) {
            let place = place(&mut self.addresses, lower);
            return format!("person-{place}@example.com");
        }
        if DateTime::parse_from_rfc3339(text).is_ok() {
            return DATE.to_owned();
        }
        REDACTED.to_owned()
    }

    /// Replaces a number that came without quotes.
    pub(super) fn replace_digits(&mut self, digits: u64) -> u64 {
        let text = digits.to_string();
        if is_number(&text) {
            self.number(&text).parse().unwrap_or_default()
        } else {
            0
        }
    }

    fn number(&mut self, text: &str) -> String {
        let digits = digits_of(text).unwrap_or_default();
        let short = digits.len() < 7;
        let place = place(&mut self.numbers, digits);
        if short {
            return (place % 10_000).saturating_add(90_000).to_string();
        }
        // Numbers from 555-0100 to 555-0199 are nobody's, in every area that has people. After 59,900 persons they are
        // given out again.
        let area = (place / 100 % 599).saturating_add(201);
        let plus = if text.starts_with('+') { "+" } else { "" };
        format!("{plus}1{area}55501{:02}", place % 100)
    }
}

fn place(known: &mut HashMap<String, usize>, who: String) -> usize {
    let next = known.len();
    *known.entry(who).or_insert(next)
}

/// Tells whether a text has the form of a number that reaches a person.
pub(super) fn is_number(text: &str) -> bool {
    digits_of(text).is_some_and(|digits| digits.len() >= 7)
}

/// The digits of a phone number, however it was entered, or of a short code.
fn digits_of(text: &str) -> Option<String> {
    let odd = |letter: char| !(letter.is_ascii_digit() || " ()-./+".contains(letter));
    if text.contains(odd) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (3..=15).contains(&digits.len()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::number("+12025550143", "+12015550100")]
    #[case::without_plus("12025550143", "12015550100")]
    #[case::as_entered("(202) 555-0143", "12015550100")]
    #[case::group("+12025550143,+12025550144", "+12015550100,+12015550101")]
    #[case::short_code("77453", "90000")]
    #[case::address("Ada@example.com", "person-0@example.com")]
    #[case::link("https://files.example.com/a?sig=1", LINK)]
    #[case::birthday("1990-05-06T00:00:00Z", DATE)]
    #[case::day("1990-05-06", DAY)]
    #[case::text("call me", "redacted")]
    #[case::nobody("Anonymous", "Anonymous")]
    #[case::opt_out(" stop", " stop")]
    #[case::empty("", "")]
    #[case::commas(",,", "redacted")]
    fn every_form_is_replaced_by_its_like(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Pseudonyms::default().replace(text), expected);
    }

    #[test]
    fn the_same_person_stays_the_same() {
        let mut pseudonyms = Pseudonyms::default();
        let first = pseudonyms.replace("+12025550143");
        let other = pseudonyms.replace("+12025550144");
        assert_ne!(first, other);
        assert_eq!(pseudonyms.replace("+1 202 555 0143"), first);
        assert_eq!(
            pseudonyms.replace_digits(12_025_550_143).to_string(),
            first[1..]
        );
        assert_eq!(pseudonyms.replace_digits(42), 0);
    }

    /// However many people there are, nobody is given a number that could be somebody's.
    #[test]
    fn invented_numbers_are_nobodys() {
        let mut pseudonyms = Pseudonyms::default();
        for person in 0..60_000_u64 {
            let number = pseudonyms.number(&format!("+1303{person:07}"));
            assert!(
                number.starts_with("+1") && number.get(5..10) == Some("55501"),
                "{number}"
            );
            assert_eq!(number.len(), 12);
        }
    }
}
