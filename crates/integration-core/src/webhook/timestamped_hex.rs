//! A hex HMAC of time and body, `t=…,v1=…`, in one header.

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName};

use super::{
    DEFAULT_MAX_BODY, HmacKeys, MAX_SIGNATURES, Timestamp, Tolerance, Verified, WebhookError,
    WebhookErrorKind, hex_array, single_header, within_cap,
};

/// Verifies `t=<seconds>,v1=<hex>[,v1=<hex>…]`, the form that Stripe made common.
///
/// The sender signs `t.body` with HMAC-SHA256 and the secret's text as the key
/// ([`HmacKey::from_bytes`](super::HmacKey::from_bytes)). While it rotates the secret it lists several `v1`; entries of
/// other versions, and `v1` that are not hex, are passed over. Hex is lower-case, as everyone sends it. No id is
/// signed: duplicates are recognised by the event's own id or by [`replay_key`](Verified::replay_key).
///
/// # Example
///
/// ```
/// use chrono::DateTime;
/// use http::{HeaderMap, HeaderName};
/// use integration_core::webhook::{HmacKey, TimestampedHexHmac, WebhookErrorKind};
///
/// let name = HeaderName::from_static("x-signature");
/// let verifier = TimestampedHexHmac::new(HmacKey::from_bytes(b"whsec_test_secret")?, name);
/// let now = DateTime::from_timestamp(20_000, 0).unwrap();
///
/// let missing = verifier.verify(&HeaderMap::new(), b"{}", now).unwrap_err();
/// assert_eq!(missing.kind(), WebhookErrorKind::MissingHeader);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimestampedHexHmac {
    keys: HmacKeys,
    header: HeaderName,
    tolerance: Tolerance,
    max_body: usize,
}

impl TimestampedHexHmac {
    /// Accepts what is signed with one of these keys in the header that the vendor names.
    pub fn new(keys: impl Into<HmacKeys>, header: HeaderName) -> Self {
        Self {
            keys: keys.into(),
            header,
            tolerance: Tolerance::DEFAULT,
            max_body: DEFAULT_MAX_BODY,
        }
    }

    /// Changes how far the time of signing may lie from now.
    pub fn tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.tolerance = tolerance.into();
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
    /// [`MissingHeader`](WebhookErrorKind::MissingHeader), [`MalformedHeader`](WebhookErrorKind::MalformedHeader),
    /// [`WrongSignature`](WebhookErrorKind::WrongSignature), [`StaleTimestamp`](WebhookErrorKind::StaleTimestamp) (only
    /// said of a delivery whose signature is right) or [`BodyTooLarge`](WebhookErrorKind::BodyTooLarge).
    pub fn verify<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, WebhookError> {
        within_cap(body, self.max_body)?;
        let text = single_header(headers, &self.header)?.as_bytes();
        let malformed = || WebhookError::malformed(&self.header);

        let mut times = values_of(text, b"t=");
        let (Some(timestamp), None) = (times.next(), times.next()) else {
            return Err(malformed());
        };
        let signed_at = Timestamp::from_seconds(timestamp).ok_or_else(malformed)?;

        let macs = values_of(text, b"v1=")
            .filter_map(lower_hex)
            .take(MAX_SIGNATURES);
        let verified = match self.keys.verify(&[timestamp, b"."], body, macs.clone()) {
            Ok(verified) => verified.with_scheme("timestamped-hex-hmac-sha256"),
            Err(_) if macs.count() == 0 => return Err(malformed()),
            Err(error) => return Err(WebhookError::new(error.kind()).with_header(&self.header)),
        };
        if !self.tolerance.allows(signed_at, now) {
            return Err(
                WebhookError::new(WebhookErrorKind::StaleTimestamp).with_header(&self.header)
            );
        }
        Ok(verified.with_timestamp(signed_at))
    }
}

fn values_of<'h>(text: &'h [u8], key: &'static [u8]) -> impl Iterator<Item = &'h [u8]> + Clone {
    text.split(|byte| *byte == b',')
        .filter_map(move |item| item.strip_prefix(key))
}

fn lower_hex(text: &[u8]) -> Option<[u8; 32]> {
    hex_array(text).filter(|_| !text.iter().any(u8::is_ascii_uppercase))
}
