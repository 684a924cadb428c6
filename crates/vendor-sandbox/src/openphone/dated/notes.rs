//! Notes on contacts, which only the dated API has.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::body::Body;
use crate::openphone::dated::contacts::{AREA, find};
use crate::openphone::dated::query::Query;
use crate::openphone::error::ApiError;
use crate::openphone::page::Data;
use crate::openphone::state::State;

#[derive(Clone, Debug)]
pub(in crate::openphone) struct Note {
    id: String,
    text: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    actor_id: Arc<str>,
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let place = find(state, call.id)?;
    let notes = state.notes.get(&place).map_or(&[][..], Vec::as_slice);
    paging.reply_part(notes.iter().map(|note| (note.id.clone(), view(note))))
}

/// Answers 200, and not 201 as other creations do.
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let text = text(call)?;
    let place = find(state, call.id)?;
    let note = Note {
        id: state.ids.item(),
        text,
        created_at: call.now,
        updated_at: call.now,
        actor_id: state.workspace.owner_id(),
    };
    let reply = answer(&note);
    state.notes.entry(place).or_default().push(note);
    Ok(reply)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    note(state, call).map(|note| answer(note))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let text = text(call)?;
    let note = note(state, call)?;
    note.text = text;
    note.updated_at = call.now;
    Ok(answer(note))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    note(state, call)?;
    let place = find(state, call.id)?;
    if let Some(notes) = state.notes.get_mut(&place) {
        notes.retain(|note| note.id != call.second_id);
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT).into())
}

fn note<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Note, ApiError> {
    let place = find(state, call.id)?;
    let notes = state.notes.get_mut(&place).into_iter().flatten();
    let mut notes = notes.filter(|note| note.id == call.second_id);
    notes.next().ok_or_else(|| ApiError::not_found(AREA))
}

fn text(call: &Call<'_>) -> Result<String, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let text = body.required("text", Text::length(1, 2000));
    body.finish().map(|()| text)
}

fn answer(note: &Note) -> Outcome {
    Reply::json(StatusCode::OK, &Data { data: view(note) }).into()
}

fn view(note: &Note) -> Value {
    json!({
        "id": note.id,
        "text": note.text,
        "media": [],
        "createdAt": clock::iso(note.created_at),
        "updatedAt": clock::iso(note.updated_at),
        "actorId": &*note.actor_id,
    })
}
