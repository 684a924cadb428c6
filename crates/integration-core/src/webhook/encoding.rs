//! Signatures and keys as text: base64, hex, PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;

/// Decodes standard padded base64 of exactly `N` bytes onto the stack.
///
/// `None` for another length, another alphabet, blanks, or bits left over: a value has one text and no other.
///
/// ```
/// # use integration_core::webhook::base64_array;
/// assert_eq!(base64_array::<4>(b"3q2+7w=="), Some([0xde, 0xad, 0xbe, 0xef]));
/// assert_eq!(base64_array::<4>(b"3q2+7w"), None);
/// ```
pub fn base64_array<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // Every delivery comes through here with its 44 characters. Knowing the length in advance, this takes a third of the
    // general decoder's time.
    let (quads, rest) = text.as_chunks::<4>();
    if quads.len() != N.div_ceil(3) || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    let (groups, tail) = bytes.as_chunks_mut::<3>();
    let mut seen = 0;
    for (group, quad) in groups.iter_mut().zip(quads) {
        let bits = unpack(*quad);
        let [_, first, second, third] = bits.to_be_bytes();
        *group = [first, second, third];
        seen |= bits;
    }
    // The bits behind the last byte must be zero, as every encoder writes them.
    match (tail, quads.last()) {
        ([], _) => {}
        ([last], Some([a, b, b'=', b'='])) => {
            let bits = unpack([*a, *b, b'A', b'A']);
            let [_, first, leftover @ ..] = bits.to_be_bytes();
            if leftover != [0, 0] {
                return None;
            }
            *last = first;
            seen |= bits;
        }
        ([last, very_last], Some([a, b, c, b'='])) => {
            let bits = unpack([*a, *b, *c, b'A']);
            let [_, first, second, leftover] = bits.to_be_bytes();
            if leftover != 0 {
                return None;
            }
            (*last, *very_last) = (first, second);
            seen |= bits;
        }
        _ => return None,
    }
    (seen < INVALID).then_some(bytes)
}

/// The 24 bits of four base64 digits; at least [`INVALID`] if one of them is none.
#[inline]
fn unpack([a, b, c, d]: [u8; 4]) -> u32 {
    let bits =
        |table: &[u32; 256], digit| table.get(usize::from(digit)).copied().unwrap_or(INVALID);
    bits(&DIGITS_AT_18, a) | bits(&DIGITS_AT_12, b) | bits(&DIGITS_AT_6, c) | bits(&DIGITS_AT_0, d)
}

/// Above what 24 bits can hold.
const INVALID: u32 = 1 << 24;

static DIGITS_AT_18: [u32; 256] = base64_digits(18);
static DIGITS_AT_12: [u32; 256] = base64_digits(12);
static DIGITS_AT_6: [u32; 256] = base64_digits(6);
static DIGITS_AT_0: [u32; 256] = base64_digits(0);

/// The value of each base64 digit, moved to its place.
const fn base64_digits(shift: u32) -> [u32; 256] {
    let mut values = [INVALID; 256];
    let mut alphabet: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0_u32;
    while let [digit, rest @ ..] = alphabet {
        let (_, places) = values.split_at_mut(*digit as usize);
        if let Some(place) = places.first_mut() {
            *place = value << shift;
        }
        value = value.wrapping_add(1);
        alphabet = rest;
    }
    values
}

/// Decodes hex of exactly `N` bytes, in lower or upper case, onto the stack.
///
/// ```
/// # use integration_core::webhook::hex_array;
/// assert_eq!(hex_array::<2>(b"beef"), Some([0xbe, 0xef]));
/// assert_eq!(hex_array::<2>(b"bee"), None);
/// ```
pub fn hex_array<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

/// Writes bytes as lower-case hex.
pub(super) fn hex_text(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    nibbles
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}

/// Decodes base64 of any length, padded or not.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD_PAD_INDIFFERENT.decode(text).ok()
}

