//! A secret in the address, for vendors that sign nothing.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::{constant_time, digest};
use secrecy::{ExposeSecret, SecretString};

use super::encoding::hex_text;
use super::{Keys, WebhookError, WebhookErrorKind, within_cap};

/// The fewest characters of a secret: 128 random bits in URL-safe base64.
const SHORTEST: usize = 22;
/// The most characters of a secret. A longer one is a mistake, and so is hashing it for everybody who asks.
const LONGEST: usize = 512;

/// A secret that stands in the address a vendor was given.
///
/// Only its SHA-256 is kept: comparing digests takes as long for every guess, whatever its length.
#[derive(Clone)]
pub struct UrlSecret([u8; 32]);

impl UrlSecret {
    /// Takes a secret of 22 to 512 letters, digits, `-`, `.`, `_` and `~`, which no part of a URL changes.
    ///
    /// It must be random: whoever knows it can send anything. `openssl rand -hex 16` makes a good one.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is shorter, longer, or holds another character.
    pub fn new(secret: &SecretString) -> Result<Self, WebhookError> {
        let text = secret.expose_secret().as_bytes();
        let in_range = (SHORTEST..=LONGEST).contains(&text.len());
        if !in_range || !text.iter().copied().all(is_unreserved) {
            return Err(WebhookError::new(WebhookErrorKind::MalformedKey));
        }
        Ok(Self(sha256(text)))
    }
}

impl fmt::Debug for UrlSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlSecret(..)")
    }
}

/// The secrets that an address may hold, newest first. Never empty.
pub type UrlSecrets = Keys<UrlSecret>;

impl Keys<UrlSecret> {
    /// Takes a delivery whose address held one of the secrets.
    ///
    /// `presented` is that part of the address, as it arrived. Every secret is compared, in constant time.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](WebhookErrorKind::BodyTooLarge), looked at first, and
    /// [`WrongSecret`](WebhookErrorKind::WrongSecret).
    ///
    /// # Example
    ///
    /// ```
    /// use integration_core::webhook::{UrlSecret, UrlSecrets};
    ///
    /// let secrets = UrlSecrets::from(UrlSecret::new(&"0f8e5a6c1b2d4e3f9a7b8c6d".into())?);
    /// let delivery = secrets.admit("0f8e5a6c1b2d4e3f9a7b8c6d", b"{}", 65_536)?;
    /// assert_eq!(delivery.body(), b"{}");
    /// assert!(secrets.admit("0f8e5a6c1b2d4e3f9a7b8c6e", b"{}", 65_536).is_err());
    /// # Ok::<(), integration_core::webhook::WebhookError>(())
    /// ```
    pub fn admit<'a>(
        &self,
        presented: &str,
        body: &'a [u8],
        max_body: usize,
    ) -> Result<UnsignedDelivery<'a>, WebhookError> {
        within_cap(body, max_body)?;
        let wrong = WebhookError::new(WebhookErrorKind::WrongSecret);
        if presented.len() > LONGEST {
            return Err(wrong);
        }
        let presented = sha256(presented.as_bytes());
        let mut matches = false;
        for UrlSecret(secret) in self.all() {
            matches |= constant_time::verify_slices_are_equal(secret, &presented).is_ok();
        }
        if !matches {
            return Err(wrong);
        }
        Ok(UnsignedDelivery {
            body: Cow::Borrowed(body),
        })
    }
}

/// The body of a delivery whose address held a secret, and that nobody signed.
///
/// Not [`Verified`](super::Verified), on purpose. The secret says that the sender knows the address. An address is seen
/// by proxies and written into their logs, and nothing ties it to this body or to this day. So what it says is a hint:
/// ask the vendor before acting.
#[derive(Clone)]
pub struct UnsignedDelivery<'a> {
    body: Cow<'a, [u8]>,
}

impl UnsignedDelivery<'_> {
    /// Returns the bytes as they arrived.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns what to recognise a duplicate by: `sha256:` and the hex digest of the body.
    ///
    /// Two events that read alike to the byte are one by this key. That is right for a hint, which only says where to
    /// look, as long as the receiver forgets keys after some hours.
    pub fn dedup_key(&self) -> String {
        format!("sha256:{}", hex_text(&sha256(&self.body)))
    }

    /// Copies what is borrowed, so that the delivery may outlive the request.
    pub fn into_owned(self) -> UnsignedDelivery<'static> {
        UnsignedDelivery {
            body: Cow::Owned(self.body.into_owned()),
        }
    }
}

// A body is full of personal data: its length must do.
impl fmt::Debug for UnsignedDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedDelivery")
            .field("body_len", &self.body.len())
            .finish()
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OLD: &str = "old-0123456789abcdef0123";
    const NEW: &str = "new-0123456789abcdef0123";

    fn secrets() -> UrlSecrets {
        let secret = |text: &str| UrlSecret::new(&text.into()).unwrap();
        UrlSecrets::new([secret(NEW), secret(OLD)]).unwrap()
    }

    #[rstest]
    #[case::new(NEW, None)]
    #[case::old_while_it_is_rotated(OLD, None)]
    #[case::other("other-0123456789abcdef01", Some(WebhookErrorKind::WrongSecret))]
    #[case::beginning(&NEW[..23], Some(WebhookErrorKind::WrongSecret))]
    #[case::with_more("new-0123456789abcdef01234", Some(WebhookErrorKind::WrongSecret))]
    #[case::nothing("", Some(WebhookErrorKind::WrongSecret))]
    fn only_a_configured_secret_opens(
        #[case] presented: &str,
        #[case] refused: Option<WebhookErrorKind>,
    ) {
        let verdict = secrets().admit(presented, b"{}", 2);
        assert_eq!(verdict.err().map(|error| error.kind()), refused);
    }

    #[test]
    fn a_guess_of_any_length_is_refused() {
        let kind = secrets().admit(&"a".repeat(1 << 20), b"{}", 2).unwrap_err();
        assert_eq!(kind.kind(), WebhookErrorKind::WrongSecret);
    }

    #[test]
    fn a_body_over_the_cap_is_refused_whoever_sends_it() {
        for presented in [NEW, "x"] {
            let error = secrets().admit(presented, b"{} ", 2).unwrap_err();
            assert_eq!(error.kind(), WebhookErrorKind::BodyTooLarge);
        }
    }

    #[rstest]
    #[case::short("0123456789abcdef01234")]
    #[case::empty("")]
    #[case::blank("0123456789abcdef 0123456789")]
    #[case::slash("0123456789abcdef/0123456789")]
    #[case::percent("0123456789abcdef%200123456789")]
    #[case::not_ascii("0123456789abcdefé0123456789")]
    fn a_secret_that_a_url_would_change_is_refused(#[case] text: &str) {
        let error = UrlSecret::new(&text.into()).unwrap_err();
        assert_eq!(error.kind(), WebhookErrorKind::MalformedKey);
        assert!(!format!("{error}{error:?}").contains("0123"));
    }

    #[test]
    fn an_owned_delivery_has_the_same_key_and_shows_no_body() {
        let body = b"abc".to_vec();
        let owned = secrets().admit(NEW, &body, 9).unwrap().into_owned();
        drop(body);
        assert_eq!(
            owned.dedup_key(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(format!("{owned:?}"), "UnsignedDelivery { body_len: 3 }");
        assert!(!format!("{:?}", secrets()).contains("0123"));
    }
}
