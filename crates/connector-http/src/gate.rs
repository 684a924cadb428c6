//! A door before every attempt.
//!
//! Some limits are not a matter of pace: a month's quota that is spent stays spent. Whoever counts such a
//! quota implements [`AttemptGate`] and refuses here, before a permit is taken and before anything is sent.

use std::borrow::Cow;
use std::time::Duration;

use crate::endpoint::{Method, RateClass};
use crate::error::{Error, ErrorKind};
use crate::limits::Lane;

/// Decides whether an attempt may be made.
#[async_trait::async_trait]
pub trait AttemptGate: Send + Sync + 'static {
    /// Is asked before every attempt, retries included. The time it takes counts against the call's deadline.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] ends the call; nothing of this attempt is sent.
    async fn admit(&self, attempt: &AttemptInfo<'_>) -> Result<(), Refusal>;

    /// Is told what became of an attempt it admitted: `failed` is `None` for a success, and its
    /// [`delivery`](Error::delivery) is that of this attempt alone. Not told of one that the caller dropped in the
    /// middle. The default does nothing.
    async fn settle(&self, attempt: &AttemptInfo<'_>, failed: Option<&Error>) {
        let _ = (attempt, failed);
    }

    /// Is told of an attempt that it admitted and that was then never made: there was no permit of the rate limit in
    /// time, or no credential. Not told where the caller dropped the call meanwhile. The default does nothing.
    async fn withdraw(&self, attempt: &AttemptInfo<'_>) {
        let _ = attempt;
    }
}

/// What a gate is told about the attempt it admits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptInfo<'a> {
    /// The vendor.
    pub vendor: &'static str,
    /// The operation: `"contacts.create"`.
    pub operation: &'static str,
    /// The account as named on the client's builder.
    pub account: Option<&'a str>,
    /// The method.
    pub method: Method,
    /// The rate limit it counts against.
    pub rate_class: RateClass,
    /// Whether somebody waits for it: a gate may keep the last of a quota for those.
    pub lane: Lane,
    /// 1 for the first attempt of a call.
    pub number: u32,
}

/// Why an attempt was not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: ErrorKind,
    retry_after: Option<Duration>,
    reason: Option<Cow<'static, str>>,
}

impl Refusal {
    /// The quota is spent: the call fails with [`ErrorKind::QuotaSpent`].
    pub const fn quota_spent() -> Self {
        Self {
            kind: ErrorKind::QuotaSpent,
            retry_after: None,
            reason: None,
        }
    }

    /// Not now: the call fails with [`ErrorKind::RateLimited`] and this `retry_after`.
    pub const fn rate_limited(retry_after: Duration) -> Self {
        Self {
            kind: ErrorKind::RateLimited,
            retry_after: Some(retry_after),
            reason: None,
        }
    }

    /// The gate cannot work as it is set up: the call fails with [`ErrorKind::Config`].
    pub const fn misconfigured() -> Self {
        Self {
            kind: ErrorKind::Config,
            retry_after: None,
            reason: None,
        }
    }

    /// What the gate keeps cannot be read or written: the call fails with [`ErrorKind::Store`], and can be repeated
    /// once [`retry_after`](Self::retry_after) says when.
    pub const fn unrecorded() -> Self {
        Self {
            kind: ErrorKind::Store,
            retry_after: None,
            reason: None,
        }
    }

    /// Says why, for the error's `Display`. It must hold no secret and no personal data.
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Says when it is worth asking again.
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(crate) const fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) const fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn reason(self) -> Option<Cow<'static, str>> {
        self.reason
    }
}
