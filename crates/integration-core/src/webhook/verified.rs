//! The proof that a delivery is genuine.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};

use super::Timestamp;
use super::encoding::hex_text;

/// The body of a webhook whose signature has been checked.
///
/// Only this module's primitives make one, and parsers ask for one, so unverified bytes cannot be parsed:
///
/// ```compile_fail
/// use integration_core::webhook::Verified;
///
/// fn forge(body: &[u8]) -> Verified<'_> {
///     Verified { body: body.into(), replay_id: None, timestamp: None, scheme: "mine" }
/// }
/// ```
///
/// It borrows the body and the replay id. A task that outlives the request takes
/// [`into_owned`](Self::into_owned).
#[derive(Clone)]
pub struct Verified<'a> {
    body: Cow<'a, [u8]>,
    replay_id: Option<Cow<'a, str>>,
    timestamp: Option<Timestamp>,
    scheme: &'static str,
}

impl<'a> Verified<'a> {
    /// Certifies a body. Only a primitive that has just checked the signature may call this.
    #[inline]
    pub(super) fn new(body: &'a [u8], scheme: &'static str) -> Self {
        Self {
            body: Cow::Borrowed(body),
            replay_id: None,
            timestamp: None,
            scheme,
        }
    }

    /// Returns the bytes that were signed, as they arrived.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the sender's own id of this delivery, if the scheme signs one.
    ///
    /// A retry has the same id. A receiver keeps it at least as long as the vendor retries and takes a second delivery
    /// with the same id for a duplicate.
    pub fn replay_id(&self) -> Option<&str> {
        self.replay_id.as_deref()
    }

    /// Returns what to recognise a duplicate by: the [replay id](Self::replay_id), or else `sha256:` and the hex digest
    /// of the body.
    ///
    /// The digest is computed only here, when it is asked for.
    pub fn replay_key(&self) -> Cow<'_, str> {
        if let Some(id) = self.replay_id.as_deref() {
            return Cow::Borrowed(id);
        }
        let digest = digest::digest(&digest::SHA256, &self.body);
        Cow::Owned(format!("sha256:{}", hex_text(digest.as_ref())))
    }

    /// Returns the time at which the sender says it signed, if the scheme signs one. It was within the tolerance.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.timestamp?.to_utc()
    }

    /// Returns the name of the scheme that was checked, such as `standard-webhooks-v1`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Adds the replay id, for a scheme that covers one by its signature.
    #[inline]
    pub fn with_replay_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.replay_id = Some(id.into());
        self
    }

    /// Adds the time of signing, for a scheme that covers one by its signature.
    #[inline]
    pub fn with_timestamp(mut self, at: Timestamp) -> Self {
        self.timestamp = Some(at);
        self
    }

    /// Names the scheme that was built on a primitive.
    #[inline]
    pub fn with_scheme(mut self, scheme: &'static str) -> Self {
        self.scheme = scheme;
        self
    }

    /// Copies what is borrowed, so that the delivery may outlive the request.
    pub fn into_owned(self) -> Verified<'static> {
        Verified {
            body: Cow::Owned(self.body.into_owned()),
            replay_id: self.replay_id.map(|id| Cow::Owned(id.into_owned())),
            timestamp: self.timestamp,
            scheme: self.scheme,
        }
    }
}

// A body is full of personal data: its length must do.
impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("scheme", &self.scheme)
            .field("replay_id", &self.replay_id)
            .field("timestamp", &self.timestamp())
            .field("body_len", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_replay_id_the_body_digest_stands_in() {
        let verified = Verified::new(b"abc", "test");
        assert_eq!(verified.replay_id(), None);
        assert_eq!(
            verified.replay_key(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(verified.with_replay_id("msg_1").replay_key(), "msg_1");
    }

    #[test]
    fn an_owned_copy_says_the_same() {
        let body = b"{}".to_vec();
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let owned = Verified::new(&body, "test")
            .with_replay_id("id")
            .with_timestamp(at.into())
            .into_owned();
        drop(body);
        assert_eq!(owned.body(), b"{}");
        assert_eq!(
            (owned.replay_id(), owned.timestamp(), owned.scheme()),
            (Some("id"), Some(at), "test")
        );
    }

    #[test]
    fn debug_shows_no_body() {
        let text = format!("{:?}", Verified::new(b"private", "test"));
        assert!(
            !text.contains("private") && text.contains("body_len: 7"),
            "{text}"
        );
    }
}
