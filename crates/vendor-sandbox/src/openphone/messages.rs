//! Sending, listing and getting texts.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Issues, Query, Text, is_e164};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::events::Event;
use crate::openphone::message_store::{Direction, Message, Status};
use crate::openphone::page::{Data, Page, last_id, next_token};
use crate::openphone::path_id;
use crate::openphone::state::State;
use crate::webhook::Delivery;

const MOST_PER_PAGE: usize = 100;
const MOST_PARTICIPANTS: usize = 10;
const LONGEST_RECIPIENT: usize = 15;

/// A reason for which the vendor sends no texts for this workspace at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessagingBlock {
    /// US texts need an approved registration: 400, code 0206400.
    A2pNotApproved,
    /// The subscription or its credit has run out: 402, code 0201402.
    SubscriptionExpired,
    /// The day's texts are used up: 403, code 0204403.
    DailyCapReached,
}

/// A valid request to send.
#[derive(Debug, Default)]
struct SendBody {
    content: String,
    from: String,
    to: Vec<String>,
    user_id: Option<String>,
    /// Whether the conversation is done with.
    done: bool,
}

pub(super) fn send(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let body = call
        .json()
        .map_err(|error| ApiError::refused(Area::Messages, format!("Invalid JSON: {error}")))?;
    let body = SendBody::read(body.as_ref())?;
    match state.messaging_block {
        Some(MessagingBlock::A2pNotApproved) => return Err(ApiError::a2p_not_approved()),
        Some(MessagingBlock::SubscriptionExpired) => return Err(ApiError::subscription_expired()),
        Some(MessagingBlock::DailyCapReached) => return Err(ApiError::daily_cap_reached()),
        None => {}
    }
    let State {
        ids,
        workspace,
        messages,
        threads,
        next_failures,
        ..
    } = &mut *state;
    let Some((place, phone)) = workspace.own_number(&body.from) else {
        return Err(ApiError::not_found(Area::Messages));
    };
    let sender = match &body.user_id {
        None => workspace.users_of(phone).next(),
        Some(id) => workspace.users_of(phone).find(|user| *user.id == **id),
    };
    let Some(sender) = sender else {
        return Err(ApiError::not_phone_number_user(Area::Messages));
    };
    let thread_place = threads.ensure((place, phone), &body.to, call.now, ids);
    let Some(thread) = threads.get(thread_place) else {
        return Err(ApiError::server(Area::Messages));
    };
    let message = Message {
        id: messages.ledger.id(messages.ledger.next_place()),
        from: phone.number.to_owned(),
        text: body.content,
        phone_number_id: Arc::clone(&thread.phone_number_id),
        conversation_id: Arc::clone(&thread.id),
        direction: Direction::Outgoing,
        user_id: Some(sender.id.clone()),
        status: Status::Queued,
        error_code: None,
        created_at: call.now,
        updated_at: call.now,
        to: body.to,
    };
    let reply = Reply::json(
        StatusCode::ACCEPTED,
        &Data {
            data: message.view(),
        },
    );
    threads.note(thread_place, message.id.clone(), call.now, false);
    if let Some(thread) = threads.get_mut(thread_place).filter(|_| body.done) {
        thread.done = true;
    }
    let place = messages.ledger.push(thread_place, message);
    let failure = next_failures.pop_front();
    let deliveries = state.settle_text(place, failure, call.now);
    Ok(Outcome { reply, deliveries })
}

/// Why a text does not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TextFailure {
    /// It did not get out, for no reason that is known. The dated API can try again.
    Failed,
    /// It did not get out, for the reason with this code.
    FailedWith(String),
    /// It got out and was not delivered, for the reason with this code.
    Undelivered(String),
}

impl State {
    /// Ends the way of a text that is on it. The answer says "queued"; whoever asks later, or
    /// listens, learns what became of it.
    pub(super) fn settle_text(
        &mut self,
        place: u64,
        failure: Option<TextFailure>,
        now: DateTime<Utc>,
    ) -> Vec<Delivery> {
        let (status, code, event) = match failure {
            None => (Status::Delivered, None, Event::MessageDelivered(place)),
            Some(TextFailure::Failed) => (Status::Failed, None, Event::MessageFailed(place)),
            Some(TextFailure::FailedWith(code)) => {
                (Status::Failed, Some(code), Event::MessageFailed(place))
            }
            Some(TextFailure::Undelivered(code)) => {
                let event = Event::MessageUndelivered(place);
                (Status::Undelivered, Some(code), event)
            }
        };
        if let Some(message) = self.messages.ledger.get_mut(place) {
            message.status = status;
            message.error_code = code;
            message.updated_at = now;
        }
        self.notify(&event, now)
    }
}

impl SendBody {
    fn read(body: Option<&Value>) -> Result<Self, ApiError> {
        let mut issues = Issues::default();
        let read = match body {
            Some(Value::Object(body)) => Self::read_object(body, &mut issues),
            body => {
                issues.add("", "Expected object", body, "object");
                Self::default()
            }
        };
        issues.or(Area::Messages).map(|()| read)
    }

