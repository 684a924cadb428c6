//! What became of the deliveries of a dated webhook, and deliveries on request.

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::body::Body;
use crate::openphone::dated::query::Query;
use crate::openphone::dated::sample;
use crate::openphone::dated::webhooks::{AREA, EVENTS, find};
use crate::openphone::error::ApiError;
use crate::openphone::page::Data;
use crate::openphone::registration::SCHEDULE;
use crate::openphone::state::State;
use crate::webhook::{Delivery, DeliveryState, Message};

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let status = query.words("status", &["success", "pending", "sending", "failed"]);
    let mut events = query.words("eventType[in]", &EVENTS);
    events.extend(query.words("eventType", &EVENTS));
    let resource = query.text("resourceId", Text::length(1, usize::MAX));
    let (after, before) = (query.time("createdAt[gt]"), query.time("createdAt[lt]"));
    let paging = query.paging(state, AREA)?;
    find(state, call)?;
    let messages = state.surroundings.dispatcher.messages_to(call.id);
    let found = messages
        .iter()
        .filter(|message| status.is_empty() || status.iter().any(|one| one == status_of(message)))
        .filter(|message| events.is_empty() || events.iter().any(|one| one == message.event))
        .filter(|message| {
            resource
                .as_ref()
                .is_none_or(|id| *id == message.resource_id)
        })
        .filter(|message| after.is_none_or(|after| message.at > after))
        .filter(|message| before.is_none_or(|before| message.at < before));
    paging.reply_part(found.map(|message| {
        let view = json!({
            "id": message.id,
            "eventId": message.event_id,
            "resourceId": message.resource_id,
            "eventType": message.event,
            "status": status_of(message),
            "nextAttemptAt": message.next_attempt_at.map(clock::iso),
            "createdAt": clock::iso(message.at),
        });
        (message.id.clone(), view)
    }))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let message = message(state, call)?;
    let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    let attempts: Vec<Value> = message
        .attempts
        .iter()
        .enumerate()
        .map(|(index, attempt)| {
            let (status, body) = attempt.answer.clone().unzip();
            let success = status.is_some_and(|status| (200..300).contains(&status));
            let id = message.id.replacen("msg_", "atmpt_", 1);
            let mut view = json!({
                "id": format!("{id}{index}"),
                "timestamp": clock::iso(attempt.at),
                "status": if success { "success" } else { "failed" },
                "responseDurationMs": attempt.took.as_secs_f64() * 1000.0,
                "triggerType": if attempt.manual { "manual" } else { "scheduled" },
                "url": message.url,
            });
            if let (Value::Object(view), Some(status)) = (&mut view, status) {
                view.insert("responseStatusCode".to_owned(), json!(status));
                view.insert("responseBody".to_owned(), json!(body));
            }
            view
        })
        .collect();
    let data = json!({
        "id": message.id,
        "eventId": message.event_id,
        "resourceId": message.resource_id,
        "eventType": message.event,
        "createdAt": clock::iso(message.at),
        "requestBody": body,
        "attempts": attempts,
    });
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Sends a delivery once more, under the same message id.
pub(super) fn retry(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let message = message(state, call)?;
    let again = state.surroundings.dispatcher.repeat(message.number);
    again.ok_or_else(|| ApiError::not_found(AREA))?;
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({})).into())
}

/// Sends a made-up event, signed as any other, and answers it bare. Whether the webhook asked for
/// such events or is enabled does not matter.
pub(super) fn test(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    body.needs("eventType", "string");
    let event = body.one_of("eventType", &EVENTS.map(|event| (event, event)));
    body.finish()?;
    let place = find(state, call)?;
    let event = event.ok_or_else(|| ApiError::not_found(AREA))?;
    let payload = sample::event(state, event, call.now);
    let text = |pointer: &str| {
        let text = payload.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let State { webhooks, ids, .. } = &mut *state;
    let registration = webhooks.get(place);
    let registration = registration.ok_or_else(|| ApiError::not_found(AREA))?;
    let delivery = Delivery {
        webhook_id: registration.webhook.id.clone(),
        event_id: text("/id"),
        resource_id: text("/data/resource/id"),
        event,
        recipient: registration.recipient.clone(),
        signer: registration.signer(ids),
        schedule: SCHEDULE,
        body: payload.to_string().into(),
    };
    Ok(Outcome {
        reply: Reply::json(StatusCode::OK, &payload),
        deliveries: vec![delivery],
    })
}

fn message(state: &State, call: &Call<'_>) -> Result<Message, ApiError> {
    find(state, call)?;
    let messages = state.surroundings.dispatcher.messages_to(call.id);
    let found = messages
        .into_iter()
        .find(|message| message.id == call.second_id);
    found.ok_or_else(|| ApiError::not_found(AREA))
}

/// The vendor's word. What is never sent from here has failed.
fn status_of(message: &Message) -> &'static str {
    match message.state {
        DeliveryState::Pending => "pending",
        DeliveryState::Delivered => "success",
        DeliveryState::Failed | DeliveryState::Dropped | DeliveryState::Withheld => "failed",
    }
}
