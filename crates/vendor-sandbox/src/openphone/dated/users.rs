//! Dated users and the workspace itself.

use http::StatusCode;
use serde_json::json;

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::path_id;
use crate::openphone::dated::phone_numbers;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::messages::MessagingBlock;
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::openphone::workspace::User;

const AREA: Area = Area::Users;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let workspace = &state.workspace;
    let view = |user: &User| (user.id.to_string(), json!(workspace.user_view(user)));
    paging.reply_part(workspace.users.iter().map(view))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let user = find(state, call)?;
    let data = state.workspace.user_view(user);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn numbers(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let includes = query.words("include", &["restrictions"]);
    let paging = query.paging(state, AREA)?;
    let id = &find(state, call)?.id;
    let workspace = &state.workspace;
    let phones = workspace
        .phone_numbers
        .iter()
        .filter(|phone| workspace.users_of(phone).any(|user| user.id == *id));
    paging.reply_part(phones.map(|phone| {
        let view = phone_numbers::view(workspace, phone, &includes);
        (phone.id.clone(), view)
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every operation")]
pub(super) fn organization(state: &mut State, _call: &Call<'_>) -> Result<Outcome, ApiError> {
    let expired = state.messaging_block == Some(MessagingBlock::SubscriptionExpired);
    let at = clock::iso(state.workspace.created_at);
    let data = json!({
        "id": state.workspace.org_id,
        "name": "Example Workspace",
        "subscriptionStatus": if expired { "expired" } else { "active" },
        "createdAt": at,
        "updatedAt": at,
    });
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a User, ApiError> {
    path_id(call.id, "userId", Text::USER_ID, AREA)?;
    let user = state.workspace.user(call.id);
    user.ok_or_else(|| ApiError::not_found(AREA))
}
