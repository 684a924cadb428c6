//! What is traced: two spans at DEBUG, with fields from an allow-list.
//!
//! Names, templates, statuses, counts and times. Never a URL with values, a header, a body or a message. No
//! feature and no variable adds to it.

use tracing::Span;
use tracing::field::Empty;

use crate::error::{Error, ErrorKind};
use crate::request::Plan;

pub(crate) fn call(plan: &Plan) -> Span {
    tracing::debug_span!(
        target: "connector_http",
        "api.call",
        vendor = plan.client.vendor(),
        operation = plan.operation.name,
        path = plan.operation.template,
        attempts = Empty,
        outcome = Empty,
    )
}

pub(crate) fn attempt(number: u32) -> Span {
    tracing::debug_span!(
        target: "connector_http",
        "api.attempt",
        number,
        status = Empty,
        request_id = Empty,
        retry_after_ms = Empty,
        latency_ms = Empty,
        outcome = Empty,
    )
}

/// Notes how a span ended.
pub(crate) fn outcome(span: &Span, error: Option<&Error>) {
    span.record("outcome", error.map_or("ok", |error| word(error.kind())));
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Connect => "connect",
        ErrorKind::Timeout => "timeout",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::QuotaSpent => "quota_spent",
        ErrorKind::Auth => "auth",
        ErrorKind::ReauthorizationRequired => "reauthorization_required",
        ErrorKind::Permission => "permission",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Validation => "validation",
        ErrorKind::Api => "api",
        ErrorKind::Server => "server",
        ErrorKind::Decode => "decode",
        ErrorKind::Encode => "encode",
        ErrorKind::Write => "write",
        ErrorKind::Config => "config",
        ErrorKind::Store => "store",
    }
}
