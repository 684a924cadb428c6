//! Standard Webhooks, the scheme of Svix and of many vendors since.

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::encoding::base64_array;
use super::header::each_once;
use super::{
    DEFAULT_MAX_BODY, Ed25519Key, Ed25519Keys, HmacKey, HmacKeys, MAX_SIGNATURES, Timestamp,
    Tolerance, Verified, WebhookError, WebhookErrorKind, within_cap,
};

pub(super) static ID: HeaderName = HeaderName::from_static("webhook-id");
pub(super) static TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
pub(super) static SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The longest id that is taken: it becomes a key in the receiver's store of deliveries already seen.
const MAX_ID: usize = 255;

/// Verifies [Standard Webhooks](https://www.standardwebhooks.com) (read 2026-11-21).
///
/// The sender signs `id.timestamp.body` and lists the signatures, one per live key, in `webhook-signature`: `v1,` is
/// HMAC-SHA256 under a shared secret (`whsec_…`), `v1a,` is Ed25519 (`whpk_…`). One signature that fits one configured
/// key is enough; other versions are passed over.
///
/// `webhook-id` becomes the [replay id](Verified::replay_id): the same id again is the same delivery again.
///
/// # Example
///
/// ```
/// use chrono::DateTime;
/// use http::HeaderMap;
/// use integration_core::webhook::StandardWebhooks;
/// use secrecy::SecretString;
///
/// let verifier = StandardWebhooks::from_secrets([&SecretString::from("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")])?;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".parse()?);
/// headers.insert("webhook-timestamp", "1649367553".parse()?);
/// headers.insert("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".parse()?);
/// let body = br#"{"email":"test@example.com","username":"test_user"}"#;
/// let now = DateTime::from_timestamp(1_649_367_600, 0).unwrap();
///
/// let verified = verifier.verify(&headers, body, now)?;
/// assert_eq!(verified.replay_id(), Some("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StandardWebhooks {
    keys: SchemeKeys,
    tolerance: Tolerance,
    max_body: usize,
}

/// At least one kind of key, by construction.
#[derive(Clone, Debug)]
enum SchemeKeys {
    V1(HmacKeys),
    V1a(Ed25519Keys),
    Both(HmacKeys, Ed25519Keys),
}

impl StandardWebhooks {
    /// Accepts what is signed with one of these shared secrets.
    pub fn new(keys: impl Into<HmacKeys>) -> Self {
        Self::with_keys(SchemeKeys::V1(keys.into()))
    }

    /// Accepts what is signed with the private half of one of these public keys.
    pub fn asymmetric(keys: impl Into<Ed25519Keys>) -> Self {
        Self::with_keys(SchemeKeys::V1a(keys.into()))
    }

    /// Accepts what fits one of these keys, newest first: `whpk_…` is a public key, anything else a shared secret in
    /// base64, with or without `whsec_`.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if there is none, [`MalformedKey`](WebhookErrorKind::MalformedKey) if one
    /// cannot be used.
    pub fn from_secrets<'s>(
        secrets: impl IntoIterator<Item = &'s SecretString>,
    ) -> Result<Self, WebhookError> {
        let (mut shared, mut public) = (Vec::new(), Vec::new());
        for secret in secrets {
            let text = secret.expose_secret();
            if text.trim_start().starts_with("whpk_") {
                public.push(Ed25519Key::from_whpk(text)?);
            } else {
                shared.push(HmacKey::from_whsec(secret)?);
            }
        }
        let keys = match (shared.is_empty(), public.is_empty()) {
            (false, false) => SchemeKeys::Both(HmacKeys::new(shared)?, Ed25519Keys::new(public)?),
            (_, true) => SchemeKeys::V1(HmacKeys::new(shared)?),
            (true, _) => SchemeKeys::V1a(Ed25519Keys::new(public)?),
        };
        Ok(Self::with_keys(keys))
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
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, WebhookError> {
        within_cap(body, self.max_body)?;
        let [id, timestamp, signatures] = each_once(headers, [&ID, &TIMESTAMP, &SIGNATURE], place)?;
        let id = read_id(id.ok_or_else(|| WebhookError::missing(&ID))?)?;
        let timestamp = timestamp
            .ok_or_else(|| WebhookError::missing(&TIMESTAMP))?
            .as_bytes();
        let signatures = signatures
            .ok_or_else(|| WebhookError::missing(&SIGNATURE))?
            .as_bytes();
        let signed_at = Timestamp::from_seconds(timestamp)
            .ok_or_else(|| WebhookError::malformed(&TIMESTAMP))?;

        let prefix: &[&[u8]] = &[id.as_bytes(), b".", timestamp, b"."];
        let scheme = match &self.keys {
            SchemeKeys::V1(shared) => v1_matches(shared, prefix, body, signatures).then_some(V1),
            SchemeKeys::V1a(public) => v1a_matches(public, prefix, body, signatures).then_some(V1A),
            SchemeKeys::Both(shared, public) => {
                if v1_matches(shared, prefix, body, signatures) {
                    Some(V1)
                } else {
                    v1a_matches(public, prefix, body, signatures).then_some(V1A)
                }
            }
        };
        let scheme = scheme.ok_or_else(|| refusal(signatures))?;
        if !self.tolerance.allows(signed_at, now) {
            return Err(WebhookError::new(WebhookErrorKind::StaleTimestamp).with_header(&TIMESTAMP));
        }
        Ok(Verified::new(body, scheme)
            .with_replay_id(id)
            .with_timestamp(signed_at))
    }

    fn with_keys(keys: SchemeKeys) -> Self {
        Self {
            keys,
            tolerance: Tolerance::DEFAULT,
            max_body: DEFAULT_MAX_BODY,
        }
    }
}

