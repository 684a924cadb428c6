//! The two schemes with hex MACs in one header: `x-webhook-signature`, and `t=…,v1=…`.

#![cfg(feature = "webhook")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use integration_core::webhook::{
    HexHmac, HmacKey, HmacKeys, TimestampedHexHmac, WebhookError, WebhookErrorKind,
};
use proptest::prelude::*;
use rstest::rstest;

const FOX: &[u8] = b"The quick brown fox jumps over the lazy dog";
const FOX_HEX: &str = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";

fn one_header(name: &'static str, value: &str) -> HeaderMap {
    [(
        HeaderName::from_static(name),
        HeaderValue::from_str(value).unwrap(),
    )]
    .into_iter()
    .collect()
}

fn hex_hmac() -> HexHmac {
    HexHmac::new(HmacKey::from_bytes(b"key").unwrap())
}

fn why(refused: &WebhookError) -> (WebhookErrorKind, &str) {
    (refused.kind(), refused.header().unwrap())
}

#[rstest]
#[case::bare(FOX_HEX.into())]
#[case::prefixed(format!("sha256={FOX_HEX}"))]
#[case::upper_case(FOX_HEX.to_uppercase())]
fn hex_signatures_are_accepted(#[case] value: String) {
    let headers = one_header("x-webhook-signature", &value);
    let verifier = hex_hmac();
    let verified = verifier.verify(&headers, FOX).unwrap();
    assert_eq!(
        (verified.body(), verified.scheme()),
        (FOX, "hex-hmac-sha256")
    );
    assert_eq!((verified.replay_id(), verified.timestamp()), (None, None));
}

#[rstest]
#[case::empty("")]
#[case::no_hex("sha256=")]
#[case::cut_off("f7bc83f430538424")]
#[case::other_hash("sha1=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")]
#[case::prefix_twice(
    "sha256=sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
)]
#[case::base64("97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=")]
#[case::list("f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8,00")]
fn other_forms_are_malformed(#[case] value: &str) {
    let headers = one_header("x-webhook-signature", value);
    let refused = hex_hmac().verify(&headers, FOX).unwrap_err();
    assert_eq!(
        why(&refused),
        (WebhookErrorKind::MalformedHeader, "x-webhook-signature")
    );
}

#[test]
fn hex_refusals_are_told_apart() {
    let verifier = hex_hmac();
    let missing = verifier.verify(&HeaderMap::new(), FOX).unwrap_err();
    assert_eq!(
        why(&missing),
        (WebhookErrorKind::MissingHeader, "x-webhook-signature")
    );

    let mut headers = one_header("x-webhook-signature", FOX_HEX);
    let wrong = verifier.verify(&headers, b"another body").unwrap_err();
    assert_eq!(
        why(&wrong),
        (WebhookErrorKind::WrongSignature, "x-webhook-signature")
    );

    let too_large = verifier
        .clone()
        .max_body(FOX.len() - 1)
        .verify(&headers, FOX)
        .unwrap_err();
    assert_eq!(too_large.kind(), WebhookErrorKind::BodyTooLarge);

    headers.append("x-webhook-signature", HeaderValue::from_static(FOX_HEX));
    let twice = verifier.verify(&headers, FOX).unwrap_err();
    assert_eq!(
        why(&twice),
        (WebhookErrorKind::MalformedHeader, "x-webhook-signature")
    );
}

#[test]
fn the_hex_header_can_be_renamed_and_keys_rotated() {
    let keys = [b"new".as_slice(), b"key"].map(|key| HmacKey::from_bytes(key).unwrap());
    let verifier = HexHmac::new(HmacKeys::new(keys).unwrap())
        .header(HeaderName::from_static("x-hub-signature-256"));
    let headers = one_header("x-hub-signature-256", &format!("sha256={FOX_HEX}"));
    assert!(verifier.verify(&headers, FOX).is_ok());
}

