//! What is done to the text of a cell.
//!
//! A spreadsheet takes a cell for a formula by its first character, after it has taken the quotes away; so quoting
//! alone protects nobody (CWE-1236, OWASP "CSV injection").

use super::profile::LongCells;

/// The most UTF-16 units that a spreadsheet's cell takes.
pub(super) const LONGEST: usize = 32_767;

/// Whether a cell that begins like a formula is disarmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    Apostrophe,
    None,
}

/// What was done to one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) guarded: bool,
    pub(super) shortened: bool,
    pub(super) controls_replaced: u64,
}

/// The rules that a cell is written by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) guard: Guard,
    pub(super) long: LongCells,
}

impl Rules {
    /// Tells whether a text is written as it is.
    #[inline]
    pub(super) fn allow(self, text: &str, is_phone: bool) -> bool {
        let bytes = text.as_bytes();
        let is_plain = bytes.len() <= LONGEST
            && (self.guard == Guard::None || bytes.first().is_none_or(u8::is_ascii_alphanumeric))
            && is_printable_ascii(bytes);
        is_plain
            || (is_phone && is_international_number(text))
            || self.allow_after_all(text, is_phone)
    }

    /// Looks at it closely. Out of line, so that what most cells go through is a few instructions.
    #[inline(never)]
    fn allow_after_all(self, text: &str, is_phone: bool) -> bool {
        text.len() <= LONGEST && !may_hold_control(text.as_bytes()) && !self.guards(text, is_phone)
    }

    /// Tells whether a text is longer, with its apostrophe, than a spreadsheet's cell.
    pub(super) fn is_too_long(self, text: &str, is_phone: bool) -> bool {
        let most = LONGEST - usize::from(self.guards(text, is_phone));
        end_of_units(text, most) < text.len()
    }

    /// Returns the text to write, put together in `room`.
    pub(super) fn apply<'t>(
        self,
        text: &str,
        is_phone: bool,
        room: &'t mut String,
        changes: &mut Changes,
    ) -> &'t str {
        let guarded = self.guards(text, is_phone);
        let most = LONGEST - usize::from(guarded);
        let end = match self.long {
            // What is to be refused does not come here.
            LongCells::Keep | LongCells::Refuse => text.len(),
            LongCells::Shorten => end_of_units(text, most),
        };
        changes.shortened = end < text.len();
        changes.guarded = guarded;
        room.clear();
        if guarded {
            room.push('\'');
        }
        for c in text.get(..end).unwrap_or(text).chars() {
            let replaced = is_replaced(c);
            room.push(if replaced { ' ' } else { c });
            changes.controls_replaced += u64::from(replaced);
        }
        room
    }

    #[inline]
    fn guards(self, text: &str, is_phone: bool) -> bool {
        self.guard == Guard::Apostrophe
            && begins_like_a_formula(text)
            && !(is_phone && is_international_number(text))
    }
}

/// Tells whether a text can be a column's name: there is one, on one line, that no rule would change.
pub(super) fn is_header(name: &str) -> bool {
    !name.trim().is_empty()
        && name.len() <= LONGEST
        && !begins_like_a_formula(name)
        && !name.starts_with(is_invisible)
        && !name.chars().any(char::is_control)
}

/// Tells whether a spreadsheet could take a text for a formula.
///
/// Looked at is the first character that is neither white space nor invisible, since importers trim; a text that begins
/// with a tab, a line break or NUL is suspicious by that alone.
#[inline]
pub(super) fn begins_like_a_formula(text: &str) -> bool {
    let first = text.as_bytes().first();
    !first.is_none_or(u8::is_ascii_alphanumeric) && first_seen_is_a_trigger(text)
}

fn first_seen_is_a_trigger(text: &str) -> bool {
    for c in text.chars() {
        match c {
            '\t' | '\r' | '\n' | '\0' => return true,
            c if c.is_whitespace() || c.is_control() || is_invisible(c) => {}
            c => return is_trigger(c),
        }
    }
    false
}

fn is_trigger(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '\''
        // Full-width and small forms, which some input methods and importers turn into the plain ones.
        | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' | '\u{ff07}'
        | '\u{fe66}' | '\u{fe62}' | '\u{fe63}' | '\u{fe6b}'
        // The minus sign proper.
        | '\u{2212}'
    )
}

