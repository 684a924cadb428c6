//! What can go wrong at a vendor, sorted by what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::directory::SkipReason;

/// What to do about a failed call.
///
/// Only [`InvalidData`](Self::InvalidData) ends a job early; [`Conflict`](Self::Conflict) and [`Unkept`](Self::Unkept)
/// wait for a person, and everything else is tried again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorClass {
    /// The vendor or the way to it is out of order, and nothing was done. Tried again with back-off.
    Transient,
    /// Too many calls. Tried again when the vendor says so, without using up an attempt.
    RateLimited,
    /// What the account may do is used up or unpaid. Waits long, and does not age meanwhile.
    QuotaSpent,
    /// The credentials were refused. Waits until they are mended, and does not age meanwhile.
    Auth,
    /// There is no client to call the vendor with. Waits, and does not age meanwhile.
    Unavailable,
    /// Handed over as far as a program can: a person has to import it at the vendor. Waits, and does not age meanwhile.
    AwaitsImport,
    /// The vendor refuses this contact as it is. A dead letter at once.
    InvalidData,
    /// Several records of the vendor could be meant. A person has to choose.
    Conflict,
    /// It may have happened: a time-out after sending, a 5xx, an answer that cannot be read. The next attempt looks
    /// before it creates.
    Ambiguous,
    /// The vendor has answered, and what came of it cannot be kept: an id of a record that no store takes
    /// ([`limits`](crate::limits)). Another attempt would come to the same, so a person has to look.
    Unkept,
}

impl ErrorClass {
    /// Returns the class in words.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Transient => "out of order for the moment",
            Self::RateLimited => "rate-limited",
            Self::QuotaSpent => "the quota is spent",
            Self::Auth => "the credentials were refused",
            Self::Unavailable => "no client available",
            Self::AwaitsImport => "waits for a person to import it",
            Self::InvalidData => "the data was refused",
            Self::Conflict => "several records could be meant",
            Self::Ambiguous => "the outcome is unknown",
            Self::Unkept => "what came of it cannot be kept",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failed call of a target: what class it is, and what identifies it in the vendor's own records.
///
/// Neither `Display` nor `Debug` shows the vendor's message, which may quote the contact. The vendor client's own
/// error, if there is one, is the [`source`](StdError::source).
///
/// ```
/// use contact_sync::{ErrorClass, TargetError};
///
/// let error = TargetError::new(ErrorClass::Transient).status(502).request_id("req-1");
/// assert_eq!(error.to_string(), "out of order for the moment (status 502, request req-1)");
/// ```
pub struct TargetError(Box<Inner>);

struct Inner {
    note: FailureNote,
    retry_after: Option<Duration>,
    still_running: bool,
    unasked: bool,
    skip: Option<SkipReason>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TargetError {
    /// Makes an error of a class.
    pub fn new(class: ErrorClass) -> Self {
        Self(Box::new(Inner {
            note: FailureNote::new(class),
            retry_after: None,
            still_running: false,
            unasked: false,
            skip: None,
            source: None,
        }))
    }

    /// Makes the error of a client that cannot be had.
    pub fn unavailable(reason: ClientUnavailable) -> Self {
        let class = match reason {
            ClientUnavailable::Failed => ErrorClass::Transient,
            _ => ErrorClass::Unavailable,
        };
        let mut error = Self::new(class);
        error.0.skip = match reason {
            ClientUnavailable::NotConfigured => Some(SkipReason::NotConfigured),
            ClientUnavailable::Disabled => Some(SkipReason::Disabled),
            ClientUnavailable::Paused | ClientUnavailable::Failed => None,
        };
        error.unasked().source(reason)
    }

    /// Sets the HTTP status.
    pub fn status(mut self, status: u16) -> Self {
        self.0.note.status = Some(status);
        self
    }

    /// Sets the vendor's error code. One that does not look like a code is left out: it could be a message.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        let code = code.into();
        self.0.note.code = Some(code).filter(|c| is_token(c));
        self
    }

    /// Sets the vendor's id of the request, with the same care as a code.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.0.note.request_id = Some(id).filter(|i| is_token(i));
        self
    }

