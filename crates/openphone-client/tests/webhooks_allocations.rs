//! From headers to verdict nothing is allocated, whichever system signed. This file's process counts allocations.

#![cfg(feature = "webhooks")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use openphone_client::webhooks::Verifier;
use rstest::rstest;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_776_081_600, 0).unwrap()
}

fn mac(parts: &[&[u8]]) -> String {
    STANDARD.encode(hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, KEY),
        &parts.concat(),
    ))
}

/// Both kinds of secret, the right one behind another.
fn verifier() -> Verifier {
    let right = STANDARD.encode(KEY);
    let secrets = [
        "b3RoZXI=".to_owned(),
        right.clone(),
        "whsec_b3RoZXI=".to_owned(),
        format!("whsec_{right}"),
    ];
    Verifier::new(secrets.map(Into::into)).unwrap()
}

fn headers(own: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    for (name, value) in own {
        headers.insert(*name, value.parse().unwrap());
    }
    headers
}

fn legacy(body: &[u8], before: &str) -> HeaderMap {
    let mac = mac(&[b"1776081600000.", body]);
    headers(&[(
        "openphone-signature",
        format!("{before}hmac;1;1776081600000;{mac}"),
    )])
}

fn dated(body: &[u8], before: &str) -> HeaderMap {
    let mac = mac(&[b"msg_1.1776081600.", body]);
    headers(&[
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", "1776081600".to_owned()),
        ("webhook-signature", format!("{before}v1,{mac}")),
    ])
}

#[rstest]
#[case::legacy(legacy, "")]
#[case::legacy_list(legacy, "hmac;2;1776081600000;AAAA, ")]
#[case::dated(dated, "")]
#[case::dated_list(dated, "v2,AAAA ")]
fn a_verdict_allocates_nothing(#[case] sign: fn(&[u8], &str) -> HeaderMap, #[case] before: &str) {
    let body = vec![b'x'; 2048];
    let (verifier, headers) = (verifier(), sign(&body, before));
    let altered = [&body, b"x".as_slice()].concat();
    // Once outside the count: the library looks at the processor when it is first used.
    assert!(verifier.verify(&headers, &body, now()).is_ok());
    let counted = allocation_counter::measure(|| {
        assert!(verifier.verify(&headers, &body, now()).is_ok());
        assert!(verifier.verify(&headers, &altered, now()).is_err());
        assert!(
            verifier
                .verify(&headers, &body, DateTime::UNIX_EPOCH)
                .is_err()
        );
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| assert_eq!(vec![0_u8; 64].len(), 64));
    assert_ne!(counted.count_total, 0);
}
