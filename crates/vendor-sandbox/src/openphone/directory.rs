//! The operations that only read: users, own numbers, custom-field definitions.

use http::StatusCode;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Query, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::{Data, Page, last_id, next_token};
use crate::openphone::path_id;
use crate::openphone::state::State;

const MOST_USERS_PER_PAGE: usize = 50;

pub(super) fn list_custom_fields(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    Query::new(call.query_pairs())
        .finish(Area::CustomFields, state.options.refuse_unknown_query)?;
    let data = &state.workspace.custom_fields;
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn list_phone_numbers(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let user_id = query.text("userId", Text::USER_ID);
    query.finish(Area::PhoneNumbers, state.options.refuse_unknown_query)?;
    let workspace = &state.workspace;
    let data: Vec<_> = workspace
        .phone_numbers
        .iter()
        .filter(|phone| match &user_id {
            None => true,
            Some(wanted) => workspace.users_of(phone).any(|user| *user.id == **wanted),
        })
        .map(|phone| workspace.phone_number_view(phone))
        .collect();
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn get_phone_number(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    path_id(
        call.id,
        "phoneNumberId",
        Text::PHONE_NUMBER_ID,
        Area::PhoneNumbers,
    )?;
    let workspace = &state.workspace;
    let phone = workspace
        .phone_numbers
        .iter()
        .find(|phone| phone.id == call.id);
    let phone = phone.ok_or_else(|| ApiError::not_found(Area::PhoneNumbers))?;
    let data = workspace.phone_number_view(phone);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn list_users(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let max = query.max_results(MOST_USERS_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    query.finish(Area::Users, state.options.refuse_unknown_query)?;
    let users = &state.workspace.users;
    let start = match token {
        None => 0,
        Some(token) => {
            let last = last_id(Area::Users, &token)?;
            let last = users.iter().position(|user| *user.id == *last);
            last.ok_or_else(|| ApiError::refused(Area::Users, "Invalid page token".to_owned()))? + 1
        }
    };
    let page: Vec<_> = users.iter().skip(start).take(max).collect();
    let next = next_token(page.len(), max, page.last().map(|user| &*user.id));
    let data = page
        .into_iter()
        .map(|user| state.workspace.user_view(user))
        .collect();
    Ok(Reply::json(StatusCode::OK, &Page::new(data, next)).into())
}

pub(super) fn get_user(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    path_id(call.id, "userId", Text::USER_ID, Area::Users)?;
    let user = state.workspace.user(call.id);
    let user = user.ok_or_else(|| ApiError::not_found(Area::Users))?;
    let data = state.workspace.user_view(user);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}
