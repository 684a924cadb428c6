//! The vault: values made by another implementation (Node's crypto), what is refused, keyrings, blind indexes, and that
//! nothing shows a secret.

#![cfg(feature = "vault")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::env::VarError;
use std::error::Error as StdError;
use std::fmt::{Debug, Write as _};

use integration_core::TenantId;
use integration_core::vault::{
    EnvironmentKeys, KEY_VARIABLE, KeyError, KeyErrorKind, KeyId, KeyProvider, Keyring, MasterKey,
    SealContext, StoredForm, Vault, VaultError,
};
use proptest::prelude::*;
use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};

const K1: &str = "75a5080016cfc41ac1d6f3001a7869584e52672862e066744cc5d464a49fae0f";
const K1_BASE64: &str = "daUIABbPxBrB1vMAGnhpWE5SZyhi4GZ0TMXUZKSfrg8=";
const K2: &str = "701ccdc2dbef90bcb31178d36a6cc8d33c4c198e49f0fcd2bbb6342bb241a383";

const SEALED: &str = "icv1.k1.AinhhpLOmofWkX6zbJCfrTKhTSFH1pcqFq1oWNE8m26Nl7112cw1OVx_dy70NBGpn-nlQz3bURyLg5qd.B-qhmqRqsbkcnzqrlvfYaZXMmq9NzbzZztv8N0N3BgxnTWnp2vZX";
const SEALED_UNDER_K2: &str = "icv1.key_2-B.ahk5hpE6FcMDfZ7678xQEaysrNVQmIk06Z_sCnl3djUGJfx7E-HrswyKjP4-CNpxJpJvkOfg6YvCiFaS.s88vUpOZYpD4m74x0AWPkBIK161ZRZROj94Rzw";
const SEALED_UNICODE: &str = "icv1.k1.d3x3Ff4juDyIGraI-v5tFcOsbTOebO-ooPbghIIKgGZxxPjIt_7s_fTr4ykXNSkA6Y_qsOtOfl4rZmip.oAEcB5eUIJHOOmt1j2Sh5fmKkOppym2lgNv1zHVjwtJWsq-OdlNNmS5j3DNG3nMG4ro";
/// The bytes `ff fe`.
const SEALED_BYTES: &str = "icv1.k1.lsXxkppemWAwV_E_gM9iPajU8i4Fdv9PedyvdSWZPPYx-JuC-L3ZnJHatPzERfNwvmOv31_S8d5Wrm9k.cLLMybwSeBg3mAovF-WU1wJ_8kvKx75rbhggnncZ";

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn key(text: &str) -> MasterKey {
    MasterKey::parse(&text.into()).unwrap()
}

fn vault() -> Vault {
    Vault::new(
        Keyring::new(id("k1"), key(K1))
            .and(id("key_2-B"), key(K2))
            .unwrap(),
    )
}

fn context() -> SealContext {
    SealContext::new("acme", "instance-1", "api_key")
}

fn open(vault: &Vault, context: &SealContext, stored: &str) -> Result<String, VaultError> {
    let opened = vault.open(context, stored)?;
    Ok(opened.expose_secret().to_owned())
}

#[rstest]
#[case(("acme", "instance-1", "api_key"), SEALED, "sk_live_abc")]
#[case(("mieter-ä", "", "webhook.ep.wh"), SEALED_UNDER_K2, "")]
#[case(
    ("", "0197c0de-0000-7000-8000-000000000001", "oauth.refresh_token.owner"),
    SEALED_UNICODE,
    r#"{"clé":"日本 🔑"}"#
)]
fn values_of_another_implementation_open(
    #[case] (tenant, instance, field): (&str, &str, &str),
    #[case] stored: &str,
    #[case] plaintext: &str,
) {
    let context = SealContext::new(tenant, instance, field);
    assert_eq!(open(&vault(), &context, stored).unwrap(), plaintext);
}

