//! This vendor's part of `/_sandbox/`: what its handle offers, over HTTP.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::control_http::read;
use crate::openphone::call::CallEnd;
use crate::openphone::control::{define, register, remove, seed};
use crate::openphone::messages::{self, MessagingBlock, TextFailure};
use crate::openphone::new_call::NewCall;
use crate::openphone::registration::WebhookFormat;
use crate::openphone::state::{Plan, State};
use crate::openphone::workspace::CustomFieldKind;
use crate::openphone::{call_life, contacts};
use crate::vendor::{ControlOutcome, ControlRequest, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSpec {
    #[serde(default)]
    synthetic: u64,
    #[serde(default)]
    contacts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextSpec {
    from: String,
    to: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallSpec {
    from: String,
    to: String,
    end: CallEnd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManySpec {
    count: u64,
    people: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureSpec {
    failure: TextFailure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanSpec {
    plan: Plan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskLimitSpec {
    /// `null` lifts the limit.
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSpec {
    url: String,
    format: WebhookFormat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    name: String,
    key: String,
    r#type: CustomFieldKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockSpec {
    block: Option<MessagingBlock>,
}

/// Answers this vendor's part of `/_sandbox/`.
pub(super) fn answer(
    state: &mut State,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, Problem>> {
    let body = &request.body;
    let outcome = match (request.method.as_str(), request.path) {
        ("GET", ["contacts"]) => Ok(ControlOutcome::ok(
            json!({ "contacts": contacts::snapshot(state) }),
        )),
        ("GET", ["contacts", id]) => state
            .contacts
            .place(id)
            .and_then(|place| contacts::one(state, place))
            .map(ControlOutcome::ok)
            .ok_or_else(|| Problem::missing("contact", id)),
        ("POST", ["contacts"]) => read::<SeedSpec>(body).and_then(|spec| {
            let mut ids = Vec::with_capacity(spec.contacts.len());
            for record in &spec.contacts {
                ids.push(seed(state, record)?);
            }
            state.contacts.add_synthetic(spec.synthetic);
            let count = state.contacts.len();
            Ok(ControlOutcome::created(
                json!({ "ids": ids, "count": count }),
            ))
        }),
        ("GET", ["messages"]) => {
            let state = &*state;
            let messages: Vec<_> = state
                .messages
                .ledger
                .places(0)
                .filter_map(|place| Some(json!(state.message(place)?.view())))
                .collect();
            Ok(ControlOutcome::ok(json!({ "messages": messages })))
        }
        ("POST", ["inbound-texts"]) => read::<TextSpec>(body).and_then(|spec| {
            let now = clock::utc_now();
            let (place, deliveries) =
                messages::receive(state, &spec.from, &spec.to, &spec.text, now)?;
            let message = json!(state.message(place).map(|message| json!(message.view())));
            Ok(ControlOutcome {
                deliveries,
                ..ControlOutcome::created(message)
            })
        }),
        ("POST", ["inbound-calls"]) => read::<CallSpec>(body).and_then(|spec| {
            place_call(state, &NewCall::incoming(spec.from, spec.to).end(spec.end))
        }),
        ("GET", ["webhooks"]) => {
            let webhooks: Vec<_> = state.webhooks.iter().map(|entry| &entry.webhook).collect();
            Ok(ControlOutcome::ok(json!({ "webhooks": webhooks })))
        }
        ("POST", ["webhooks"]) => read::<WebhookSpec>(body).and_then(|spec| {
            let webhook = register(state, &spec.url, spec.format)?;
            Ok(ControlOutcome::created(json!(webhook)))
        }),
        ("DELETE", ["webhooks", id]) => {
            if remove(state, id) {
                Ok(ControlOutcome::ok(json!({ "removed": true })))
            } else {
                Err(Problem::missing("webhook", id))
            }
        }
        ("POST", ["custom-fields"]) => read::<FieldSpec>(body).map(|spec| {
            define(state, &spec.name, &spec.key, spec.r#type);
            ControlOutcome::created(json!({ "custom_fields": state.workspace.custom_fields }))
        }),
        ("PUT", ["messaging-block"]) => read::<BlockSpec>(body).map(|spec| {
            state.messaging_block = spec.block;
            ControlOutcome::ok(json!({ "block": spec.block }))
        }),
        _ => return calls_and_limits(state, request),
    };
    Some(outcome)
}

/// The part that deals with calls, and with what the workspace may do.
fn calls_and_limits(
    state: &mut State,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, Problem>> {
    let body = &request.body;
    let outcome = match (request.method.as_str(), request.path) {
        ("POST", ["calls"]) => read::<NewCall>(body).and_then(|call| place_call(state, &call)),
        ("GET", ["calls", id]) => state
            .calls
            .ledger
            .place(id)
            .and_then(|place| state.call(place))
            .map(|call| ControlOutcome::ok(json!(call.view())))
            .ok_or_else(|| Problem::missing("call", id)),
        ("POST", ["calls", "finish"]) => Ok(ControlOutcome {
            deliveries: state.finish_calls(clock::utc_now()),
            ..ControlOutcome::ok(json!({ "finished": true }))
        }),
        ("POST", ["synthetic-calls"]) => read::<ManySpec>(body).map(|spec| {
            state.add_synthetic_calls(spec.count, spec.people);
            ControlOutcome::created(json!({ "count": state.calls.ledger.len() }))
        }),
        ("POST", ["synthetic-messages"]) => read::<ManySpec>(body).map(|spec| {
            state.add_synthetic_messages(spec.count, spec.people);
            ControlOutcome::created(json!({ "count": state.messages.ledger.len() }))
        }),
        ("POST", ["recording-urls", "expire"]) => {
            state.media_key = state.ids.key_bytes();
            Ok(ControlOutcome::ok(json!({ "expired": true })))
        }
        ("POST", ["text-failures"]) => read::<FailureSpec>(body).map(|spec| {
            state.next_failures.push_back(spec.failure);
            ControlOutcome::created(json!({ "waiting": state.next_failures.len() }))
        }),
        ("PUT", ["plan"]) => read::<PlanSpec>(body).map(|spec| {
            state.plan = spec.plan;
            ControlOutcome::ok(json!({ "plan": spec.plan }))
        }),
        ("PUT", ["open-task-limit"]) => read::<TaskLimitSpec>(body).map(|spec| {
            state.open_task_limit = spec.limit;
            ControlOutcome::ok(json!({ "limit": spec.limit }))
        }),
        _ => return None,
    };
    Some(outcome)
}

/// What `GET /_sandbox/` tells about this vendor.
pub(super) fn describe(state: &State) -> Value {
    let numbers: Vec<_> = state
        .workspace
        .phone_numbers
        .iter()
        .map(|phone| json!({ "id": phone.id, "number": phone.number, "name": phone.name }))
        .collect();
    json!({
        "webhook_key": state.legacy_key_text(),
        "webhook_secret": state.dated_key_text(),
        "phone_numbers": numbers,
        "contacts": state.contacts.len(),
        "messages": state.messages.ledger.len(),
        "calls": state.calls.ledger.len(),
        "tasks": state.tasks.iter().count(),
        "plan": state.plan,
        "webhooks": state.webhooks.len(),
    })
}

fn place_call(state: &mut State, call: &NewCall) -> Result<ControlOutcome, Problem> {
    let (id, deliveries) = call_life::place(state, call, clock::utc_now())?;
    Ok(ControlOutcome {
        deliveries,
        ..ControlOutcome::created(json!({ "id": id }))
    })
}
