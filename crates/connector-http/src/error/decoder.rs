//! What a vendor's crate adds to an error: meaning, not types.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;

use super::{Delivery, ErrorKind, FieldError, shown};

/// Reads a vendor's error body.
///
/// Pure, and asked for every answer, also for a 2xx: some vendors say `success: false` there. Returning `None`
/// leaves the judgement to the status.
pub trait ErrorDecoder: Send + Sync + 'static {
    /// Reads what the vendor says about this answer. The body may be anything, HTML and nothing included.
    fn decode(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Option<VendorError>;
}

/// What a vendor says went wrong.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VendorError {
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's message.
    pub message: Option<String>,
    /// The vendor's name for the request, where the body gives one.
    pub request_id: Option<String>,
    /// What kind of error it is, where the status alone would mislead.
    pub kind: Option<ErrorKind>,
    /// What happened, where the status alone would mislead. It can forbid a retry, never allow one.
    pub delivery: Option<Delivery>,
    /// Whether this is a refusal for pace, whatever the status.
    pub throttle: Option<Throttle>,
    /// How long the body asks to wait.
    pub retry_after: Option<Duration>,
    /// The faulty fields.
    pub field_errors: Vec<FieldError>,
}

/// A refusal for pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Throttle {
    /// Slow down: trying again after a wait will work.
    Backoff,
    /// Stop: a quota is spent, waiting seconds will not help.
    Stop,
}

impl VendorError {
    /// Makes one that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the vendor's code.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Sets the vendor's message.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the vendor's name for the request.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets the kind, in place of what the status says.
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets what happened, in place of what the status says.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// Marks it as a refusal for pace.
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Sets how long to wait.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Sets the faulty fields.
    pub fn field_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.field_errors = errors;
        self
    }
}

/// Leaves out the vendor's message, which may repeat values, and shows its words as [`Error`](super::Error) does.
impl fmt::Debug for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorError")
            .field("code", &shown(self.code.as_deref()))
            .field("request_id", &shown(self.request_id.as_deref()))
            .field("kind", &self.kind)
            .field("delivery", &self.delivery)
            .field("throttle", &self.throttle)
            .field("retry_after", &self.retry_after)
            .field("field_errors", &self.field_errors)
            .finish_non_exhaustive()
    }
}