#[rstest]
#[case::another_tenant(("umbrella", "instance-1", "api_key"))]
#[case::another_instance(("acme", "instance-2", "api_key"))]
#[case::another_field(("acme", "instance-1", "api_secret"))]
#[case::boundary_moved(("acmei", "nstance-1", "api_key"))]
#[case::other_case(("Acme", "instance-1", "api_key"))]
#[case::empty(("", "", ""))]
fn a_value_opens_in_its_own_place_alone(#[case] (tenant, instance, field): (&str, &str, &str)) {
    let elsewhere = SealContext::new(tenant, instance, field);
    let vault = vault();
    assert_eq!(open(&vault, &elsewhere, SEALED), Err(VaultError::Refused));
    let refused = vault.rewrap(&elsewhere, SEALED).unwrap_err();
    assert_eq!(refused, VaultError::Refused);
}

#[test]
fn a_value_names_its_key_and_no_other_is_tried() {
    let relabelled = SEALED.replacen(".k1.", ".key_2-B.", 1);
    assert_eq!(
        open(&vault(), &context(), &relabelled),
        Err(VaultError::Refused)
    );

    // The right key under another id does not count.
    let renamed = Vault::new(Keyring::new(id("renamed"), key(K1)));
    assert_eq!(
        open(&renamed, &context(), SEALED),
        Err(VaultError::UnknownKey { key: id("k1") })
    );
    let unknown = open(&renamed, &context(), SEALED).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the stored value is sealed under key k1, which is not in the keyring"
    );

    // Another key under the right id does not open it.
    let impostor = Vault::new(Keyring::new(id("k1"), key(K2)));
    assert_eq!(
        open(&impostor, &context(), SEALED),
        Err(VaultError::Refused)
    );
}

#[test]
fn every_truncation_is_refused() {
    let vault = vault();
    for length in 0..SEALED.len() {
        let refused = open(&vault, &context(), &SEALED[..length]).unwrap_err();
        assert!(
            matches!(refused, VaultError::Malformed | VaultError::Refused),
            "{length}: {refused:?}"
        );
    }
}

#[test]
fn what_is_not_text_is_not_returned_as_text() {
    let refused = open(&vault(), &context(), SEALED_BYTES).unwrap_err();
    assert_eq!(refused, VaultError::NotText);
    // Rotation carries it over all the same.
    let keyring = Keyring::new(id("k1"), key(K1)).and(id("k2"), key(K2));
    let vault = Vault::new(keyring.unwrap().promote(&id("k2")).unwrap());
    let carried = vault.rewrap(&context(), SEALED_BYTES).unwrap().unwrap();
    assert_eq!(open(&vault, &context(), &carried), Err(VaultError::NotText));
}

#[test]
fn what_is_too_large_is_refused_both_ways() {
    let vault = vault();
    let largest = SecretString::from("a".repeat(64 * 1024));
    let stored = vault.seal(&context(), &largest).unwrap();
    assert_eq!(open(&vault, &context(), &stored).unwrap().len(), 64 * 1024);

    let larger = SecretString::from("a".repeat(64 * 1024 + 1));
    let refused = vault.seal(&context(), &larger).unwrap_err();
    assert_eq!(refused, VaultError::TooLarge);
    let long = format!("{stored}{}", "A".repeat(1024));
    assert_eq!(open(&vault, &context(), &long), Err(VaultError::Malformed));
    let absurd = SealContext::new(&"t".repeat(1 << 20), "", "");
    let refused = vault.seal(&absurd, &"a".into()).unwrap_err();
    assert_eq!(refused, VaultError::TooLarge);
}

