//! Standard Webhooks, case by case: what is accepted, and which kind every refusal has.

#![cfg(feature = "webhook")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use integration_core::webhook::{
    Ed25519Key, HmacKey, HmacKeys, StandardWebhooks, Tolerance, Verified, WebhookError,
    WebhookErrorKind,
};
use proptest::prelude::*;
use rstest::rstest;
use secrecy::SecretString;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PUBLIC_KEY: &str = "whpk_Ty28TbJzQ9i7KLwixawyoTIph2fB8ylXWltkksV9pug=";
const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const AT: &str = "1649367553";
const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const V1: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
const V1A: &str =
    "v1a,D7Ov0LU1ieHZJBdBZewqCRgs5mWDVZteX/1dW3v1boHrtEpPzZddz4iZZ9P2wwYox4DZ7i+sXItYBLBim57jAQ==";
const WRONG: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(AT.parse().unwrap(), 0).unwrap()
}

fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
    [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ]
    .into_iter()
    .map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    })
    .collect()
}

fn verifier(secrets: &[&str]) -> Result<StandardWebhooks, WebhookError> {
    let secrets: Vec<SecretString> = secrets
        .iter()
        .map(|text| SecretString::from(*text))
        .collect();
    StandardWebhooks::from_secrets(&secrets)
}

fn sign(id: &[u8], timestamp: &[u8], body: &[u8]) -> String {
    let key = STANDARD
        .decode(SECRET.strip_prefix("whsec_").unwrap())
        .unwrap();
    let content = [id, b".", timestamp, b".", body].concat();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &content);
    format!("v1,{}", STANDARD.encode(mac))
}

#[test]
fn the_verified_delivery_says_what_was_signed() {
    let headers = headers(ID, AT, V1);
    let verified: Verified<'static> = verifier(&[SECRET])
        .unwrap()
        .verify(&headers, BODY, now())
        .unwrap()
        .into_owned();
    drop(headers);
    assert_eq!(verified.body(), BODY);
    assert_eq!(verified.replay_id(), Some(ID));
    assert_eq!(verified.replay_key(), ID);
    assert_eq!(verified.timestamp(), Some(now()));
    assert_eq!(verified.scheme(), "standard-webhooks-v1");
}

#[rstest]
#[case::one(&[SECRET], V1.into())]
#[case::several_signatures(&[SECRET], format!("{WRONG} {WRONG} {V1}"))]
#[case::blanks_between(&[SECRET], format!("  {WRONG}   {V1} "))]
#[case::unknown_version_beside(&[SECRET], format!("v2,whatever {V1}"))]
#[case::undecodable_beside(&[SECRET], format!("v1,??? v1, nonsense {V1}"))]
#[case::new_key_first(&[OTHER_SECRET, SECRET], V1.into())]
#[case::asymmetric(&[PUBLIC_KEY], V1A.into())]
#[case::asymmetric_beside_symmetric(&[PUBLIC_KEY], format!("{V1} {V1A}"))]
#[case::both_kinds_of_key_first(&[OTHER_SECRET, PUBLIC_KEY], V1A.into())]
#[case::both_kinds_of_key_second(&[PUBLIC_KEY, SECRET], V1.into())]
fn accepted(#[case] secrets: &[&str], #[case] signatures: String) {
    let verifier = verifier(secrets).unwrap();
    assert!(
        verifier
            .verify(&headers(ID, AT, &signatures), BODY, now())
            .is_ok()
    );
}

#[rstest]
#[case::forged(WRONG, "WrongSignature webhook-signature")]
#[case::unknown_version(
    "v2,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "WrongSignature webhook-signature"
)]
#[case::key_of_another_kind(V1A, "WrongSignature webhook-signature")]
#[case::empty("", "MalformedHeader webhook-signature")]
#[case::blank("   ", "MalformedHeader webhook-signature")]
#[case::no_version(
    "tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "MalformedHeader webhook-signature"
)]
#[case::no_signature("v1,", "MalformedHeader webhook-signature")]
#[case::cut_off("v1,tZ1I4/hDygAJ", "MalformedHeader webhook-signature")]
#[case::no_padding(
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw",
    "MalformedHeader webhook-signature"
)]
#[case::not_canonical(
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkx=",
    "MalformedHeader webhook-signature"
)]
#[case::commas_between("v1,AAAA,v1,BBBB", "MalformedHeader webhook-signature")]
fn refused_signatures(#[case] signatures: &str, #[case] why: &str) {
    let verifier = verifier(&[SECRET]).unwrap();
    let refused = verifier
        .verify(&headers(ID, AT, signatures), BODY, now())
        .unwrap_err();
    assert_eq!(
        format!("{:?} {}", refused.kind(), refused.header().unwrap()),
        why
    );
}

