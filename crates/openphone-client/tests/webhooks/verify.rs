//! Which deliveries are taken for the vendor's, and what the others are refused for.

use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, HeaderValue};
use openphone_client::webhooks::{
    Event, Tolerance, Verifier, WebhookError, WebhookErrorKind, replay_id,
};
use proptest::prelude::*;
use rstest::rstest;
use std::time::Duration;

use crate::fixtures::{
    DATED_SECRET, DELIVERY_ID, LEGACY_SECRET, body, dated_headers, event, headers, legacy_entry,
    legacy_headers, mac, now, verifier,
};

const BODY: &[u8] = br#"{"id":"EV1","object":"event","type":"tag.added","data":{}}"#;
const MILLIS: &str = "1776081600000";

fn why(refused: &WebhookError) -> String {
    format!("{:?} {}", refused.kind(), refused.header().unwrap_or("-"))
}

fn legacy(value: &str) -> HeaderMap {
    headers(&[("openphone-signature", value)])
}

#[test]
fn a_legacy_delivery_is_verified() {
    let (verifier, headers) = (verifier(), legacy_headers(BODY));
    let delivery = verifier.verify(&headers, BODY, now()).unwrap();
    assert_eq!(delivery.body(), BODY);
    assert_eq!(delivery.scheme(), "openphone-signature");
    assert_eq!(
        delivery.timestamp(),
        DateTime::from_timestamp(1_776_081_600, 0)
    );
    // The signature covers no id of the delivery; the event's stands in.
    assert_eq!(delivery.replay_id(), None);
    assert_eq!(replay_id(&delivery), "EV1");
}

#[test]
fn a_dated_delivery_is_verified() {
    let (verifier, headers) = (verifier(), dated_headers(BODY));
    let delivery = verifier.verify(&headers, BODY, now()).unwrap();
    assert_eq!(delivery.scheme(), "standard-webhooks-v1");
    assert_eq!(replay_id(&delivery), DELIVERY_ID);
    assert_eq!(Event::parse(&delivery).unwrap().replay_id, DELIVERY_ID);
}

#[test]
fn what_has_no_id_is_known_by_its_bytes() {
    let verifier = verifier();
    for (one, other) in [
        (r#"{"type":"a"}"#, r#"{"type":"b"}"#),
        ("no json", "neither"),
        (r#"{"id":""}"#, "{}"),
        (
            r#"{"id":18446744073709551616}"#,
            r#"{"id":18446744073709551617}"#,
        ),
        (r#"{"id":true}"#, r#"{"id":[7]}"#),
        (r#"["EV1"]"#, r#"["EV2"]"#),
    ] {
        let [one_id, other_id] = [one, other].map(|body| {
            let headers = legacy_headers(body.as_bytes());
            let delivery = verifier.verify(&headers, body.as_bytes(), now()).unwrap();
            if let Ok(event) = Event::parse(&delivery) {
                assert_eq!(event.replay_id, replay_id(&delivery));
            }
            replay_id(&delivery).into_owned()
        });
        assert!(one_id.starts_with("sha256:") && other_id.starts_with("sha256:"));
        assert_ne!(one_id, other_id);
    }
}

/// With and without parsing, a delivery goes by the same name.
#[rstest]
#[case::text(r#"{"id":"EV1","type":"tag.added"}"#, "EV1")]
#[case::escaped(r#"{"id":"EV\u0031","type":"tag.added"}"#, "EV1")]
#[case::number(r#"{"id":7,"type":"tag.added"}"#, "7")]
#[case::twice(r#"{"id":"EV1","type":"tag.added","id":"EV2"}"#, "EV2")]
#[case::number_and_text(r#"{"id":7,"id":"EV2","type":"tag.added"}"#, "EV2")]
#[case::of_a_known_event(
    r#"{"id":7,"type":"message.received","data":{"object":{"id":"AC1"}}}"#,
    "7"
)]
#[case::type_last(
    r#"{"data":{"object":{"id":"AC1"}},"id":7,"type":"message.received"}"#,
    "7"
)]
fn the_id_in_the_body_is_read_in_one_way(#[case] body: &str, #[case] id: &str) {
    let (verifier, headers) = (verifier(), legacy_headers(body.as_bytes()));
    let delivery = verifier.verify(&headers, body.as_bytes(), now()).unwrap();
    assert_eq!(replay_id(&delivery), id);
    assert_eq!(Event::parse(&delivery).unwrap().replay_id, id);
}

