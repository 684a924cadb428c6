//! Made-up events, which the vendor sends on request.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::call::{CallEnd, PhoneCall, Processing, Stage};
use crate::openphone::contact::{Contact, Item};
use crate::openphone::events::CallEvent;
use crate::openphone::message_store::Direction;
use crate::openphone::object::insert;
use crate::openphone::state::State;
use crate::openphone::task_events::TaskEvent;
use crate::openphone::task_store::{Task, TaskStatus};

const NUMBER: &str = "PNsamplephonenumber0";
const CONVERSATION: &str = "CNsampleconversation0";
const USER: &str = "USsampleus";
const CONTACT: &str = "CTsampleContact01234";
const ACTIVITY: &str = "ACsampleactivity0";
const THEM: &str = "+12025550123";
const US: &str = "+12025550178";

/// Makes up an event of this type.
pub(super) fn event(state: &State, event: &str, now: DateTime<Utc>) -> Value {
    let data = match event.split('.').next() {
        Some("message") => message(event, now),
        Some("call") => call(state, event, now),
        Some("contact") => contact(state, now),
        Some("task") => task(state, event, now),
        // No payload of these is known.
        _ => json!({
            "resource": { "id": "INsampleintegration0" },
            "context": { "orgId": state.workspace.org_id },
            "links": { "quo": null },
        }),
    };
    json!({
        "id": format!("EV-test-{}", event.replace('.', "-")),
        "apiVersion": "2026-03-30",
        "createdAt": clock::iso(now),
        "type": event,
        "data": data,
    })
}

fn message(event: &str, now: DateTime<Utc>) -> Value {
    let incoming = event == "message.received";
    let status = event.rsplit('.').next().unwrap_or_default();
    let mut resource = json!({
        "id": ACTIVITY,
        "direction": if incoming { "incoming" } else { "outgoing" },
        "text": "Hello from Quo! This is a sample message.",
        "status": status,
        "createdAt": clock::iso(now),
    });
    if matches!(status, "failed" | "undelivered") {
        insert(&mut resource, "errorCode", json!("30007"));
    }
    let (from, to) = if incoming { (THEM, US) } else { (US, THEM) };
    json!({
        "resource": resource,
        "context": {
            "phoneNumberId": NUMBER,
            "conversationId": CONVERSATION,
            "userId": USER,
            "contacts": { "ids": [CONTACT], "lookupStatus": "matched" },
            "senderIdentifier": from,
            "recipientIdentifiers": [to],
        },
        "links": { "quo": "https://my.quo.com/" },
    })
}

fn call(state: &State, event: &str, now: DateTime<Utc>) -> Value {
    let (kind, end) = match event {
        "call.ringing" => (CallEvent::Ringing, CallEnd::Answered),
        "call.answered" => (CallEvent::Answered, CallEnd::Answered),
        "call.missed" => (CallEvent::Missed, CallEnd::Missed),
        "call.forwarded" => (CallEvent::Forwarded, CallEnd::Forwarded),
        "call.menu.selected" => (CallEvent::MenuSelected, CallEnd::Answered),
        "call.recording.completed" => (CallEvent::Recorded, CallEnd::Answered),
        "call.transcript.completed" => (CallEvent::Transcribed, CallEnd::Answered),
        "call.summary.completed" => (CallEvent::Summarised, CallEnd::Answered),
        "call.voicemail.completed" => (CallEvent::VoicemailLeft, CallEnd::Voicemail),
        _ => (CallEvent::Completed, CallEnd::Answered),
    };
    let call = PhoneCall {
        id: ACTIVITY.to_owned(),
        direction: Direction::Incoming,
        them: THEM.to_owned(),
        own_number: US,
        phone_number_id: NUMBER.into(),
        conversation_id: CONVERSATION.into(),
        user_id: USER.into(),
        agent_id: "SYUsample".into(),
        created_at: now - TimeDelta::seconds(60),
        ringing: TimeDelta::seconds(5),
        talking: TimeDelta::seconds(55),
        end,
        forwarded_to: Some(state.workspace.forward_to.to_owned()),
        menu: Some(("1".to_owned(), "Sales".to_owned())),
        stage: Stage::Over,
        recording: Processing::Completed,
        voicemail: Processing::Completed,
        summary: Processing::Completed,
        transcript: Processing::Completed,
    };
    state.call_dated(kind, &call, now)
}

fn contact(state: &State, now: DateTime<Utc>) -> Value {
    let item = |name: &str, value: &str| Item {
        id: String::new(),
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let contact = Contact {
        external_id: Some("sample".to_owned()),
        source: Some("public-api".to_owned()),
        source_url: None,
        first_name: Some("Sample".to_owned()),
        last_name: Some("Contact".to_owned()),
        company: None,
        role: None,
        emails: vec![item("work", "sample@example.com")],
        phone_numbers: vec![item("mobile", THEM)],
        custom_values: Vec::new(),
        created_at: now,
        updated_at: now,
        created_by: USER.into(),
    };
    let org_id = &state.workspace.org_id;
    json!({
        "resource": contact.flat(CONTACT, &[]),
        "context": { "orgId": org_id, "userId": USER, "sharedWithIds": [org_id] },
        "links": { "quo": null },
    })
}

fn task(state: &State, event: &str, now: DateTime<Utc>) -> Value {
    let user: Arc<str> = USER.into();
    let kind = match event {
        "task.created" => TaskEvent::Created,
        "task.updated" => TaskEvent::Updated {
            title: Some("Sample task".to_owned()),
            description: None,
        },
        "task.deleted" => TaskEvent::Deleted,
        "task.completed" => TaskEvent::Completed,
        "task.reopened" => TaskEvent::Reopened,
        "task.assigned" => TaskEvent::Assigned(Arc::clone(&user)),
        "task.unassigned" => TaskEvent::Unassigned(Arc::clone(&user)),
        "task.overdue" => TaskEvent::Overdue(now),
        "task.linked" => TaskEvent::Linked,
        "task.unlinked" => TaskEvent::Unlinked,
        "task.duedate.updated" => TaskEvent::DueDateUpdated(now),
        _ => TaskEvent::DueDateRemoved,
    };
    let task = Task {
        id: "TKsampletask0".to_owned(),
        title: "Sample task".to_owned(),
        description: "This is a sample task.".to_owned(),
        due: Some(now),
        status: TaskStatus::Open,
        assigned_to: Some(Arc::clone(&user)),
        assigned_by: Some(Arc::clone(&user)),
        created_by: user,
        created_at: now,
        phone_number_id: NUMBER.into(),
        conversation_id: Some(CONVERSATION.into()),
        activity_id: Some(ACTIVITY.to_owned()),
        revision: 1,
    };
    state.task_dated(&kind, &task)
}
