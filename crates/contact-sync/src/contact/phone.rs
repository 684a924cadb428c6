//! Phone numbers: kept as typed, with the E.164 form beside them.
//!
//! Why `phonenumber` and not another library, and what is done before and after it, is in
//! `docs/adr/0001-phone-numbers.md`.

use std::fmt;
use std::str::FromStr;

use phonenumber::metadata::Descriptor;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::region::Region;
use super::text::is_invisible;

/// A phone number as it was typed, with its E.164 form and extension where they could be told.
///
/// `Debug` shows what is known, never a digit.
///
/// ```
/// use contact_sync::{Phone, Region};
///
/// let phone = Phone::new("(202) 555-0143 ext. 7", Some(Region::US)).expect("not blank");
/// assert_eq!(phone.e164().map(|number| number.as_str()), Some("+12025550143"));
/// assert_eq!(phone.extension(), Some("7"));
/// assert!(phone.is_valid());
///
/// let unclear = Phone::new("ask my sister", Some(Region::US)).expect("not blank");
/// assert!(!unclear.is_valid() && unclear.e164().is_none());
/// assert_eq!(unclear.raw(), "ask my sister");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    raw: String,
    e164: Option<E164>,
    extension: Option<String>,
    valid: bool,
}

impl Phone {
    /// Takes what was typed; `None` if it is blank. Nothing else is refused.
    ///
    /// A number in national form is read as one of `region`; without a region only international forms can be read.
    pub fn new(raw: impl Into<String>, region: Option<Region>) -> Option<Self> {
        let raw = raw.into();
        let cleaned = Cleaned::new(&raw)?;
        let (e164, valid) = cleaned
            .digits
            .as_deref()
            .map_or((None, false), |d| read(d, region));
        let extension = e164.is_some().then_some(cleaned.extension).flatten();
        Some(Self {
            raw,
            e164,
            extension,
            valid,
        })
    }

    /// Returns the text as it was typed.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the number in E.164, if it could be told, whether or not it is known to be valid.
    pub fn e164(&self) -> Option<&E164> {
        self.e164.as_ref()
    }

    /// Returns the digits of the extension.
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// Tells whether the numbering plans know this number as one that can exist.
    pub fn is_valid(&self) -> bool {
        self.valid
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone")
            .field("valid", &self.valid)
            .field("e164", &self.e164.is_some())
            .field("extension", &self.extension.is_some())
            .finish_non_exhaustive()
    }
}

/// A number in the form of ITU-T E.164: a plus sign and 7 to 15 digits, the first of which is not zero.
///
/// It has no `Display`, and `Debug` shows no digit, so that it cannot reach a log by accident.
///
/// ```
/// use contact_sync::E164;
///
/// let number: E164 = "+12025550143".parse()?;
/// assert_eq!(number.as_str(), "+12025550143");
/// assert!("2025550143".parse::<E164>().is_err());
/// # Ok::<(), contact_sync::InvalidE164>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

impl E164 {
    /// Returns the number with its plus sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says that a text is not a number in E.164 form.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[error("not a phone number in E.164 form")]
pub struct InvalidE164;

impl FromStr for E164 {
    type Err = InvalidE164;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').ok_or(InvalidE164)?;
        let well_formed = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        well_formed
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidE164)
    }
}

impl TryFrom<String> for E164 {
    type Error = InvalidE164;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164(..)")
    }
}

/// Reads the numbering plans, which takes a tenth of a second at the first number of a process.
pub(crate) fn warm_up() {
    let _ = read("+12025550143", None);
}

/// What is left of a typed number once its digits and its extension are told apart.
struct Cleaned {
    /// An optional plus sign and digits; `None` where anything else was among them.
    digits: Option<String>,
    extension: Option<String>,
}

impl Cleaned {
    fn new(raw: &str) -> Option<Self> {
        let text: String = raw
            .nfkc()
            .filter(|c| !is_invisible(*c))
            .map(fold_digit)
            .flat_map(char::to_lowercase)
            .collect();
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        // No numbering plan needs so much; the rest of such a text is no phone number.
        if text.len() > 80 {
            return Some(Self {
                digits: None,
                extension: None,
            });
        }
        // A spreadsheet's way to keep text as text, and its way to spoil a number.
        let text = text.trim_matches(['\'', '"', '=', ';', ',', ' ']);
        let text = strip_labels(text);
        let (number, extension) = split_extension(text);
        let number = number
            .strip_suffix(".0")
            .filter(|n| count_digits(n) >= 7)
            .unwrap_or(number);
        Some(Self {
            digits: plain_digits(number),
            extension: extension.map(str::to_owned),
        })
    }
}

