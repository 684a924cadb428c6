//! Dated webhooks: one creating operation for every event, and an update.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Given, Text};
use crate::openphone::dated::body::Body;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::object::insert;
use crate::openphone::page::Data;
use crate::openphone::registration::{EVERY_NUMBER, Registration, Subscription, WebhookFormat};
use crate::openphone::state::State;
use crate::openphone::webhooks::written_out;
use crate::webhook::Recipient;

pub(super) const AREA: Area = Area::Webhooks;
/// How many of them a workspace may have.
const MOST: usize = 50;
/// Every event that may be asked for. The last three are accepted and documented nowhere.
pub(super) const EVENTS: [&str; 31] = [
    "message.received",
    "message.delivered",
    "message.failed",
    "message.undelivered",
    "call.ringing",
    "call.answered",
    "call.completed",
    "call.missed",
    "call.forwarded",
    "call.menu.selected",
    "call.recording.completed",
    "call.transcript.completed",
    "call.summary.completed",
    "call.voicemail.completed",
    "contact.updated",
    "contact.deleted",
    "task.created",
    "task.updated",
    "task.deleted",
    "task.completed",
    "task.reopened",
    "task.assigned",
    "task.unassigned",
    "task.overdue",
    "task.linked",
    "task.unlinked",
    "task.duedate.updated",
    "task.duedate.removed",
    "integration.created",
    "integration.updated",
    "integration.deleted",
];

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    Query::new(call).finish(state, AREA)?;
    let data: Vec<Value> = state
        .webhooks
        .iter()
        .filter_map(|registration| view(registration, &state.workspace.org_id))
        .collect();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let url = body.required("url", Text::ANY_URI);
    body.needs("events", "array");
    let events = events(&mut body).unwrap_or_default();
    let numbers = numbers(&mut body, false);
    let enabled = body.one_of("status", &STATUSES);
    let label = body.text("label", Text::ANY);
    body.finish()?;
    let resource_ids = numbers.unwrap_or_else(|| vec![EVERY_NUMBER.to_owned()]);
    known_numbers(state, &resource_ids)?;
    let there = state.webhooks.iter().filter(|one| is_here(one)).count();
    if there >= MOST {
        let message = format!("A workspace may have {MOST} webhooks");
        return Err(ApiError::refused(AREA, message));
    }
    let subscription = Subscription {
        user_id: state.workspace.owner_id(),
        label,
        enabled: enabled.unwrap_or(true),
        events,
        resource_ids,
        created_at: call.now,
        updated_at: call.now,
    };
    let recipient = Recipient::new(&written_out(url));
    let key = Arc::from(state.ids.key_bytes());
    let registration = Registration::dated(recipient, key, Some(subscription), &mut state.ids);
    let mut data = view(&registration, &state.workspace.org_id).unwrap_or_default();
    // Only here and when it is rotated.
    insert(&mut data, "key", json!(registration.webhook.key));
    state.webhooks.push(registration);
    Ok(Reply::json(StatusCode::CREATED, &Data { data }).into())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    answer(state, place)
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let url = body.text("url", Text::ANY_URI);
    let events = events(&mut body);
    let numbers = numbers(&mut body, true);
    let enabled = body.one_of("status", &STATUSES);
    let label = body.nullable("label", Text::ANY);
    body.finish()?;
    let place = find(state, call)?;
    if let Some(numbers) = &numbers {
        known_numbers(state, numbers)?;
    }
    if let Some(registration) = state.webhooks.get_mut(place) {
        if let Some(url) = url {
            registration.send_to(Recipient::new(&written_out(url)));
        }
        if let Some(subscription) = &mut registration.subscription {
            if let Some(events) = events {
                subscription.events = events;
            }
            if let Some(numbers) = numbers {
                subscription.resource_ids = numbers;
            }
            if let Some(enabled) = enabled {
                subscription.enabled = enabled;
            }
            if label != Given::Absent {
                label.replace(&mut subscription.label);
            }
            subscription.updated_at = call.now;
        }
    }
    answer(state, place)
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    state.webhooks.remove(place);
    Ok(Reply::empty(StatusCode::NO_CONTENT).into())
}