#[rstest]
#[case("webhook-id")]
#[case("webhook-timestamp")]
#[case("webhook-signature")]
fn every_header_must_occur_exactly_once(#[case] name: &'static str) {
    let verifier = verifier(&[SECRET]).unwrap();
    let complete = headers(ID, AT, V1);

    let mut without = complete.clone();
    without.remove(name);
    let refused = verifier.verify(&without, BODY, now()).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.header()),
        (WebhookErrorKind::MissingHeader, Some(name))
    );

    let mut twice = complete.clone();
    twice.append(name, complete.get(name).unwrap().clone());
    let refused = verifier.verify(&twice, BODY, now()).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.header()),
        (WebhookErrorKind::MalformedHeader, Some(name))
    );
}

#[rstest]
#[case("")]
#[case("now")]
#[case("+1649367553")]
#[case("-1649367553")]
#[case("01649367553")]
#[case(" 1649367553")]
#[case("1649367553 ")]
#[case("1649367553.0")]
#[case("9223372036854775807")]
#[case("99999999999999999999")]
fn timestamps_are_canonical(#[case] timestamp: &str) {
    let verifier = verifier(&[SECRET]).unwrap();
    // Signed rightly, so that only the form can be why it is refused.
    let signature = sign(ID.as_bytes(), timestamp.as_bytes(), BODY);
    let refused = verifier
        .verify(&headers(ID, timestamp, &signature), BODY, now())
        .unwrap_err();
    assert_eq!(
        (refused.kind(), refused.header()),
        (WebhookErrorKind::MalformedHeader, Some("webhook-timestamp"))
    );
}

#[rstest]
#[case::empty(String::new())]
#[case::with_a_dot("msg_1.1649367553".into())]
#[case::too_long("m".repeat(256))]
fn ids_are_bounded_and_hold_no_separator(#[case] id: String) {
    let verifier = verifier(&[SECRET]).unwrap();
    let signature = sign(id.as_bytes(), AT.as_bytes(), BODY);
    let refused = verifier
        .verify(&headers(&id, AT, &signature), BODY, now())
        .unwrap_err();
    assert_eq!(
        (refused.kind(), refused.header()),
        (WebhookErrorKind::MalformedHeader, Some("webhook-id"))
    );
}

#[test]
fn an_id_that_is_no_text_is_refused() {
    let mut headers = headers(ID, AT, V1);
    headers.insert("webhook-id", HeaderValue::from_bytes(b"msg_\xff").unwrap());
    let refused = verifier(&[SECRET])
        .unwrap()
        .verify(&headers, BODY, now())
        .unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::MalformedHeader);
}

#[rstest]
#[case::oldest(300, true)]
#[case::too_old(301, false)]
#[case::newest(-300, true)]
#[case::too_new(-301, false)]
fn the_tolerance_holds_both_ways(#[case] later: i64, #[case] fresh: bool) {
    let verifier = verifier(&[SECRET]).unwrap();
    let (headers, then) = (headers(ID, AT, V1), now() + TimeDelta::seconds(later));
    match verifier.verify(&headers, BODY, then) {
        Ok(_) => assert!(fresh),
        Err(refused) => {
            assert!(!fresh);
            assert_eq!(
                (refused.kind(), refused.header()),
                (WebhookErrorKind::StaleTimestamp, Some("webhook-timestamp"))
            );
        }
    }
}

#[test]
fn the_tolerance_can_be_changed() {
    let verifier = verifier(&[SECRET])
        .unwrap()
        .tolerance(Duration::from_secs(1));
    let headers = headers(ID, AT, V1);
    assert!(
        verifier
            .verify(&headers, BODY, now() + TimeDelta::seconds(1))
            .is_ok()
    );
    assert!(
        verifier
            .verify(&headers, BODY, now() + TimeDelta::seconds(2))
            .is_err()
    );
    assert_eq!(Tolerance::default(), Tolerance::new(Duration::from_mins(5)));
}

#[test]
fn staleness_is_only_said_of_genuine_deliveries() {
    let refused = verifier(&[SECRET])
        .unwrap()
        .verify(&headers(ID, AT, WRONG), BODY, now() + TimeDelta::days(1))
        .unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
}

