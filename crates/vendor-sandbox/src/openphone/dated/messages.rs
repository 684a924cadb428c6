//! Dated texts: listed over the whole workspace, and sent once more when they failed.

use http::StatusCode;
use serde_json::json;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::path_id;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::message_store::{Direction, Status};
use crate::openphone::page::Data;
use crate::openphone::state::State;

const AREA: Area = Area::Messages;
const STATUSES: [&str; 6] = [
    "queued",
    "sent",
    "delivered",
    "undelivered",
    "received",
    "failed",
];

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let from = query.text("from", Text::ANY);
    let to = query.text("to", Text::ANY);
    let to_all = query.list("to[all]", Text::ANY).unwrap_or_default();
    let statuses = query.words("status", &STATUSES);
    let direction = query.one_of(
        "direction",
        &[
            ("incoming", Direction::Incoming),
            ("outgoing", Direction::Outgoing),
        ],
    );
    let number = query.text("phoneNumberId", Text::PHONE_NUMBER_ID);
    let user = query.text("userId", Text::USER_ID);
    let (after, before) = (query.time("createdAt[gt]"), query.time("createdAt[lt]"));
    let paging = query.paging(state, AREA)?;
    let start = paging.start(|id| state.messages.ledger.place(id))?;
    let state = &*state;
    let found = state
        .messages
        .ledger
        .places(start)
        .filter_map(|place| state.message(place))
        .filter(|text| from.as_ref().is_none_or(|from| *from == text.from))
        .filter(|text| to.as_ref().is_none_or(|to| text.to.contains(to)))
        .filter(|text| to_all.iter().all(|to| text.to.contains(to)))
        .filter(|text| {
            statuses.is_empty() || statuses.iter().any(|status| json!(text.status) == *status)
        })
        .filter(|text| direction.is_none_or(|direction| direction == text.direction))
        .filter(|text| {
            number
                .as_deref()
                .is_none_or(|id| id == &*text.phone_number_id)
        })
        .filter(|text| user.is_none() || user.as_deref() == text.user_id.as_deref())
        .filter(|text| after.is_none_or(|after| text.created_at > after))
        .filter(|text| before.is_none_or(|before| text.created_at < before));
    Ok(paging.reply(found.map(|text| (text.id.clone(), json!(text.dated_view())))))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let message = state.message(place);
    let message = message.ok_or_else(|| ApiError::not_found(AREA))?;
    let data = message.dated_view();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Sends a text once more that failed for no reason that is known; any other is 422.
pub(super) fn retry(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let message = state.message(place);
    let message = message.ok_or_else(|| ApiError::not_found(AREA))?;
    if message.status != Status::Failed || message.error_code.is_some() {
        let text = "Only a failed message without an error code can be retried";
        return Err(ApiError::unprocessable(AREA, text.to_owned()));
    }
    let failure = state.next_failures.pop_front();
    let deliveries = state.settle_text(place, failure, call.now);
    let reply = Reply::json(StatusCode::ACCEPTED, &json!({}));
    Ok(Outcome { reply, deliveries })
}

fn find(state: &State, call: &Call<'_>) -> Result<u64, ApiError> {
    path_id(call.id, "messageId", Text::ACTIVITY_ID, AREA)?;
    let place = state.messages.ledger.place(call.id);
    place.ok_or_else(|| ApiError::not_found(AREA))
}
