//! The older form: values made by Node's crypto, what is refused, and the way out of it.

#![cfg(feature = "vault-legacy")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::sync::LazyLock;

use integration_core::vault::{
    KeyId, Keyring, Legacy, MasterKey, SealContext, StoredForm, Vault, VaultError,
};
use proptest::prelude::*;
use rstest::rstest;
use secrecy::ExposeSecret;

const SECRET: &str = "the older system's secret";
const JSON: &str = "2804bad6fe94a55f18b2b37e300919a5:eff6841f84e9cda9d922773c417d6007b82d52e9ec1f8b7524a24d87fbbf1cda";
const EMPTY: &str = "8a1cee436cbac1489a1883c9d886fcfc:408343b732d23b7c23a5ba9fe4a6e91c";
const WHOLE_BLOCK: &str = "10dacdccfe877dc064d57442e6fa7a4e:2a3b9c2b1af011fd7f24f9a4f8f4b1ace3244ef4fe16ed855bd9b1f6fd0fae63";
const UNICODE: &str = "9f102fe3a7d618f9960701e25169aff6:6b16fabab8f78958a7c227d658c61560";
/// The bytes `c3 28`.
const NOT_TEXT: &str = "a99e27f8d40e114ff48dc9c44b04cd74:815fd41efabe04b857279b4cd865bde8";
const OTHER_SECRET: &str = "d96385441b6cc2e31c01acd2fea73150:a1967f9b24cd8fcb449dfb7e5a77f410";

/// Derived once: unoptimised, that takes a second.
static LEGACY: LazyLock<Legacy> = LazyLock::new(|| Legacy::new(&SECRET.into()).unwrap());

fn vault() -> Vault {
    let key = MasterKey::generate().unwrap();
    Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key))
}

fn context() -> SealContext {
    SealContext::new("acme", "instance-1", "api_key")
}

fn open(legacy: &Legacy, stored: &str) -> Result<String, VaultError> {
    let opened = legacy.open(stored)?;
    Ok(opened.expose_secret().to_owned())
}

#[rstest]
#[case::json(JSON, r#"{"api_key":"sk_live_abc"}"#)]
#[case::empty(EMPTY, "")]
#[case::a_whole_block(WHOLE_BLOCK, "exactly sixteen!")]
#[case::unicode(UNICODE, "née 🔑")]
fn values_of_the_older_system_open(#[case] stored: &str, #[case] plaintext: &str) {
    assert_eq!(open(&LEGACY, stored).unwrap(), plaintext);
    assert_eq!(open(&LEGACY, &stored.to_uppercase()).unwrap(), plaintext);
    assert_eq!(StoredForm::of(stored), StoredForm::Legacy);
}

/// `I` and `D` stand for a good IV and good data.
#[rstest]
#[case::empty("")]
#[case::a_colon_alone(":")]
#[case::no_colon("ID")]
#[case::no_data("I:")]
#[case::no_iv(":D")]
#[case::two_colons("I:D:")]
#[case::text_behind_a_second_colon("I:D:00")]
#[case::iv_one_byte_short("2804bad6fe94a55f18b2b37e300919:D")]
#[case::iv_one_byte_long("I00:D")]
#[case::data_half_a_byte_long("I:D0")]
#[case::data_half_a_block_long("I:D0011223344556677")]
#[case::not_hex("I:zff6841f84e9cda9d922773c417d6007")]
#[case::not_hex_in_the_iv("2804bad6fe94a55f18b2b37e300919ag:D")]
#[case::blank_before(" I:D")]
#[case::newline_behind("I:D\n")]
#[case::digits_of_another_script("I:Dêêêêêêêêêêêêêêêê")]
#[case::an_envelope("icv1.k1.I.D")]
fn other_forms_are_refused(#[case] form: &str) {
    let (iv, data) = JSON.split_once(':').unwrap();
    let stored = form.replace('I', iv).replace('D', data);
    assert_eq!(open(&LEGACY, &stored), Err(VaultError::Legacy), "{stored}");
    assert_eq!(StoredForm::of(&stored), StoredForm::Neither, "{stored}");
}