#[test]
fn sealing_twice_gives_two_texts() {
    let vault = vault();
    let seal = || vault.seal(&context(), &"sk_live_abc".into()).unwrap();
    let (one, two) = (seal(), seal());
    let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (parts(&one), parts(&two));
    assert_eq!(one[..2], two[..2]);
    assert_ne!(one[2], two[2]);
    assert_ne!(one[3], two[3]);
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        secret in "\\PC{0,200}",
        tenant in "\\PC{0,20}",
        instance in "\\PC{0,20}",
        field in "\\PC{0,20}",
    ) {
        let vault = vault();
        let context = SealContext::new(&tenant, &instance, &field);
        let stored = vault.seal(&context, &secret.as_str().into()).unwrap();
        prop_assert_eq!(open(&vault, &context, &stored).unwrap(), secret);
        prop_assert_eq!(StoredForm::of(&stored), StoredForm::Sealed { key: id("k1") });
        prop_assert_eq!(vault.rewrap(&context, &stored).unwrap(), None);
    }

    #[test]
    fn nothing_stored_is_a_panic(stored in "\\PC*", tail in "[A-Za-z0-9_.-]*") {
        let vault = vault();
        let stored = [stored, format!("icv1.k1.{tail}")];
        prop_assert!(stored.iter().all(|stored| vault.open(&context(), stored).is_err()));
        let forms = stored.map(|stored| StoredForm::of(&stored));
        prop_assert_eq!(forms, [StoredForm::Neither, StoredForm::Neither]);
    }
}

#[test]
fn a_rewrapped_value_lies_under_the_primary_key_and_opens_the_same() {
    let keyring = Keyring::new(id("k1"), key(K1)).and(id("k2"), key(K2));
    let vault = Vault::new(keyring.unwrap().promote(&id("k2")).unwrap());
    let rewrapped = vault.rewrap(&context(), SEALED).unwrap().unwrap();
    assert_eq!(
        StoredForm::of(&rewrapped),
        StoredForm::Sealed { key: id("k2") }
    );

    // The old key is not needed any more.
    let without = Vault::new(Keyring::new(id("k2"), key(K2)));
    assert_eq!(
        open(&without, &context(), &rewrapped).unwrap(),
        "sk_live_abc"
    );
    assert_eq!(vault.rewrap(&context(), &rewrapped).unwrap(), None);
}

#[test]
fn a_damaged_value_is_not_vouched_for_by_rewrapping() {
    let vault = vault();
    let mut damaged = SEALED.to_owned();
    damaged.replace_range(damaged.len() - 3.., "AAA");
    assert_eq!(
        vault.rewrap(&context(), &damaged).unwrap_err(),
        VaultError::Refused
    );
    assert_eq!(
        vault.rewrap(&context(), "sk_live_abc").unwrap_err(),
        VaultError::Malformed
    );
}

#[test]
fn a_running_vault_takes_each_step_of_a_rotation() {
    let vault = Vault::new(Keyring::new(id("k1"), key(K1)));
    let clone = vault.clone();
    let both = || {
        Keyring::new(id("k1"), key(K1))
            .and(id("k2"), key(K2))
            .unwrap()
    };

    vault.replace_keyring(both()).unwrap();
    assert_eq!(clone.primary_id(), id("k1"));
    vault
        .replace_keyring(both().promote(&id("k2")).unwrap())
        .unwrap();
    assert_eq!(clone.primary_id(), id("k2"));
    assert_eq!(clone.index_id(), id("k1"));
    assert_eq!(clone.key_ids(), [id("k2"), id("k1")]);
    assert_eq!(open(&clone, &context(), SEALED).unwrap(), "sk_live_abc");
}

