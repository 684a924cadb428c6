//! HMAC-SHA256 with keys prepared once.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};

use super::encoding::decode_base64;
use super::{Keys, Verified, WebhookError, WebhookErrorKind};

/// A decoded HMAC-SHA256 value as a sender claims it.
pub type Mac = [u8; 32];

/// Several [`HmacKey`]s, newest first.
pub type HmacKeys = Keys<HmacKey>;

/// A prepared HMAC-SHA256 key.
///
/// The key schedule is computed here, once, and not for every delivery. `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Takes the key as raw bytes; for vendors whose secret is used as the text it is, `secret.as_bytes()`.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is empty.
    pub fn from_bytes(key: &[u8]) -> Result<Self, WebhookError> {
        if key.is_empty() {
            return Err(malformed());
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// Takes the key in standard base64, with or without padding. Blanks around it (a secret pasted into a settings
    /// page often has some) are ignored.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is not base64, or empty.
    pub fn from_base64(secret: &SecretString) -> Result<Self, WebhookError> {
        let mut bytes = decode_base64(secret.expose_secret().trim()).ok_or_else(malformed)?;
        let key = Self::from_bytes(&bytes);
        bytes.zeroize();
        key
    }

    /// Takes a Standard Webhooks secret, `whsec_` and base64. The prefix may be missing.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if what follows the prefix is not base64, or empty.
    pub fn from_whsec(secret: &SecretString) -> Result<Self, WebhookError> {
        let text = secret.expose_secret().trim();
        Self::from_base64(&SecretString::from(
            text.strip_prefix("whsec_").unwrap_or(text),
        ))
    }

    /// Computes the MAC of `prefix` and `body`, as if they stood in one buffer.
    pub(super) fn tag(&self, prefix: &[&[u8]], body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        // Each update costs more than copying the few bytes that ids and times are.
        let mut joined = [0; 128];
        if let Some(prefix) = join(prefix, &mut joined) {
            if !prefix.is_empty() {
                context.update(prefix);
            }
        } else {
            for part in prefix {
                context.update(part);
            }
        }
        context.update(body);
        context.sign()
    }
}

/// `None` if the parts do not fit.
fn join<'b>(parts: &[&[u8]], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut used = 0_usize;
    for part in parts {
        let end = used.checked_add(part.len())?;
        let place = buffer.get_mut(used..end)?;
        match (*part, place) {
            // Every other part is a dot, which is not worth a call.
            ([byte], [place]) => *place = *byte,
            (part, place) => place.copy_from_slice(part),
        }
        used = end;
    }
    buffer.get(..used)
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

impl Keys<HmacKey> {
    /// Checks that one of `candidates` is the HMAC-SHA256 of `prefix` and `body` under one of the keys.
    ///
    /// `prefix` is what the scheme signs in front of the body (an id, a time), in pieces, exactly as it stood in the
    /// headers. Nothing is copied or allocated; each key hashes the body once, however many candidates there are; MACs
    /// are compared in constant time.
    ///
    /// # Errors
    ///
    /// [`WrongSignature`](WebhookErrorKind::WrongSignature) if none matches, or there is no candidate.
    ///
    /// # Example
    ///
    /// ```
    /// use integration_core::webhook::{HmacKey, HmacKeys, hex_array};
    ///
    /// let keys = HmacKeys::from(HmacKey::from_bytes(b"key")?);
    /// let claimed = hex_array::<32>(b"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    /// let body = b"quick brown fox jumps over the lazy dog";
    ///
    /// let verified = keys.verify(&[b"The "], body, claimed)?;
    /// assert_eq!(verified.body(), body);
    /// assert!(keys.verify(&[], body, claimed).is_err());
    /// # Ok::<(), integration_core::webhook::WebhookError>(())
    /// ```
    pub fn verify<'a, C>(
        &self,
        prefix: &[&[u8]],
        body: &'a [u8],
        candidates: C,
    ) -> Result<Verified<'a>, WebhookError>
    where
        C: IntoIterator<Item = Mac, IntoIter: Clone>,
    {
        if self.any_matches(prefix, body, candidates) {
            return Ok(Verified::new(body, "hmac-sha256"));
        }
        Err(WebhookError::new(WebhookErrorKind::WrongSignature))
    }

    /// What [`verify`](Self::verify) decides by, without the proof.
    pub(super) fn any_matches<C>(&self, prefix: &[&[u8]], body: &[u8], candidates: C) -> bool
    where
        C: IntoIterator<Item = Mac, IntoIter: Clone>,
    {
        let mut candidates = candidates.into_iter();
        // Decoding happens while iterating, so the usual single candidate is decoded once for all keys.
        let Some(first) = candidates.next() else {
            return false;
        };
        self.all().any(|key| {
            let tag = key.tag(prefix, body);
            same(&tag, &first) || candidates.clone().any(|mac| same(&tag, &mac))
        })
    }
}

