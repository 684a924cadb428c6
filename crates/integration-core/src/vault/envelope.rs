//! The text a sealed value is stored as: `icv1.{key id}.{wrapped data key}.{data}`.
//!
//! One value has one text. Parts are counted, base64url must be canonical and without padding, lengths are checked; so
//! whoever changes a character of a stored value changes its meaning, and the tags show it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::key::KeyId;
use super::primitives::{KEY_LEN, NONCE_LEN, TAG_LEN};

/// The most that is sealed: 64 KiB, many times the longest credential seen.
pub(super) const MAX_PLAINTEXT: usize = 64 * 1024;

/// Nonce, data key, tag.
pub(super) const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;
/// What data is longer by than its plaintext.
pub(super) const DATA_OVERHEAD: usize = NONCE_LEN + TAG_LEN;

const VERSION: &str = "icv1";
const WRAPPED_CHARS: usize = WRAPPED_LEN / 3 * 4;
const MAX_CHARS: usize =
    VERSION.len() + KeyId::MAX_LEN + WRAPPED_CHARS + 3 + chars_of(MAX_PLAINTEXT + DATA_OVERHEAD);

/// A stored value taken apart. Nothing is authenticated yet.
pub(super) struct Envelope<'a> {
    pub(super) key_id: &'a str,
    pub(super) wrapped: [u8; WRAPPED_LEN],
    pub(super) data: Bytes,
}

impl<'a> Envelope<'a> {
    /// None for everything that [`format`] does not write.
    pub(super) fn parse(stored: &'a str) -> Option<Self> {
        if stored.len() > MAX_CHARS {
            return None;
        }
        let rest = stored.strip_prefix(VERSION)?.strip_prefix('.')?;
        let mut head = rest.bytes().take(KeyId::MAX_LEN + 1);
        let (key_id, rest) = rest.split_at_checked(head.position(|byte| byte == b'.')?)?;
        let (wrapped_text, rest) = rest.strip_prefix('.')?.split_at_checked(WRAPPED_CHARS)?;
        // A dot is no digit of base64, so there is no fifth part.
        let data_text = rest.strip_prefix('.')?;
        if !KeyId::is_valid(key_id) {
            return None;
        }
        let mut wrapped = [0; WRAPPED_LEN];
        BASE64.decode_slice(wrapped_text, &mut wrapped).ok()?;
        let data = Bytes::decode(data_text)?;
        (data.as_slice().len() >= DATA_OVERHEAD).then_some(Self {
            key_id,
            wrapped,
            data,
        })
    }
}

/// Ciphertext. That of the usual credential does without an allocation, which is a tenth of what opening it costs.
pub(super) enum Bytes {
    Short { buffer: [u8; SHORT], length: usize },
    Long(Vec<u8>),
}

/// 164 bytes of plaintext.
const SHORT: usize = 192;

