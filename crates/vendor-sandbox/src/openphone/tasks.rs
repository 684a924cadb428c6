//! The operations of API v1 on tasks.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Issues, Query, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::object::insert;
use crate::openphone::page::{Data, last_id, next_token};
use crate::openphone::path_id;
use crate::openphone::state::State;
use crate::openphone::task_store::{NewTask, Task, TaskAction, TaskLink, TaskStatus};

const AREA: Area = Area::Tasks;
const MOST_PER_PAGE: usize = 100;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let max = query.max_results(MOST_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    query.finish(AREA, state.options.refuse_unknown_query)?;
    let start = match token {
        None => 0,
        Some(token) => {
            let place = state.tasks.place(&last_id(AREA, &token)?);
            place.ok_or_else(|| ApiError::refused(AREA, "Invalid page token".to_owned()))? + 1
        }
    };
    let org_id = &state.workspace.org_id;
    let page: Vec<&Task> = state.tasks.iter().skip(start).take(max).collect();
    let next = next_token(page.len(), max, page.last().map(|task| &*task.id));
    let data: Vec<Value> = page.iter().map(|task| view(task, org_id)).collect();
    let mut body = json!({ "totalItems": data.len(), "data": data });
    // Absent at the end, and not null as in other lists.
    if let Some(next) = next {
        insert(&mut body, "nextPageToken", json!(next));
    }
    Ok(Reply::json(StatusCode::OK, &body).into())
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let new = new_task(call)?;
    let (place, deliveries) = state.create_task(new, call.now)?;
    let task = state.tasks.get(place);
    let task = task.ok_or_else(|| ApiError::not_found(AREA))?;
    let mut data = json!({
        "taskId": task.id,
        "revision": task.revision.to_string(),
        "phoneNumberId": &*task.phone_number_id,
    });
    if let Some(conversation) = &task.conversation_id {
        insert(&mut data, "conversationId", json!(&**conversation));
    }
    if let Some(activity) = &task.activity_id {
        insert(&mut data, "activityId", json!(activity));
    }
    let reply = Reply::json(StatusCode::CREATED, &Data { data });
    Ok(Outcome { reply, deliveries })
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let task = state.tasks.get(place);
    let task = task.ok_or_else(|| ApiError::not_found(AREA))?;
    let data = view(task, &state.workspace.org_id);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let deliveries = state.act_on_task(place, TaskAction::Delete, call.now)?;
    let reply = Reply::empty(StatusCode::NO_CONTENT);
    Ok(Outcome { reply, deliveries })
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let action = body(call, Some(&["title", "description"]), |body, issues| {
        let title = required(body, issues, "title", Text::ANY);
        let description = required(body, issues, "description", Text::ANY);
        TaskAction::Update { title, description }
    })?;
    act(state, call, action)
}

pub(super) fn complete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    act(state, call, TaskAction::Complete)
}

pub(super) fn reopen(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    act(state, call, TaskAction::Reopen)
}

pub(super) fn remove_due_date(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    act(state, call, TaskAction::RemoveDueDate)
}

pub(super) fn assign(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "userId", Text::USER_ID, true)?;
    act(state, call, TaskAction::Assign(id))
}

pub(super) fn unassign(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "userId", Text::USER_ID, true)?;
    act(state, call, TaskAction::Unassign(id))
}

pub(super) fn link(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "conversationId", Text::CONVERSATION_ID, false)?;
    act(state, call, TaskAction::Link(id))
}

pub(super) fn unlink(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let id = one_id(call, "conversationId", Text::CONVERSATION_ID, false)?;
    act(state, call, TaskAction::Unlink(id))
}

pub(super) fn change_due_date(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let due = body(call, Some(&["dueDate"]), |body, issues| {
        if !body.contains_key("dueDate") {
            issues.missing("/dueDate", "string");
        }
        due_date(body, issues)
    })?;
    // Left out it was refused above.
    let action = due.map_or(TaskAction::RemoveDueDate, TaskAction::ChangeDueDate);
    act(state, call, action)
}

fn act(state: &mut State, call: &Call<'_>, action: TaskAction) -> Result<Outcome, ApiError> {
    let place = find(state, call)?;
    let deliveries = state.act_on_task(place, action, call.now)?;
    let task = state.tasks.get(place);
    let task = task.ok_or_else(|| ApiError::not_found(AREA))?;
    let data = json!({ "taskId": task.id, "revision": task.revision.to_string() });
    let reply = Reply::json(StatusCode::OK, &Data { data });
    Ok(Outcome { reply, deliveries })
}

