//! When two e-mail addresses, or two phone numbers, are the same.
//!
//! The vendor stores both as they were typed. Comparing needs a common form, and the form must not
//! claim more than it knows: this one strips decoration and knows the North American plan, the
//! vendor's home. It does not guess any other country; numbers from elsewhere match when both sides
//! carry their country code.

/// The common form of an e-mail address: trimmed, lower case. `None` when there is no address.
pub(super) fn email_key(raw: &str) -> Option<String> {
    let key = raw.trim().to_lowercase();
    (!key.is_empty()).then_some(key)
}

/// The common form of a phone number: its digits from the country code on, without an extension.
/// `None` when it has no such form: letters, too few digits, nothing.
pub(super) fn phone_key(raw: &str) -> Option<String> {
    take_apart(raw).map(|(number, _)| number)
}

/// The common form of a phone number with its extension, if it has one: behind one number there may
/// be a desk for each extension, and to remove one is not to remove all.
pub(super) fn line_key(raw: &str) -> Option<String> {
    let (mut key, extension) = take_apart(raw)?;
    let extension = extension.chars().filter(char::is_ascii_digit);
    for (index, digit) in extension.enumerate() {
        if index == 0 {
            key.push('x');
        }
        key.push(digit);
    }
    Some(key)
}

/// The digits from the country code on, and whatever follows the number.
fn take_apart(raw: &str) -> Option<(String, &str)> {
    let raw = raw.trim();
    let raw = strip_prefix_ignoring_case(raw, "tel:").unwrap_or(raw);
    let mut digits = String::with_capacity(16);
    let mut international = false;
    let mut behind = "";
    for (at, c) in raw.char_indices() {
        match c {
            '0'..='9' => digits.push(c),
            // Full-width digits come from Japanese and Chinese keyboards.
            '０'..='９' => digits.push(char::from_digit(u32::from(c) - u32::from('０'), 10)?),
            '+' | '＋' if digits.is_empty() => international = true,
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '‐' | '‑' | '–' | '.' | '(' | ')' | '/' => {}
            // An extension follows: it is not part of the number.
            'x' | 'X' | 'e' | 'E' | ';' | ',' | '#' if !digits.is_empty() => {
                behind = raw.get(at..).unwrap_or_default();
                break;
            }
            _ => return None,
        }
    }
    if !international && digits.starts_with("00") {
        digits.drain(..2);
        international = true;
    }
    if !international && is_nanp(&digits) {
        digits.insert(0, '1');
    }
    (digits.len() >= 3).then_some((digits, behind))
}

/// Ten digits whose area code and exchange begin with 2 to 9: a North American number without its
/// country code. Elsewhere national numbers begin with the trunk prefix 0, or have another length.
fn is_nanp(digits: &str) -> bool {
    let opens = |at| matches!(digits.as_bytes().get(at), Some(b'2'..=b'9'));
    digits.len() == 10 && opens(0) && opens(3)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("+12025550143")]
    #[case("12025550143")]
    #[case("2025550143")]
    #[case("(202) 555-0143")]
    #[case("202.555.0143")]
    #[case(" +1 (202) 555‑0143 ")]
    #[case("001 202 555 0143")]
    #[case("tel:+1-202-555-0143")]
    #[case("+1 202 555 0143 ext. 7")]
    #[case("+1 202 555 0143x7")]
    #[case("+12025550143;ext=7")]
    #[case("＋１２０２５５５０１４３")]
    fn one_number_in_many_coats(#[case] raw: &str) {
        assert_eq!(phone_key(raw).as_deref(), Some("12025550143"));
    }

    #[rstest]
    #[case("+1 202 555 0143", "12025550143")]
    #[case("+1 202 555 0143 x", "12025550143")]
    #[case("(202) 555-0143 ext. 7", "12025550143x7")]
    #[case("+12025550143;ext=7", "12025550143x7")]
    #[case("202-555-0143, 202-555-0144", "12025550143x2025550144")]
    fn a_line_is_a_number_with_its_extension(#[case] raw: &str, #[case] key: &str) {
        assert_eq!(line_key(raw).as_deref(), Some(key));
    }

    #[rstest]
    #[case("+442025550143", Some("442025550143"))]
    #[case("0044 20 2555 0143", Some("442025550143"))]
    #[case("020 2555 0143", Some("02025550143"))]
    #[case("0202555014", Some("0202555014"))]
    #[case("72645", Some("72645"))]
    #[case("anonymous", None)]
    #[case("1-800-FLOWERS", None)]
    #[case("+", None)]
    #[case("12", None)]
    #[case("", None)]
    fn other_numbers_stay_others(#[case] raw: &str, #[case] key: Option<&str>) {
        assert_eq!(phone_key(raw).as_deref(), key);
    }

    #[rstest]
    #[case(" Ana@Example.COM ", Some("ana@example.com"))]
    #[case("ÄNNE@example.com", Some("änne@example.com"))]
    #[case("  ", None)]
    fn emails_differ_by_more_than_case(#[case] raw: &str, #[case] key: Option<&str>) {
        assert_eq!(email_key(raw).as_deref(), key);
    }

    proptest! {
        #[test]
        fn any_text_has_a_key_or_none(raw in any::<String>()) {
            if let Some(key) = phone_key(&raw) {
                prop_assert!(key.bytes().all(|byte| byte.is_ascii_digit()));
            }
            if let Some(key) = email_key(&raw) {
                prop_assert_eq!(email_key(&key), Some(key));
            }
        }

        #[test]
        fn decoration_does_not_matter(digits in "[1-9][0-9]{7,13}", gaps in prop::collection::vec(0usize..14, 0..4)) {
            let plain = format!("+{digits}");
            let mut dressed = digits.clone();
            for gap in gaps {
                dressed.insert(gap.min(dressed.len()), ' ');
            }
            prop_assert_eq!(phone_key(&plain), phone_key(&format!("+{dressed}")));
        }
    }
}
