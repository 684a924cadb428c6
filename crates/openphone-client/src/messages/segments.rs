//! How many SMS segments a text takes, which is what the vendor charges by.

/// The characters of the GSM 03.38 alphabet that take one place.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those of its extension table, which take two.
const GSM_EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The length of a text in SMS segments.
///
/// An estimate: carriers may exchange characters (curly quotes for straight ones) before they
/// count.
///
/// ```
/// use openphone_client::{Encoding, Segments};
///
/// assert_eq!(Segments::of("Your table is ready.").count, 1);
/// // One letter outside the alphabet, and the whole text takes more than twice the room.
/// let polish = Segments::of(&"ł".repeat(71));
/// assert_eq!((polish.encoding, polish.count), (Encoding::Ucs2, 2));
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segments {
    /// The encoding the text needs.
    pub encoding: Encoding,
    /// How many segments.
    pub count: usize,
}

/// The encoding of a text message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// The 7-bit alphabet: 160 places in a single segment, 153 in each of several.
    Gsm7,
    /// 16-bit units: 70 in a single segment, 67 in each of several.
    Ucs2,
}

impl Segments {
    /// Counts the segments of a text.
    pub fn of(text: &str) -> Self {
        if let Some(sizes) = text.chars().map(gsm_size).collect::<Option<Vec<_>>>() {
            return Self {
                encoding: Encoding::Gsm7,
                count: pack(&sizes, 160, 153),
            };
        }
        let sizes: Vec<_> = text.chars().map(char::len_utf16).collect();
        Self {
            encoding: Encoding::Ucs2,
            count: pack(&sizes, 70, 67),
        }
    }
}

/// How many places a character takes; `None` when the alphabet lacks it.
fn gsm_size(c: char) -> Option<usize> {
    if GSM_BASIC.contains(c) {
        Some(1)
    } else if GSM_EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// A character is never cut in two, so that a segment can end one place short.
fn pack(sizes: &[usize], single: usize, several: usize) -> usize {
    if sizes.iter().sum::<usize>() <= single {
        return usize::from(!sizes.is_empty());
    }
    let (mut count, mut room) = (0usize, 0usize);
    for &size in sizes {
        if size > room {
            count = count.saturating_add(1);
            room = several;
        }
        room = room.saturating_sub(size);
    }
    count
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Encoding::Gsm7, 0)]
    #[case("a", Encoding::Gsm7, 1)]
    #[case(&"a".repeat(160), Encoding::Gsm7, 1)]
    #[case(&"a".repeat(161), Encoding::Gsm7, 2)]
    #[case(&"a".repeat(306), Encoding::Gsm7, 2)]
    #[case(&"a".repeat(307), Encoding::Gsm7, 3)]
    #[case(&"€".repeat(80), Encoding::Gsm7, 1)]
    #[case(&"€".repeat(81), Encoding::Gsm7, 2)]
    // 153 is odd: the second half of the last euro sign would not fit, so 76 go into each.
    #[case(&"€".repeat(153), Encoding::Gsm7, 3)]
    #[case("Grüße, Ñandù à 5 €", Encoding::Gsm7, 1)]
    #[case("“quoted”", Encoding::Ucs2, 1)]
    #[case(&"ł".repeat(70), Encoding::Ucs2, 1)]
    #[case(&"ł".repeat(71), Encoding::Ucs2, 2)]
    #[case(&"🏡".repeat(35), Encoding::Ucs2, 1)]
    #[case(&"🏡".repeat(36), Encoding::Ucs2, 2)]
    #[case(&"🏡".repeat(67), Encoding::Ucs2, 3)]
    fn counts_as_carriers_do(#[case] text: &str, #[case] encoding: Encoding, #[case] count: usize) {
        assert_eq!(Segments::of(text), Segments { encoding, count });
    }

    #[test]
    fn the_alphabet_is_complete() {
        assert_eq!(GSM_BASIC.chars().count(), 127);
        assert_eq!(GSM_EXTENSION.chars().count(), 10);
    }
}
