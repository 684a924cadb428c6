//! The deliveries in `tests/fixtures/webhooks`, signed as the vendor signs them.
//!
//! They have the shapes of the vendor's documents and of live deliveries (live `v4` ones come compact with sorted keys),
//! with invented people, numbers and texts. The payloads of `v4` contact events and of the
//! app's tasks are not documented; theirs are composed of API v1's own contact and task.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use openphone_client::webhooks::{Event, Verifier, WebhookError};
use std::fs;
use std::path::PathBuf;

pub(crate) const LEGACY_SECRET: &str = "bGVnYWN5IHNpZ25pbmcga2V5IG9mIHRoZSB0ZXN0cw==";
pub(crate) const DATED_SECRET: &str = "whsec_ZGF0ZWQgc2lnbmluZyBrZXkgb2YgdGhlIHRlc3Rz";
pub(crate) const DELIVERY_ID: &str = "msg_2kXq7Lr9TfBv";
const SECONDS: &str = "1776081600";
const MILLIS: &str = "1776081600000";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_776_081_610, 0).unwrap()
}

/// Name and bytes of every fixture, sorted by name.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks");
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    fixtures.sort();
    assert!(fixtures.len() >= 58, "{}", fixtures.len());
    fixtures
}

pub(crate) fn body(name: &str) -> Vec<u8> {
    let all = all();
    all.into_iter()
        .find(|(found, _)| found == name)
        .unwrap_or_else(|| panic!("{name}"))
        .1
}

pub(crate) fn mac(secret: &str, parts: &[&[u8]]) -> String {
    let base64 = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(base64).unwrap());
    STANDARD.encode(hmac::sign(&key, &parts.concat()))
}

pub(crate) fn legacy_entry(secret: &str, time: &str, body: &[u8]) -> String {
    format!(
        "hmac;1;{time};{}",
        mac(secret, &[time.as_bytes(), b".", body])
    )
}

pub(crate) fn legacy_headers(body: &[u8]) -> HeaderMap {
    headers(&[(
        "openphone-signature",
        &legacy_entry(LEGACY_SECRET, MILLIS, body),
    )])
}

pub(crate) fn dated_headers(body: &[u8]) -> HeaderMap {
    let mac = mac(
        DATED_SECRET,
        &[DELIVERY_ID.as_bytes(), b".", SECONDS.as_bytes(), b".", body],
    );
    headers(&[
        ("webhook-id", DELIVERY_ID),
        ("webhook-timestamp", SECONDS),
        ("webhook-signature", &format!("v1,{mac}")),
    ])
}

pub(crate) fn headers(own: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    for (name, value) in own {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new([LEGACY_SECRET.into(), DATED_SECRET.into()]).unwrap()
}

/// Signs, verifies and parses, each generation by its own scheme.
pub(crate) fn parse(dated: bool, body: &[u8]) -> Result<Event, WebhookError> {
    let headers = if dated {
        dated_headers(body)
    } else {
        legacy_headers(body)
    };
    let verifier = verifier();
    let delivery = verifier.verify(&headers, body, now()).unwrap();
    Event::parse(&delivery)
}

pub(crate) fn event(name: &str) -> Event {
    parse(name.starts_with("dated."), &body(name))
        .unwrap_or_else(|error| panic!("{name}: {error:?}"))
}
