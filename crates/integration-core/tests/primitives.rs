//! The signature primitives against published vectors, and against keys and signatures they must refuse.

#![cfg(feature = "webhook")]

use integration_core::webhook::{
    Ed25519Key, Ed25519Keys, HmacKey, HmacKeys, RsaKey, RsaKeys, WebhookErrorKind, hex_array,
};
use proptest::prelude::*;
use rstest::rstest;

/// RFC 4231, test cases 1, 2 and 6.
#[rstest]
#[case(&[0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")]
#[case(
    b"Jefe",
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
)]
#[case(
    &[0xaa; 131],
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
)]
fn hmac_sha256(#[case] key: &[u8], #[case] message: &str, #[case] mac: &str) {
    let keys = HmacKeys::from(HmacKey::from_bytes(key).unwrap());
    let mac = hex_array(mac.as_bytes()).unwrap();
    assert!(keys.verify(&[], message.as_bytes(), [mac]).is_ok());
    let (prefix, body) = message.split_at(message.len() / 2);
    assert!(
        keys.verify(&[prefix.as_bytes()], body.as_bytes(), [mac])
            .is_ok()
    );
    assert!(keys.verify(&[b"x"], message.as_bytes(), [mac]).is_err());
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[rstest]
#[case(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    b"",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)]
#[case(
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    &[0x72],
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)]
#[case(
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    &[0xaf, 0x82],
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)]
fn ed25519(#[case] key: &str, #[case] message: &[u8], #[case] signature: &str) {
    let key = Ed25519Key::from_bytes(&hex_array(key.as_bytes()).unwrap()).unwrap();
    let other = Ed25519Key::from_pem(ED25519_PEM).unwrap();
    let keys = Ed25519Keys::new([other, key]).unwrap();
    let signature = hex_array(signature.as_bytes()).unwrap();

    let verified = keys.verify(&[], message, [[0; 64], signature]).unwrap();
    assert_eq!((verified.body(), verified.scheme()), (message, "ed25519"));
    let (prefix, body) = message.split_at(message.len() / 2);
    assert!(keys.verify(&[prefix, b""], body, [signature]).is_ok());

    let refused = keys.verify(&[b"x"], message, [signature]).unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
    assert!(keys.verify(&[], message, []).is_err());
}

const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

#[rstest]
#[case::rsa(RSA_PEM)]
#[case::p256(P256_PEM)]
#[case::nothing("")]
#[case::private(
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"
)]
fn other_keys_are_no_ed25519_keys(#[case] pem: &str) {
    let refused = Ed25519Key::from_pem(pem).unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::MalformedKey);
}

#[rstest]
#[case("GsTtWwV3kzsjt6BxYg9rEOCHNZDJ0GnQ+rMzYsFRf0w=")]
#[case("whpk_")]
#[case("whpk_AAAA")]
#[case("whpk_!")]
#[case("whsec_Ty28TbJzQ9i7KLwixawyoTIph2fB8ylXWltkksV9pug=")]
fn a_public_key_in_text_form_has_prefix_and_length(#[case] key: &str) {
    assert_eq!(
        Ed25519Key::from_whpk(key).unwrap_err().kind(),
        WebhookErrorKind::MalformedKey
    );
}

#[test]
fn raw_bytes_are_no_der() {
    assert!(Ed25519Key::from_der(&[0x19; 32]).is_err());
}

const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArPvPMCCeToi4RTD8Zfdh
+XNnf9eXaCQTKFqEeKqfoW0mDEgetAjEyMjhM2TEeZLDbUqbu5+tYQffS4tOaWUT
L4pL7YhzFK4ZGiR0USCjy37xGO9jwZPGzUemC8mDu2SpfG3cf0WQOP0rZjOcGGfp
rNpzPqlWAzgjNrmwCa+GXg4dM9yNCLBSmJYOvnS+g9t97xTNAwF4etbmUWnZnOHt
QvxcPuqwd3B9BWJKe13bx6uoculK1iW2PBGtiG7QiAdoiw/b+GbShDkzhFqqzSRB
YWpbkrK6uX1Rj5960qrn2GGKAC9nxOKMkkiFpNsPllvpzbFABKh8UCp592MqAFTs
rQIDAQAB
-----END PUBLIC KEY-----
";

/// The same key in its older form.
const RSA_PKCS1_PEM: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEArPvPMCCeToi4RTD8Zfdh+XNnf9eXaCQTKFqEeKqfoW0mDEgetAjE
yMjhM2TEeZLDbUqbu5+tYQffS4tOaWUTL4pL7YhzFK4ZGiR0USCjy37xGO9jwZPG
zUemC8mDu2SpfG3cf0WQOP0rZjOcGGfprNpzPqlWAzgjNrmwCa+GXg4dM9yNCLBS
mJYOvnS+g9t97xTNAwF4etbmUWnZnOHtQvxcPuqwd3B9BWJKe13bx6uoculK1iW2
PBGtiG7QiAdoiw/b+GbShDkzhFqqzSRBYWpbkrK6uX1Rj5960qrn2GGKAC9nxOKM
kkiFpNsPllvpzbFABKh8UCp592MqAFTsrQIDAQAB
-----END RSA PUBLIC KEY-----
";