#[rstest]
#[case::one(legacy_entry(LEGACY_SECRET, MILLIS, BODY))]
#[case::seconds(legacy_entry(LEGACY_SECRET, "1776081600", BODY))]
#[case::second_of_two(format!("{},{}", legacy_entry("b3RoZXI=", MILLIS, BODY), legacy_entry(LEGACY_SECRET, MILLIS, BODY)))]
#[case::blanks_between(format!(" hmac;1;{MILLIS};AAAA , {} ", legacy_entry(LEGACY_SECRET, MILLIS, BODY)))]
#[case::beside_a_scheme_to_come(format!("ed25519;2;{MILLIS};AAAA,hmac;2;{MILLIS};AAAA,{}", legacy_entry(LEGACY_SECRET, MILLIS, BODY)))]
#[case::beside_a_stale_one(format!("{},{}", legacy_entry(LEGACY_SECRET, "1776000000000", BODY), legacy_entry(LEGACY_SECRET, MILLIS, BODY)))]
fn legacy_signatures_are_accepted(#[case] value: String) {
    assert!(verifier().verify(&legacy(&value), BODY, now()).is_ok());
}

#[rstest]
#[case::forged(format!("hmac;1;{MILLIS};{}", mac("b3RoZXI=", &[MILLIS.as_bytes(), b".", BODY])), "WrongSignature")]
#[case::time_not_signed(format!("hmac;1;1776081600001;{}", mac(LEGACY_SECRET, &[MILLIS.as_bytes(), b".", BODY])), "WrongSignature")]
#[case::key_not_decoded(format!("hmac;1;{MILLIS};{}", mac("YkdWbllXTjVJSE5wWjI1cGJtY2dhMlY1SUc5bUlIUm9aU0IwWlhOMGN3PT0=", &[MILLIS.as_bytes(), b".", BODY])), "WrongSignature")]
#[case::only_a_scheme_to_come(format!("hmac;2;{MILLIS};AAAA"), "WrongSignature")]
#[case::stale(legacy_entry(LEGACY_SECRET, "1776081309999", BODY), "StaleTimestamp")]
#[case::from_the_future(legacy_entry(LEGACY_SECRET, "1776081910001", BODY), "StaleTimestamp")]
#[case::stale_beside_wrong(format!("{},hmac;1;{MILLIS};{}", legacy_entry(LEGACY_SECRET, "1776000000000", BODY), mac("b3RoZXI=", &[b""])), "StaleTimestamp")]
#[case::empty(String::new(), "MalformedHeader")]
#[case::no_fields("garbage".into(), "MalformedHeader")]
#[case::too_few(format!("hmac;1;{MILLIS}"), "MalformedHeader")]
#[case::too_many(format!("{};", legacy_entry(LEGACY_SECRET, MILLIS, BODY)), "MalformedHeader")]
#[case::hex_instead_of_base64(format!("hmac;1;{MILLIS};{}", "0f".repeat(32)), "MalformedHeader")]
#[case::signed_time(legacy_entry(LEGACY_SECRET, "+177608160000", BODY), "MalformedHeader")]
#[case::padded_time(legacy_entry(LEGACY_SECRET, "0177608160000", BODY), "MalformedHeader")]
#[case::short_time(legacy_entry(LEGACY_SECRET, "177608160", BODY), "MalformedHeader")]
#[case::microseconds(
    legacy_entry(LEGACY_SECRET, "1776081600000000", BODY),
    "MalformedHeader"
)]
#[case::standard_in_the_wrong_header("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into(), "MalformedHeader")]
fn legacy_refusals_are_told_apart(#[case] value: String, #[case] kind: &str) {
    let refused = verifier().verify(&legacy(&value), BODY, now()).unwrap_err();
    assert_eq!(why(&refused), format!("{kind} openphone-signature"));
    assert_eq!(refused.to_string(), "webhook verification failed");
}

