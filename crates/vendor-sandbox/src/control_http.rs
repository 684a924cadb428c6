//! `/_sandbox/`: what [`Control`](crate::Control) offers, over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::fault::{FaultPlan, PlanSpec};
use crate::shared::{Shared, lock};
use crate::vendor::{ControlOutcome, ControlRequest};

/// Answers one request below `/_sandbox`; `path` is what follows.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    method: &Method,
    path: &str,
    body: &Bytes,
) -> Reply {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let body = match parse(body) {
        Ok(body) => body,
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, &problem),
    };
    if (method, segments.as_slice()) == (&Method::POST, ["webhooks", "settle"].as_slice()) {
        shared.dispatcher.settled().await;
        return Reply::json(StatusCode::OK, &json!({ "settled": true }));
    }
    let request = ControlRequest {
        method,
        path: &segments,
        body,
    };
    let outcome = match own(shared, &request) {
        Some(outcome) => outcome,
        None => match shared.vendor.control(&request) {
            Some(outcome) => outcome,
            None => {
                let problem = format!("there is no {method} /_sandbox/{}", segments.join("/"));
                return refuse(StatusCode::NOT_FOUND, &problem);
            }
        },
    };
    match outcome {
        Ok(outcome) => {
            shared.dispatcher.send(outcome.deliveries);
            Reply::json(outcome.status, &outcome.value)
        }
        Err(problem) => refuse(StatusCode::BAD_REQUEST, &problem),
    }
}

fn parse(body: &Bytes) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

fn refuse(status: StatusCode, problem: &str) -> Reply {
    Reply::json(status, &json!({ "error": problem }))
}

/// Reads a control request's body into its type; the error says what is wrong with it.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(body: &Value) -> Result<T, String> {
    T::deserialize(body).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    /// `null` lifts the limit.
    per_window: Option<u32>,
}

/// The part that is the same for every vendor; `None` for a path that is not in it.
fn own(
    shared: &Arc<Shared>,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, String>> {
    let outcome = match (request.method.as_str(), request.path) {
        ("GET", []) => Ok(describe(shared)),
        ("GET", ["requests"]) => {
            let requests = lock(&shared.requests);
            let entries: Vec<_> = requests.iter().collect();
            Ok(json!({ "total": requests.total(), "requests": entries }))
        }
        ("DELETE", ["requests"]) => {
            lock(&shared.requests).clear();
            Ok(json!({ "cleared": true }))
        }
        ("PUT", ["rate-limit"]) => read::<RateLimit>(&request.body).map(|limit| {
            shared.set_rate_limit(limit.per_window);
            json!({ "per_window": limit.per_window })
        }),
        ("PUT", ["faults"]) => read::<PlanSpec>(&request.body)
            .and_then(|spec| spec.into_plan(shared.vendor.operations()))
            .map(|plan| {
                shared.set_faults(plan);
                json!({ "installed": true })
            }),
        ("DELETE", ["faults"]) => {
            shared.set_faults(FaultPlan::none());
            Ok(json!({ "cleared": true }))
        }
        ("GET", ["deliveries"]) => Ok(json!({ "deliveries": shared.dispatcher.records() })),
        ("POST", ["deliveries", number, "repeat"]) => number
            .parse()
            .ok()
            .and_then(|number| shared.dispatcher.repeat(number))
            .map(|number| json!({ "number": number }))
            .ok_or_else(|| format!("there is no delivery {number} in the log")),
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