const RSA_1024_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJp9khRxzuJp2ifK4LZg5G9QsR
AP+ORZRRgvKbmdl05VDGA2U+pNyr5guON4t7TX67XYdb9Opw44nqCubzuo1I335M
54k6qN5b26MKdX8diGvrdv7+dddXOLN1SvIADEJxMPBlyqM2m0xmjcZCvzCSaPmw
z4gOG5TMAfxuha26OQIDAQAB
-----END PUBLIC KEY-----
";

const P256_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpXCMNX63swTMZIyIFdkRHCMbkTfN
xh+EMqdFKCYs2uAIrVEkRZY8onGTKm3ljzGZuPBWNUvUPPjQsNqmfRLiBg==
-----END PUBLIC KEY-----
";

/// `openssl dgst -sha256 -sign` over `prefix.{"id":"evt_1"}`.
const RSA_SIGNATURE: &str = concat!(
    "4d8aa8d435902a453c5ff1eb8854b5c5eb6a537d2d3d234bf11675a2e03dc0d425febc115a9ea2f5a8bb405f43c529c5",
    "585da430acbde4ed4db54fd5067059c2f3ee76ce80bc9a769992e57e8651c3e90d288aa4465a53e1b51f0825333bc2e6",
    "b258435f8816510e51bbcb3def1c05b568f0975d7b15cd37538e95cad8ba902348ea7d339b1614d1f69c9971e62f73d8",
    "9fef33818848f40bb6c3cafaacd664274d11fc87f5e2700f2d90fd01ec6676a1f3e7e18f68dba137ffe60ac0162ee229",
    "65d59b0b793aa3ed36ee92a1b2e6acd71d06dfb4283631531d14b867b6f70ab35c5f5a1c0da44ff158f2915b811dd6bb",
    "5d835723c9b4d2003ebdd75d5d6b692c",
);

#[rstest]
#[case::spki(RSA_PEM)]
#[case::pkcs1(RSA_PKCS1_PEM)]
fn rsa_sha256(#[case] pem: &str) {
    let keys = RsaKeys::from(RsaKey::from_pem(pem).unwrap());
    let signature: [u8; 256] = hex_array(RSA_SIGNATURE.as_bytes()).unwrap();
    let body = br#"{"id":"evt_1"}"#;

    let verified = keys
        .verify(&[b"prefix", b"."], body, [[0; 256].as_slice(), &signature])
        .unwrap();
    assert_eq!(
        (verified.body(), verified.scheme()),
        (body.as_slice(), "rsa-sha256")
    );
    assert!(
        keys.verify(&[], br#"prefix.{"id":"evt_1"}"#, [signature.as_slice()])
            .is_ok()
    );

    let refused = keys.verify(&[], body, [signature.as_slice()]).unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
    for truncated in [&signature[..255], &signature[1..], &[]] {
        assert!(keys.verify(&[b"prefix."], body, [truncated]).is_err());
    }
    assert!(keys.verify(&[b"prefix."], body, []).is_err());
}

#[rstest]
#[case::too_short(RSA_1024_PEM)]
#[case::p256(P256_PEM)]
#[case::ed25519(ED25519_PEM)]
#[case::nothing("")]
fn other_keys_are_no_rsa_keys(#[case] pem: &str) {
    assert_eq!(
        RsaKey::from_pem(pem).unwrap_err().kind(),
        WebhookErrorKind::MalformedKey
    );
}

#[test]
fn debug_shows_no_key_material() {
    let keys = (
        RsaKey::from_pem(RSA_PEM).unwrap(),
        Ed25519Key::from_pem(ED25519_PEM).unwrap(),
    );
    assert_eq!(format!("{keys:?}"), "(RsaKey(..), Ed25519Key(..))");
}

proptest! {
    #[test]
    fn no_bytes_panic(key: Vec<u8>, text: String, raw: [u8; 32], signature: Vec<u8>, fixed: [u8; 64], body: Vec<u8>) {
        let _ = (RsaKey::from_der(&key), RsaKey::from_pem(&text), Ed25519Key::from_der(&key), Ed25519Key::from_whpk(&text));
        let _ = (HmacKey::from_bytes(&key), HmacKey::from_whsec(&text.as_str().into()), HmacKey::from_base64(&text.into()));
        if let Ok(key) = Ed25519Key::from_bytes(&raw) {
            prop_assert!(Ed25519Keys::from(key).verify(&[&body], &body, [fixed]).is_err());
        }
        let rsa = RsaKeys::from(RsaKey::from_pem(RSA_PEM).unwrap());
        prop_assert!(rsa.verify(&[], &body, [signature.as_slice()]).is_err());
    }
}