#[test]
fn the_window_ends_at_its_bound() {
    let (verifier, headers) = (verifier(), legacy_headers(BODY));
    let signed = DateTime::from_timestamp(1_776_081_600, 0).unwrap();
    for (milliseconds, fresh) in [
        (300_000, true),
        (300_001, false),
        (-300_000, true),
        (-300_001, false),
    ] {
        let now = signed + TimeDelta::milliseconds(milliseconds);
        assert_eq!(
            verifier.verify(&headers, BODY, now).is_ok(),
            fresh,
            "{milliseconds}"
        );
    }
    let strict = verifier.tolerance(Duration::from_secs(1));
    assert!(strict.verify(&headers, BODY, now()).is_err());
    assert!(strict.verify(&dated_headers(BODY), BODY, now()).is_err());
    let lenient = strict.tolerance(Tolerance::new(Duration::from_hours(1)));
    let later = signed + TimeDelta::minutes(59);
    assert!(lenient.verify(&headers, BODY, later).is_ok());
    assert!(lenient.verify(&dated_headers(BODY), BODY, later).is_ok());
}

#[test]
fn an_altered_body_is_refused_by_both_schemes() {
    let verifier = verifier();
    let altered = [BODY, b" "].concat();
    let refused = verifier
        .verify(&legacy_headers(BODY), &altered, now())
        .unwrap_err()
        .kind();
    assert_eq!(refused, WebhookErrorKind::WrongSignature);
    let refused = verifier
        .verify(&dated_headers(BODY), &altered, now())
        .unwrap_err()
        .kind();
    assert_eq!(refused, WebhookErrorKind::WrongSignature);
}

#[test]
fn a_body_over_the_cap_is_refused_by_both_schemes() {
    let verifier = verifier().max_body(BODY.len() - 1);
    for headers in [legacy_headers(BODY), dated_headers(BODY)] {
        let refused = verifier.verify(&headers, BODY, now()).unwrap_err();
        assert_eq!(refused.kind(), WebhookErrorKind::BodyTooLarge);
    }
    assert!(
        verifier
            .max_body(BODY.len())
            .verify(&legacy_headers(BODY), BODY, now())
            .is_ok()
    );
}

/// A header that is not there is not a wrong one, and a webhook system without a secret is neither.
#[rstest]
#[case::both_nothing(&[LEGACY_SECRET, DATED_SECRET], headers(&[]), "MissingHeader openphone-signature")]
#[case::legacy_nothing(&[LEGACY_SECRET], headers(&[]), "MissingHeader openphone-signature")]
#[case::dated_nothing(&[DATED_SECRET], headers(&[]), "MissingHeader webhook-signature")]
#[case::dated_half(&[LEGACY_SECRET, DATED_SECRET], headers(&[("webhook-id", "msg_1"), ("webhook-timestamp", "1776081600")]), "MissingHeader webhook-signature")]
#[case::dated_no_id(&[LEGACY_SECRET, DATED_SECRET], headers(&[("webhook-timestamp", "1776081600"), ("webhook-signature", "v1,AA")]), "MissingHeader webhook-id")]
#[case::wrong_name(&[LEGACY_SECRET], headers(&[("x-openphone-signature", "hmac;1;1;AA")]), "MissingHeader openphone-signature")]
#[case::future_name(&[LEGACY_SECRET], headers(&[("quo-signature", "hmac;1;1;AA")]), "MissingHeader openphone-signature")]
#[case::dated_without_its_secret(&[LEGACY_SECRET], dated_headers(BODY), "NoKey webhook-signature")]
#[case::legacy_without_its_secret(&[DATED_SECRET], legacy_headers(BODY), "NoKey openphone-signature")]
fn what_is_missing_is_named(
    #[case] secrets: &[&str],
    #[case] headers: HeaderMap,
    #[case] named: &str,
) {
    let verifier = Verifier::new(secrets.iter().map(|secret| (*secret).into())).unwrap();
    assert_eq!(
        why(&verifier.verify(&headers, BODY, now()).unwrap_err()),
        named
    );
}

#[test]
fn a_header_that_comes_twice_is_refused() {
    let verifier = verifier();
    let mut twice = legacy_headers(BODY);
    twice.append(
        "openphone-signature",
        HeaderValue::from_static("hmac;1;1776081600000;AAAA"),
    );
    let refused = verifier.verify(&twice, BODY, now()).unwrap_err();
    assert_eq!(why(&refused), "MalformedHeader openphone-signature");

    let mut twice = dated_headers(BODY);
    twice.append("webhook-id", HeaderValue::from_static(DELIVERY_ID));
    let refused = verifier.verify(&twice, BODY, now()).unwrap_err();
    assert_eq!(why(&refused), "MalformedHeader webhook-id");
}