/// Decodes the first PEM block, which must be a public key.
pub(super) fn decode_public_key_pem(pem: &str) -> Option<Vec<u8>> {
    let mut lines = pem
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("-----BEGIN "));
    let label = lines
        .next()?
        .strip_prefix("-----BEGIN ")?
        .strip_suffix("-----")?;
    if label != "PUBLIC KEY" && label != "RSA PUBLIC KEY" {
        return None;
    }
    let mut base64 = String::new();
    for line in lines {
        if let Some(end) = line.strip_prefix("-----END ") {
            return (end.strip_suffix("-----") == Some(label)).then(|| decode_base64(&base64))?;
        }
        base64.push_str(line);
    }
    None
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a' - 10),
        b'A'..=b'F' => digit.checked_sub(b'A' - 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::short("AAAA")]
    #[case::long("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::unpadded("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::one_byte_more("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::one_byte_less("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    #[case::bits_left_over("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=")]
    #[case::url_safe("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_=")]
    #[case::blank("AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAA=")]
    fn base64_has_one_text(#[case] text: &str) {
        assert_eq!(base64_array::<32>(text.as_bytes()), None);
    }

    #[rstest]
    #[case("0g")]
    #[case("0")]
    #[case("000")]
    #[case(" 0")]
    #[case("+0")]
    fn hex_is_digits_only(#[case] text: &str) {
        assert_eq!(hex_array::<1>(text.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn arrays_round_trip(bytes: [u8; 32]) {
            prop_assert_eq!(base64_array(STANDARD.encode(bytes).as_bytes()), Some(bytes));
            let hex = hex_text(&bytes);
            prop_assert_eq!(hex_array(hex.as_bytes()), Some(bytes));
            prop_assert_eq!(hex_array(hex.to_uppercase().as_bytes()), Some(bytes));
        }

        /// One changed character, valid or not: both decoders agree.
        #[test]
        fn base64_agrees_with_the_general_decoder(bytes: [u8; 32], at in 0..44_usize, byte: u8) {
            let mut text = STANDARD.encode(bytes).into_bytes();
            text[at] = byte;
            let general = STANDARD.decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
            prop_assert_eq!(base64_array::<32>(&text), general);
            prop_assert_eq!(base64_array::<1>(&text[40..]), STANDARD.decode(&text[40..]).ok().and_then(|bytes| bytes.try_into().ok()));
            prop_assert_eq!(base64_array::<3>(&text[..4]), STANDARD.decode(&text[..4]).ok().and_then(|bytes| bytes.try_into().ok()));
        }

        #[test]
        fn no_text_panics(text: Vec<u8>, pem: String) {
            let _ = base64_array::<32>(&text);
            let _ = hex_array::<32>(&text);
            let _ = decode_public_key_pem(&pem);
        }
    }

    #[rstest]
    #[case::whole("-----BEGIN PUBLIC KEY-----\nAAEC\n-----END PUBLIC KEY-----\n", true)]
    #[case::windows(
        "-----BEGIN PUBLIC KEY-----\r\nAA\r\nEC\r\n-----END PUBLIC KEY-----",
        true
    )]
    #[case::text_before(
        "subject: x\n-----BEGIN PUBLIC KEY-----\nAAEC\n-----END PUBLIC KEY-----",
        true
    )]
    #[case::cut_off("-----BEGIN PUBLIC KEY-----\nAAEC\n", false)]
    #[case::other_end("-----BEGIN PUBLIC KEY-----\nAAEC\n-----END CERTIFICATE-----", false)]
    #[case::private("-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----", false)]
    #[case::certificate("-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----", false)]
    #[case::nothing("", false)]
    fn pem_holds_a_public_key(#[case] pem: &str, #[case] good: bool) {
        assert_eq!(decode_public_key_pem(pem), good.then(|| vec![0, 1, 2]));
    }
}