/// Decimal digits of the scripts in common use, by their zero; NFKC has folded the full-width ones.
fn fold_digit(c: char) -> char {
    const ZEROS: [u32; 18] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
        0x0D66, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1810,
    ];
    let code = u32::from(c);
    ZEROS
        .iter()
        .find_map(|zero| {
            code.checked_sub(*zero)
                .and_then(|value| char::from_digit(value, 10))
        })
        .unwrap_or(c)
}

/// Takes words such as `tel:`, `Mobile` or `(home)` off both ends.
fn strip_labels(text: &str) -> &str {
    const LABELS: [&str; 20] = [
        "telephone",
        "telefon",
        "tel",
        "phone",
        "mobile",
        "mobil",
        "mob",
        "cell phone",
        "cell",
        "handy",
        "fax",
        "home",
        "work",
        "office",
        "private",
        "whatsapp",
        "landline",
        "main",
        "ph",
        "no",
    ];
    const AROUND: [char; 8] = [' ', ':', '.', '-', '(', ')', '[', ']'];
    let mut rest = text;
    loop {
        let head = rest.trim_start_matches(AROUND);
        let tail = rest.trim_end_matches(AROUND);
        let shorter = LABELS.iter().find_map(|label| {
            let front = head
                .strip_prefix(label)
                .filter(|r| !r.starts_with(char::is_alphabetic))
                .map(|r| r.trim_start_matches([' ', ':', '.']));
            let back = || {
                let cut = tail
                    .strip_suffix(label)
                    .filter(|r| !r.ends_with(char::is_alphabetic))?;
                Some(cut.trim_end_matches([' ', ':', '-', '(', '[']))
            };
            front.or_else(back)
        });
        match shorter {
            Some(shorter) => rest = shorter,
            None => return rest,
        }
    }
}

/// Splits `202-555-0143 x12` into the number and `12`.
fn split_extension(text: &str) -> (&str, Option<&str>) {
    const MARKS: [&str; 9] = [
        "extension",
        "ext.",
        "ext=",
        "extn",
        "ext",
        "x",
        "#",
        "durchwahl",
        "int.",
    ];
    let body = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let Some(extension) = text
        .get(body.len()..)
        .filter(|e| (1..=9).contains(&e.len()))
    else {
        return (text, None);
    };
    let marked = body.trim_end_matches([' ', ':', '.']);
    // "ext." loses its dot to the trim, so each mark is tried on both.
    let number = [body.trim_end(), marked]
        .iter()
        .find_map(|b| MARKS.iter().find_map(|m| b.strip_suffix(m)));
    match number.map(|n| n.trim_end_matches([' ', ';', ','])) {
        Some(number) if count_digits(number) >= 4 => (number, Some(extension)),
        _ => (text, None),
    }
}

/// Returns an optional plus sign and the digits, if nothing but separators stands among them.
fn plain_digits(number: &str) -> Option<String> {
    let number = number.trim_matches([' ', '.', '-', '/', ',']);
    // The trunk zero of "+49 (0)30 …" is dialled inside the country only.
    let number = if number.starts_with('+') {
        number.replacen("(0)", "", 1)
    } else {
        number.to_owned()
    };
    let mut digits = String::with_capacity(number.len());
    for c in number.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => digits.push('+'),
            // "++1 …" and "+ 1 …" are slips; a plus sign between digits is two numbers.
            '+' if digits == "+" => {}
            ' '
            | '.'
            | '/'
            | '('
            | ')'
            | '['
            | ']'
            | '-'
            | '\u{2010}'..='\u{2015}'
            | '\u{2212}'
            | '~'
            | '·' => {}
            _ => return None,
        }
    }
    (count_digits(&digits) > 0).then_some(digits)
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Reads an optional plus sign and digits; tells the number and whether the numbering plans know it.
fn read(digits: &str, region: Option<Region>) -> (Option<E164>, bool) {
    // People dial `00` for abroad even where the prefix is another one; no national number begins with it.
    let abroad = digits.strip_prefix("00").map(|rest| format!("+{rest}"));
    let readings = [
        Some((digits, region)),
        abroad.as_deref().map(|number| (number, None)),
    ];
    if let Some(number) = readings
        .into_iter()
        .flatten()
        .find_map(|(d, r)| valid_number(d, r))
    {
        return (Some(number), true);
    }
    // Not known to be valid. What was typed with its country code stands as it was typed; what was typed in national
    // form stands only where the library has added the country code and taken off no more than a known prefix.
    let number = match (digits.starts_with('+'), region) {
        (true, _) => digits.parse().ok(),
        (false, Some(region)) => unshortened(digits, region),
        (false, None) => abroad.and_then(|number| number.parse().ok()),
    };
    (number, false)
}

