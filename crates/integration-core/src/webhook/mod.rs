//! Verifies that a webhook comes from the vendor it claims to come from.
//!
//! A receiver hands over what arrived (headers, raw body, the time) and gets a [`Verified`] delivery or a
//! [`WebhookError`]. Parsers take only [`Verified`], so an unverified body cannot be read by mistake; nothing
//! outside this module can make one.
//!
//! # What every scheme here keeps to
//!
//! - The signature is checked over the bytes that arrived. Nothing is parsed, trimmed or re-serialised before.
//! - A key is required. There is no way to build a verifier without one, and so none that accepts everything.
//! - Several keys may be configured at once, newest first, so that a secret can be rotated without losing a delivery.
//! - MACs are compared in constant time.
//! - Timestamps are canonical decimal numbers and must lie within the [`Tolerance`], in the past *and* in the future.
//! - A header that occurs twice is refused: which one a proxy or a framework would take is anybody's guess.
//! - A body larger than the cap ([`DEFAULT_MAX_BODY`]) is refused before it is hashed.
//! - With HMAC schemes, nothing is allocated between the headers and the verdict.
//! - The verdict depends on the arguments alone: the time is an argument, too.
//!
//! # Schemes
//!
//! | Type | Header | Signature |
//! |---|---|---|
//! | [`StandardWebhooks`] | `webhook-id`, `webhook-timestamp`, `webhook-signature` | `v1` HMAC-SHA256, `v1a` Ed25519 |
//! | [`HexHmac`] | `x-webhook-signature` (or another) | hex HMAC-SHA256 of the body |
//! | [`TimestampedHexHmac`] | named by the vendor | `t=…,v1=…`, hex HMAC-SHA256 of time and body |
//!
//! For a vendor that signs nothing there is [`UrlSecrets`]. It gives an [`UnsignedDelivery`] and never a [`Verified`]: a
//! secret in an address proves less than a signature.
//!
//! A vendor with a scheme of its own builds it from the primitives: [`HmacKeys`], [`Ed25519Keys`], [`RsaKeys`],
//! [`single_header`], [`base64_array`], [`hex_array`], [`Timestamp`] and [`Tolerance`].
//!
//! The feature `webhook-signing` adds the other side, `sign_standard` and `sign_base64`, for tests of receivers.
//!
//! HMAC-SHA1 is not offered. No vendor of this project signs with it, and a primitive that exists gets used.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod ed25519;
mod encoding;
mod error;
mod header;
mod hex_hmac;
mod hmac;
mod keys;
mod rsa;
#[cfg(feature = "webhook-signing")]
mod signing;
mod standard;
mod time;
mod timestamped_hex;
mod url_secret;
mod verified;

pub use ed25519::{Ed25519Key, Ed25519Keys};
pub use encoding::{base64_array, hex_array};
pub use error::{WebhookError, WebhookErrorKind};
pub use header::single_header;
pub use hex_hmac::HexHmac;
pub use hmac::{HmacKey, HmacKeys, Mac};
pub use keys::Keys;
pub use rsa::{RsaKey, RsaKeys};
#[cfg(feature = "webhook-signing")]
pub use signing::{sign_base64, sign_standard};
pub use standard::StandardWebhooks;
pub use time::{Timestamp, Tolerance};
pub use timestamped_hex::TimestampedHexHmac;
pub use url_secret::{UnsignedDelivery, UrlSecret, UrlSecrets};
pub use verified::Verified;

/// The largest body that is verified unless a verifier is told otherwise: 1 MiB.
pub const DEFAULT_MAX_BODY: usize = 1024 * 1024;

/// The most signatures of one header that are looked at.
///
/// Senders list one signature per live key while they rotate, so two or three. The cap keeps a hostile header from
/// buying work; what stands behind it is not compared.
const MAX_SIGNATURES: usize = 32;

/// Refuses a body that is larger than `max`, before any hashing.
fn within_cap(body: &[u8], max: usize) -> Result<(), WebhookError> {
    if body.len() > max {
        return Err(WebhookError::new(WebhookErrorKind::BodyTooLarge));
    }
    Ok(())
}