impl Bytes {
    fn decode(text: &str) -> Option<Self> {
        if text.len() > chars_of(SHORT) {
            return BASE64.decode(text).ok().map(Self::Long);
        }
        let mut buffer = [0; SHORT];
        let length = BASE64.decode_slice(text, &mut buffer).ok()?;
        Some(Self::Short { buffer, length })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { buffer, length } => buffer.get(..*length).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

/// Writes a value as it is stored.
pub(super) fn format(key_id: &str, wrapped: &[u8; WRAPPED_LEN], data: &[u8]) -> String {
    let length = VERSION.len() + key_id.len() + WRAPPED_CHARS + 3 + chars_of(data.len());
    let mut text = String::with_capacity(length);
    text.push_str(VERSION);
    text.push('.');
    text.push_str(key_id);
    text.push('.');
    BASE64.encode_string(wrapped, &mut text);
    text.push('.');
    BASE64.encode_string(data, &mut text);
    text
}

/// Characters of that many bytes in base64 without padding.
const fn chars_of(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn stored(data: &[u8]) -> String {
        format("k1", &[7; WRAPPED_LEN], data)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = stored(&[9; DATA_OVERHEAD]);
        let envelope = Envelope::parse(&text).unwrap();
        assert_eq!(envelope.key_id, "k1");
        assert_eq!(envelope.wrapped, [7; WRAPPED_LEN]);
        assert_eq!(envelope.data.as_slice(), [9; DATA_OVERHEAD]);
        assert_eq!(text.len(), text.capacity());
    }

    /// `W` and `D` stand for the two good parts.
    #[rstest]
    #[case::empty("")]
    #[case::nothing_but_dots("...")]
    #[case::three_parts("icv1.k1.W")]
    #[case::five_parts("icv1.k1.W.D.D")]
    #[case::a_dot_at_the_end("icv1.k1.W.D.")]
    #[case::a_dot_at_the_start(".icv1.k1.W.D")]
    #[case::another_version("icv2.k1.W.D")]
    #[case::upper_case_version("ICV1.k1.W.D")]
    #[case::blank_before(" icv1.k1.W.D")]
    #[case::newline_behind("icv1.k1.W.D\n")]
    #[case::no_key_id("icv1..W.D")]
    #[case::key_id_with_a_colon("icv1.k:1.W.D")]
    #[case::key_id_too_long(
        "icv1.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.W.D"
    )]
    #[case::parts_swapped("icv1.k1.D.W")]
    #[case::no_data("icv1.k1.W.")]
    #[case::data_shorter_than_nonce_and_tag("icv1.k1.W.AAAA")]
    #[case::key_one_group_short("icv1.k1.AAAA.D")]
    #[case::key_one_group_long("icv1.k1.WAAAA.D")]
    #[case::padding("icv1.k1.W.D==")]
    #[case::standard_alphabet("icv1.k1.W.+/++D")]
    fn other_forms_are_refused(#[case] form: &str) {
        let data = BASE64.encode([9; DATA_OVERHEAD]);
        let wrapped = BASE64.encode([7; WRAPPED_LEN]);
        let text = form.replace('W', &wrapped).replace('D', &data);
        assert!(Envelope::parse(&text).is_none(), "{text}");
    }

    #[rstest]
    #[case(SHORT - 1)]
    #[case(SHORT)]
    #[case(SHORT + 1)]
    fn lengths_around_the_buffer_are_read_back(#[case] length: usize) {
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        let text = stored(&data);
        assert_eq!(Envelope::parse(&text).unwrap().data.as_slice(), data);
        let altered = format!("{text}=");
        assert!(Envelope::parse(&altered).is_none());
    }

    #[test]
    fn bits_behind_the_last_byte_are_refused() {
        let text = stored(&[0; DATA_OVERHEAD]);
        assert!(text.ends_with('A'));
        assert!(Envelope::parse(&text).is_some());
        for last in ["B", "C", "Q", "_"] {
            let altered = format!("{}{last}", &text[..text.len() - 1]);
            // 28 bytes leave four bits over: only A, Q, g and w end them.
            assert_eq!(
                Envelope::parse(&altered).is_some(),
                last == "Q",
                "{altered}"
            );
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_decoded() {
        let fits = stored(&vec![1; MAX_PLAINTEXT + DATA_OVERHEAD]);
        assert!(Envelope::parse(&fits).is_some());
        let long = stored(&vec![1; MAX_PLAINTEXT + DATA_OVERHEAD + 100]);
        assert!(Envelope::parse(&long).is_none());
    }

    proptest! {
        #[test]
        fn anything_that_parses_is_what_would_be_written(
            key_id in "[A-Za-z0-9_-]{0,66}",
            wrapped in "[A-Za-z0-9_=-]{79,81}",
            data in "[A-Za-z0-9_=-]{30,60}",
        ) {
            let text = format!("icv1.{key_id}.{wrapped}.{data}");
            if let Some(envelope) = Envelope::parse(&text) {
                prop_assert_eq!(format(envelope.key_id, &envelope.wrapped, envelope.data.as_slice()), text);
            }
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC*") {
            let _ = Envelope::parse(&text);
            let _ = Envelope::parse(&format!("icv1.{text}"));
        }
    }
}
