//! Standard Webhooks, the scheme of Svix and of many vendors since.

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::encoding::base64_array;
use super::header::each_once;
use super::{
    DEFAULT_MAX_BODY, Ed25519Key, Ed25519Keys, HmacKey, HmacKeys, MAX_SIGNATURES, Tolerance,
    Verified, WebhookError, WebhookErrorKind, unix_seconds, within_cap,
};

static ID: HeaderName = HeaderName::from_static("webhook-id");
static TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
static SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

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
        let [id, timestamp, signatures] = each_once(headers, [&ID, &TIMESTAMP, &SIGNATURE])?;
        let id = read_id(id.ok_or_else(|| WebhookError::missing(&ID))?)?;
        let timestamp = timestamp
            .ok_or_else(|| WebhookError::missing(&TIMESTAMP))?
            .as_bytes();
        let signatures = signatures
            .ok_or_else(|| WebhookError::missing(&SIGNATURE))?
            .as_bytes();
        let signed_at =
            unix_seconds(timestamp).ok_or_else(|| WebhookError::malformed(&TIMESTAMP))?;

        let prefix = [id.as_bytes(), b".", timestamp, b"."];
        let verified = match &self.keys {
            SchemeKeys::V1(shared) => verify_v1(shared, &prefix, body, signatures),
            SchemeKeys::V1a(public) => verify_v1a(public, &prefix, body, signatures),
            SchemeKeys::Both(shared, public) => verify_v1(shared, &prefix, body, signatures)
                .or_else(|_| verify_v1a(public, &prefix, body, signatures)),
        };
        let verified = verified.map_err(|error| explain(&error, signatures))?;
        if !self.tolerance.allows(signed_at, now) {
            return Err(WebhookError::new(WebhookErrorKind::StaleTimestamp).with_header(&TIMESTAMP));
        }
        Ok(verified.with_replay_id(id).with_timestamp(signed_at))
    }

    fn with_keys(keys: SchemeKeys) -> Self {
        Self {
            keys,
            tolerance: Tolerance::DEFAULT,
            max_body: DEFAULT_MAX_BODY,
        }
    }
}

fn verify_v1<'a>(
    keys: &HmacKeys,
    prefix: &[&[u8]],
    body: &'a [u8],
    signatures: &[u8],
) -> Result<Verified<'a>, WebhookError> {
    let macs = texts_of(signatures, b"v1").filter_map(base64_array);
    Ok(keys
        .verify(prefix, body, macs)?
        .with_scheme("standard-webhooks-v1"))
}

fn verify_v1a<'a>(
    keys: &Ed25519Keys,
    prefix: &[&[u8]],
    body: &'a [u8],
    signatures: &[u8],
) -> Result<Verified<'a>, WebhookError> {
    let signatures = texts_of(signatures, b"v1a").filter_map(base64_array);
    Ok(keys
        .verify(prefix, body, signatures)?
        .with_scheme("standard-webhooks-v1a"))
}

/// The id is part of the signed text, between dots. One that holds a dot could take over part of the time or the body
/// without changing what is signed, so it is refused, as the specification forbids it.
fn read_id(value: &HeaderValue) -> Result<&str, WebhookError> {
    value
        .to_str()
        .ok()
        .filter(|id| !id.is_empty() && id.len() <= MAX_ID && !id.as_bytes().contains(&b'.'))
        .ok_or_else(|| WebhookError::malformed(&ID))
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
fn explain(error: &WebhookError, signatures: &[u8]) -> WebhookError {
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
        WebhookError::new(error.kind()).with_header(&SIGNATURE)
    } else {
        WebhookError::malformed(&SIGNATURE)
    }
}
