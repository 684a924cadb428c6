//! Webhooks of the older generation, as they are managed over the API.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Issues, Query, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::Data;
use crate::openphone::path_id;
use crate::openphone::registration::{EVERY_NUMBER, Registration, Subscription, WebhookFormat};
use crate::openphone::state::State;
use crate::webhook::Recipient;

/// The events that one of the creating operations offers.
struct Family {
    events: &'static [&'static str],
    /// Whether a list of no events is refused; the specification does so for some families only.
    some_event: bool,
}

const MESSAGES: Family = Family {
    events: &["message.received", "message.delivered"],
    some_event: false,
};
const CALLS: Family = Family {
    events: &["call.completed", "call.ringing", "call.recording.completed"],
    some_event: false,
};
const SUMMARIES: Family = Family {
    events: &["call.summary.completed"],
    some_event: true,
};
const TRANSCRIPTS: Family = Family {
    events: &["call.transcript.completed"],
    some_event: true,
};

pub(super) fn create_for_messages(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    create(state, call, &MESSAGES)
}

pub(super) fn create_for_calls(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    create(state, call, &CALLS)
}

pub(super) fn create_for_summaries(
    state: &mut State,
    call: &Call<'_>,
) -> Result<Outcome, ApiError> {
    create(state, call, &SUMMARIES)
}

pub(super) fn create_for_transcripts(
    state: &mut State,
    call: &Call<'_>,
) -> Result<Outcome, ApiError> {
    create(state, call, &TRANSCRIPTS)
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let user_id = query.text("userId", Text::USER_ID);
    query.finish(Area::Webhooks, state.options.refuse_unknown_query)?;
    // Not those of everyone: without a user they are the owner's.
    let user_id = user_id.map_or_else(|| state.workspace.owner_id(), Arc::from);
    let data: Vec<_> = state
        .webhooks
        .iter()
        .filter_map(|registration| WebhookView::new(registration, &state.workspace.org_id))
        .filter(|webhook| *webhook.user_id == *user_id)
        .collect();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    path_id(call.id, "id", Text::WEBHOOK_ID, Area::Webhooks)?;
    let data = state
        .webhooks
        .iter()
        .find(|registration| registration.webhook.id == call.id)
        .and_then(|registration| WebhookView::new(registration, &state.workspace.org_id))
        .ok_or_else(|| ApiError::not_found(Area::Webhooks))?;
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Deletes for good: the vendor cannot restore a deleted webhook either.
pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    path_id(call.id, "id", Text::WEBHOOK_ID, Area::Webhooks)?;
    let place = state
        .webhooks
        .iter()
        .position(|registration| {
            registration.webhook.id == call.id && registration.subscription.is_some()
        })
        .ok_or_else(|| ApiError::not_found(Area::Webhooks))?;
    state.webhooks.remove(place);
    Ok(Reply::empty(StatusCode::NO_CONTENT).into())
}

fn create(state: &mut State, call: &Call<'_>, family: &Family) -> Result<Outcome, ApiError> {
    let body = call
        .json()
        .map_err(|error| ApiError::refused(Area::Webhooks, format!("Invalid JSON: {error}")))?;
    let body = CreateBody::read(body.as_ref(), family)?;
    let user_id = match &body.user_id {
        None => state.workspace.owner_id(),
        Some(id) => match state.workspace.user(id) {
            Some(user) => Arc::clone(&user.id),
            None => return Err(ApiError::forbidden(Area::Webhooks)),
        },
    };
    let numbers = &state.workspace.phone_numbers;
    let known = |id: &String| id == EVERY_NUMBER || numbers.iter().any(|phone| phone.id == *id);
    if !body.resource_ids.iter().all(known) {
        return Err(ApiError::not_found(Area::Webhooks));
    }
    let key = Arc::from(state.ids.key_bytes());
    let subscription = Subscription {
        user_id,
        label: body.label,
        enabled: body.enabled,
        events: body.events,
        resource_ids: body.resource_ids,
        created_at: call.now,
        updated_at: call.now,
    };
    let recipient = Recipient::new(&body.url);
    let registration = Registration::v4(recipient, key, Some(subscription), &mut state.ids);
    let data = WebhookView::new(&registration, &state.workspace.org_id);
    let reply = Reply::json(StatusCode::CREATED, &Data { data });
    state.webhooks.push(registration);
    Ok(reply.into())
}

/// A valid request to create.
#[derive(Debug)]
struct CreateBody {
    url: String,
    events: Vec<&'static str>,
    resource_ids: Vec<String>,
    user_id: Option<String>,
    label: Option<String>,
    enabled: bool,
}

