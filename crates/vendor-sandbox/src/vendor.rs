//! What the shared machinery asks of a vendor.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::SandboxError;
use crate::exchange::{Call, Outcome, Reply, Routed};
use crate::limit::Standing;
use crate::operation::Operation;
use crate::webhook::Delivery;

/// A refusal that does not come from an operation itself but from what stands before it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    UnknownRoute,
    MissingKey,
    WrongKey,
    TooManyRequests,
    BodyTooLarge,
    /// The id in the path is not valid percent-encoded UTF-8.
    UnreadableId,
    /// The version asked for is missing, or none that there is.
    WrongVersion,
    /// An injected 5xx.
    ServerError(StatusCode),
    /// An injected page of a proxy.
    HtmlErrorPage,
    /// An injected 2xx whose body says that nothing was done.
    Unsuccessful,
    /// A path of the API, asked for with a method that it does not have.
    WrongMethod,
    /// A path beside the API, where a website answers.
    NoPage,
}

/// One vendor's behaviour. Its state lies behind its own lock, so that every method takes
/// `&self` and none waits.
pub(crate) trait Vendor: Send + Sync {
    /// The name that stands in the program's output.
    fn name(&self) -> &'static str;

    /// Every operation that is simulated.
    fn operations(&self) -> Vec<Operation>;

    fn route(&self, method: &Method, path: &str, headers: &HeaderMap) -> Routed;

    /// Says whether a request asks for no key of ours and counts against no limit.
    fn is_public(&self, operation: Operation, headers: &HeaderMap) -> bool;

    /// Finds the API key where this vendor looks for it; `None` when there is none.
    fn presented_key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]>;

    /// Counts a request that came with a good key against what the account may spend, and says
    /// whether that was still there. Only a vendor that sells requests by number counts them.
    fn spend(&self) -> bool {
        true
    }

    /// Carries the call out.
    fn answer(&self, call: &Call<'_>) -> Outcome;

    /// Refuses; `operation` is the one that was asked for, where there is one.
    fn refuse(&self, refusal: Refusal, operation: Option<Operation>) -> Reply;

    /// Writes what this vendor tells of its rate limit.
    fn limit_headers(&self, standing: Standing, headers: &mut HeaderMap);

    /// Answers the vendor's own part of `/_sandbox/`; `None` for a path it does not have.
    fn control(&self, request: &ControlRequest<'_>) -> Option<Result<ControlOutcome, Problem>>;

    /// What is told when something was planned that lies ahead.
    fn wake(&self) -> Arc<Notify>;

    /// When something happens next without anyone calling.
    fn next_due(&self) -> Option<Instant>;

    /// Lets everything happen whose time has come. The webhooks that follow are handed to `send`
    /// before anyone can see that nothing is ahead any more.
    fn run_due(&self, until: Instant, send: &dyn Fn(Vec<Delivery>));

    /// Says whether webhooks are still to come without anyone calling, and soon.
    fn is_expecting(&self) -> bool;

    /// Forgets what was created, but not what the workspace was set up with.
    fn reset(&self);

    /// What `GET /_sandbox/` tells about this vendor, merged into the shared part.
    fn describe(&self) -> Value;
}

/// A request to `/_sandbox/`, split and parsed.
pub(crate) struct ControlRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a [&'a str],
    pub(crate) body: Value,
}

/// Why a control request was not carried out.
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn missing(what: &str, name: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            text: format!("there is no {what} {name}"),
        }
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            text,
        }
    }
}

impl From<SandboxError> for Problem {
    fn from(error: SandboxError) -> Self {
        error.to_string().into()
    }
}

/// What a vendor does with a control request.
pub(crate) struct ControlOutcome {
    pub(crate) status: StatusCode,
    pub(crate) value: Value,
    pub(crate) deliveries: Vec<Delivery>,
}

impl ControlOutcome {
    pub(crate) fn ok(value: Value) -> Self {
        Self {
            status: StatusCode::OK,
            value,
            deliveries: Vec::new(),
        }
    }

    pub(crate) fn created(value: Value) -> Self {
        Self {
            status: StatusCode::CREATED,
            value,
            deliveries: Vec::new(),
        }
    }
}