/// A signed dated delivery is not made acceptable, nor unacceptable, by a header of the other system beside it.
#[test]
fn the_dated_signature_decides_where_both_are_sent() {
    let verifier = verifier();
    let mut both = dated_headers(BODY);
    both.extend(legacy("hmac;1;1776081600000;AAAA"));
    assert!(verifier.verify(&both, BODY, now()).is_ok());

    let mut both = legacy_headers(BODY);
    both.extend(dated_headers(b"another body"));
    let refused = verifier.verify(&both, BODY, now()).unwrap_err();
    assert_eq!(why(&refused), "WrongSignature webhook-signature");

    let legacy_only = Verifier::new([LEGACY_SECRET.into()]).unwrap();
    assert!(legacy_only.verify(&both, BODY, now()).is_ok());
}

#[test]
fn secrets_can_be_rotated() {
    let old_and_new = ["bmV3", LEGACY_SECRET, "whsec_bmV3", DATED_SECRET];
    let verifier = Verifier::new(old_and_new.map(Into::into)).unwrap();
    assert!(verifier.verify(&legacy_headers(BODY), BODY, now()).is_ok());
    assert!(verifier.verify(&dated_headers(BODY), BODY, now()).is_ok());
    assert!(
        verifier
            .verify(&legacy(&legacy_entry("bmV3", MILLIS, BODY)), BODY, now())
            .is_ok()
    );

    let new_only = Verifier::new(["bmV3", "whsec_bmV3"].map(Into::into)).unwrap();
    assert!(new_only.verify(&legacy_headers(BODY), BODY, now()).is_err());
    assert!(new_only.verify(&dated_headers(BODY), BODY, now()).is_err());
}

#[rstest]
#[case::other_version(
    "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "WrongSignature webhook-signature"
)]
#[case::asymmetric(
    "v1a,D7Ov0LU1ieHZJBdBZewqCRgs5mWDVZteX/1dW3v1boHrtEpPzZddz4iZZ9P2wwYox4DZ7i+sXItYBLBim57jAQ==",
    "WrongSignature webhook-signature"
)]
#[case::no_version(
    "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "MalformedHeader webhook-signature"
)]
fn other_versions_of_the_dated_signature_are_refused(#[case] signature: &str, #[case] named: &str) {
    let mut headers = dated_headers(BODY);
    headers.insert("webhook-signature", signature.parse().unwrap());
    assert_eq!(
        why(&verifier().verify(&headers, BODY, now()).unwrap_err()),
        named
    );
}

#[test]
fn a_verified_delivery_may_outlive_its_request() {
    let verifier = verifier();
    let kept = {
        let (headers, body) = (dated_headers(BODY), BODY.to_vec());
        verifier
            .verify(&headers, &body, now())
            .unwrap()
            .into_owned()
    };
    let event = std::thread::spawn(move || Event::parse(&kept).unwrap())
        .join()
        .unwrap();
    assert_eq!(event.kind.name(), "tag.added");
}

#[test]
fn debug_tells_presence_and_no_values() {
    for name in [
        "dated.message.received",
        "v2.call.completed.voicemail",
        "v3.contact.updated",
        "dated.task.created",
        "dated.task.updated",
        "dated.call.summary.completed",
        "dated.call.transcript.completed",
        "v4.call.summary.completed.live",
        "v4.call.transcript.completed",
    ] {
        let text = format!("{:?}", event(name));
        for personal in [
            "+1202",
            "nine",
            "Ada",
            "example.com",
            "files",
            "Call back",
            "Buyer",
            "basic",
            "blue",
            "Message taking",
            "help",
            "morning",
        ] {
            assert!(!text.contains(personal), "{name}: {personal} in {text}");
        }
        assert!(text.contains("Event { id: Some(EventId(\"EV"), "{text}");
    }
    let text = format!("{:?}", event("dated.message.received"));
    assert!(
        text.contains("text: present") && text.contains("to: [2]"),
        "{text}"
    );
    assert!(!body("dated.message.received").is_empty());
}

proptest! {
    #[test]
    fn whatever_arrives_is_refused_without_a_panic(
        value in prop_oneof![
            prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..120),
            prop::collection::vec(prop::sample::select(b"hmac;1;,0 AaZz/+=".to_vec()), 0..160),
        ],
        body: Vec<u8>,
    ) {
        let value = HeaderValue::from_bytes(&value).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("openphone-signature", value);
        let refused = verifier().verify(&headers, &body, now()).unwrap_err();
        prop_assert_eq!(refused.to_string(), "webhook verification failed");
    }
}