/// Where a header stands among the three.
fn place(name: &str) -> Option<usize> {
    match name.as_bytes() {
        b"webhook-id" => Some(0),
        b"webhook-timestamp" => Some(1),
        b"webhook-signature" => Some(2),
        _ => None,
    }
}

const V1: &str = "standard-webhooks-v1";
const V1A: &str = "standard-webhooks-v1a";

fn v1_matches(keys: &HmacKeys, prefix: &[&[u8]], body: &[u8], signatures: &[u8]) -> bool {
    // Nearly every delivery has one signature: no list to take apart.
    if let Some(mac) = signatures.strip_prefix(b"v1,").and_then(base64_array) {
        keys.any_matches(prefix, body, [mac])
    } else {
        keys.any_matches(
            prefix,
            body,
            texts_of(signatures, b"v1").filter_map(base64_array),
        )
    }
}

fn v1a_matches(keys: &Ed25519Keys, prefix: &[&[u8]], body: &[u8], signatures: &[u8]) -> bool {
    keys.any_matches(
        prefix,
        body,
        texts_of(signatures, b"v1a").filter_map(base64_array),
    )
}

/// The id is part of the signed text, between dots. One that holds a dot could take over part of the time or the body
/// without changing what is signed, so it is refused, as the specification forbids it.
pub(super) fn read_id(value: &HeaderValue) -> Result<&str, WebhookError> {
    let id = value.as_bytes();
    // Without a way out of the loop, many bytes are looked at in one step.
    let odd = |byte: &u8| u8::from(!byte.is_ascii_graphic()) | u8::from(*byte == b'.');
    let odd = id.iter().fold(0, |any, byte| any | odd(byte));
    if odd != 0 || id.is_empty() || id.len() > MAX_ID {
        return Err(WebhookError::malformed(&ID));
    }
    std::str::from_utf8(id).map_err(|_| WebhookError::malformed(&ID))
}

/// The signatures of one version, in their text form.
fn texts_of<'h>(
    signatures: &'h [u8],
    version: &'static [u8],
) -> impl Iterator<Item = &'h [u8]> + Clone {
    entries(signatures).filter_map(move |entry| entry.strip_prefix(version)?.strip_prefix(b","))
}

fn entries(signatures: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    signatures
        .split(|byte| *byte == b' ')
        .filter(|entry| !entry.is_empty())
        .take(MAX_SIGNATURES)
}

/// Tells a header that is no list of signatures from one whose signatures do not fit.
///
/// An entry of a version that is not known counts as a signature: the sender is ahead of us, or has keys of another
/// kind than are configured. An entry of a known version that cannot be decoded does not.
fn refusal(signatures: &[u8]) -> WebhookError {
    let any_signature = entries(signatures).any(|entry| {
        let mut parts = entry.splitn(2, |byte| *byte == b',');
        match (parts.next(), parts.next()) {
            (Some(b"v1"), Some(text)) => base64_array::<32>(text).is_some(),
            (Some(b"v1a"), Some(text)) => base64_array::<64>(text).is_some(),
            (Some(version), Some(text)) => !version.is_empty() && !text.is_empty(),
            _ => false,
        }
    });
    if any_signature {
        WebhookError::new(WebhookErrorKind::WrongSignature).with_header(&SIGNATURE)
    } else {
        WebhookError::malformed(&SIGNATURE)
    }
}