impl CreateBody {
    fn read(body: Option<&Value>, family: &Family) -> Result<Self, ApiError> {
        let mut issues = Issues::default();
        let nothing = Map::new();
        let body = match body {
            Some(Value::Object(body)) => {
                for (name, kind) in [("events", "array"), ("url", "string")] {
                    if !body.contains_key(name) {
                        issues.missing(&format!("/{name}"), kind);
                    }
                }
                body
            }
            body => {
                issues.add("", "Expected object", body, "object");
                &nothing
            }
        };
        let read = Self {
            events: events(body.get("events"), family, &mut issues),
            label: issues.text("/label", body.get("label"), Text::ANY),
            resource_ids: resource_ids(body.get("resourceIds"), &mut issues),
            enabled: enabled(body.get("status"), &mut issues),
            url: issues
                .text("/url", body.get("url"), Text::ANY_URI)
                .map(written_out)
                .unwrap_or_default(),
            user_id: issues.text("/userId", body.get("userId"), Text::USER_ID),
        };
        issues.or(Area::Webhooks).map(|()| read)
    }
}

fn events(value: Option<&Value>, family: &Family, issues: &mut Issues) -> Vec<&'static str> {
    let names = match value {
        None => return Vec::new(),
        Some(Value::Array(names)) => names,
        value => {
            issues.add("/events", "Expected array", value, "array");
            return Vec::new();
        }
    };
    if names.is_empty() && family.some_event {
        let message = "Expected array length to be greater or equal to 1";
        issues.add("/events", message, value, "array");
    }
    let mut events = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if let Some(known) = family.events.iter().find(|known| *name == **known) {
            events.push(*known);
        } else {
            let path = format!("/events/{index}");
            issues.add(&path, "Expected union value", Some(name), "string");
        }
    }
    events
}

/// Reads ids of numbers, or stars; the two do not mix. Left out, it is every number.
fn resource_ids(value: Option<&Value>, issues: &mut Issues) -> Vec<String> {
    let Some(value) = value else {
        return vec![EVERY_NUMBER.to_owned()];
    };
    let texts: Option<Vec<&str>> = value
        .as_array()
        .and_then(|ids| ids.iter().map(Value::as_str).collect());
    match texts {
        Some(ids)
            if ids.iter().all(|id| *id == EVERY_NUMBER)
                || ids
                    .iter()
                    .all(|id| Text::PHONE_NUMBER_ID.broken_by(id).is_none()) =>
        {
            ids.into_iter().map(str::to_owned).collect()
        }
        _ => {
            issues.add("/resourceIds", "Expected union value", Some(value), "array");
            Vec::new()
        }
    }
}

fn enabled(value: Option<&Value>, issues: &mut Issues) -> bool {
    match value.map(Value::as_str) {
        None | Some(Some("enabled")) => true,
        Some(Some("disabled")) => false,
        Some(_) => {
            issues.add("/status", "Expected union value", value, "string");
            false
        }
    }
}

/// Writes a URL as the vendor's samples answer it: `https://example.com` with a slash at its end.
pub(super) fn written_out(url: String) -> String {
    url::Url::parse(&url).map_or(url, String::from)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookView<'a> {
    id: &'a str,
    user_id: &'a str,
    org_id: &'a str,
    label: Option<&'a str>,
    status: &'static str,
    url: &'a str,
    key: &'a str,
    created_at: String,
    updated_at: String,
    /// Always null: what is deleted is not shown.
    deleted_at: Option<&'a str>,
    events: &'a [&'static str],
    resource_ids: &'a [String],
}

impl<'a> WebhookView<'a> {
    /// Shows a webhook; `None` for one that the API does not see.
    fn new(registration: &'a Registration, org_id: &'a str) -> Option<Self> {
        if registration.webhook.format != WebhookFormat::V4 {
            return None;
        }
        let subscription = registration.subscription.as_ref()?;
        let at = clock::iso(subscription.created_at);
        let status = if subscription.enabled {
            "enabled"
        } else {
            "disabled"
        };
        Some(Self {
            id: &registration.webhook.id,
            user_id: &subscription.user_id,
            org_id,
            label: subscription.label.as_deref(),
            status,
            url: &registration.webhook.url,
            key: &registration.webhook.key,
            created_at: at.clone(),
            updated_at: at,
            deleted_at: None,
            events: &subscription.events,
            resource_ids: &subscription.resource_ids,
        })
    }
}
