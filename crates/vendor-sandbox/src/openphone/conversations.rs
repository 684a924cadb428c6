//! Listing conversations and moving them in and out of the inbox.

use http::StatusCode;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Query, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::ledger::ThreadPlace;
use crate::openphone::page::{Page, last_id, next_token};
use crate::openphone::path_id;
use crate::openphone::state::State;
use crate::openphone::thread_store::Thread;

const MOST_PER_PAGE: usize = 100;
const MOST_NUMBERS: usize = 100;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let area = Area::Conversations;
    let mut query = Query::new(call.query_pairs());
    let mut numbers = query.list("phoneNumbers", Text::OWN_NUMBER);
    query.at_most("phoneNumbers", numbers.as_deref(), MOST_NUMBERS);
    // Deprecated, and the same for one number.
    if let Some(number) = query.text("phoneNumber", Text::OWN_NUMBER) {
        numbers.get_or_insert_default().push(number);
    }
    let user_id = query.text("userId", Text::USER_ID);
    let created = (query.time("createdAfter"), query.time("createdBefore"));
    let updated = (query.time("updatedAfter"), query.time("updatedBefore"));
    let active_only = query.flag("excludeInactive").unwrap_or(false);
    let max = query.max_results(MOST_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    query.finish(area, state.options.refuse_unknown_query)?;
    let phones = wanted_numbers(state, numbers.as_deref(), user_id.as_deref())?;
    let between = |(after, before): (Option<_>, Option<_>), at| {
        after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
    };
    let mut found: Vec<(ThreadPlace, &Thread)> = state
        .threads
        .iter()
        .filter(|(_, thread)| phones.contains(&thread.phone))
        .filter(|(_, thread)| between(created, thread.created_at))
        .filter(|(_, thread)| between(updated, thread.updated_at))
        .filter(|(_, thread)| !(active_only && thread.done))
        .collect();
    // By the vendor's words: the most recent conversation first.
    found.sort_by_key(|(_, thread)| std::cmp::Reverse(thread.recency()));
    let start = match token {
        None => 0,
        Some(token) => {
            let last = last_id(area, &token)?;
            let known = found.iter().position(|(_, thread)| *thread.id == *last);
            known.ok_or_else(|| ApiError::refused(area, "Invalid page token".to_owned()))? + 1
        }
    };
    let page: Vec<&Thread> = found
        .into_iter()
        .skip(start)
        .take(max)
        .map(|(_, thread)| thread)
        .collect();
    let next = next_token(page.len(), max, page.last().map(|thread| &*thread.id));
    let data = page.into_iter().map(Thread::view).collect();
    Ok(Reply::json(StatusCode::OK, &Page::new(data, next)).into())
}

/// The positions of the own numbers that a list asks for: those it names, and of them those of
/// the user it names.
fn wanted_numbers(
    state: &State,
    numbers: Option<&[String]>,
    user_id: Option<&str>,
) -> Result<Vec<usize>, ApiError> {
    let area = Area::Conversations;
    let workspace = &state.workspace;
    let named: Vec<_> = match numbers {
        None => workspace.phone_numbers.iter().enumerate().collect(),
        Some(numbers) => numbers
            .iter()
            .map(|number| workspace.own_number(number))
            .collect::<Option<_>>()
            .ok_or_else(|| ApiError::not_found(area))?,
    };
    let Some(user_id) = user_id else {
        return Ok(named.into_iter().map(|(place, _)| place).collect());
    };
    let of_user: Vec<usize> = named
        .into_iter()
        .filter(|(_, phone)| workspace.users_of(phone).any(|user| *user.id == *user_id))
        .map(|(place, _)| place)
        .collect();
    if of_user.is_empty() {
        return Err(ApiError::not_phone_number_user(area));
    }
    Ok(of_user)
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

/// Answers the bare conversation, without `data` around it.
fn mark(state: &mut State, call: &Call<'_>, change: fn(&mut Thread)) -> Result<Outcome, ApiError> {
    path_id(
        call.id,
        "conversationId",
        Text::CONVERSATION_ID,
        Area::Conversations,
    )?;
    let place = state.threads.place(call.id);
    let thread = place
        .and_then(|place| state.threads.get_mut(place))
        .ok_or_else(|| ApiError::not_found(Area::Conversations))?;
    change(thread);
    thread.updated_at = call.now;
    Ok(Reply::json(StatusCode::OK, &thread.view()).into())
}