    fn read_object(body: &Map<String, Value>, issues: &mut Issues) -> Self {
        for (name, kind) in [("content", "string"), ("from", "string"), ("to", "array")] {
            if !body.contains_key(name) {
                issues.missing(&format!("/{name}"), kind);
            }
        }
        let content = issues.text("/content", body.get("content"), Text::CONTENT);
        issues.text(
            "/phoneNumberId",
            body.get("phoneNumberId"),
            Text::PHONE_NUMBER_ID,
        );
        let user_id = issues.text("/userId", body.get("userId"), Text::USER_ID);
        if let Some(value) = body.get("setInboxStatus").filter(|value| *value != "done") {
            issues.add("/setInboxStatus", "Expected 'done'", Some(value), "string");
        }
        let from = match body.get("from") {
            Some(Value::String(from)) if from.starts_with("PN") || is_e164(from) => from.clone(),
            Some(value) => {
                issues.add("/from", "Expected union value", Some(value), "string");
                String::new()
            }
            None => String::new(),
        };
        let to = match body.get("to") {
            Some(Value::Array(to)) => recipients(to, issues),
            Some(value) => {
                issues.add("/to", "Expected array", Some(value), "array");
                Vec::new()
            }
            None => Vec::new(),
        };
        Self {
            content: content.unwrap_or_default(),
            from,
            to,
            user_id,
            done: body.contains_key("setInboxStatus"),
        }
    }
}

/// Reads the recipients: each a number, or any text that is no longer than one.
fn recipients(to: &[Value], issues: &mut Issues) -> Vec<String> {
    let wrong = if to.is_empty() {
        Some("Expected array length to be greater or equal to 1".to_owned())
    } else if to.len() > MOST_PARTICIPANTS {
        Some(format!(
            "Expected array length to be less or equal to {MOST_PARTICIPANTS}"
        ))
    } else {
        None
    };
    if let Some(message) = wrong {
        issues.add("/to", message, Some(&Value::from(to)), "array");
    }
    let mut recipients = Vec::with_capacity(to.len());
    for (index, value) in to.iter().enumerate() {
        match value {
            Value::String(recipient)
                if is_e164(recipient) || recipient.chars().count() <= LONGEST_RECIPIENT =>
            {
                recipients.push(recipient.clone());
            }
            value => issues.add(
                &format!("/to/{index}"),
                "Expected union value",
                Some(value),
                "string",
            ),
        }
    }
    recipients
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let phone_number_id = query.required_text("phoneNumberId", Text::PHONE_NUMBER_ID);
    let participants = query.required_list("participants", Text::E164, MOST_PARTICIPANTS);
    let max = query.max_results(MOST_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    let user_id = query.text("userId", Text::USER_ID);
    let after = query.time("createdAfter");
    let before = query.time("createdBefore");
    // By the vendor's own words the deprecated name acts as its opposite.
    let since = query.time("since");
    query.finish(Area::Messages, state.options.refuse_unknown_query)?;
    let Some((phone, _)) = state.workspace.own_number(&phone_number_id) else {
        return Err(ApiError::not_found(Area::Messages));
    };
    let from = match token {
        None => 0,
        Some(token) => {
            let last = last_id(Area::Messages, &token)?;
            let place = state.messages.ledger.place(&last);
            place
                .ok_or_else(|| ApiError::refused(Area::Messages, "Invalid page token".to_owned()))?
                + 1
        }
    };
    let before = match (before, since) {
        (Some(before), Some(since)) => Some(before.min(since)),
        (before, since) => before.or(since),
    };
    let state = &*state;
    let page: Vec<_> = state
        .threads
        .with(phone, &participants)
        .into_iter()
        .flat_map(|thread| state.messages.ledger.places_of(thread, from))
        .filter_map(|place| state.message(place))
        .filter(|message| user_id.is_none() || user_id.as_deref() == message.user_id.as_deref())
        .filter(|message| after.is_none_or(|after| message.created_at > after))
        .filter(|message| before.is_none_or(|before| message.created_at < before))
        .take(max)
        .collect();
    let next = next_token(
        page.len(),
        max,
        page.last().map(|message| message.id.as_str()),
    );
    let data = page.iter().map(|message| message.view()).collect();
    Ok(Reply::json(StatusCode::OK, &Page::new(data, next)).into())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    path_id(call.id, "id", Text::ACTIVITY_ID, Area::Messages)?;
    let message = state
        .messages
        .ledger
        .place(call.id)
        .and_then(|place| state.message(place))
        .ok_or_else(|| ApiError::not_found(Area::Messages))?;
    let data = message.view();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Lets a text arrive from outside and returns its place.
pub(super) fn receive(
    state: &mut State,
    from: &str,
    to: &str,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(u64, Vec<Delivery>), String> {
    let State {
        ids,
        workspace,
        messages,
        threads,
        ..
    } = &mut *state;
    let Some(phone) = workspace.own_number(to) else {
        return Err(format!(
            "{to} is not a number or number id of the workspace"
        ));
    };
    if from.trim().is_empty() {
        return Err("the sender is empty".to_owned());
    }
    let thread_place = threads.ensure(phone, &[from.to_owned()], now, ids);
    let Some(thread) = threads.get(thread_place) else {
        return Err("the thread is not there".to_owned());
    };
    let message = Message {
        id: messages.ledger.id(messages.ledger.next_place()),
        to: vec![phone.1.number.to_owned()],
        from: from.to_owned(),
        text: text.to_owned(),
        phone_number_id: Arc::clone(&thread.phone_number_id),
        conversation_id: Arc::clone(&thread.id),
        direction: Direction::Incoming,
        user_id: None,
        status: Status::Received,
        error_code: None,
        created_at: now,
        updated_at: now,
    };
    threads.note(thread_place, message.id.clone(), now, true);
    let place = messages.ledger.push(thread_place, message);
    let deliveries = state.notify(&Event::MessageReceived(place), now);
    Ok((place, deliveries))
}