const EVENT: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
/// Of `20000.` and [`EVENT`] under `whsec_test_secret`.
const V1: &str = "v1=3477a1eb02384eb42ba89a5041c3289bf0d8c28394600f6d30d0d41e1f320f7a";

fn timestamped() -> TimestampedHexHmac {
    let key = HmacKey::from_bytes(b"whsec_test_secret").unwrap();
    TimestampedHexHmac::new(key, HeaderName::from_static("x-signature"))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[rstest]
#[case::alone(format!("t=20000,{V1}"))]
#[case::any_order(format!("{V1},t=20000"))]
#[case::junk_beside(format!("t=20000,v0=00,v1=junk,{V1},future=1"))]
fn timestamped_signatures_are_accepted(#[case] value: String) {
    let headers = one_header("x-signature", &value);
    let verifier = timestamped();
    let verified = verifier.verify(&headers, EVENT, at(20_000)).unwrap();
    assert_eq!(verified.timestamp(), Some(at(20_000)));
    assert_eq!(verified.scheme(), "timestamped-hex-hmac-sha256");
}

#[rstest]
#[case::empty(String::new(), WebhookErrorKind::MalformedHeader)]
#[case::no_time(V1.into(), WebhookErrorKind::MalformedHeader)]
#[case::two_times(format!("t=20000,t=20000,{V1}"), WebhookErrorKind::MalformedHeader)]
#[case::time_not_canonical(format!("t=020000,{V1}"), WebhookErrorKind::MalformedHeader)]
#[case::no_signature("t=20000".into(), WebhookErrorKind::MalformedHeader)]
#[case::other_version(format!("t=20000,{}", V1.replace("v1", "v0")), WebhookErrorKind::MalformedHeader)]
#[case::upper_case(format!("t=20000,{}", V1.to_uppercase().replace('V', "v")), WebhookErrorKind::MalformedHeader)]
#[case::other_time(format!("t=20001,{V1}"), WebhookErrorKind::WrongSignature)]
#[case::forged(format!("t=20000,v1={}", "0".repeat(64)), WebhookErrorKind::WrongSignature)]
fn timestamped_refusals_are_told_apart(#[case] value: String, #[case] kind: WebhookErrorKind) {
    let headers = one_header("x-signature", &value);
    let refused = timestamped()
        .verify(&headers, EVENT, at(20_000))
        .unwrap_err();
    assert_eq!(why(&refused), (kind, "x-signature"));
}

#[test]
fn timestamped_deliveries_grow_stale() {
    let headers = one_header("x-signature", &format!("t=20000,{V1}"));
    for (now, fresh) in [
        (20_300, true),
        (20_301, false),
        (19_700, true),
        (19_699, false),
    ] {
        let verdict = timestamped().verify(&headers, EVENT, at(now));
        assert_eq!(verdict.is_ok(), fresh, "{now}");
        if let Err(refused) = verdict {
            assert_eq!(
                why(&refused),
                (WebhookErrorKind::StaleTimestamp, "x-signature")
            );
        }
    }
    let lenient = timestamped().tolerance(TimeDelta::days(1).to_std().unwrap());
    assert!(lenient.verify(&headers, EVENT, at(20_301)).is_ok());
    let capped = timestamped()
        .max_body(1)
        .verify(&headers, EVENT, at(20_000))
        .unwrap_err();
    assert_eq!(capped.kind(), WebhookErrorKind::BodyTooLarge);
}

proptest! {
    #[test]
    fn whatever_arrives_is_refused_without_a_panic(
        value in prop_oneof![
            prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..100),
            prop::collection::vec(prop::sample::select(b"t=v1,0aF".to_vec()), 0..140),
        ],
        body: Vec<u8>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("x-signature", HeaderValue::from_bytes(&value).unwrap());
        headers.insert("x-webhook-signature", HeaderValue::from_bytes(&value).unwrap());
        prop_assert!(timestamped().verify(&headers, &body, at(20_000)).is_err());
        prop_assert!(hex_hmac().verify(&headers, &body).is_err());
    }
}