fn same(tag: &hmac::Tag, claimed: &Mac) -> bool {
    constant_time::verify_slices_are_equal(tag.as_ref(), claimed).is_ok()
}

fn malformed() -> WebhookError {
    WebhookError::new(WebhookErrorKind::MalformedKey)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn mac(key: &[u8], message: &[u8]) -> Mac {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
            .as_ref()
            .try_into()
            .unwrap()
    }

    #[rstest]
    #[case::empty("")]
    #[case::blank("  ")]
    #[case::prefix_only("whsec_")]
    #[case::not_base64("whsec_!!!")]
    #[case::url_safe_alphabet("whsec_-_-_")]
    #[case::text_behind_the_padding("whsec_QQ==A")]
    #[case::bits_left_over("whsec_QR==")]
    fn unusable_secrets_are_refused(#[case] secret: &str) {
        let refused = HmacKey::from_whsec(&secret.into()).unwrap_err();
        assert_eq!(refused.kind(), WebhookErrorKind::MalformedKey);
    }

    #[rstest]
    #[case::prefixed("whsec_a2V5")]
    #[case::bare("a2V5")]
    #[case::pasted_with_a_newline(" whsec_a2V5\n")]
    fn secrets_are_taken_with_and_without_prefix(#[case] secret: &str) {
        let keys = HmacKeys::from(HmacKey::from_whsec(&secret.into()).unwrap());
        assert!(keys.verify(&[], b"body", [mac(b"key", b"body")]).is_ok());
    }

    #[test]
    fn no_keys_are_refused() {
        assert_eq!(
            HmacKeys::new([]).unwrap_err().kind(),
            WebhookErrorKind::NoKey
        );
    }

    #[test]
    fn any_key_and_any_candidate_may_match() {
        let keys = ["new", "old"].map(|key| HmacKey::from_bytes(key.as_bytes()).unwrap());
        let keys = HmacKeys::new(keys).unwrap();
        for key in [b"new", b"old"] {
            let good = mac(key, b"prefix.body");
            assert!(keys.verify(&[b"prefix", b"."], b"body", [good]).is_ok());
            assert!(
                keys.verify(&[b"prefix."], b"body", [[0; 32], [1; 32], good])
                    .is_ok()
            );
        }
        let refused = keys
            .verify(&[], b"body", [mac(b"other", b"body")])
            .unwrap_err();
        assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
        assert!(keys.verify(&[], b"body", []).is_err());
    }

    #[rstest]
    #[case::fits(127)]
    #[case::just_fits(128)]
    #[case::does_not_fit(129)]
    #[case::far_too_long(5000)]
    fn prefixes_of_any_length_are_signed(#[case] length: usize) {
        let keys = HmacKeys::from(HmacKey::from_bytes(b"key").unwrap());
        let prefix = vec![b'p'; length];
        let good = mac(b"key", &[&prefix, b"body".as_slice()].concat());
        let (head, tail) = prefix.split_at(length / 2);
        assert!(keys.verify(&[head, b"", tail], b"body", [good]).is_ok());
        assert!(keys.verify(&[head, b"-", tail], b"body", [good]).is_err());
    }

    #[test]
    fn one_flipped_bit_is_refused() {
        let keys = HmacKeys::from(HmacKey::from_bytes(b"key").unwrap());
        let good = mac(b"key", b"body");
        for bit in 0..256_usize {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.verify(&[], b"body", [bad]).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = HmacKey::from_bytes(b"secret").unwrap();
        assert_eq!(format!("{key:?}"), "HmacKey(..)");
        assert_eq!(
            format!("{:?}", HmacKeys::from(key)),
            "Keys { count: 1, .. }"
        );
    }
}
