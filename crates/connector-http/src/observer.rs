//! Who hears about every attempt.
//!
//! Integration logs are built on it. What it is given names operations and can be shown as it is; the error it is
//! given is the same one the caller gets, whose accessors are the only way to what the vendor said. The bodies are the
//! exception: [`Body`] shows its length, and whoever parses it has to redact it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::Error;

/// Hears about attempts and calls. It is called inline, so it should only take note and return.
pub trait Observer: Send + Sync + 'static {
    /// One request was made, successful or not.
    fn on_attempt(&self, attempt: &Attempt<'_>);

    /// One call came to its end, after all its attempts. The default does nothing.
    fn on_call(&self, outcome: &CallOutcome<'_>) {
        let _ = outcome;
    }
}

/// One request and what came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The vendor.
    pub vendor: &'static str,
    /// The operation: `"contacts.create"`.
    pub operation: &'static str,
    /// The account as named on the client's builder.
    pub account: Option<&'a str>,
    /// 1 for the first attempt of a call.
    pub number: u32,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// The vendor's name for this request, if it gave one.
    pub request_id: Option<&'a str>,
    /// From handing the request to the transport until its answer was read.
    pub duration: Duration,
    /// What came of it.
    pub outcome: AttemptOutcome<'a>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AttemptOutcome<'a> {
    /// The vendor did it.
    Succeeded,
    /// It failed. [`Error::delivery`] is that of this attempt alone.
    Failed(&'a Error),
    /// The caller dropped the call while the request was under way: nobody knows whether it arrived.
    Cancelled,
}

/// One call and what came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallOutcome<'a> {
    /// The vendor.
    pub vendor: &'static str,
    /// The operation: `"contacts.create"`.
    pub operation: &'static str,
    /// The account as named on the client's builder.
    pub account: Option<&'a str>,
    /// How many requests were made.
    pub attempts: u32,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// The vendor's name for the last request that it answered, if it gave one.
    pub request_id: Option<&'a str>,
    /// From the first poll to the result, all waits included.
    pub duration: Duration,
    /// The body of the request, if it had one.
    pub sent: Option<Body<'a>>,
    /// The body of the answer to a call that succeeded. For one that failed, see [`Error::body_snippet`].
    pub received: Option<Body<'a>>,
    /// Whether it went to another place than the vendor's API, as a download does: then its outcome, good or bad, says
    /// nothing about the account.
    pub elsewhere: bool,
    /// What went wrong, if anything did.
    pub error: Option<&'a Error>,
}

/// The body of a request or an answer, which holds persons. `Debug` shows its length.
#[derive(Clone, Copy)]
pub struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Returns how many bytes it has; never zero.
    pub fn size(self) -> usize {
        self.0.len()
    }

    /// Reads it as JSON, if it is JSON of at most `max_bytes`. The value holds names, numbers and texts of persons:
    /// nothing of it may be kept or logged before it is redacted.
    pub fn parse(self, max_bytes: usize) -> Option<Value> {
        let fits = self.size() <= max_bytes;
        fits.then(|| serde_json::from_slice(self.0).ok()).flatten()
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}