#[test]
fn a_running_vault_refuses_a_keyring_that_would_lose_something() {
    let vault = vault();
    let kind = |keyring| vault.replace_keyring(keyring).unwrap_err().kind();
    let other = || MasterKey::generate().unwrap();
    assert_eq!(
        kind(Keyring::new(id("k2"), key(K2))),
        KeyErrorKind::IndexKeyChanged
    );
    assert_eq!(
        kind(Keyring::new(id("k1"), other())),
        KeyErrorKind::IndexKeyChanged
    );
    let changed = Keyring::new(id("k1"), key(K1)).and(id("key_2-B"), other());
    assert_eq!(kind(changed.unwrap()), KeyErrorKind::KeyChanged);
    let primary_changed = Keyring::new(id("key_2-B"), other()).and(id("k1"), key(K1));
    let primary_changed = primary_changed.unwrap().index_with(&id("k1"));
    assert_eq!(kind(primary_changed.unwrap()), KeyErrorKind::KeyChanged);
    // A primary that is not the index key may not become another under its id either.
    let keyring = |primary| {
        let keyring = Keyring::new(id("k1"), primary).and(id("key_2-B"), key(K2));
        keyring.unwrap().index_with(&id("key_2-B")).unwrap()
    };
    let running = Vault::new(keyring(key(K1)));
    let refused = running.replace_keyring(keyring(other())).unwrap_err();
    assert_eq!(refused.kind(), KeyErrorKind::KeyChanged);
    // And it goes on with the one it had.
    assert_eq!(vault.key_ids(), [id("k1"), id("key_2-B")]);
    assert_eq!(open(&vault, &context(), SEALED).unwrap(), "sk_live_abc");
}

#[rstest]
#[case::hex(K1)]
#[case::upper_case_hex("75A5080016CFC41AC1D6F3001A7869584E52672862E066744CC5D464A49FAE0F")]
#[case::base64(K1_BASE64)]
#[case::without_padding("daUIABbPxBrB1vMAGnhpWE5SZyhi4GZ0TMXUZKSfrg8")]
#[case::with_a_newline("daUIABbPxBrB1vMAGnhpWE5SZyhi4GZ0TMXUZKSfrg8=\n")]
fn a_key_is_taken_in_each_encoding(#[case] text: &str) {
    let vault = Vault::new(Keyring::new(id("k1"), key(text)));
    assert_eq!(open(&vault, &context(), SEALED).unwrap(), "sk_live_abc");
}

#[test]
fn a_key_is_taken_in_base64url() {
    let bytes = [0xfb; 32];
    let standard = key("+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=");
    let url_safe = key("-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
    let raw = MasterKey::from_bytes(&bytes).unwrap();
    for key in [&standard, &url_safe] {
        assert_eq!(
            key.to_base64().expose_secret(),
            raw.to_base64().expose_secret()
        );
    }
}

#[rstest]
#[case::empty("", KeyErrorKind::Empty)]
#[case::blank(" \n", KeyErrorKind::Empty)]
#[case::a_password("correct horse battery staple", KeyErrorKind::Encoding)]
#[case::both_alphabets("+_v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=", KeyErrorKind::Encoding)]
#[case::bits_left_over("daUIABbPxBrB1vMAGnhpWE5SZyhi4GZ0TMXUZKSfrg9=", KeyErrorKind::Encoding)]
#[case::sixteen_bytes("AAAAAAAAAAAAAAAAAAAAAA==", KeyErrorKind::Length { bytes: 16 })]
#[case::thirty_three_bytes("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", KeyErrorKind::Length { bytes: 33 })]
#[case::hex_one_short(
    "75a5080016cfc41ac1d6f3001a7869584e52672862e066744cc5d464a49fae0",
    KeyErrorKind::Encoding
)]
#[case::hex_of_sixteen_bytes("75a5080016cfc41ac1d6f3001a786958", KeyErrorKind::Length { bytes: 16 })]
fn an_unusable_key_is_refused(#[case] text: &str, #[case] kind: KeyErrorKind) {
    let refused = MasterKey::parse(&text.into()).unwrap_err();
    assert_eq!(refused.kind(), kind);
    assert!(refused.to_string().contains("openssl rand -base64 32"));

    let in_environment = Keyring::from_lookup(|_| Ok(text.to_owned())).unwrap_err();
    assert_eq!(in_environment.kind(), kind);
    let said = in_environment.to_string();
    assert!(said.starts_with("API_KEY_ENCRYPTION_SECRET: "), "{said}");
    assert!(said.contains("openssl rand -base64 32"), "{said}");
    let text = text.trim();
    assert!(text.is_empty() || !format!("{said} {in_environment:?}").contains(text));
}

