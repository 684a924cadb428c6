//! Signs as a vendor signs, for tests of receivers and for simulated vendors.
//!
//! Nothing that receives webhooks needs this, so it stands behind the feature `webhook-signing`. Whoever has a key can
//! make deliveries that pass for the vendor's: sign with keys of your tests only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};

use super::standard::{ID, SIGNATURE, TIMESTAMP, read_id};
use super::{HmacKey, WebhookError};

/// Returns the HMAC-SHA256 of `prefix` and `body`, as if they stood in one buffer, in standard base64.
///
/// `prefix` is what the scheme signs in front of the body, as in [`HmacKeys::verify`](super::HmacKeys::verify).
///
/// # Example
///
/// ```
/// use integration_core::webhook::{HmacKey, HmacKeys, base64_array, sign_base64};
///
/// let key = HmacKey::from_bytes(b"a key of the tests")?;
/// let mac = sign_base64(&key, &[b"1776081600000", b"."], b"{}");
///
/// let keys = HmacKeys::from(key);
/// assert!(keys.verify(&[b"1776081600000", b"."], b"{}", base64_array(mac.as_bytes())).is_ok());
/// # Ok::<(), integration_core::webhook::WebhookError>(())
/// ```
pub fn sign_base64(key: &HmacKey, prefix: &[&[u8]], body: &[u8]) -> String {
    STANDARD.encode(key.tag(prefix, body))
}

/// Returns the three headers of [Standard Webhooks](super::StandardWebhooks) for a body, signed at `at`, whose
/// fraction of a second the scheme does not carry.
///
/// # Errors
///
/// [`MalformedHeader`](super::WebhookErrorKind::MalformedHeader) for an id that a receiver refuses: empty, longer than
/// 255 bytes, with a dot, a blank or anything but printable ASCII.
///
/// # Example
///
/// ```
/// use chrono::DateTime;
/// use integration_core::webhook::{HmacKey, StandardWebhooks, sign_standard};
///
/// let key = HmacKey::from_bytes(b"a key of the tests")?;
/// let at = DateTime::from_timestamp(1_776_081_600, 0).unwrap();
/// let headers = sign_standard(&key, "msg_1", at, b"{}")?;
///
/// let verified = StandardWebhooks::new(key).verify(&headers, b"{}", at)?;
/// assert_eq!(verified.replay_id(), Some("msg_1"));
/// # Ok::<(), integration_core::webhook::WebhookError>(())
/// ```
pub fn sign_standard(
    key: &HmacKey,
    id: &str,
    at: DateTime<Utc>,
    body: &[u8],
) -> Result<HeaderMap, WebhookError> {
    let id_value = HeaderValue::from_str(id).map_err(|_| WebhookError::malformed(&ID))?;
    read_id(&id_value)?;
    let time = HeaderValue::from(at.timestamp());
    let mac = sign_base64(key, &[id.as_bytes(), b".", time.as_bytes(), b"."], body);
    let signature = HeaderValue::from_str(&format!("v1,{mac}"))
        .map_err(|_| WebhookError::malformed(&SIGNATURE))?;
    Ok([
        (ID.clone(), id_value),
        (TIMESTAMP.clone(), time),
        (SIGNATURE.clone(), signature),
    ]
    .into_iter()
    .collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::webhook::WebhookErrorKind;

    /// The vector that the scheme's own libraries are tested with.
    #[test]
    fn the_published_vector_is_signed_as_published() {
        let key = HmacKey::from_whsec(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let headers = sign_standard(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body).unwrap();
        assert_eq!(headers[&TIMESTAMP], "1614265330");
        assert_eq!(
            headers[&SIGNATURE],
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[rstest]
    #[case::empty("")]
    #[case::dot("msg.1")]
    #[case::blank("msg 1")]
    #[case::line("msg\n1")]
    #[case::umlaut("msgä")]
    #[case::long(&"m".repeat(256))]
    fn ids_that_no_receiver_takes_are_refused(#[case] id: &str) {
        let key = HmacKey::from_bytes(b"key").unwrap();
        let refused = sign_standard(&key, id, DateTime::UNIX_EPOCH, b"").unwrap_err();
        assert_eq!(refused.kind(), WebhookErrorKind::MalformedHeader);
    }
}
