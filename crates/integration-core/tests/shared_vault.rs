//! Every case that concerns the vault of the vector collection that `CONNECTORS_SHARED_DIR` names: the `icv1` envelope,
//! the older `{iv}:{data}` form, scrypt, and of Wycheproof AES-GCM (256-bit key, 96-bit IV), HKDF-SHA256 and
//! AES-CBC-PKCS5 (256-bit key).
//!
//! Wycheproof's cases choose nonces, salts and associated data that the vault's interface does not let a caller choose,
//! so they drive the file of primitives beneath it, which is taken in here as it is.

#![cfg(feature = "vault-legacy")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values index to null where a member is absent"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use integration_core::vault::{
    KeyId, Keyring, Legacy, MasterKey, SealContext, StoredForm, Vault, VaultError,
};
use scrypt::Params;
use secrecy::ExposeSecret;
use serde_json::Value;

#[path = "../src/vault/primitives.rs"]
#[expect(dead_code, reason = "what the vectors have no use for")]
mod primitives;

use primitives::{BLOCK_LEN, Cbc, Gcm, NONCE_LEN, TAG_LEN, hkdf_sha256};

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

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let (pairs, []) = text(hex).as_bytes().as_chunks::<2>() else {
        panic!("half a byte: {hex}");
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}

fn key(hex: &Value) -> [u8; 32] {
    bytes(hex).try_into().unwrap()
}

/// The cases of a Wycheproof file, each with its group. Their number is the one the file states.
fn wycheproof(name: &str) -> Option<Vec<(Value, Value)>> {
    let file = vectors(&format!("wycheproof/{name}"))?;
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let tests = group["tests"].as_array().unwrap();
        cases.extend(tests.iter().map(|test| (group.clone(), test.clone())));
    }
    assert_eq!(
        u64::try_from(cases.len()).unwrap(),
        file["numberOfTests"].as_u64().unwrap()
    );
    Some(cases)
}

/// How many cases of each verdict ran.
#[derive(Default)]
struct Ran(BTreeMap<String, usize>);

impl Ran {
    fn count(&mut self, test: &Value) {
        let verdict = text(&test["result"]).to_owned();
        *self.0.entry(verdict).or_default() += 1;
    }