#[test]
fn a_body_over_the_cap_is_refused() {
    let verifier = verifier(&[SECRET]).unwrap().max_body(BODY.len());
    let headers = headers(ID, AT, V1);
    assert!(verifier.verify(&headers, BODY, now()).is_ok());
    let refused = verifier
        .verify(&headers, &[BODY, b" "].concat(), now())
        .unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::BodyTooLarge);
}

#[rstest]
#[case::none(&[], WebhookErrorKind::NoKey)]
#[case::empty(&[""], WebhookErrorKind::MalformedKey)]
#[case::prefix_only(&["whsec_"], WebhookErrorKind::MalformedKey)]
#[case::not_base64(&["whsec_!!!"], WebhookErrorKind::MalformedKey)]
#[case::short_public_key(&["whpk_AAAA"], WebhookErrorKind::MalformedKey)]
#[case::one_of_two(&[SECRET, "whsec_!!!"], WebhookErrorKind::MalformedKey)]
fn unusable_keys_are_refused_when_configured(
    #[case] secrets: &[&str],
    #[case] kind: WebhookErrorKind,
) {
    assert_eq!(verifier(secrets).unwrap_err().kind(), kind);
}

#[test]
fn the_constructors_agree() {
    let headers_v1 = headers(ID, AT, V1);
    let shared = StandardWebhooks::new(HmacKey::from_whsec(&SECRET.into()).unwrap());
    assert!(shared.verify(&headers_v1, BODY, now()).is_ok());
    let several = HmacKeys::new([HmacKey::from_whsec(&SECRET.into()).unwrap()]).unwrap();
    assert!(
        StandardWebhooks::new(several)
            .verify(&headers_v1, BODY, now())
            .is_ok()
    );
    let headers_v1a = headers(ID, AT, V1A);
    let public = StandardWebhooks::asymmetric(Ed25519Key::from_whpk(PUBLIC_KEY).unwrap());
    let verified = public.verify(&headers_v1a, BODY, now()).unwrap();
    assert_eq!(verified.scheme(), "standard-webhooks-v1a");
    assert!(public.verify(&headers_v1, BODY, now()).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let text = format!("{:?}", verifier(&[SECRET, PUBLIC_KEY]).unwrap());
    assert!(!text.contains("C2FV") && !text.contains("Ty28"), "{text}");
}

#[test]
fn only_the_first_signatures_are_looked_at() {
    let verifier = verifier(&[SECRET]).unwrap();
    let within = format!("{}{V1}", format!("{WRONG} ").repeat(31));
    assert!(
        verifier
            .verify(&headers(ID, AT, &within), BODY, now())
            .is_ok()
    );
    let beyond = format!("{}{V1}", format!("{WRONG} ").repeat(32));
    assert!(
        verifier
            .verify(&headers(ID, AT, &beyond), BODY, now())
            .is_err()
    );
}

fn header_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..80),
        prop::collection::vec(prop::sample::select(b"v1a,= 0Aa./+".to_vec()), 0..120),
    ];
    bytes.prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

proptest! {
    #[test]
    fn whatever_arrives_is_refused_without_a_panic(
        id in header_value(),
        timestamp in prop_oneof![header_value(), Just(HeaderValue::from_static(AT))],
        signature in header_value(),
        body: Vec<u8>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id);
        headers.insert("webhook-timestamp", timestamp);
        headers.insert("webhook-signature", signature);
        let verifier = verifier(&[SECRET, PUBLIC_KEY]).unwrap();
        let first = verifier.verify(&headers, &body, now()).unwrap_err();
        // The same arguments, the same verdict.
        prop_assert_eq!(&first, &verifier.verify(&headers, &body, now()).unwrap_err());
        prop_assert_eq!(first.to_string(), "webhook verification failed");
    }

    #[test]
    fn what_is_signed_is_accepted_and_nothing_else(
        id in "[a-zA-Z0-9_-]{1,40}",
        body: Vec<u8>,
        flip: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let verifier = verifier(&[SECRET]).unwrap();
        let headers = headers(&id, AT, &sign(id.as_bytes(), AT.as_bytes(), &body));
        prop_assert!(verifier.verify(&headers, &body, now()).is_ok());
        if !body.is_empty() {
            let mut altered = body.clone();
            altered[flip.index(body.len())] ^= 1 << bit;
            let refused = verifier.verify(&headers, &altered, now()).unwrap_err();
            prop_assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
        }
    }
}
