//! `/_sandbox/`: what [`Control`](crate::Control) offers, over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, HeaderMap, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::fault::{FaultPlan, PlanSpec};
use crate::shared::{Shared, lock};
use crate::vendor::{ControlOutcome, ControlRequest, Problem};

/// Answers one request below `/_sandbox`; `path` is what follows.
pub(crate) async fn answer(shared: &Arc<Shared>, parts: &Parts, path: &str, body: &Bytes) -> Reply {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match carry_out(shared, parts, &segments, body).await {
        Ok(outcome) => {
            shared.dispatcher.send(outcome.deliveries);
            Reply::json(outcome.status, &outcome.value)
        }
        Err(problem) => refusal(&problem),
    }
}

/// Answers a body above the sandbox's limit.
pub(crate) fn too_large() -> Reply {
    refusal(&Problem {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        text: "the body is larger than the sandbox takes".to_owned(),
    })
}

fn refusal(problem: &Problem) -> Reply {
    Reply::json(problem.status, &json!({ "error": problem.text }))
}

async fn carry_out(
    shared: &Arc<Shared>,
    parts: &Parts,
    path: &[&str],
    body: &Bytes,
) -> Result<ControlOutcome, Problem> {
    if comes_from_a_page(&parts.headers) {
        let text = "requests from web pages are not taken".to_owned();
        return Err(Problem {
            status: StatusCode::FORBIDDEN,
            text,
        });
    }
    let method = &parts.method;
    let body = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?
    };
    if method == Method::POST && path == ["webhooks", "settle"] {
        shared.settled().await;
        return Ok(ControlOutcome::ok(json!({ "settled": true })));
    }
    let request = ControlRequest { method, path, body };
    own(shared, &request)
        .or_else(|| shared.vendor.control(&request))
        .unwrap_or_else(|| Err(Problem::missing(method.as_str(), &path.join("/"))))
}

/// Says whether a browser sends this for a page, or under a name that somebody gave to
/// 127.0.0.1: no page that a developer happens to visit shall steer the sandbox, which
/// listens on IPv4 alone.
fn comes_from_a_page(headers: &HeaderMap) -> bool {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    headers.contains_key(ORIGIN) || !matches!(name, "127.0.0.1" | "localhost")
}

/// Reads a control request's body into its type; the error says what is wrong with it.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(body: &Value) -> Result<T, Problem> {
    T::deserialize(body).map_err(|error| error.to_string().into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    /// `null` lifts the limit.
    per_window: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKey {
    key: String,
}

/// The part that is the same for every vendor; `None` for a path that is not in it.
fn own(
    shared: &Arc<Shared>,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, Problem>> {
    let body = &request.body;
    let outcome = match (request.method.as_str(), request.path) {
        ("GET", []) => Ok(describe(shared)),
        ("GET", ["requests"]) => {
            let requests = lock(&shared.requests);
            let entries: Vec<_> = requests.iter().collect();
            Ok(json!({ "total": requests.total(), "requests": entries }))
        }
        ("DELETE", ["requests"]) => {
            shared.clear_requests();
            Ok(json!({ "cleared": true }))
        }
        ("GET", ["operations"]) => Ok(json!({ "operations": shared.operation_counts() })),
        ("PUT", ["rate-limit"]) => read::<RateLimit>(body).map(|limit| {
            shared.set_rate_limit(limit.per_window);
            json!({ "per_window": limit.per_window })
        }),
        ("PUT", ["faults"]) => read::<PlanSpec>(body)
            .and_then(|spec| Ok(spec.into_plan(&shared.vendor.operations())?))
            .map(|plan| {
                shared.set_faults(plan);
                json!({ "installed": true })
            }),
        ("DELETE", ["faults"]) => {
            shared.set_faults(FaultPlan::none());
            Ok(json!({ "cleared": true }))
        }
        ("POST", ["api-keys"]) => read::<ApiKey>(body).and_then(|ApiKey { key }| {
            shared.add_key(&key)?;
            Ok(json!({ "api_keys": *lock(&shared.keys) }))
        }),
        ("PUT", ["api-keys"]) => read::<ApiKey>(body).and_then(|ApiKey { key }| {
            shared.replace_keys(&key)?;
            Ok(json!({ "api_keys": [key] }))
        }),
        ("DELETE", ["api-keys"]) => {
            shared.revoke_keys();
            Ok(json!({ "api_keys": [] }))
        }
        ("DELETE", ["api-keys", key]) => {
            if shared.revoke_key(key) {
                Ok(json!({ "api_keys": *lock(&shared.keys) }))
            } else {
                Err(Problem::missing("API key", key))
            }
        }
        ("GET", ["deliveries"]) => Ok(json!({ "deliveries": shared.dispatcher.records() })),
        ("POST", ["deliveries", number, "repeat"]) => number
            .parse()
            .ok()
            .and_then(|number| shared.dispatcher.repeat(number))
            .map(|number| json!({ "number": number }))
            .ok_or_else(|| Problem::missing("delivery", number)),
        ("POST", ["reset"]) => {
            shared.reset();
            Ok(json!({ "reset": true }))
        }
        _ => return None,
    };
    Some(outcome.map(ControlOutcome::ok))
}

fn describe(shared: &Shared) -> Value {
    let mut about = json!({
        "vendor": shared.vendor.name(),
        "base_url": shared.base_url,
        "api_keys": *lock(&shared.keys),
        "operations": shared.vendor.operations(),
        "requests": lock(&shared.requests).total(),
    });
    if let (Value::Object(about), Value::Object(more)) = (&mut about, shared.vendor.describe()) {
        about.extend(more);
    }
    about
}