    fn assert(&self, expected: &[(&str, usize)]) {
        let ran = self
            .0
            .iter()
            .map(|(verdict, count)| (verdict.as_str(), *count));
        assert_eq!(ran.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn shared_envelope() {
    let Some(file) = vectors("envelope_icv1.json") else {
        return;
    };
    let tests = file["tests"].as_array().unwrap();
    // The collection's two keys, so that a relabelled value meets a key that is there.
    let mut masters: BTreeMap<&str, MasterKey> = BTreeMap::new();
    for test in tests {
        let master = MasterKey::parse(&text(&test["master_key_hex"]).into()).unwrap();
        masters.entry(text(&test["kid"])).or_insert(master);

        let mut kek = [0; 32];
        let info = b"integration-core/v1/kek";
        hkdf_sha256(b"", &bytes(&test["master_key_hex"]), info, &mut kek).unwrap();
        assert_eq!(kek, key(&test["kek_hex"]));
    }
    let mut masters = masters.into_iter();
    let (first, master) = masters.next().unwrap();
    let mut keyring = Keyring::new(KeyId::new(first).unwrap(), master);
    for (id, master) in masters {
        keyring = keyring.and(KeyId::new(id).unwrap(), master).unwrap();
    }
    assert_eq!(keyring.ids().count(), 2);
    let vault = Vault::new(keyring);

    let mut ran = Ran::default();
    for test in tests {
        let place = ["tenant", "instance", "field"].map(|name| text(&test[name]));
        let context = SealContext::new(place[0], place[1], place[2]);
        let opened = vault.open(&context, text(&test["stored"]));
        if test["result"] == "valid" {
            assert_eq!(
                opened.unwrap().expose_secret(),
                text(&test["plaintext_utf8"]),
                "{test}"
            );
        } else {
            assert_eq!(opened.unwrap_err(), VaultError::Refused, "{test}");
        }
        ran.count(test);
    }
    ran.assert(&[("invalid", 5), ("valid", 3)]);
}

#[test]
fn shared_legacy() {
    let Some(file) = vectors("legacy_aes256cbc_scrypt_salt.json") else {
        return;
    };
    let mut readers: BTreeMap<String, Legacy> = BTreeMap::new();
    let mut ran = Ran::default();
    for test in file["tests"].as_array().unwrap() {
        let secret = text(&test["encryption_key"]);
        let reader = readers
            .entry(secret.to_owned())
            .or_insert_with(|| Legacy::new(&secret.into()).unwrap());
        let stored = text(&test["stored"]);
        let opened = reader.open(stored);
        if test["result"] == "invalid" {
            assert_eq!(opened.unwrap_err(), VaultError::Legacy, "{test}");
        } else {
            // A malleable one opens, to what its comment says: there is no tag to tell.
            assert_eq!(
                opened.unwrap().expose_secret(),
                text(&test["plaintext_utf8"]),
                "{test}"
            );
            assert_eq!(StoredForm::of(stored), StoredForm::Legacy);
        }
        ran.count(test);
    }
    ran.assert(&[("invalid", 9), ("malleable", 1), ("valid", 6)]);
}

#[test]
fn shared_scrypt() {
    let Some(file) = vectors("scrypt.json") else {
        return;
    };
    let tests = file["tests"].as_array().unwrap();
    for test in tests {
        let number = |name: &str| u32::try_from(test[name].as_u64().unwrap()).unwrap();
        let log_n = number("N").ilog2().try_into().unwrap();
        assert!(number("N").is_power_of_two());
        let params = Params::new(log_n, number("r"), number("p")).unwrap();
        let mut out = vec![0; number("dkLen").try_into().unwrap()];
        let (password, salt) = (text(&test["password"]), text(&test["salt"]));
        scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut out).unwrap();
        assert_eq!(out, bytes(&test["out"]), "{test}");
    }
    assert_eq!(tests.len(), 4);
}

#[test]
fn shared_aes_gcm_256() {
    let Some(cases) = wycheproof("aes_gcm_test.json") else {
        return;
    };
    let mut ran = Ran::default();
    for (group, test) in &cases {
        assert_eq!(group["tagSize"], 128);
        if group["keySize"] != 256 || group["ivSize"] != 96 {
            continue;
        }
        let gcm = Gcm::new(&key(&test["key"])).unwrap();
        let nonce: [u8; NONCE_LEN] = bytes(&test["iv"]).try_into().unwrap();
        let (aad, message) = (bytes(&test["aad"]), bytes(&test["msg"]));
        let sealed = [bytes(&test["ct"]), bytes(&test["tag"])].concat();

        let mut opened = vec![0; sealed.len() - TAG_LEN];
        let verdict = gcm.open(&nonce, &aad, &sealed, &mut opened);
        let mut written = vec![0; message.len() + TAG_LEN];
        gcm.seal(&nonce, &aad, &message, &mut written).unwrap();
        if test["result"] == "valid" {
            verdict.unwrap();
            assert_eq!(opened, message, "{test}");
            assert_eq!(written, sealed, "{test}");
        } else {
            assert!(verdict.is_err(), "{test}");
            assert_ne!(written, sealed, "{test}");
        }
        ran.count(test);
    }
    ran.assert(&[("invalid", 27), ("valid", 39)]);
}

#[test]
fn shared_hkdf_sha256() {
    let Some(cases) = wycheproof("hkdf_sha256_test.json") else {
        return;
    };
    let mut ran = Ran::default();
    for (_, test) in &cases {
        let mut out = vec![0; test["size"].as_u64().unwrap().try_into().unwrap()];
        let [ikm, salt, info] = ["ikm", "salt", "info"].map(|name| bytes(&test[name]));
        let derived = hkdf_sha256(&salt, &ikm, &info, &mut out);
        if test["result"] == "valid" {
            derived.unwrap();
            assert_eq!(out, bytes(&test["okm"]), "{test}");
        } else {
            assert!(derived.is_err(), "{test}");
        }
        ran.count(test);
    }
    ran.assert(&[("invalid", 3), ("valid", 83)]);
}

#[test]
fn shared_aes_cbc_pkcs5_256() {
    let Some(cases) = wycheproof("aes_cbc_pkcs5_test.json") else {
        return;
    };
    let mut ran = Ran::default();
    for (group, test) in &cases {
        if group["keySize"] != 256 {
            continue;
        }
        let cbc = Cbc::new(&key(&test["key"])).unwrap();
        let iv: [u8; BLOCK_LEN] = bytes(&test["iv"]).try_into().unwrap();
        let mut data = bytes(&test["ct"]);
        let decrypted = cbc.decrypt(&iv, &mut data);
        if test["result"] == "valid" {
            assert_eq!(decrypted.unwrap(), bytes(&test["msg"]), "{test}");
        } else {
            assert!(decrypted.is_err(), "{test}");
        }
        ran.count(test);
    }
    ran.assert(&[("invalid", 48), ("valid", 24)]);
}