/// Signs with a new key from now on; the old one is worthless at once.
pub(super) fn rotate(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let key = Arc::from(state.ids.key_bytes());
    let registration = state.webhooks.get_mut(place);
    let registration = registration.ok_or_else(|| ApiError::not_found(AREA))?;
    registration.rotate(key);
    let data = json!({ "key": registration.webhook.key });
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

const STATUSES: [(&str, bool); 2] = [("enabled", true), ("disabled", false)];

/// Finds one that was created over this surface; those of API v1 are not seen here.
pub(super) fn find(state: &State, call: &Call<'_>) -> Result<usize, ApiError> {
    let place = state
        .webhooks
        .iter()
        .position(|registration| registration.webhook.id == call.id && is_here(registration));
    place.ok_or_else(|| ApiError::not_found(AREA))
}

fn is_here(registration: &Registration) -> bool {
    registration.webhook.format == WebhookFormat::Dated && registration.subscription.is_some()
}

fn events(body: &mut Body) -> Option<Vec<&'static str>> {
    let known = |name: &Value| EVENTS.iter().find(|known| *name == **known).copied();
    let given = body.get("events")?.as_array().cloned();
    match given {
        None => body.refuse("events", "must be array", "array"),
        Some(names) if names.is_empty() => {
            body.refuse("events", "must NOT have fewer than 1 items", "array");
        }
        Some(names) => {
            let events: Option<Vec<_>> = names.iter().map(known).collect();
            if events.is_none() {
                body.refuse(
                    "events",
                    "must be equal to one of the allowed values",
                    "array",
                );
            }
            return events;
        }
    }
    None
}

/// Reads the numbers; null, where it is allowed, is every one.
fn numbers(body: &mut Body, nullable: bool) -> Option<Vec<String>> {
    let every = || vec![EVERY_NUMBER.to_owned()];
    let given = match body.get("resourceIds")? {
        Value::Null if nullable => return Some(every()),
        given => given.as_array().cloned(),
    };
    let texts: Option<Vec<String>> = given.and_then(|ids| {
        let texts = ids.iter().map(|id| id.as_str().map(str::to_owned));
        texts.collect()
    });
    match texts {
        Some(ids) if !ids.is_empty() => return Some(ids),
        Some(_) => body.refuse("resourceIds", "must NOT have fewer than 1 items", "array"),
        None => body.refuse("resourceIds", "must be array", "array"),
    }
    None
}

fn known_numbers(state: &State, ids: &[String]) -> Result<(), ApiError> {
    let numbers = &state.workspace.phone_numbers;
    let known = |id: &String| id == EVERY_NUMBER || numbers.iter().any(|phone| phone.id == *id);
    if ids.iter().all(known) {
        Ok(())
    } else {
        Err(ApiError::not_found(AREA))
    }
}

fn answer(state: &State, place: usize) -> Result<Outcome, ApiError> {
    let data = state
        .webhooks
        .get(place)
        .and_then(|registration| view(registration, &state.workspace.org_id))
        .ok_or_else(|| ApiError::not_found(AREA))?;
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Shows a webhook without its key; `None` for one that this surface does not see.
fn view(registration: &Registration, org_id: &str) -> Option<Value> {
    if !is_here(registration) {
        return None;
    }
    let subscription = registration.subscription.as_ref()?;
    let status = if subscription.enabled {
        "enabled"
    } else {
        "disabled"
    };
    Some(json!({
        "id": registration.webhook.id,
        "orgId": org_id,
        "label": subscription.label,
        "status": status,
        "url": registration.webhook.url,
        "apiVersion": "2026-03-30",
        "events": subscription.events,
        "resourceIds": subscription.resource_ids,
        "createdAt": clock::iso(subscription.created_at),
        "updatedAt": clock::iso(subscription.updated_at),
    }))
}