fn find(state: &State, call: &Call<'_>) -> Result<usize, ApiError> {
    path_id(call.id, "taskId", Text::TASK_ID, AREA)?;
    let place = state.tasks.place(call.id);
    place.ok_or_else(|| ApiError::not_found(AREA))
}

fn view(task: &Task, org_id: &str) -> Value {
    json!({
        "taskId": task.id,
        "phoneNumberId": &*task.phone_number_id,
        "conversationId": task.conversation_id.as_deref(),
        "activityId": task.activity_id,
        "phoneNumberGroupId": null,
        "orgId": org_id,
        "title": task.title,
        "description": task.description,
        "dueDate": task.due.map(clock::iso),
        "assignedTo": task.assigned_to.as_deref(),
        "assignedBy": task.assigned_by.as_deref(),
        "createdAt": clock::iso(task.created_at),
        "createdBy": &*task.created_by,
        "completed": task.status == TaskStatus::Completed,
        "isDeleted": task.status == TaskStatus::Deleted,
        "revision": task.revision.to_string(),
    })
}

/// Reads a body that is an object; with `known`, it may have no other names.
fn body<T>(
    call: &Call<'_>,
    known: Option<&[&str]>,
    read: impl FnOnce(&Map<String, Value>, &mut Issues) -> T,
) -> Result<T, ApiError> {
    let body = call
        .json()
        .map_err(|error| ApiError::refused(AREA, format!("Invalid JSON: {error}")))?;
    let mut issues = Issues::default();
    let nothing = Map::new();
    let object = body.as_ref().and_then(Value::as_object);
    if object.is_none() {
        issues.add("", "Expected object", body.as_ref(), "object");
    }
    let object = object.unwrap_or(&nothing);
    let read = read(object, &mut issues);
    for (name, value) in object {
        if known.is_some_and(|known| !known.contains(&name.as_str())) {
            issues.add(
                &format!("/{name}"),
                "Unexpected property",
                Some(value),
                "string",
            );
        }
    }
    issues.or(AREA).map(|()| read)
}

fn one_id(
    call: &Call<'_>,
    name: &'static str,
    rule: Text,
    closed: bool,
) -> Result<String, ApiError> {
    let names = [name];
    let known = closed.then_some(&names[..]);
    body(call, known, |body, issues| {
        required(body, issues, name, rule)
    })
}

fn new_task(call: &Call<'_>) -> Result<NewTask, ApiError> {
    const LINKS: [(&str, Text); 3] = [
        ("phoneNumberId", Text::PHONE_NUMBER_ID),
        ("conversationId", Text::CONVERSATION_ID),
        ("activityId", Text::ACTIVITY_ID),
    ];
    let known = [
        "title",
        "description",
        "dueDate",
        "assignedTo",
        "phoneNumberId",
        "conversationId",
        "activityId",
    ];
    body(call, Some(&known), |body, issues| {
        let mut links = Vec::new();
        for (name, rule) in LINKS {
            if body.contains_key(name) {
                links.push((name, issues.text(&format!("/{name}"), body.get(name), rule)));
            }
        }
        if links.len() != 1 {
            issues.add("", "Expected union value", None, "object");
        }
        let link = links.pop().and_then(|(name, id)| {
            Some(match name {
                "phoneNumberId" => TaskLink::PhoneNumber(id?),
                "conversationId" => TaskLink::Conversation(id?),
                _ => TaskLink::Activity(id?),
            })
        });
        NewTask {
            title: required(body, issues, "title", Text::ANY),
            description: required(body, issues, "description", Text::ANY),
            due: due_date(body, issues),
            assigned_to: issues.text("/assignedTo", body.get("assignedTo"), Text::USER_ID),
            link,
        }
    })
}

fn required(body: &Map<String, Value>, issues: &mut Issues, name: &str, rule: Text) -> String {
    let path = format!("/{name}");
    if !body.contains_key(name) {
        issues.missing(&path, "string");
    }
    issues.text(&path, body.get(name), rule).unwrap_or_default()
}

fn due_date(body: &Map<String, Value>, issues: &mut Issues) -> Option<DateTime<Utc>> {
    let text = issues.text("/dueDate", body.get("dueDate"), Text::DATE_TIME)?;
    DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(|time| time.to_utc())
}