/// What a keyring takes is not a key; a newcomer who mixes them up is told which of them he has.
#[rstest]
#[case::base64("k1:{1}", KeyErrorKind::IdInFront)]
#[case::blanks(" k1 : {1}\n", KeyErrorKind::IdInFront)]
#[case::no_id(":{1}", KeyErrorKind::Encoding)]
#[case::not_an_id("a.b:{1}", KeyErrorKind::Encoding)]
fn a_key_with_an_id_is_not_a_key(#[case] form: &str, #[case] kind: KeyErrorKind) {
    let text = form.replace("{1}", K1_BASE64);
    let refused = MasterKey::parse(&text.into()).unwrap_err();
    assert_eq!(refused.kind(), kind);
    let shown = shown(&refused);
    assert!(!shown.contains(K1_BASE64), "{shown}");
}

#[rstest]
#[case(
    KeyErrorKind::Missing,
    "no master key is set; make one with `openssl rand -base64 32`, or restore the one that stored values were sealed with"
)]
#[case(
    KeyErrorKind::Length { bytes: 16 },
    "the master key has 16 bytes instead of 32; make one with `openssl rand -base64 32`, or restore the one that stored values were sealed with"
)]
#[case(
    KeyErrorKind::IdInFront,
    "an id stands in front of the master key; here the key is wanted alone, without the id and the colon"
)]
#[case(
    KeyErrorKind::Separator,
    "the keys of a keyring are separated by commas: `k2:KEY,k1:KEY,index=k1`"
)]
#[case(
    KeyErrorKind::DuplicateIndex,
    "`index=` is there twice; leave the one that names the key that blind indexes were made with so far"
)]
#[case(
    KeyErrorKind::DuplicateKey,
    "the same key is there twice under two ids; take one out, or make another with `openssl rand -base64 32` for the newer id"
)]
#[case(
    KeyErrorKind::IndexKeyNotNamed,
    "with several keys, one must be named for blind indexes and fingerprints: append `,index=` and the id of the key that made them so far, which usually is the older one"
)]
fn what_is_wrong_with_a_key_is_said_with_what_to_do(
    #[case] kind: KeyErrorKind,
    #[case] text: &str,
) {
    assert_eq!(kind.to_string(), text);
}

#[rstest]
#[case::not_set(VarError::NotPresent, KeyErrorKind::Missing)]
#[case::not_text(VarError::NotUnicode(K1.into()), KeyErrorKind::Encoding)]
fn a_missing_variable_is_named(#[case] cause: VarError, #[case] kind: KeyErrorKind) {
    let refused = Keyring::from_lookup(|name| {
        assert_eq!(name, KEY_VARIABLE);
        Err(cause)
    });
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), kind);
    assert_eq!(refused.variable(), Some("API_KEY_ENCRYPTION_SECRET"));
    let shown = shown(&refused);
    assert!(shown.contains("API_KEY_ENCRYPTION_SECRET"), "{shown}");
    assert!(shown.contains("openssl rand -base64 32"), "{shown}");
    assert!(!shown.contains(K1), "{shown}");
}

