//! What sealing costs above the bare cipher, and what reading the older form costs once its key is derived:
//! `cargo bench -p integration-core`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

#[path = "../../connector-http/benches/harness/mod.rs"]
#[expect(
    dead_code,
    reason = "the harness serves several programs, and each uses a part of it"
)]
mod harness;

use std::hint::black_box;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use integration_core::vault::{KeyId, Keyring, Legacy, MasterKey, SealContext, Vault};
use scrypt::Params;
use secrecy::SecretString;

/// 64 bytes.
const CREDENTIAL: &str = "sk_live_0123456789abcdef0123456789abcdef0123456789abcdef01234567";
/// `{"api_key":"sk_live_abc"}`.
const LEGACY_SECRET: &str = "the older system's secret";
const LEGACY_VALUE: &str = "2804bad6fe94a55f18b2b37e300919a5:eff6841f84e9cda9d922773c417d6007b82d52e9ec1f8b7524a24d87fbbf1cda";
/// Enough for a tenth of a second and more, because the scheduler's statistics move in steps of milliseconds.
const ROUNDS: usize = 200_000;

fn main() {
    assert_eq!(CREDENTIAL.len(), 64);
    print_seal();
    print_open();
    print_legacy();
}

fn print_seal() {
    let (vault, context) = vault();
    let secret = SecretString::from(CREDENTIAL);
    let two_raw = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                black_box(raw_seal(black_box(CREDENTIAL.as_bytes())));
                black_box(raw_seal(black_box(CREDENTIAL.as_bytes())));
            }
        })
    };
    let seal = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                let stored = vault.seal(black_box(&context), black_box(&secret));
                black_box(stored.expect("sealed"));
            }
        })
    };
    let ratio = harness::ratio(two_raw, seal);
    harness::print("vault_seal_ratio", ratio, "at most 1.5");
}

fn print_open() {
    let (vault, context) = vault();
    let stored = vault
        .seal(&context, &SecretString::from(CREDENTIAL))
        .expect("sealed");
    let raw = raw_seal(CREDENTIAL.as_bytes());
    let two_raw = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                black_box(raw_open(black_box(&raw)));
                black_box(raw_open(black_box(&raw)));
            }
        })
    };
    let open = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                let opened = vault.open(black_box(&context), black_box(&stored));
                black_box(opened.expect("opened"));
            }
        })
    };
    let ratio = harness::ratio(two_raw, open);
    harness::print("vault_open_ratio", ratio, "at most 1.5");
}

fn print_legacy() {
    let legacy = Legacy::new(&SecretString::from(LEGACY_SECRET)).expect("derived");
    legacy.open(LEGACY_VALUE).expect("opened");
    let one_scrypt = || {
        harness::cpu_of(|| {
            let params = Params::new(14, 8, 1).expect("parameters");
            let mut key = [0; 32];
            let secret = black_box(LEGACY_SECRET.as_bytes());
            scrypt::scrypt(secret, b"salt", &params, &mut key).expect("derived");
            black_box(key);
        })
    };
    // A hundred times as many, for the same reason.
    let thousand_reads = || {
        harness::cpu_of(|| {
            for _ in 0..100_000 {
                black_box(legacy.open(black_box(LEGACY_VALUE)).expect("opened"));
            }
        }) / 100.0
    };
    let ratio = harness::ratio(one_scrypt, thousand_reads);
    harness::print("legacy_reads_ratio", ratio, "at most 0.1");
}

fn vault() -> (Vault, SealContext) {
    let master = MasterKey::generate().expect("a key");
    let id = KeyId::new("k2026a").expect("an id");
    let context = SealContext::new("acme", "0197c0de-0000-7000-8000-000000000001", "api_key");
    (Vault::new(Keyring::new(id, master)), context)
}

struct RawSealed {
    key: [u8; 32],
    nonce: [u8; NONCE_LEN],
    sealed: Vec<u8>,
}

/// A fresh key, a fresh nonce, one seal.
fn raw_seal(plaintext: &[u8]) -> RawSealed {
    let mut key = [0; 32];
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut key).expect("random");
    rand::fill(&mut nonce).expect("random");
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("a key"));
    let mut sealed = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(plaintext);
    cipher
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .expect("sealed");
    RawSealed { key, nonce, sealed }
}

fn raw_open(raw: &RawSealed) -> Vec<u8> {
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &raw.key).expect("a key"));
    let mut opened = raw.sealed.clone();
    let nonce = Nonce::assume_unique_for_key(raw.nonce);
    let length = cipher
        .open_in_place(nonce, Aad::empty(), &mut opened)
        .expect("opened")
        .len();
    opened.truncate(length);
    opened
}