/// Characters that take no room: zero-width ones, marks of direction, fillers, selectors of variants.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `^\+[0-9]{7,15}$`: it can be nothing but a number.
fn is_international_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Control characters that are no white space: they have no business in a cell, and NUL ends it for some readers.
fn is_replaced(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\r' | '\n')
}

/// Tells whether a text holds a character to replace, or perhaps one: `0xC2` begins the controls above ASCII, and others.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without a branch between bytes, they are looked at many at a time"
)]
fn may_hold_control(text: &[u8]) -> bool {
    text.iter().fold(false, |found, byte| {
        let low = (*byte < 0x20) & (*byte != b'\t') & (*byte != b'\r') & (*byte != b'\n');
        found | low | (*byte == 0x7f) | (*byte == 0xc2)
    })
}

/// Tells whether a text is of the characters from blank to tilde alone, as most cells are.
///
/// Eight bytes at a time; the last eight overlap those before. Cells are short, and byte by byte their ends would take
/// longer than the rest.
#[inline]
fn is_printable_ascii(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<8>() {
        let mut high = unprintable(u64::from_ne_bytes(*last));
        for bytes in text.as_chunks::<8>().0 {
            high |= unprintable(u64::from_ne_bytes(*bytes));
        }
        return high & HIGH == 0;
    }
    let mut word = u64::from_ne_bytes([b' '; 8]);
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let half = |bytes: &[u8; 4]| u64::from(u32::from_ne_bytes(*bytes));
        word = half(first) << 32 | half(last);
    } else {
        for byte in text {
            word = word << 8 | u64::from(*byte);
        }
    }
    unprintable(word) & HIGH == 0
}

/// The highest bit of each of eight bytes.
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Returns a word of which some byte has its [highest bit](HIGH) set if some byte of this one is no printable ASCII:
/// taking a blank from a smaller byte borrows, adding one to DEL or something larger carries into it.
///
/// What is borrowed from or carried into a neighbour does no harm: then there is a byte to be found anyway.
#[inline]
fn unprintable(word: u64) -> u64 {
    const BLANK: u64 = u64::from_ne_bytes([b' '; 8]);
    const ONE: u64 = u64::from_ne_bytes([1; 8]);
    word | word.wrapping_sub(BLANK) | word.wrapping_add(ONE)
}