#[rstest]
#[case::one_without_an_id("{1}", "k137eb8072533", &["k137eb8072533"])]
#[case::one_with_an_id("main:{1}", "main", &["main"])]
#[case::named_as_its_own_index_key("main:{1},index=main", "main", &["main"])]
#[case::two("b:{2},a:{1},index=a", "a", &["b", "a"])]
#[case::two_the_other_way("a:{1},b:{2},index=a", "a", &["a", "b"])]
#[case::index_first("index=b,a:{1},b:{2}", "b", &["a", "b"])]
#[case::blanks_and_a_newline(" b : {2} , a:{1} , index=a \n", "a", &["b", "a"])]
#[case::blank_before_the_colon("main :{1}", "main", &["main"])]
#[case::mixed("{2},a:{1},index=a", "a", &["ke0a04ac84a35", "a"])]
#[case::neither_has_an_id(
    "{2},{1},index=k137eb8072533",
    "k137eb8072533",
    &["ke0a04ac84a35", "k137eb8072533"]
)]
fn a_keyring_is_read(#[case] form: &str, #[case] index: &str, #[case] ids: &[&str]) {
    let text = form.replace("{1}", K1_BASE64).replace("{2}", K2);
    let keyring = Keyring::from_lookup(|_| Ok(text)).unwrap();
    let read: Vec<_> = keyring.ids().map(KeyId::as_str).collect();
    assert_eq!(read, ids);
    assert_eq!(keyring.primary_id().as_str(), ids[0]);
    assert_eq!(keyring.index_id().as_str(), index);
}

#[rstest]
#[case::no_index_key("b:{2},a:{1}", KeyErrorKind::IndexKeyNotNamed, None)]
#[case::unknown_index_key("b:{2},a:{1},index=c", KeyErrorKind::UnknownId, Some(3))]
#[case::two_index_keys("a:{1},index=a,index=a", KeyErrorKind::DuplicateIndex, Some(3))]
#[case::semicolon("a:{1};b:{2}", KeyErrorKind::Separator, None)]
#[case::semicolon_without_ids("{1};{2}", KeyErrorKind::Separator, None)]
#[case::semicolon_before_index("a:{1},b:{2};index=a", KeyErrorKind::Separator, None)]
#[case::lines("a:{1}\nb:{2}\nindex=a\n", KeyErrorKind::Separator, None)]
#[case::blank("a:{1} b:{2}", KeyErrorKind::Separator, None)]
#[case::bar("a:{1}|b:{2}", KeyErrorKind::Separator, None)]
#[case::blank_in_a_key("a:AAAA AAAA", KeyErrorKind::Encoding, None)]
#[case::no_key_at_all("index=a", KeyErrorKind::Missing, None)]
#[case::same_id("a:{1},a:{2},index=a", KeyErrorKind::DuplicateId, Some(2))]
#[case::same_key("a:{1},b:{1},index=a", KeyErrorKind::DuplicateKey, Some(2))]
#[case::same_key_without_ids("{1},{1}", KeyErrorKind::DuplicateId, Some(2))]
#[case::comma_at_the_end("a:{1},", KeyErrorKind::Empty, Some(2))]
#[case::no_key_behind_the_id("a:", KeyErrorKind::Empty, None)]
#[case::no_id(":{1}", KeyErrorKind::KeyId, None)]
#[case::dot_in_an_id("a.b:{1}", KeyErrorKind::KeyId, None)]
#[case::two_colons("a:b:{1}", KeyErrorKind::IdInFront, None)]
#[case::id_and_key_swapped("{1}:{2}", KeyErrorKind::KeyId, None)]
#[case::short_key_second("a:{1},b:AAAA,index=a", KeyErrorKind::Length { bytes: 2 }, Some(2))]
fn an_unusable_keyring_is_refused(
    #[case] form: &str,
    #[case] kind: KeyErrorKind,
    #[case] entry: Option<usize>,
) {
    let text = form.replace("{1}", K1).replace("{2}", K2);
    let refused = Keyring::from_lookup(|_| Ok(text)).unwrap_err();
    assert_eq!(refused.kind(), kind);
    let shown = shown(&refused);
    let place = match entry {
        Some(entry) => format!("API_KEY_ENCRYPTION_SECRET, entry {entry}: "),
        None => "API_KEY_ENCRYPTION_SECRET: ".to_owned(),
    };
    assert!(shown.contains(&place), "{shown}");
    assert!(!shown.contains(K1) && !shown.contains(K2), "{shown}");
}

