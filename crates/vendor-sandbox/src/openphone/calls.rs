//! Listing and getting calls, and what is left of them.

use std::borrow::Cow;

use http::StatusCode;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::call::{PhoneCall, Processing};
use crate::openphone::check::{Query, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::{Data, Page, last_id, next_token};
use crate::openphone::path_id;
use crate::openphone::state::{Plan, State};

const MOST_PER_PAGE: usize = 100;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let phone_number_id = query.required_text("phoneNumberId", Text::PHONE_NUMBER_ID);
    let participants = query.required_list("participants", Text::length(1, usize::MAX), usize::MAX);
    let max = query.max_results(MOST_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    let user_id = query.text("userId", Text::USER_ID);
    let after = query.time("createdAfter");
    let before = query.time("createdBefore");
    // By the vendor's own words the deprecated name acts as its opposite.
    let since = query.time("since");
    query.finish(Area::Calls, state.options.refuse_unknown_query)?;
    if participants.len() > 1 {
        return Err(ApiError::too_many_participants());
    }
    let Some((phone, number)) = state.workspace.own_number(&phone_number_id) else {
        return Err(ApiError::not_found(Area::Calls));
    };
    if let Some(user_id) = &user_id
        && !state
            .workspace
            .users_of(number)
            .any(|user| *user.id == **user_id)
    {
        return Err(ApiError::not_phone_number_user(Area::Calls));
    }
    let from = match token {
        None => 0,
        Some(token) => {
            let place = state.calls.ledger.place(&last_id(Area::Calls, &token)?);
            place.ok_or_else(|| ApiError::refused(Area::Calls, "Invalid page token".to_owned()))?
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
        .flat_map(|thread| state.calls.ledger.places_of(thread, from))
        .filter_map(|place| state.call(place))
        .filter(|call| user_id.as_deref().is_none_or(|id| id == &*call.user_id))
        .filter(|call| after.is_none_or(|after| call.created_at > after))
        .filter(|call| before.is_none_or(|before| call.created_at < before))
        .take(max)
        .collect();
    let next = next_token(page.len(), max, page.last().map(|call| call.id.as_str()));
    let data = page.iter().map(|call| call.view()).collect();
    Ok(Reply::json(StatusCode::OK, &Page::new(data, next)).into())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let found = find(state, call.id, "callId", Area::Calls)?;
    Ok(Reply::json(StatusCode::OK, &Data { data: found.view() }).into())
}

pub(super) fn recordings(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let found = find(state, call.id, "callId", Area::Recordings)?;
    let url = state.recording_url(&found, call.now);
    let data: Vec<_> = found.recording_view(url).into_iter().collect();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn voicemail(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let found = find(state, call.id, "callId", Area::Voicemails)?;
    let url = state.voicemail_url(&found, call.now);
    let data = found
        .voicemail_view(url)
        .ok_or_else(|| ApiError::not_found(Area::Voicemails))?;
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn summary(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let area = Area::CallSummaries;
    let found = find(state, call.id, "callId", area)?;
    has_insights(state, area)?;
    absent_is_missing(state, found.summary, area)?;
    let data = found.summary_view();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn transcript(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let area = Area::Transcripts;
    let found = find(state, call.id, "id", area)?;
    has_insights(state, area)?;
    absent_is_missing(state, found.transcript, area)?;
    let data = found.transcript_view();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

fn find<'a>(
    state: &'a State,
    id: &str,
    name: &str,
    area: Area,
) -> Result<Cow<'a, PhoneCall>, ApiError> {
    path_id(id, name, Text::ACTIVITY_ID, area)?;
    let place = state.calls.ledger.place(id);
    place
        .and_then(|place| state.call(place))
        .ok_or_else(|| ApiError::not_found(area))
}

/// Summaries and transcripts come with the larger plans only.
pub(super) fn has_insights(state: &State, area: Area) -> Result<(), ApiError> {
    if state.plan == Plan::Starter {
        Err(ApiError::forbidden(area))
    } else {
        Ok(())
    }
}

/// What is not there is shown as `absent`, or is not found where the sandbox was told so.
fn absent_is_missing(state: &State, part: Processing, area: Area) -> Result<(), ApiError> {
    if part == Processing::Absent && state.options.absent_is_missing {
        Err(ApiError::not_found(area))
    } else {
        Ok(())
    }
}
