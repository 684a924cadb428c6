//! Dated conversations, the only list that can be sorted.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::json;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::path_id;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::openphone::thread_store::Thread;

const AREA: Area = Area::Conversations;

#[derive(Clone, Copy)]
enum By {
    Created,
    Updated,
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let numbers = query.any_of("phoneNumberId", "phoneNumberId[in]", Text::PHONE_NUMBER_ID);
    let created = (query.time("createdAt[gte]"), query.time("createdAt[lte]"));
    let updated = (query.time("updatedAt[gte]"), query.time("updatedAt[lte]"));
    let sort = query.one_of(
        "sort",
        &[
            ("createdAt:asc", (By::Created, false)),
            ("createdAt:desc", (By::Created, true)),
            ("updatedAt:asc", (By::Updated, false)),
            ("updatedAt:desc", (By::Updated, true)),
        ],
    );
    let paging = query.paging(state, AREA)?;
    let within = |(from, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>), at| {
        from.is_none_or(|from| at >= from) && until.is_none_or(|until| at <= until)
    };
    let mut found: Vec<&Thread> = state
        .threads
        .iter()
        .map(|(_, thread)| thread)
        .filter(|thread| {
            numbers
                .as_ref()
                .is_none_or(|ids| ids.iter().any(|id| **id == *thread.phone_number_id))
        })
        .filter(|thread| within(created, thread.created_at))
        .filter(|thread| within(updated, thread.updated_at))
        .collect();
    match sort {
        // As API v1: the most recent first.
        None => found.sort_by_key(|thread| std::cmp::Reverse(thread.recency())),
        Some((by, falling)) => {
            found.sort_by_key(|thread| match by {
                By::Created => thread.created_at,
                By::Updated => thread.updated_at,
            });
            if falling {
                found.reverse();
            }
        }
    }
    paging.reply_part(
        found
            .into_iter()
            .map(|thread| (thread.id.to_string(), json!(thread.dated_view()))),
    )
}

pub(super) fn mark_as_read(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    mark(state, call, |thread| thread.unread = false)
}

pub(super) fn mark_as_done(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    mark(state, call, |thread| thread.done = true)
}

pub(super) fn mark_as_open(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    mark(state, call, |thread| thread.done = false)
}

/// Answers the conversation within `data`, which API v1 leaves out.
fn mark(state: &mut State, call: &Call<'_>, change: fn(&mut Thread)) -> Result<Outcome, ApiError> {
    path_id(call.id, "conversationId", Text::CONVERSATION_ID, AREA)?;
    let place = state.threads.place(call.id);
    let thread = place
        .and_then(|place| state.threads.get_mut(place))
        .ok_or_else(|| ApiError::not_found(AREA))?;
    change(thread);
    thread.updated_at = call.now;
    let data = thread.dated_view();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}