#[rstest]
#[case("a", true)]
#[case("Az09_-", true)]
#[case(
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
    true
)]
#[case(
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
    false
)]
#[case("", false)]
#[case("a.b", false)]
#[case("a b", false)]
#[case("schlüssel", false)]
fn key_ids(#[case] text: &str, #[case] valid: bool) {
    assert_eq!(KeyId::new(text).is_ok(), valid);
}

#[test]
fn keys_in_use_stay_in_the_keyring() {
    let keyring = || {
        let keyring = Keyring::new(id("k1"), key(K1)).and(id("k2"), key(K2));
        let keyring = keyring.unwrap().promote(&id("k2")).unwrap();
        keyring
            .and(id("k3"), MasterKey::generate().unwrap())
            .unwrap()
    };
    let kind = |id| keyring().without(&id).unwrap_err().kind();
    assert_eq!(kind(id("k1")), KeyErrorKind::InUse);
    assert_eq!(kind(id("k2")), KeyErrorKind::InUse);
    assert_eq!(kind(id("k4")), KeyErrorKind::UnknownId);
    let rest = keyring().without(&id("k3")).unwrap();
    assert_eq!(rest.ids().collect::<Vec<_>>(), [&id("k2"), &id("k1")]);
    let moved = keyring().index_with(&id("k2")).unwrap();
    assert!(moved.without(&id("k1")).is_ok());
    let unknown = keyring().promote(&id("k4")).unwrap_err();
    assert_eq!(unknown.kind(), KeyErrorKind::UnknownId);
}

struct Down;
#[async_trait::async_trait]
impl KeyProvider for Down {
    async fn load(&self) -> Result<Keyring, KeyError> {
        Err(KeyError::provider("the key service did not answer"))
    }
}

struct Fixed;
#[async_trait::async_trait]
impl KeyProvider for Fixed {
    async fn load(&self) -> Result<Keyring, KeyError> {
        Ok(Keyring::new(
            KeyId::new("k1")?,
            MasterKey::parse(&K1.into())?,
        ))
    }
}
#[tokio::test]
async fn a_vault_is_made_of_what_a_provider_loads() {
    let provider: Box<dyn KeyProvider> = Box::new(Down);
    let refused = Vault::from_provider(provider.as_ref()).await.unwrap_err();
    assert_eq!(refused.kind(), KeyErrorKind::Provider);
    assert!(shown(&refused).contains("did not answer"));

    let vault = Vault::from_provider(&Fixed).await.unwrap();
    assert_eq!(open(&vault, &context(), SEALED).unwrap(), "sk_live_abc");
    let _: &dyn KeyProvider = &EnvironmentKeys::new();
}

#[test]
fn blind_indexes_are_those_of_another_implementation() {
    let vault = vault();
    let index = |tenant, purpose, value| {
        let index = vault.blind_index(&TenantId::from(tenant), purpose, value);
        String::from(index)
    };
    assert_eq!(
        index("acme", "email", "jo@example.com"),
        "kUbUwRFeDcKE_KxDbuYu7v5K_g3nxdzEhlsswHY-dDk"
    );
    assert_eq!(
        index("acme", "phone", "+12025550101"),
        "75vVz4Wit8x2VnLiiiuIMGsdGfeTMDLFePoGZoz9vsY"
    );
    assert_eq!(
        index("umbrella", "email", "jo@example.com"),
        "iLZFxNhAG9__Jf3pIwbZTRda89H-0cIy3KSGUl1Secg"
    );
    // Where the purpose ends counts.
    assert_ne!(index("acme", "email", "1"), index("acme", "email1", ""));
}

