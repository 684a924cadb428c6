//! What an attempt came to: a success, or an error with what it means for a retry.
//!
//! The status is judged before the body is looked at, so that an HTML 502 is a 502.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{Delivery, Error, ErrorKind, Throttle, VendorError, snippet};
use crate::hints::Hints;
use crate::request::Plan;
use crate::retry::Outcome;
use crate::transport::{
    BodyError, BodyErrorKind, TransportError, TransportErrorKind, WireResponse,
};

/// Beyond this nobody reads the shape of a body any more.
const LONGEST_SHAPED: usize = 256 * 1024;

/// A success, not decoded yet.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A failure, and what the retry loop needs to know of it.
pub(crate) struct Failed {
    /// Its delivery is that of this attempt alone.
    pub(crate) error: Error,
    pub(crate) outcome: Outcome,
    /// What the vendor's decoder says happened.
    pub(crate) told: Option<Delivery>,
    /// The wait the vendor asks for.
    pub(crate) asked: Option<Duration>,
}

/// Judges an answer.
pub(crate) fn answer(plan: &Plan, response: WireResponse, hints: &Hints) -> Result<Raw, Failed> {
    let WireResponse {
        status,
        headers,
        body,
    } = response;
    let success = (200..300).contains(&status);
    match body {
        Ok(body) => {
            let decoder = plan.client.inner.decoder.as_ref();
            let told = decoder.and_then(|decoder| decoder.decode(status, &headers, &body));
            match told {
                None if success => Ok(Raw {
                    status,
                    headers,
                    body,
                }),
                told => Err(refused(plan, status, headers, &body, told, hints)),
            }
        }
        Err(fault) if success => Err(unreadable(plan, status, headers, fault)),
        // The status says enough.
        Err(fault) => {
            let mut failed = refused(plan, status, headers, &[], None, hints);
            failed.error = failed.error.with_source(fault);
            Err(failed)
        }
    }
}

/// Judges an exchange without an answer.
pub(crate) fn no_answer(plan: &Plan, fault: TransportError) -> Failed {
    let kind = match fault.kind() {
        TransportErrorKind::Connect | TransportErrorKind::Broken => ErrorKind::Connect,
        TransportErrorKind::Timeout => ErrorKind::Timeout,
        TransportErrorKind::InvalidRequest => ErrorKind::Config,
    };
    let (delivery, outcome) = match (fault.kind(), fault.sent()) {
        (TransportErrorKind::InvalidRequest, false) => (Delivery::NotSent, Outcome::Final),
        (_, false) => (Delivery::NotSent, Outcome::NotSent),
        (_, true) => (Delivery::Unknown, Outcome::Lost),
    };
    Failed {
        error: plan.error(kind, delivery).with_source(fault),
        outcome,
        told: None,
        asked: None,
    }
}

/// Makes the error for a success whose body has another shape than expected.
pub(crate) fn undecodable(
    plan: &Plan,
    raw: Raw,
    fault: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let shape = shape(&raw.body);
    with_answer(
        plan,
        ErrorKind::Decode,
        Delivery::Succeeded,
        raw.status,
        raw.headers,
        shape,
    )
    .with_source(fault)
}

/// Judges a refusal by a server that is not the vendor's API, so that its words mean nothing to the vendor's decoder.
pub(crate) fn refused_elsewhere(
    plan: &Plan,
    status: u16,
    headers: HeaderMap,
    hints: &Hints,
) -> Failed {
    // No credentials were sent, so they cannot be what is wrong.
    let kind = (status == 401).then_some(ErrorKind::Permission);
    let mut told = VendorError::new();
    told.kind = kind;
    refused(plan, status, headers, &[], Some(told), hints)
}

fn refused(
    plan: &Plan,
    status: u16,
    headers: HeaderMap,
    body: &[u8],
    told: Option<VendorError>,
    hints: &Hints,
) -> Failed {
    let told = told.unwrap_or_default();
    let throttle = told
        .throttle
        .or((status == 429).then_some(Throttle::Backoff));
    let asked = hints.retry_after.max(told.retry_after);
    let asked = if throttle.is_some() {
        asked.max(hints.reset)
    } else {
        asked
    };
    let outcome = match throttle {
        Some(throttle) => Outcome::Throttled(throttle),
        None if status < 300 => Outcome::Final,
        None => Outcome::Status {
            status,
            retry_after: asked.is_some(),
            refuses_with_503: plan.operation.refuses_with_503,
        },
    };
    let kind = told.kind.unwrap_or(match throttle {
        Some(Throttle::Backoff) => ErrorKind::RateLimited,
        Some(Throttle::Stop) => ErrorKind::QuotaSpent,
        None => kind(status),
    });
    let said = told.delivery;
    let delivery = said.unwrap_or_else(|| delivery(outcome));
    let error = with_answer(plan, kind, delivery, status, headers, shape(body))
        .with_vendor_words(told)
        .with_retry_after(asked);
    Failed {
        error,
        outcome,
        told: said,
        asked,
    }
}

/// Judges a success whose body did not arrive whole.
pub(crate) fn unreadable(plan: &Plan, status: u16, headers: HeaderMap, fault: BodyError) -> Failed {
    let (kind, outcome) = match fault.kind() {
        BodyErrorKind::Timeout => (ErrorKind::Timeout, Outcome::Lost),
        BodyErrorKind::Broken => (ErrorKind::Decode, Outcome::Lost),
        BodyErrorKind::TooLarge => (ErrorKind::Decode, Outcome::Final),
    };
    Failed {
        error: with_answer(plan, kind, Delivery::Succeeded, status, headers, None)
            .with_source(fault),
        outcome,
        told: None,
        asked: None,
    }
}

fn with_answer(
    plan: &Plan,
    kind: ErrorKind,
    delivery: Delivery,
    status: u16,
    headers: HeaderMap,
    shape: Option<String>,
) -> Error {
    let id = plan.client.request_id(&headers).map(str::to_owned);
    plan.error(kind, delivery)
        .with_status(status)
        .with_request_id(id)
        .with_answer(headers, shape)
}

fn shape(body: &[u8]) -> Option<String> {
    (body.len() <= LONGEST_SHAPED).then(|| snippet(body))?
}

fn kind(status: u16) -> ErrorKind {
    match status {
        400 | 422 => ErrorKind::Validation,
        401 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Api,
    }
}

/// What a refusal means for the vendor's state, unless its decoder knows better.
fn delivery(outcome: Outcome) -> Delivery {
    match outcome {
        Outcome::Status {
            status: 503,
            retry_after: true,
            refuses_with_503: true,
        } => Delivery::Rejected,
        Outcome::Status {
            status: 408 | 500..=599,
            ..
        } => Delivery::Unknown,
        _ => Delivery::Rejected,
    }
}
