//! Cleaning of what people type and paste, before any of it is understood.

/// Returns the text trimmed, with runs of white space as one space, and without control characters, byte-order
/// marks, zero-width spaces and bidirectional marks; `None` if nothing is left.
///
/// Joiners (U+200C, U+200D) stay: names in Persian and in Indic scripts need them.
pub(super) fn tidy(raw: &str) -> Option<String> {
    let mut tidied = String::with_capacity(raw.len());
    for word in raw.split(|c: char| c.is_whitespace()) {
        let before = tidied.len();
        let mut letters = word.chars().filter(|c| !is_invisible(*c)).peekable();
        if before > 0 && letters.peek().is_some() {
            tidied.push(' ');
        }
        tidied.extend(letters);
    }
    (!tidied.is_empty()).then_some(tidied)
}

/// Tells whether a character shows nothing and means nothing in a name, an address or a number.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_collapses_and_marks_vanish() {
        assert_eq!(
            tidy(" \u{feff}Ann\u{a0} \t\u{202a}Lee\u{202c}\n").as_deref(),
            Some("Ann Lee")
        );
        assert_eq!(tidy("\u{200e} \u{0}").as_deref(), None);
        assert_eq!(tidy("می\u{200c}خواهم").as_deref(), Some("می\u{200c}خواهم"));
    }
}
