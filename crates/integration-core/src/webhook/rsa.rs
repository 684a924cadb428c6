//! RSA-SHA256 (PKCS#1 v1.5) with keys parsed once.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKey;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaParameters};

use super::encoding::decode_public_key_pem;
use super::{Keys, Verified, WebhookError, WebhookErrorKind};

/// Several [`RsaKey`]s, newest first.
pub type RsaKeys = Keys<RsaKey>;

/// A parsed RSA public key of 2048 to 8192 bits.
#[derive(Clone)]
pub struct RsaKey(ParsedPublicKey);

impl RsaKey {
    /// Takes the key as DER, `SubjectPublicKeyInfo` or PKCS#1 `RSAPublicKey`.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is not an RSA key in one of these forms, or not of 2048
    /// to 8192 bits.
    pub fn from_der(der: &[u8]) -> Result<Self, WebhookError> {
        let pkcs1 = PublicKey::from_der(der).map_err(|_| malformed())?;
        let bits = RsaParameters::public_modulus_len(pkcs1.as_ref()).map_err(|_| malformed())?;
        let algorithm = &RSA_PKCS1_2048_8192_SHA256;
        if !(algorithm.min_modulus_len()..=algorithm.max_modulus_len()).contains(&bits) {
            return Err(malformed());
        }
        ParsedPublicKey::new(algorithm, der)
            .map(Self)
            .map_err(|_| malformed())
    }

    /// Takes the key as PEM, `-----BEGIN PUBLIC KEY-----` or `-----BEGIN RSA PUBLIC KEY-----`.
    ///
    /// # Errors
    ///
    /// As [`from_der`](Self::from_der), and if the text is not PEM.
    pub fn from_pem(pem: &str) -> Result<Self, WebhookError> {
        Self::from_der(&decode_public_key_pem(pem).ok_or_else(malformed)?)
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

impl Keys<RsaKey> {
    /// Checks that one of `candidates` is the RSA-SHA256 (PKCS#1 v1.5) signature of `prefix` and `body` under one of
    /// the keys.
    ///
    /// The padding must be exact: the variant without the NULL parameter, which some libraries let pass, is refused.
    ///
    /// # Errors
    ///
    /// [`WrongSignature`](WebhookErrorKind::WrongSignature) if none is, or there is no candidate.
    pub fn verify<'a, 's>(
        &self,
        prefix: &[&[u8]],
        body: &'a [u8],
        candidates: impl IntoIterator<Item = &'s [u8]>,
    ) -> Result<Verified<'a>, WebhookError> {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in prefix {
            context.update(part);
        }
        context.update(body);
        let message = context.finish();
        for signature in candidates {
            if self
                .all()
                .any(|key| key.0.verify_digest_sig(&message, signature).is_ok())
            {
                return Ok(Verified::new(body, "rsa-sha256"));
            }
        }
        Err(WebhookError::new(WebhookErrorKind::WrongSignature))
    }
}

fn malformed() -> WebhookError {
    WebhookError::new(WebhookErrorKind::MalformedKey)
}
