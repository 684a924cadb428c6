//! Ed25519 with keys parsed once.

use std::fmt;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

use super::encoding::{decode_base64, decode_public_key_pem};
use super::{Keys, Verified, WebhookError, WebhookErrorKind};

/// Several [`Ed25519Key`]s, newest first.
pub type Ed25519Keys = Keys<Ed25519Key>;

/// A parsed Ed25519 public key.
#[derive(Clone)]
pub struct Ed25519Key(ParsedPublicKey);

impl Ed25519Key {
    /// Takes the key as its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if they are not a key.
    pub fn from_bytes(key: &[u8; 32]) -> Result<Self, WebhookError> {
        parse(key)
    }

    /// Takes the key as DER (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is not an Ed25519 key in that form.
    pub fn from_der(der: &[u8]) -> Result<Self, WebhookError> {
        // 32 bytes would be taken for a raw key.
        if der.len() == 32 {
            return Err(malformed());
        }
        parse(der)
    }

    /// Takes the key as PEM (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if it is not an Ed25519 key in that form.
    pub fn from_pem(pem: &str) -> Result<Self, WebhookError> {
        Self::from_der(&decode_public_key_pem(pem).ok_or_else(malformed)?)
    }

    /// Takes a Standard Webhooks public key, `whpk_` and base64.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if the prefix is missing or 32 bytes of base64 do not follow.
    pub fn from_whpk(key: &str) -> Result<Self, WebhookError> {
        let base64 = key.trim().strip_prefix("whpk_").ok_or_else(malformed)?;
        let bytes = decode_base64(base64).ok_or_else(malformed)?;
        Self::from_bytes(bytes.as_slice().try_into().map_err(|_| malformed())?)
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Key(..)")
    }
}

impl Keys<Ed25519Key> {
    /// Checks that one of `candidates` signs `prefix` and `body` under one of the keys.
    ///
    /// Ed25519 needs the message in one piece, so a prefix costs a copy of the body, once there is a candidate.
    ///
    /// # Errors
    ///
    /// [`WrongSignature`](WebhookErrorKind::WrongSignature) if none does, or there is no candidate.
    pub fn verify<'a>(
        &self,
        prefix: &[&[u8]],
        body: &'a [u8],
        candidates: impl IntoIterator<Item = [u8; 64]>,
    ) -> Result<Verified<'a>, WebhookError> {
        if self.any_matches(prefix, body, candidates) {
            return Ok(Verified::new(body, "ed25519"));
        }
        Err(WebhookError::new(WebhookErrorKind::WrongSignature))
    }

    /// What [`verify`](Self::verify) decides by, without the proof.
    pub(super) fn any_matches(
        &self,
        prefix: &[&[u8]],
        body: &[u8],
        candidates: impl IntoIterator<Item = [u8; 64]>,
    ) -> bool {
        let mut candidates = candidates.into_iter().peekable();
        if candidates.peek().is_none() {
            return false;
        }
        let joined;
        let message = if prefix.is_empty() {
            body
        } else {
            joined = [&prefix.concat(), body].concat();
            &joined
        };
        candidates.any(|signature| {
            self.all()
                .any(|key| key.0.verify_sig(message, &signature).is_ok())
        })
    }
}

fn parse(key: &[u8]) -> Result<Ed25519Key, WebhookError> {
    ParsedPublicKey::new(&ED25519, key)
        .map(Ed25519Key)
        .map_err(|_| malformed())
}

fn malformed() -> WebhookError {
    WebhookError::new(WebhookErrorKind::MalformedKey)
}
