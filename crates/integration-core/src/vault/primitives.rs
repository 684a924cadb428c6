//! The operations of `aws-lc-rs` that the vault is made of, with the few arguments it has a use for.
//!
//! This file names nothing of the crate, so that a test can take it in and drive it with published vectors.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, rand};

/// Bytes of a key of AES-256.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of a nonce of AES-GCM.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of a tag of AES-GCM.
pub(crate) const TAG_LEN: usize = 16;

/// Fills with bytes that nobody can foretell.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Unspecified> {
    rand::fill(bytes)
}

/// HKDF-SHA256 (RFC 5869), extract and expand.
pub(crate) fn hkdf_sha256(
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), Unspecified> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], Length(out.len()))?
        .fill(out)
}

/// A key of AES-256-GCM, its schedule computed once. The library wipes it when it is dropped.
pub(crate) struct Gcm(LessSafeKey);

impl Gcm {
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Result<Self, Unspecified> {
        UnboundKey::new(&AES_256_GCM, key).map(|key| Self(LessSafeKey::new(key)))
    }

    /// Writes ciphertext and tag to `out`, which is [`TAG_LEN`] bytes longer than the plaintext. The plaintext is
    /// nowhere copied to.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<(), Unspecified> {
        let (ciphertext, tag) = out
            .split_at_mut_checked(plaintext.len())
            .ok_or(Unspecified)?;
        self.0.seal_out_of_place_scatter(
            Nonce::from(nonce),
            Aad::from(aad),
            plaintext,
            ciphertext,
            &[],
            tag,
        )
    }

    /// Checks the tag at the end of `sealed` and writes the plaintext to `out`, which is [`TAG_LEN`] bytes shorter.
    /// After an error nothing that lies in `out` may be used.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<(), Unspecified> {
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(Unspecified)?;
        self.0
            .open_separate_gather(Nonce::from(nonce), Aad::from(aad), ciphertext, tag, out)
    }
}

#[cfg(feature = "vault-legacy")]
pub(crate) use self::cbc::{BLOCK_LEN, Cbc};

#[cfg(feature = "vault-legacy")]
mod cbc {
    use aws_lc_rs::cipher::{
        AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
    };
    use aws_lc_rs::error::Unspecified;
    use aws_lc_rs::iv::FixedLength;

    use super::KEY_LEN;

    /// Bytes of a block of AES, and of the first block's IV.
    pub(crate) const BLOCK_LEN: usize = 16;

    /// A key of AES-256-CBC with the padding of PKCS#7, for decryption. The library wipes it when it is dropped.
    pub(crate) struct Cbc(PaddedBlockDecryptingKey);

    impl Cbc {
        pub(crate) fn new(key: &[u8; KEY_LEN]) -> Result<Self, Unspecified> {
            let key = UnboundCipherKey::new(&AES_256, key)?;
            PaddedBlockDecryptingKey::cbc_pkcs7(key).map(Self)
        }

        /// Decrypts in place and returns what stands before the padding. Nothing is authenticated.
        pub(crate) fn decrypt<'a>(
            &self,
            iv: &[u8; BLOCK_LEN],
            in_out: &'a mut [u8],
        ) -> Result<&'a mut [u8], Unspecified> {
            let iv = DecryptionContext::Iv128(FixedLength::from(iv));
            self.0.decrypt(in_out, iv)
        }
    }
}
