//! Every signature case of the vector collection that `CONNECTORS_SHARED_DIR` names: Wycheproof (HMAC-SHA256, Ed25519,
//! RSA-SHA256 with 2048 and 4096 bits), Standard Webhooks, and the `t=…,v1=…` scheme.
//!
//! The collection's HMAC-SHA1 file is left out: the crate does not offer HMAC-SHA1.

#![cfg(feature = "webhook")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values index to null where a member is absent"
)]

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use integration_core::webhook::{
    Ed25519Key, Ed25519Keys, HmacKey, HmacKeys, RsaKey, RsaKeys, StandardWebhooks,
    TimestampedHexHmac, WebhookErrorKind, hex_array,
};
use secrecy::SecretString;
use serde_json::Value;

/// The parsed file, or `None` where there is no collection and none is required.
fn vectors(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("CONNECTORS_SHARED_DIR") else {
        let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED");
        assert!(
            required.is_none_or(|value| value != "1"),
            "CONNECTORS_REQUIRE_SHARED is set, CONNECTORS_SHARED_DIR is not"
        );
        eprintln!("skipped: CONNECTORS_SHARED_DIR is not set ({name})");
        return None;
    };
    let path = PathBuf::from(folder).join("vectors").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).unwrap())
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes();
    assert!(hex.len().is_multiple_of(2));
    hex.chunks(2)
        .map(|pair| hex_array::<1>(pair).unwrap()[0])
        .collect()
}

/// Runs `check` on every test of every group and sees to it that none was passed over.
fn wycheproof(name: &str, mut check: impl FnMut(&Value, &Value)) {
    let Some(file) = vectors(&format!("wycheproof/{name}")) else {
        return;
    };
    let mut ran = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            check(group, test);
            ran += 1;
        }
    }
    assert_eq!(file["numberOfTests"], ran);
}

#[test]
fn shared_hmac_sha256() {
    wycheproof("hmac_sha256_test.json", |group, test| {
        let keys = HmacKeys::from(HmacKey::from_bytes(&bytes(&test["key"])).unwrap());
        let (message, tag) = (bytes(&test["msg"]), bytes(&test["tag"]));
        // Truncated tags are no candidates at all; padded with zeros they must not match either.
        let whole = group["tagSize"] == 256;
        assert_eq!(whole, tag.len() == 32);
        let mut candidate = [0; 32];
        candidate[..tag.len()].copy_from_slice(&tag);
        assert_eq!(
            keys.verify(&[], &message, [candidate]).is_ok(),
            whole && test["result"] == "valid",
            "{test}"
        );
    });
}

#[test]
fn shared_ed25519() {
    wycheproof("ed25519_test.json", |group, test| {
        let from_pem = Ed25519Key::from_pem(group["publicKeyPem"].as_str().unwrap()).unwrap();
        let from_der = Ed25519Key::from_der(&bytes(&group["publicKeyDer"])).unwrap();
        let raw: [u8; 32] = bytes(&group["publicKey"]["pk"]).try_into().unwrap();
        let from_bytes = Ed25519Key::from_bytes(&raw).unwrap();
        let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
        for key in [from_pem, from_der, from_bytes] {
            // A signature of another length cannot even be handed over.
            let signature: Option<[u8; 64]> = signature.as_slice().try_into().ok();
            let verdict = Ed25519Keys::from(key).verify(&[], &message, signature);
            assert_eq!(verdict.is_ok(), test["result"] == "valid", "{test}");
        }
    });
}

fn rsa(name: &str) {
    wycheproof(name, |group, test| {
        let from_pem = RsaKey::from_pem(group["publicKeyPem"].as_str().unwrap()).unwrap();
        let from_der = RsaKey::from_der(&bytes(&group["publicKeyDer"])).unwrap();
        let from_pkcs1 = RsaKey::from_der(&bytes(&group["publicKeyAsn"])).unwrap();
        let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
        for key in [from_pem, from_der, from_pkcs1] {
            let verdict = RsaKeys::from(key).verify(&[], &message, [signature.as_slice()]);
            // "acceptable" is the padding without its NULL; we are strict.
            assert_eq!(verdict.is_ok(), test["result"] == "valid", "{test}");
        }
    });
}

#[test]
fn shared_rsa_2048_sha256() {
    rsa("rsa_signature_2048_sha256_test.json");
}

#[test]
fn shared_rsa_4096_sha256() {
    rsa("rsa_signature_4096_sha256_test.json");
}

#[test]
fn shared_standard_webhooks() {
    let Some(file) = vectors("standard_webhooks.json") else {
        return;
    };
    let tests = file["tests"].as_array().unwrap();
    assert!(tests.len() >= 35);
    for test in tests {
        let secrets: Vec<SecretString> = test["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| SecretString::from(secret.as_str().unwrap()))
            .collect();
        let verifier = StandardWebhooks::from_secrets(&secrets);
        if test["expect"] == "config-error" {
            assert_eq!(
                verifier.unwrap_err().kind(),
                WebhookErrorKind::MalformedKey,
                "{test}"
            );
            continue;
        }
        let tolerance = Duration::from_secs(file["tolerance_seconds"].as_u64().unwrap());
        let verifier = verifier.unwrap().tolerance(tolerance);

        let headers: HeaderMap = test["headers"]
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, value)| {
                let value = HeaderValue::from_str(value.as_str()?).unwrap();
                Some((name.parse::<HeaderName>().unwrap(), value))
            })
            .collect();
        let body = match test["body_base64"].as_str() {
            Some(base64) => STANDARD.decode(base64).unwrap(),
            None => test["body"].as_str().unwrap().into(),
        };
        let now = DateTime::from_timestamp(test["now"].as_i64().unwrap(), 0).unwrap();
        // What the file leaves to the implementation (signed or zero-padded times) it says to refuse.
        let verdict = verifier.verify(&headers, &body, now);
        assert_eq!(verdict.is_ok(), test["expect"] == "valid", "{test}");
    }
}

#[test]
fn shared_timestamped_hex() {
    let Some(file) = vectors("stripe_style_signature.json") else {
        return;
    };
    let tests = file["tests"].as_array().unwrap();
    assert!(tests.len() >= 14);
    for test in tests {
        let key = HmacKey::from_bytes(test["secret"].as_str().unwrap().as_bytes()).unwrap();
        let verifier = TimestampedHexHmac::new(key, HeaderName::from_static("x-signature"))
            .tolerance(Duration::from_secs(test["tolerance"].as_u64().unwrap()));
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-signature",
            test["header"].as_str().unwrap().parse().unwrap(),
        );
        let body = test["payload"].as_str().unwrap().as_bytes();
        let now = DateTime::from_timestamp(test["now"].as_i64().unwrap(), 0).unwrap();
        let verdict = verifier.verify(&headers, body, now);
        assert_eq!(verdict.is_ok(), test["expect"] == "valid", "{test}");
    }
}