#[test]
fn every_failure_is_the_same_error() {
    let (iv, data) = JSON.split_once(':').unwrap();
    let wrong_padding = format!("{iv}:{}", data.replace("bf1cda", "bf1cdb"));
    let first_block_alone = format!("{iv}:{}", &data[..32]);
    for stored in [
        NOT_TEXT,
        OTHER_SECRET,
        &wrong_padding,
        &first_block_alone,
        "?",
    ] {
        let refused = LEGACY.open(stored).unwrap_err();
        assert_eq!(refused, VaultError::Legacy, "{stored}");
        assert_eq!(
            refused.to_string(),
            "the value of the older form cannot be opened"
        );
    }
}

#[test]
fn a_value_read_once_is_sealed_from_then_on() {
    let (legacy, vault) = (&*LEGACY, vault());
    let opened = legacy.open_and_renew(&vault, &context(), JSON).unwrap();
    assert_eq!(
        opened.secret.expose_secret(),
        r#"{"api_key":"sk_live_abc"}"#
    );
    let renewed = opened.replacement.unwrap();
    let read = vault.open(&context(), &renewed).unwrap();
    assert_eq!(read.expose_secret(), r#"{"api_key":"sk_live_abc"}"#);

    let again = legacy.open_and_renew(&vault, &context(), &renewed).unwrap();
    assert_eq!(again.secret.expose_secret(), r#"{"api_key":"sk_live_abc"}"#);
    assert_eq!(again.replacement, None);
}

#[test]
fn what_is_of_neither_form_is_not_taken_for_plain_text() {
    let (legacy, vault) = (&*LEGACY, vault());
    for stored in ["sk_live_abc", "", "icv1.k1.AA.AA"] {
        let refused = legacy.open_and_renew(&vault, &context(), stored);
        assert_eq!(refused.unwrap_err(), VaultError::Malformed, "{stored}");
    }
    // Nor does a sealed value of another place get past by way of the older form.
    let stored = vault.seal(&context(), &"sk_live_abc".into()).unwrap();
    let elsewhere = SealContext::new("umbrella", "instance-1", "api_key");
    let refused = legacy.open_and_renew(&vault, &elsewhere, &stored);
    assert_eq!(refused.unwrap_err(), VaultError::Refused);
}

#[test]
fn once_it_is_not_allowed_nothing_of_the_older_form_opens() {
    let (legacy, vault) = (Legacy::new(&SECRET.into()).unwrap(), vault());
    let stored = vault.seal(&context(), &"sk_live_abc".into()).unwrap();
    legacy.set_allowed(false);
    assert!(!legacy.allowed());
    assert_eq!(open(&legacy, JSON), Err(VaultError::LegacyNotAllowed));
    let refused = legacy.open_and_renew(&vault, &context(), JSON);
    assert_eq!(refused.unwrap_err(), VaultError::LegacyNotAllowed);
    assert!(legacy.open_and_renew(&vault, &context(), &stored).is_ok());
}

#[test]
fn nothing_shows_a_secret() {
    let legacy = &*LEGACY;
    let opened = legacy.open_and_renew(&vault(), &context(), JSON).unwrap();
    let refused = legacy.open(OTHER_SECRET).unwrap_err();
    let said = format!("{legacy:?} {opened:?} {refused} {refused:?}");
    assert!(!said.contains("sk_live_abc"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

proptest! {
    #[test]
    fn nothing_stored_is_a_panic(stored in "\\PC*", iv in "[0-9a-f]{30,34}", data in "[0-9a-f]{0,70}") {
        prop_assert!(LEGACY.open(&stored).is_err());
        let stored = format!("{iv}:{data}");
        if LEGACY.open(&stored).is_ok() {
            prop_assert_eq!(StoredForm::of(&stored), StoredForm::Legacy);
        }
    }
}

#[test]
fn what_is_too_large_for_any_credential_is_not_of_the_older_form() {
    let of_blocks = |blocks: usize| format!("{}:{}", "0".repeat(32), "0".repeat(32 * blocks));
    let most = 1024 * 1024 / 16;
    assert_eq!(StoredForm::of(&of_blocks(most)), StoredForm::Legacy);
    assert_eq!(StoredForm::of(&of_blocks(most + 1)), StoredForm::Neither);
}
