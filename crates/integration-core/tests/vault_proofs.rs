//! The vault's two large proofs: no value opens in another place or under another key's name, and no single bit of a
//! stored value can be changed.

#![cfg(feature = "vault")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use integration_core::vault::{KeyId, Keyring, MasterKey, SealContext, Vault, VaultError};
use secrecy::ExposeSecret;

/// Names whose joins are easily mistaken for one another.
const NAMES: [&str; 10] = ["", "a", "aa", "aaa", "a.", ".a", "a\0", "\0a", "A", "icv1"];

/// One vault per key, each holding all ten keys, with another of them as its primary.
fn vaults() -> Vec<(KeyId, Vault)> {
    let keys: Vec<_> = (0..10)
        .map(|number| {
            let key = MasterKey::generate().unwrap();
            (KeyId::new(&format!("k{number}")).unwrap(), key.to_base64())
        })
        .collect();
    let vault = |primary: &KeyId| {
        let entries: Vec<_> = keys
            .iter()
            .map(|(id, key)| format!("{id}:{}", key.expose_secret()))
            .collect();
        let text = format!("{},index={primary}", entries.join(","));
        let keyring = Keyring::parse(&text.into()).unwrap();
        Vault::new(keyring.promote(primary).unwrap())
    };
    keys.iter().map(|(id, _)| (id.clone(), vault(id))).collect()
}

/// 10 tenants × 10 instances × 10 fields × 10 keys are 10,000 values. Each is tried in all places that differ from its
/// own in one name, in places that differ in several, and under the name of every other key.
#[test]
fn no_value_opens_in_another_place_or_under_another_key() {
    let vaults = vaults();
    let mut tried = 0_u64;
    let mut sealed = 0_u64;
    for place in 0..1000 {
        let own = [place / 100, place / 10 % 10, place % 10];
        let context = |names: [usize; 3]| {
            let [tenant, instance, field] = names.map(|name| NAMES[name]);
            SealContext::new(tenant, instance, field)
        };
        let one_changed = (0..3).flat_map(|axis| {
            (1..10).map(move |shift| {
                let mut names = own;
                names[axis] = (names[axis] + shift) % 10;
                names
            })
        });
        let [tenant, instance, field] = own;
        let several_changed = [
            [instance, tenant, field],
            [tenant, field, instance],
            [field, instance, tenant],
            [instance, field, tenant],
            [field, tenant, instance],
        ];
        let several_changed = several_changed.into_iter().filter(|names| *names != own);
        let elsewhere: Vec<_> = one_changed.chain(several_changed).map(context).collect();

        for (key, vault) in &vaults {
            let secret = format!("secret {place}");
            let stored = vault.seal(&context(own), &secret.as_str().into()).unwrap();
            let opened = vault.open(&context(own), &stored).unwrap();
            assert_eq!(opened.expose_secret(), secret);
            sealed += 1;

            for other in &elsewhere {
                let refused = vault.open(other, &stored).unwrap_err();
                assert_eq!(refused, VaultError::Refused, "{own:?} in {other:?}");
                tried += 1;
            }
            for (other, _) in vaults.iter().filter(|(other, _)| other != key) {
                let (from, to) = (format!("icv1.{key}."), format!("icv1.{other}."));
                let relabelled = stored.replacen(&from, &to, 1);
                let refused = vault.open(&context(own), &relabelled).unwrap_err();
                assert_eq!(refused, VaultError::Refused, "{key} as {other}");
                tried += 1;
            }
        }
    }
    assert_eq!(sealed, 10_000);
    assert!(tried >= 10_000 * (27 + 9), "{tried}");
}

/// Every bit of both parts, and every bit of every character of the text, of 1,000 values.
#[test]
fn no_bit_of_a_stored_value_can_be_changed() {
    let halves = [0..500, 500..1000]
        .map(|numbers| thread::spawn(move || numbers.map(flip_every_bit).sum::<usize>()));
    let flipped: usize = halves.map(|half| half.join().unwrap()).into_iter().sum();
    // At least 60 and 28 bytes, and 80 and 38 characters.
    assert!(flipped > 1000 * 8 * (60 + 28 + 80 + 38), "{flipped}");
}

/// Returns how many bits were flipped, one at a time.
fn flip_every_bit(number: usize) -> usize {
    let vault = Vault::new(Keyring::new(
        KeyId::new("k1").unwrap(),
        MasterKey::generate().unwrap(),
    ));
    let context = SealContext::new("acme", &number.to_string(), "api_key");
    // Short, and of every length that base64 ends differently for.
    let secret = "0123456789abcdef".get(..number % 17).unwrap();
    let stored = vault.seal(&context, &secret.into()).unwrap();
    assert!(vault.open(&context, &stored).is_ok());
    let refused = |altered: &str| vault.open(&context, altered).is_err();

    let mut flipped = 0;
    let parts: Vec<_> = stored.split('.').collect();
    for part in [2, 3] {
        let mut bytes = BASE64.decode(parts[part]).unwrap();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let encoded = BASE64.encode(&bytes);
            let mut altered = parts.clone();
            altered[part] = &encoded;
            let altered = altered.join(".");
            assert!(refused(&altered), "bit {bit} of part {part}: {altered}");
            bytes[bit / 8] ^= 1 << (bit % 8);
            flipped += 1;
        }
    }
    let mut text = stored.clone().into_bytes();
    for bit in 0..text.len() * 8 {
        text[bit / 8] ^= 1 << (bit % 8);
        // Text that is not UTF-8 cannot even be passed.
        if let Ok(altered) = str::from_utf8(&text) {
            assert!(refused(altered), "bit {bit} of the text: {altered}");
        }
        text[bit / 8] ^= 1 << (bit % 8);
        flipped += 1;
    }
    flipped
}