#[test]
fn fingerprints_are_those_of_another_implementation() {
    let vault = vault();
    let place = SealContext::new("acme", "instance-1", "oauth.refresh_token");
    let fingerprint = |place, secret: &str| vault.fingerprint(place, &secret.into());
    assert_eq!(
        fingerprint(&place, "r-1"),
        "-9JeDcQy2ToLV2LvdpsAIEjg-Q6o0e_O1oezVWSWhCE"
    );
    assert_ne!(fingerprint(&place, "r-1"), fingerprint(&place, "r-2"));
    let elsewhere = SealContext::new("umbrella", "instance-1", "oauth.refresh_token");
    assert_ne!(fingerprint(&place, "r-1"), fingerprint(&elsewhere, "r-1"));
}

#[test]
fn a_rotation_leaves_blind_indexes_and_fingerprints_as_they_are() {
    let made = |vault: &Vault| {
        (
            vault.blind_index(&"acme".into(), "email", "jo@example.com"),
            vault.fingerprint(&context(), &"r-1".into()),
        )
    };
    let vault = Vault::new(Keyring::parse(&format!("a:{K1}").into()).unwrap());
    let before = made(&vault);
    for step in [
        format!("a:{K1},b:{K2},index=a"),
        format!("b:{K2},a:{K1},index=a"),
    ] {
        vault
            .replace_keyring(Keyring::parse(&step.into()).unwrap())
            .unwrap();
        assert_eq!(made(&vault), before);
    }
    // The id of the index key is of no matter, the key is.
    let renamed = Vault::new(Keyring::new(id("c"), key(K1)));
    assert_eq!(made(&renamed), before);
    let other = Vault::new(Keyring::new(id("a"), key(K2)));
    assert_ne!(made(&other).0, before.0);
    assert_ne!(made(&other).1, before.1);
}

const CANARY: &str = "canary-7f3a-of-a-secret";

/// Everything an error or a value says of itself.
fn shown(error: &(dyn StdError + 'static)) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, " {cause} {cause:?}").unwrap();
        source = cause.source();
    }
    text
}

#[test]
fn nothing_shows_a_secret_or_a_key() {
    fn debug(value: &impl Debug) -> String {
        format!("{value:?} {value:#?}")
    }
    let canary = SecretString::from(CANARY);
    let vault = vault();
    let stored = vault.seal(&context(), &canary).unwrap();
    let keyring = Keyring::new(id("k1"), key(K1))
        .and(id("k2"), key(K2))
        .unwrap();
    let mut said = vec![
        debug(&vault),
        debug(&keyring),
        debug(&key(K1)),
        debug(&context()),
        debug(&StoredForm::of(&stored)),
        debug(&StoredForm::of(CANARY)),
        debug(&vault.open(&context(), &stored).unwrap()),
        debug(&vault.blind_index(&"acme".into(), "email", CANARY)),
        vault.fingerprint(&context(), &canary),
        stored.clone(),
    ];
    let elsewhere = SealContext::new("a", "b", "c");
    let errors: Vec<Box<dyn StdError>> = vec![
        Box::new(vault.open(&elsewhere, &stored).unwrap_err()),
        Box::new(vault.open(&context(), CANARY).unwrap_err()),
        Box::new(vault.rewrap(&context(), CANARY).unwrap_err()),
        Box::new(MasterKey::parse(&canary).unwrap_err()),
        Box::new(KeyId::new("canary-7f3a-of-a-secret.").unwrap_err()),
        Box::new(Keyring::parse(&format!("{CANARY}:{K1},{K1}:{CANARY}").into()).unwrap_err()),
        Box::new(Keyring::parse(&format!("a:{K1},{CANARY}:{K1}").into()).unwrap_err()),
    ];
    said.extend(errors.iter().map(|error| shown(error.as_ref())));
    for text in &said {
        for secret in [CANARY, K1, K2, K1_BASE64] {
            assert!(!text.contains(secret), "{text}");
        }
        // Nor as a list of bytes.
        assert!(!text.contains("117, 165, 8, 0"), "{text}");
        assert!(!text.contains("99, 97, 110, 97"), "{text}");
    }
    // The test would notice.
    assert!(canary.expose_secret().contains(CANARY));
}
