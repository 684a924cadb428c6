//! Dated calls: listed over the whole workspace.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::call::{CallEnd, PhoneCall, Processing};
use crate::openphone::calls::has_insights;
use crate::openphone::check::Text;
use crate::openphone::dated::path_id;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::message_store::Direction;
use crate::openphone::object::insert;
use crate::openphone::page::Data;
use crate::openphone::state::State;

const AREA: Area = Area::Calls;
const INCLUDES: [&str; 2] = ["summary", "voicemail"];
const STATUSES: [&str; 13] = [
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
    "missed",
    "answered",
    "forwarded",
    "abandoned",
];

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let number = query.text("phoneNumberId", Text::PHONE_NUMBER_ID);
    let actor = query.text("actorId", Text::ANY);
    let people = query.any_of("participant", "participant[in]", Text::ANY);
    let direction = query.one_of(
        "direction",
        &[
            ("incoming", Direction::Incoming),
            ("outgoing", Direction::Outgoing),
        ],
    );
    let mut statuses = query.words("status[in]", &STATUSES);
    statuses.extend(query.words("status", &STATUSES));
    let (from, until) = (query.time("createdAt[gte]"), query.time("createdAt[lte]"));
    let includes = query.words("include", &INCLUDES);
    let paging = query.paging(state, AREA)?;
    let start = paging.start(|id| state.calls.ledger.place(id))?;
    let state = &*state;
    let found = state
        .calls
        .ledger
        .places(start)
        .filter_map(|place| state.call(place))
        .filter(|call| {
            number
                .as_deref()
                .is_none_or(|id| id == &*call.phone_number_id)
        })
        .filter(|call| actor.as_deref().is_none_or(|id| id == actor_of(call)))
        .filter(|call| {
            people.as_ref().is_none_or(|people| {
                let here = call.participants();
                people.iter().any(|person| here.contains(&person.as_str()))
            })
        })
        .filter(|call| direction.is_none_or(|direction| direction == call.direction))
        .filter(|call| {
            statuses.is_empty()
                || statuses
                    .iter()
                    .any(|status| json!(call.status()) == *status)
        })
        .filter(|call| from.is_none_or(|from| call.created_at >= from))
        .filter(|call| until.is_none_or(|until| call.created_at <= until));
    Ok(paging.reply(found.map(|found| (found.id.clone(), view(state, &found, &includes, call)))))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let includes = query.words("include", &INCLUDES);
    query.finish(state, AREA)?;
    let found = find(state, call)?;
    let data = view(state, &found, &includes, call);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn recordings(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let found = find(state, call)?;
    let url = state.recording_url(&found, call.now);
    let recording = found.recording_view(url);
    paging.reply_part(recording.map(|view| (found.recording_id(), json!(view))))
}

pub(super) fn transcripts(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let found = find(state, call)?;
    has_insights(state, AREA)?;
    let there = found.transcript != Processing::Absent;
    paging.reply_part(there.then(|| (found.recording_id(), transcript(&found))))
}

fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<Cow<'a, PhoneCall>, ApiError> {
    path_id(call.id, "callId", Text::ACTIVITY_ID, AREA)?;
    let place = state.calls.ledger.place(call.id);
    place
        .and_then(|place| state.call(place))
        .ok_or_else(|| ApiError::not_found(AREA))
}

fn actor_of(call: &PhoneCall) -> &str {
    call.answered_by().unwrap_or(&call.user_id)
}

fn view(state: &State, call: &PhoneCall, includes: &[String], asked: &Call<'_>) -> Value {
    let participants = call.participants().map(|number| {
        let own = number == call.own_number;
        json!({ "phoneNumber": number, "actorId": own.then(|| actor_of(call)) })
    });
    let mut view = json!({
        "id": call.id,
        "phoneNumberId": &*call.phone_number_id,
        "actorId": actor_of(call),
        "direction": call.direction,
        "status": call.status(),
        "participants": participants,
        "answeredAt": call.answered_at().map(clock::iso),
        "answeredBy": call.answered_by(),
        "initiatedBy": call.initiated_by(),
        "completedAt": call.completed_at().map(clock::iso),
        "createdAt": clock::iso(call.created_at),
        "updatedAt": clock::iso(call.updated_at()),
        "callRoute": call.call_route(),
        "duration": call.duration(),
        "forwardedFrom": call.forwarded_from(),
        "forwardedTo": call.forwarded_to(),
        "aiHandled": call.ai_handled(),
    });
    if includes.iter().any(|include| include == "summary") {
        insert(&mut view, "summary", summary(call));
    }
    let voicemail = call.voicemail_view(state.voicemail_url(call, asked.now));
    if let Some(voicemail) = voicemail.filter(|_| includes.iter().any(|name| name == "voicemail")) {
        insert(&mut view, "voicemail", json!(voicemail));
    }
    view
}

fn summary(call: &PhoneCall) -> Value {
    let kind = if call.end == CallEnd::AiHandled {
        "agent"
    } else {
        "human"
    };
    json!({
        "status": call.summary,
        "type": (call.summary == Processing::Completed).then_some(kind),
        "summary": call.summary_lines(),
        "nextSteps": call.next_steps(),
        "jobs": call.jobs(),
        "title": null,
    })
}

fn transcript(call: &PhoneCall) -> Value {
    let dialogue: Vec<Value> = call
        .lines()
        .into_iter()
        .flatten()
        .map(|line| {
            json!({
                "content": line.content,
                "start": line.start,
                "end": line.end,
                "identifier": line.identifier,
                "actorId": line.user_id,
            })
        })
        .collect();
    json!({
        "recordingId": call.recording_id(),
        "status": call.transcript,
        "startTime": clock::iso(call.created_at + call.ringing),
        "createdAt": clock::iso(call.ends_at()),
        "duration": call.transcript_seconds(),
        "dialogue": dialogue,
    })
}
