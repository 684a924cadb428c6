//! Dated tasks: the same as those of API v1, with sub-resources instead of verbs.

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::body::Body;
use crate::openphone::dated::path_id;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::openphone::task_store::{NewTask, Task, TaskAction, TaskLink, TaskStatus};

const AREA: Area = Area::Tasks;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).task_paging(state, AREA)?;
    let org_id = &state.workspace.org_id;
    paging.reply_part(
        state
            .tasks
            .iter()
            .map(|task| (task.id.clone(), view(task, org_id))),
    )
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let new = NewTask {
        title: body.required("title", Text::ANY),
        description: body.required("description", Text::ANY),
        due: body.time("dueDate"),
        assigned_to: body.text("assignedTo", Text::USER_ID),
        link: Some(TaskLink::Conversation(
            body.required("conversationId", Text::CONVERSATION_ID),
        )),
    };
    body.finish()?;
    let (place, deliveries) = state.create_task(new, call.now)?;
    answer(state, place, StatusCode::CREATED, deliveries)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let task = state.tasks.get(find(state, call)?);
    let task = task.ok_or_else(|| ApiError::not_found(AREA))?;
    let data = view(task, &state.workspace.org_id);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let title = body.required("title", Text::ANY);
    let description = body.required("description", Text::ANY);
    body.finish()?;
    act(state, call, TaskAction::Update { title, description })
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let outcome = act(state, call, TaskAction::Delete)?;
    Ok(Outcome {
        reply: Reply::empty(StatusCode::NO_CONTENT),
        ..outcome
    })
}

pub(super) fn update_status(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    body.needs("status", "string");
    let choices = [
        ("open", TaskStatus::Open),
        ("completed", TaskStatus::Completed),
        ("deleted", TaskStatus::Deleted),
    ];
    let status = body.one_of("status", &choices);
    body.finish()?;
    let action = match status {
        Some(TaskStatus::Completed) => TaskAction::Complete,
        Some(TaskStatus::Deleted) => TaskAction::Delete,
        // Left out it was refused above.
        Some(TaskStatus::Open) | None => TaskAction::Reopen,
    };
    act(state, call, action)
}

pub(super) fn link(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "conversationId", Text::CONVERSATION_ID)?;
    act(state, call, TaskAction::Link(id))
}

/// The id stands in the body, although this is a DELETE.
pub(super) fn unlink(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "conversationId", Text::CONVERSATION_ID)?;
    act(state, call, TaskAction::Unlink(id))
}

pub(super) fn assign(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "userId", Text::USER_ID)?;
    act(state, call, TaskAction::Assign(id))
}

/// The id stands in the body, although this is a DELETE.
pub(super) fn unassign(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "userId", Text::USER_ID)?;
    act(state, call, TaskAction::Unassign(id))
}

pub(super) fn update_due_date(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    body.needs("dueDate", "string");
    let due = body.time("dueDate");
    body.finish()?;
    // Left out it was refused above.
    let action = due.map_or(TaskAction::RemoveDueDate, TaskAction::ChangeDueDate);
    act(state, call, action)
}

pub(super) fn delete_due_date(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    act(state, call, TaskAction::RemoveDueDate)
}

fn one_id(call: &Call<'_>, name: &str, rule: Text) -> Result<String, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let id = body.required(name, rule);
    body.finish().map(|()| id)
}

fn act(state: &mut State, call: &Call<'_>, action: TaskAction) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let deliveries = state.act_on_task(place, action, call.now)?;
    answer(state, place, StatusCode::OK, deliveries)
}

fn find(state: &State, call: &Call<'_>) -> Result<usize, ApiError> {
    path_id(call.id, "taskId", Text::TASK_ID, AREA)?;
    let place = state.tasks.place(call.id);
    place.ok_or_else(|| ApiError::not_found(AREA))
}

fn answer(
    state: &State,
    place: usize,
    status: StatusCode,
    deliveries: Vec<crate::webhook::Delivery>,
) -> Result<Outcome, ApiError> {
    let task = state.tasks.get(place);
    let task = task.ok_or_else(|| ApiError::not_found(AREA))?;
    let data = json!({ "taskId": task.id, "revision": task.revision });
    let reply = Reply::json(status, &Data { data });
    Ok(Outcome { reply, deliveries })
}

fn view(task: &Task, org_id: &str) -> Value {
    json!({
        "taskId": task.id,
        "orgId": org_id,
        "title": task.title,
        "description": task.description,
        "dueDate": task.due.map(clock::iso),
        "status": task.status,
        "assignedTo": task.assigned_to.as_deref(),
        "assignedBy": task.assigned_by.as_deref(),
        "createdBy": &*task.created_by,
        "createdAt": clock::iso(task.created_at),
        "phoneNumberId": &*task.phone_number_id,
        "conversationId": task.conversation_id.as_deref(),
        "activityId": task.activity_id,
        "phoneNumberGroupId": null,
        "revision": task.revision,
    })
}
