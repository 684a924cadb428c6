//! From headers to verdict, an HMAC delivery allocates nothing. This file's process counts every allocation.

#![cfg(feature = "webhook")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};
use integration_core::webhook::{HexHmac, HmacKey, HmacKeys, StandardWebhooks, TimestampedHexHmac};
use secrecy::SecretString;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn mac(parts: &[&[u8]]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &parts.concat())
}

fn hex(tag: &hmac::Tag) -> String {
    let nibbles = tag
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f]);
    nibbles
        .map(|nibble| char::from_digit(nibble.into(), 16).unwrap())
        .collect()
}

/// As a proxy passes them on: the ones that matter among others.
fn headers(own: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [
        "host",
        "content-type",
        "content-length",
        "user-agent",
        "x-forwarded-for",
    ] {
        headers.insert(name, HeaderValue::from_static("anything"));
    }
    for (name, value) in own {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn keys() -> HmacKeys {
    HmacKeys::new([b"another key, the newer one", KEY].map(|key| HmacKey::from_bytes(key).unwrap()))
        .unwrap()
}

fn allocations(verify: impl Fn() -> bool) -> u64 {
    // Once outside the count: the library looks at the processor when it is first used.
    assert!(verify());
    let counted = allocation_counter::measure(|| {
        verify();
    });
    counted.count_total
}

#[test]
fn the_counter_counts() {
    assert_ne!(allocations(|| !vec![0_u8; 64].is_empty()), 0);
}

#[test]
fn standard_webhooks_allocate_nothing() {
    let body = vec![b'x'; 2048];
    let good = STANDARD.encode(mac(&[b"msg_1.1700000000.", &body]));
    let wrong = STANDARD.encode([0; 32]);
    let headers = headers(&[
        ("webhook-id", "msg_1".into()),
        ("webhook-timestamp", "1700000000".into()),
        (
            "webhook-signature",
            format!("v1,{wrong} v1a,{wrong} v1,{good}"),
        ),
    ]);
    let verifier = StandardWebhooks::new(keys());
    assert_eq!(
        allocations(|| verifier.verify(&headers, &body, now()).is_ok()),
        0
    );

    // A refusal costs nothing either.
    let forged = [&body, b"x".as_slice()].concat();
    assert_eq!(
        allocations(|| verifier.verify(&headers, &forged, now()).is_err()),
        0
    );
    assert_eq!(
        allocations(|| verifier.verify(&HeaderMap::new(), &body, now()).is_err()),
        0
    );
}

/// Whoever may also be addressed with Ed25519 does not copy a body that carries no such signature.
#[test]
fn a_forged_mac_allocates_nothing_beside_a_public_key() {
    let headers = headers(&[
        ("webhook-id", "msg_1".into()),
        ("webhook-timestamp", "1700000000".into()),
        (
            "webhook-signature",
            format!("v1,{}", STANDARD.encode([0; 32])),
        ),
    ]);
    let secrets = [
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "whpk_Ty28TbJzQ9i7KLwixawyoTIph2fB8ylXWltkksV9pug=",
    ];
    let verifier = StandardWebhooks::from_secrets(&secrets.map(SecretString::from)).unwrap();
    let body = vec![b'x'; 2048];
    assert_eq!(
        allocations(|| verifier.verify(&headers, &body, now()).is_err()),
        0
    );
}

#[test]
fn hex_schemes_allocate_nothing() {
    let body = vec![b'x'; 2048];
    let plain = headers(&[(
        "x-webhook-signature",
        format!("sha256={}", hex(&mac(&[&body]))),
    )]);
    let verifier = HexHmac::new(keys());
    assert_eq!(allocations(|| verifier.verify(&plain, &body).is_ok()), 0);

    let signature = hex(&mac(&[b"1700000000.", &body]));
    let timed = headers(&[(
        "x-signature",
        format!("t=1700000000,v1=junk,v1={signature}"),
    )]);
    let verifier = TimestampedHexHmac::new(keys(), http::HeaderName::from_static("x-signature"));
    assert_eq!(
        allocations(|| verifier.verify(&timed, &body, now()).is_ok()),
        0
    );
}