/// Returns where the first `most` UTF-16 units of a text end, between two characters.
fn end_of_units(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > most {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn safe(text: &str, is_phone: bool) -> (String, Changes) {
        let rules = Rules {
            guard: Guard::Apostrophe,
            long: LongCells::Shorten,
        };
        let (mut room, mut changes) = (String::new(), Changes::default());
        let written = rules.apply(text, is_phone, &mut room, &mut changes);
        let stays = written == text && changes == Changes::default();
        assert!(stays || !rules.allow(text, is_phone), "{text:?}");
        (written.to_owned(), changes)
    }

    #[rstest]
    #[case::equals("=1+1")]
    #[case::plus("+1")]
    #[case::minus("-1")]
    #[case::at("@SUM(A1)")]
    #[case::apostrophe("'=1")]
    #[case::tab("\t=1")]
    #[case::tab_alone("\tno formula")]
    #[case::carriage_return("\r=1")]
    #[case::line_feed("\n=1")]
    #[case::blanks("   =1")]
    #[case::no_break_space("\u{a0}=1")]
    #[case::ideographic_space("\u{3000}=1")]
    #[case::zero_width("\u{200b}\u{feff} =1")]
    #[case::soft_hyphen("\u{ad}-1")]
    #[case::right_to_left("\u{202e}=1")]
    #[case::full_width_equals("＝1")]
    #[case::full_width_plus("＋1")]
    #[case::full_width_minus("－1")]
    #[case::full_width_at("＠a")]
    #[case::minus_sign("−1")]
    #[case::small_equals("﹦1")]
    #[case::dde("=cmd|' /C calc'!A0")]
    fn what_begins_like_a_formula_gets_an_apostrophe(#[case] text: &str) {
        let (written, changes) = safe(text, false);
        assert_eq!(written, format!("'{text}"));
        assert!(changes.guarded);
    }

    #[rstest]
    #[case("")]
    #[case(" ")]
    #[case("Ana")]
    #[case("1+1=2")]
    #[case("ana@example.com")]
    #[case("a\n=1")]
    #[case("é=1")]
    #[case("(=1)")]
    fn the_rest_stays(#[case] text: &str) {
        assert_eq!(safe(text, false), (text.to_owned(), Changes::default()));
    }

    #[rstest]
    #[case("+12025550143", true)]
    #[case("+1234567", true)]
    #[case("+123456789012345", true)]
    #[case("+123456", false)]
    #[case("+1234567890123456", false)]
    #[case("+1 202 555 0143", false)]
    #[case("+12025550143\n", false)]
    #[case("+1202555014３", false)]
    #[case("-12025550143", false)]
    #[case(" +12025550143", false)]
    #[case("+12025550143+1", false)]
    fn only_a_whole_number_may_begin_with_a_plus(#[case] text: &str, #[case] stays: bool) {
        assert_eq!(!safe(text, true).1.guarded, stays);
        assert!(safe(text, false).1.guarded, "a cell that is no phone's");
    }

    #[rstest]
    #[case("a\0b", "a b", 1)]
    #[case("\x01\x02\x7f\u{85}\u{9f}", "     ", 5)]
    #[case("\u{1b}[31mred", " [31mred", 1)]
    #[case("tab\tcr\rlf\n", "tab\tcr\rlf\n", 0)]
    #[case("Â£ é", "Â£ é", 0)]
    fn control_characters_become_blanks(
        #[case] text: &str,
        #[case] written: &str,
        #[case] replaced: u64,
    ) {
        let (got, changes) = safe(text, false);
        assert_eq!(got, written);
        assert_eq!(
            (changes.controls_replaced, changes.guarded),
            (replaced, false)
        );
    }

    #[rstest]
    #[case("\0=1", "' =1")]
    #[case("\0plain", "' plain")]
    #[case("\x01=1", "' =1")]
    #[case("\u{85}=1", "' =1")]
    fn a_control_character_hides_no_formula(#[case] text: &str, #[case] written: &str) {
        assert_eq!(safe(text, false).0, written);
    }

    #[test]
    fn a_cell_of_a_megabyte_is_cut_between_characters() {
        let text = "ab😀".repeat(300_000);
        let (written, changes) = safe(&text, false);
        assert!(changes.shortened && text.starts_with(&written));
        assert_eq!(written.encode_utf16().count(), LONGEST - 1);

        let (guarded, _) = safe(&"=".repeat(1_000_000), false);
        assert_eq!(guarded.encode_utf16().count(), LONGEST);
    }

    #[test]
    fn a_long_cell_is_kept_or_refused_if_asked() {
        let text = "é".repeat(LONGEST + 1);
        let rules = |guard, long| Rules { guard, long };
        let keep = rules(Guard::None, LongCells::Keep);
        let (mut room, mut changes) = (String::new(), Changes::default());
        assert_eq!(keep.apply(&text, false, &mut room, &mut changes), text);
        assert_eq!(changes, Changes::default());

        let refuse = rules(Guard::Apostrophe, LongCells::Refuse);
        assert!(refuse.is_too_long(&text, false));
        assert!(!refuse.is_too_long(&text[2..], false));
        let formula = format!("={}", &text[4..]);
        assert!(refuse.is_too_long(&formula, false), "with its apostrophe");
    }

    #[rstest]
    fn a_control_character_is_found_wherever_it_stands(
        #[values(1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 100)] length: usize,
        #[values(0, 8, 0x1f, 0x7f, 0xc2)] control: u8,
    ) {
        let plain = b"a\tb\r\nc ~\xc3".iter().copied().cycle().take(length);
        let plain: Vec<_> = plain.collect();
        assert!(!may_hold_control(&plain));
        for at in 0..length {
            let mut text = plain.clone();
            text[at] = control;
            assert!(may_hold_control(&text), "at {at}");
        }
    }

    proptest! {
        #[test]
        fn no_safe_cell_begins_like_a_formula_but_for_its_apostrophe(text in any::<String>(), start in "[=+@'\u{200b}\0 \t\r\n-]{0,3}") {
            let (written, changes) = safe(&format!("{start}{text}"), false);
            let bare = if changes.guarded { written.strip_prefix('\'') } else { Some(written.as_str()) };
            prop_assert!(bare.is_some());
            prop_assert!(changes.guarded || !begins_like_a_formula(&written));
            prop_assert!(!written.chars().any(is_replaced));
        }
    }
}
