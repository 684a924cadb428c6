//! Who hears about every attempt.
//!
//! Integration logs are built on it. What it is given names operations, never values; the error it is given
//! is the same one the caller gets, whose accessors are the only way to what the vendor said.

use std::time::Duration;

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
    /// What went wrong, if anything did.
    pub error: Option<&'a Error>,
}