    /// Sets how long the vendor asks to wait.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says that the vendor may still be at work on the request, so that a look-up right now proves nothing.
    pub fn still_running(mut self) -> Self {
        self.0.still_running = true;
        self
    }

    /// Says that it failed on this side and the vendor was not asked: it is no sign of how the vendor is.
    pub fn unasked(mut self) -> Self {
        self.0.unasked = true;
        self
    }

    /// Sets the underlying error. It must show no personal datum in its `Display` or `Debug`.
    pub fn source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Returns what to do about it.
    pub fn class(&self) -> ErrorClass {
        self.0.note.class
    }

    /// Tells whether the call may have created a record.
    pub fn may_have_created(&self) -> bool {
        self.class() == ErrorClass::Ambiguous
    }

    /// Tells whether the vendor may still be at work on the request.
    pub fn is_still_running(&self) -> bool {
        self.0.still_running
    }

    /// Tells whether it failed on this side, before the vendor was asked.
    pub fn is_unasked(&self) -> bool {
        self.0.unasked
    }

    /// Returns how long the vendor asks to wait.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns why the vendor should be skipped altogether, if it should.
    pub fn skip_reason(&self) -> Option<SkipReason> {
        self.0.skip
    }

    /// Returns the part that may be stored and shown anywhere.
    pub fn note(&self) -> &FailureNote {
        &self.0.note
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note().fmt(f)
    }
}

impl fmt::Debug for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetError")
            .field("note", self.note())
            .field("retry_after", &self.0.retry_after)
            .field("still_running", &self.0.still_running)
            .field("unasked", &self.0.unasked)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for TargetError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

/// What may be kept of a failure: no message, no field, nothing of the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureNote {
    /// What to do about it.
    pub class: ErrorClass,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The vendor's error code.
    pub code: Option<String>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

impl FailureNote {
    /// Makes a note of a class and nothing else.
    pub fn new(class: ErrorClass) -> Self {
        Self {
            class,
            status: None,
            code: None,
            request_id: None,
        }
    }
}

impl fmt::Display for FailureNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.class)?;
        let status = self.status.map(|s| format!("status {s}"));
        let code = self.code.as_ref().map(|c| format!("code {c}"));
        let request = self.request_id.as_ref().map(|r| format!("request {r}"));
        let details: Vec<String> = [status, code, request].into_iter().flatten().collect();
        if details.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", details.join(", "))
        }
    }
}

/// Why there is no client to call a vendor with.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientUnavailable {
    /// The tenant has no such integration.
    #[error("the integration is not configured")]
    NotConfigured,
    /// The integration is switched off.
    #[error("the integration is disabled")]
    Disabled,
    /// The integration is in error or waits for a person; its jobs wait with it.
    #[error("the integration is paused")]
    Paused,
    /// The client could not be had this time: the vault or the database did not answer.
    #[error("the client could not be built")]
    Failed,
}

/// A code or an id, and nothing that could be a sentence, an address or a formatted number.
fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_message_is_not_kept() {
        let error = TargetError::new(ErrorClass::InvalidData)
            .code("ann@example.com exists")
            .request_id("Ann Lee");
        assert_eq!(error.to_string(), "the data was refused");
        let error = TargetError::new(ErrorClass::InvalidData)
            .code("0801400")
            .status(400);
        assert_eq!(
            error.to_string(),
            "the data was refused (status 400, code 0801400)"
        );
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<TargetError>(), size_of::<usize>());
    }

    #[test]
    fn a_missing_client_says_whether_to_skip() {
        let skip = |reason| TargetError::unavailable(reason).skip_reason();
        assert_eq!(
            skip(ClientUnavailable::NotConfigured),
            Some(SkipReason::NotConfigured)
        );
        assert_eq!(
            skip(ClientUnavailable::Disabled),
            Some(SkipReason::Disabled)
        );
        assert_eq!(skip(ClientUnavailable::Paused), None);
        assert_eq!(
            TargetError::unavailable(ClientUnavailable::Failed).class(),
            ErrorClass::Transient
        );
        let source = StdError::source(&TargetError::unavailable(ClientUnavailable::Disabled))
            .map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("the integration is disabled"));
    }
}
