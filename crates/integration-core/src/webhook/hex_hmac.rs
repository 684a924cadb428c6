//! A hex HMAC of the body in one header.

use http::{HeaderMap, HeaderName};

use super::{
    DEFAULT_MAX_BODY, HmacKeys, Verified, WebhookError, hex_array, single_header, within_cap,
};

/// Verifies a hex HMAC-SHA256 of the raw body, as `x-webhook-signature` carries it.
///
/// The header holds 64 hex digits, after `sha256=` or bare. Nothing but the body is signed, neither a time nor an id, so
/// a recorded delivery stays valid for ever: the receiver must remember
/// [`replay_key`](Verified::replay_key) to recognise it, and is better off with [`StandardWebhooks`] where it has the
/// choice.
///
/// [`StandardWebhooks`]: super::StandardWebhooks
///
/// # Example
///
/// ```
/// use http::HeaderMap;
/// use integration_core::webhook::{HexHmac, HmacKey};
///
/// let verifier = HexHmac::new(HmacKey::from_bytes(b"key")?);
/// let mut headers = HeaderMap::new();
/// headers.insert(
///     "x-webhook-signature",
///     "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8".parse()?,
/// );
/// assert!(verifier.verify(&headers, b"The quick brown fox jumps over the lazy dog").is_ok());
/// assert!(verifier.verify(&headers, b"The quick brown fox jumps over the lazy cat").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HexHmac {
    keys: HmacKeys,
    header: HeaderName,
    max_body: usize,
}

impl HexHmac {
    /// Accepts what is signed with one of these keys in `x-webhook-signature`.
    pub fn new(keys: impl Into<HmacKeys>) -> Self {
        Self {
            keys: keys.into(),
            header: HeaderName::from_static("x-webhook-signature"),
            max_body: DEFAULT_MAX_BODY,
        }
    }

    /// Looks for the signature in another header.
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = name;
        self
    }

    /// Changes the largest body that is verified.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Verifies one delivery.
    ///
    /// # Errors
    ///
    /// [`MissingHeader`](super::WebhookErrorKind::MissingHeader), [`MalformedHeader`](super::WebhookErrorKind::MalformedHeader),
    /// [`WrongSignature`](super::WebhookErrorKind::WrongSignature) or [`BodyTooLarge`](super::WebhookErrorKind::BodyTooLarge).
    pub fn verify<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Result<Verified<'a>, WebhookError> {
        within_cap(body, self.max_body)?;
        let text = single_header(headers, &self.header)?.as_bytes();
        let mac = hex_array(text.strip_prefix(b"sha256=").unwrap_or(text))
            .ok_or_else(|| WebhookError::malformed(&self.header))?;
        match self.keys.verify(&[], body, [mac]) {
            Ok(verified) => Ok(verified.with_scheme("hex-hmac-sha256")),
            Err(error) => Err(WebhookError::new(error.kind()).with_header(&self.header)),
        }
    }
}