fn valid_number(digits: &str, region: Option<Region>) -> Option<E164> {
    if region.is_none() && !digits.starts_with('+') {
        return None;
    }
    let number = phonenumber::parse(region.map(Region::id), digits).ok()?;
    number
        .is_valid()
        .then(|| e164(&number).parse().ok())
        .flatten()
}

fn e164(number: &phonenumber::PhoneNumber) -> String {
    number.format().mode(phonenumber::Mode::E164).to_string()
}

/// Returns a number that the numbering plans do not know, if it has a length that the region uses and its digits are
/// those that were typed, less a trunk or international prefix.
fn unshortened(typed: &str, region: Region) -> Option<E164> {
    let number = phonenumber::parse(Some(region.id()), typed).ok()?;
    let plan = phonenumber::metadata::DATABASE.by_id(region.code())?;
    let e164 = e164(&number);
    let code = number.code().value().to_string();
    let national = e164.strip_prefix('+')?.strip_prefix(code.as_str())?;
    let prefix = typed.strip_suffix(national)?;
    let known = prefix.is_empty()
        || Some(prefix) == plan.national_prefix()
        || prefix == format!("00{code}");
    // The general descriptor carries no lengths in this metadata; the ordinary lines' do.
    let lines = [plan.descriptors().fixed_line(), plan.descriptors().mobile()];
    let mut lengths = lines
        .into_iter()
        .flatten()
        .flat_map(Descriptor::possible_length);
    let possible = lengths.any(|length| usize::from(*length) == national.len());
    (known && possible).then(|| e164.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const NONE: &str = "";

    fn phone(raw: &str, region: &str) -> Phone {
        Phone::new(raw, region.parse().ok()).unwrap()
    }

    #[rstest]
    #[case("US", "(202) 555-0143", "+12025550143")]
    #[case("US", "202.555.0143", "+12025550143")]
    #[case("US", "2025550143", "+12025550143")]
    #[case("US", "1-202-555-0143", "+12025550143")]
    #[case("US", "+1 202 555 0143", "+12025550143")]
    #[case("US", "001 202 555 0143", "+12025550143")]
    #[case("US", "0044 20 7946 0958", "+442079460958")]
    #[case("US", "++1 202 555 0143", "+12025550143")]
    #[case("US", "011 44 20 7946 0958", "+442079460958")]
    #[case("US", "＋１ ２０２ ５５５ ０１４３", "+12025550143")]
    #[case("US", "（202）555－0143", "+12025550143")]
    #[case("US", "٢٠٢٥٥٥٠١٤٣", "+12025550143")]
    #[case("US", "tel:+1-202-555-0143", "+12025550143")]
    #[case("US", "Cell: 202-555-0143", "+12025550143")]
    #[case("US", "202-555-0143 (mobile)", "+12025550143")]
    #[case("US", "+1 (202) 555–0143", "+12025550143")]
    #[case("US", "+1\u{a0}202\u{2009}555\u{2011}0143", "+12025550143")]
    #[case("US", "\u{202a}+12025550143\u{202c}", "+12025550143")]
    #[case("US", "+1\u{200b}2025550143\u{feff}", "+12025550143")]
    #[case("US", "2025550143.0", "+12025550143")]
    #[case("US", "=+12025550143", "+12025550143")]
    #[case("US", "'+12025550143", "+12025550143")]
    #[case("DE", "030 901820", "+4930901820")]
    #[case("DE", "030/901820", "+4930901820")]
    #[case("DE", "0151 23456789", "+4915123456789")]
    #[case("DE", "+49 (0)30 901820", "+4930901820")]
    #[case("DE", "0049 30 901820", "+4930901820")]
    #[case("DE", "49 30 901820", "+4930901820")]
    #[case("DE", "Telefon: 030 901820", "+4930901820")]
    #[case("GB", "020 7946 0958", "+442079460958")]
    #[case("GB", "+44 (0)20 7946 0958", "+442079460958")]
    #[case("FR", "01 99 00 12 34", "+33199001234")]
    #[case("IT", "06 6982", "+39066982")]
    #[case("AU", "0491 570 156", "+61491570156")]
    #[case("JP", "０３－１２３４－５６７８", "+81312345678")]
    #[case("BR", "(11) 96123-4567", "+5511961234567")]
    #[case("IN", "098765 43210", "+919876543210")]
    #[case("AR", "011 15-2345-6789", "+5491123456789")]
    #[case(NONE, "+1 202 555 0143", "+12025550143")]
    #[case(NONE, "0049 30 901820", "+4930901820")]
    fn valid_numbers(#[case] region: &str, #[case] raw: &str, #[case] e164: &str) {
        let phone = phone(raw, region);
        assert_eq!(phone.e164().map(E164::as_str), Some(e164));
        assert!(phone.is_valid());
        assert_eq!((phone.raw(), phone.extension()), (raw, None));
    }

    #[rstest]
    #[case("202-555-0143 x123", "123")]
    #[case("202-555-0143x123", "123")]
    #[case("202-555-0143 ext. 123", "123")]
    #[case("202-555-0143, Ext: 0123", "0123")]
    #[case("(202) 555-0143 extension 45", "45")]
    #[case("202-555-0143 #12", "12")]
    #[case("+12025550143;ext=123", "123")]
    #[case("tel:+12025550143;ext=123", "123")]
    fn extensions(#[case] raw: &str, #[case] extension: &str) {
        let phone = phone(raw, "US");
        assert_eq!(phone.e164().map(E164::as_str), Some("+12025550143"));
        assert_eq!(phone.extension(), Some(extension));
    }

    #[rstest]
    // Kept in E.164 but flagged: the digits were typed, the numbering plans do not know them.
    #[case("GB", "07700 900123", Some("+447700900123"))]
    #[case("US", "+800 1234 5678", Some("+80012345678"))]
    #[case("US", "+999 123 456 789", Some("+999123456789"))]
    #[case("RU", "+7 800 123-45-67", Some("+78001234567"))]
    #[case("US", "911 555 0143", Some("+19115550143"))]
    // The library would shorten these.
    #[case("RU", "8 (800) 123-45-67", None)]
    #[case("RW", "250 123 456", None)]
    #[case("US", "0000000000", None)]
    // Nothing to tell.
    #[case("US", "1-800-FLOWERS", None)]
    #[case("US", "call me 202-555-0143", None)]
    #[case("US", "202-555-0143 or 202-555-0199", None)]
    #[case("US", "202-555-0143 / 202-555-0199", None)]
    #[case("US", "+1 202 555 0143, +1 202 555 0199", None)]
    #[case("US", "n/a", None)]
    #[case("US", "-", None)]
    #[case("US", "+", None)]
    #[case("US", "12345", None)]
    #[case("US", "555-0143", None)]
    #[case("US", "+0 202 555 0143", None)]
    #[case("US", "2.02555E+09", None)]
    #[case("US", "123456789012345678901234567890", None)]
    #[case("US", "=HYPERLINK(\"//example.com\")", None)]
    #[case(NONE, "202 555 0143", None)]
    #[case(NONE, "030 901820", None)]
    fn flagged_numbers(#[case] region: &str, #[case] raw: &str, #[case] e164: Option<&str>) {
        let phone = phone(raw, region);
        assert_eq!(phone.e164().map(E164::as_str), e164);
        assert!(!phone.is_valid());
        assert_eq!(phone.raw(), raw);
    }

    #[rstest]
    #[case("")]
    #[case(" \t\u{feff}\u{202c}")]
    fn blank_is_none(#[case] raw: &str) {
        assert_eq!(Phone::new(raw, Some(Region::US)), None);
    }

    #[test]
    fn debug_shows_no_digit() {
        let shown = format!("{:?}", phone("202-555-0143 x9", "US"));
        assert_eq!(
            shown,
            "Phone { valid: true, e164: true, extension: true, .. }"
        );
        assert_eq!(
            format!("{:?}", "+12025550143".parse::<E164>()),
            "Ok(E164(..))"
        );
    }

    #[rstest]
    #[case("+12025550143", true)]
    #[case("+123456", false)]
    #[case("+1234567890123456", false)]
    #[case("+02025550143", false)]
    #[case("+1202555O143", false)]
    #[case("12025550143", false)]
    fn e164_form(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<E164>().is_ok(), good);
    }

    #[test]
    fn a_stored_number_is_checked_when_read() {
        assert!(serde_json::from_str::<E164>("\"+12025550143\"").is_ok());
        assert!(serde_json::from_str::<E164>("\"202\"").is_err());
    }

    fn regions() -> impl Strategy<Value = Option<Region>> {
        prop::sample::select(vec![
            "US", "GB", "DE", "RU", "AR", "MX", "BR", "IT", "RW", "NONE",
        ])
        .prop_map(|code| code.parse().ok())
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_kept(raw in any::<String>(), region in regions()) {
            if let Some(phone) = Phone::new(raw.clone(), region) {
                prop_assert_eq!(phone.raw(), raw);
            }
        }

        #[test]
        fn any_digits_are_taken(raw in "[+]{0,2}[0-9 ().x#-]{0,40}", region in regions()) {
            let _ = Phone::new(raw, region);
        }

        #[test]
        fn the_e164_form_reads_as_itself(raw in "[+]?[0-9]{4,15}", region in regions()) {
            if let Some(number) = Phone::new(raw, region).and_then(|p| p.e164().cloned()) {
                let again = Phone::new(number.as_str(), region).unwrap();
                prop_assert_eq!(again.e164(), Some(&number));
            }
        }
    }
}
