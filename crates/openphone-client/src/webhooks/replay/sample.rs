//! One delivery of every event, with invented data.

use serde_json::{Value, json};

use super::delivery::UnsignedDelivery;
use crate::webhooks::{EventName, Generation};

/// Our number, theirs, and what they are known by.
const US: &str = "+12025550143";
const THEM: &str = "+12025550117";
const NUMBER: &str = "PNsample0001";
const CONVERSATION: &str = "CNsample0001";
const CONTACT: &str = "CTsample0001";
const USER: &str = "USsample0001";
const OTHER_USER: &str = "USsample0002";
const ORG: &str = "ORsample0001";
const MESSAGE: &str = "ACsample0001";
const CALL: &str = "ACsample0002";
const TASK: &str = "TKsample0001";
const LINK: &str = "https://my.quo.com/inbox/PNsample0001/c/CNsample0001";
const RECORDING: &str = "https://files.example.com/recording.mp3";

/// When it began, was answered, ended, and was sent.
const BEGAN: &str = "2026-04-13T11:59:00.000Z";
const ANSWERED: &str = "2026-04-13T11:59:05.000Z";
const ENDED: &str = "2026-04-13T12:00:00.000Z";
const SENT: &str = "2026-04-13T12:00:01.000Z";
const DUE: &str = "2026-04-20T18:00:00.000Z";

/// Returns a delivery of this event as this generation has it, with invented data; `None` if that generation has no such
/// event.
///
/// The payloads have the shapes of the vendor's documents and of live deliveries, with sorted members where live ones
/// have them. Not documented are `v4` contacts and the app's tasks, summaries and transcripts: here they look like API
/// v1's own. [`set`](UnsignedDelivery::set) changes what a test needs otherwise.
///
/// Every sample has the same ids of persons and things whatever the generation, and ids of event and delivery of its own.
pub fn sample(name: &EventName, generation: &Generation) -> Option<UnsignedDelivery> {
    let place = EventName::KNOWN
        .iter()
        .position(|known| *known == name.as_str())?;
    let id = format!("EVsample{place:04}");
    let body = match generation {
        Generation::Dated => {
            let data = json!({"resource": resource(name)?, "context": context(name), "links": {"quo": LINK}});
            format!(
                r#"{{"id":"{id}","apiVersion":"{generation}","createdAt":"{SENT}","type":"{name}","data":{data}}}"#
            )
        }
        Generation::V4 => {
            let data = json!({"object": v4_object(name)?, "deepLink": LINK});
            format!(
                r#"{{"apiVersion":"{generation}","createdAt":"{SENT}","data":{data},"id":"{id}","object":"event","type":"{name}"}}"#
            )
        }
        Generation::V2 | Generation::V3 => {
            let data = json!({"object": app_object(name)?});
            let name = app_name(name);
            format!(
                r#"{{"id":"{id}","object":"event","apiVersion":"{generation}","createdAt":"{SENT}","type":"{name}","data":{data}}}"#
            )
        }
        Generation::Unknown(_) => return None,
    };
    let delivery = UnsignedDelivery::new(generation, body);
    Some(match generation {
        Generation::Dated => delivery.with_delivery_id(format!("msg_sample{place:04}")),
        _ => delivery,
    })
}

/// Returns every sample there is, with its name and generation.
pub fn samples() -> impl Iterator<Item = (EventName, Generation, UnsignedDelivery)> {
    EventName::KNOWN
        .iter()
        .map(|name| EventName::from(*name))
        .flat_map(|name| {
            [
                Generation::V2,
                Generation::V3,
                Generation::V4,
                Generation::Dated,
            ]
            .map(|generation| (name.clone(), generation))
        })
        .filter_map(|(name, generation)| {
            let sample = sample(&name, &generation)?;
            Some((name, generation, sample))
        })
}

/// `data.resource` of a dated payload.
fn resource(name: &EventName) -> Option<Value> {
    use EventName as Name;
    let message = |direction: &str, status: &str| {
        json!({
            "id": MESSAGE, "direction": direction, "text": "Is the table still free?", "media": [],
            "status": status, "createdAt": BEGAN,
        })
    };
    let call =
        || json!({"id": CALL, "direction": "incoming", "createdAt": BEGAN, "updatedAt": ENDED});
    let task = || json!({"id": TASK});
    Some(match name {
        Name::MessageReceived => message("incoming", "received"),
        Name::MessageDelivered => message("outgoing", "delivered"),
        Name::MessageUndelivered => with(
            message("outgoing", "undelivered"),
            json!({"errorCode": "30007"}),
        ),
        Name::MessageFailed => json!({
            "id": MESSAGE, "direction": "outgoing", "text": "Is the table still free?", "status": "failed",
            "errorCode": "30006", "createdAt": BEGAN,
        }),
        Name::CallRinging => call(),
        Name::CallAnswered => with(
            call(),
            json!({"answeredAt": ANSWERED, "answeredByUserId": USER}),
        ),
        Name::CallCompleted => with(
            call(),
            json!({
                "status": "answered", "answeredAt": ANSWERED, "completedAt": ENDED, "duration": 55, "hasVoicemail": false,
            }),
        ),
        Name::CallMissed => with(
            call(),
            json!({
                "status": "unanswered", "answeredAt": null, "completedAt": ENDED, "duration": 0, "hasVoicemail": false,
            }),
        ),
        Name::CallForwarded => json!({
            "id": CALL, "createdAt": BEGAN, "updatedAt": null, "forwardedFrom": US, "forwardedTo": "+12025550144",
        }),
        Name::CallMenuSelected => json!({
            "id": CALL, "createdAt": BEGAN, "updatedAt": null, "phoneMenuSelection": "1",
            "phoneMenuSelectionName": "Sales", "statusReason": "phone-menu-dial",
        }),
        Name::CallRecordingCompleted => with(
            call(),
            json!({
                "answeredAt": ANSWERED, "completedAt": ENDED, "duration": 55, "recordings": recordings(),
            }),
        ),
        Name::CallVoicemailCompleted => with(
            call(),
            json!({
                "id": "ACsample0003", "voicemailId": "VMsample0001", "callId": CALL, "duration": 18, "from": THEM, "to": US,
                "transcript": "Please call me back.", "recordingUrl": RECORDING,
            }),
        ),
        Name::CallSummaryCompleted => with(
            summary("processingStatus"),
            json!({
                "fromPhoneNumber": THEM, "handledByAiAgent": false, "answeredByUserId": USER,
            }),
        ),
        Name::CallTranscriptCompleted => transcript("processingStatus"),
        Name::ContactUpdated | Name::ContactDeleted => json!({
            "id": CONTACT, "firstName": "Ada", "lastName": "Example", "company": "Example Ltd", "role": null,
            "location": null, "source": "public-api", "externalId": "crm-7001",
            "emails": [{"value": "ada@example.com", "type": "email"}],
            "phoneNumbers": [{"value": THEM, "type": "phone-number"}],
            "customFields": [{"name": "Size", "key": "size", "id": "cf1", "type": "string", "value": "XL"}],
            "createdAt": BEGAN, "updatedAt": ENDED,
        }),
        Name::TaskCreated => with(
            task(),
            json!({
                "title": "Call back", "description": "About the table", "dueDate": null,
            }),
        ),
        Name::TaskUpdated => with(
            task(),
            json!({"updatedFields": {
                "title": {"isUpdated": true, "updatedValue": "Call back today"}, "description": {"isUpdated": false},
            }}),
        ),
        Name::TaskAssigned => with(task(), json!({"assignedTo": OTHER_USER})),
        Name::TaskUnassigned => with(task(), json!({"unassignedFrom": OTHER_USER})),
        Name::TaskOverdue => with(task(), json!({"dueDate": BEGAN})),
        Name::TaskDueDateUpdated => with(task(), json!({"updatedDueDate": DUE})),
        Name::TaskDeleted
        | Name::TaskCompleted
        | Name::TaskReopened
        | Name::TaskLinked
        | Name::TaskUnlinked
        | Name::TaskDueDateRemoved => task(),
        Name::Unknown(_) => return None,
    })
}

/// `data.context` of a dated payload.
fn context(name: &EventName) -> Value {
    let place = json!({"orgId": ORG, "phoneNumberId": NUMBER, "conversationId": CONVERSATION});
    let contacts =
        json!({"userId": USER, "contacts": {"ids": [CONTACT], "lookupStatus": "matched"}});
    let name = name.as_str();
    if name.starts_with("task.") {
        let task = json!({"actorId": USER, "activityId": CALL, "phoneNumberGroupId": null});
        with(place, task)
    } else if name.starts_with("contact.") {
        json!({"orgId": ORG, "userId": USER, "sharedWithIds": [ORG]})
    } else if name.starts_with("message.") {
        let (from, to) = if name == "message.received" {
            (THEM, US)
        } else {
            (US, THEM)
        };
        let ends = json!({"senderIdentifier": from, "recipientIdentifiers": [to]});
        with(with(place, contacts), ends)
    } else {
        let who = json!({"workspace": [US], "external": [THEM], "resolution": "available"});
        let who = json!({"phoneNumberType": "shared", "participants": who});
        with(with(place, contacts), who)
    }
}

/// `data.object` of webhooks of API v1.
fn v4_object(name: &EventName) -> Option<Value> {
    use EventName as Name;
    let call = |status: &str| {
        json!({
            "object": "call", "id": CALL, "direction": "incoming", "status": status, "participants": [THEM, US],
            "contactIds": [CONTACT], "phoneNumberId": NUMBER, "userId": USER, "recordings": null, "answeredAt": null,
            "answeredBy": null, "initiatedBy": null, "completedAt": null, "duration": 0, "forwardedFrom": null,
            "forwardedTo": null, "createdAt": BEGAN, "updatedAt": ENDED,
        })
    };
    let ended = || {
        let ended = json!({"answeredAt": ANSWERED, "answeredBy": USER, "completedAt": ENDED, "duration": 55});
        with(call("completed"), ended)
    };
    let message = |direction: &str, status: &str, from: &str, to: &str| {
        json!({
            "object": "message", "id": MESSAGE, "direction": direction, "status": status, "from": from, "to": to,
            "text": "Is the table still free?", "contactIds": [CONTACT], "phoneNumberId": NUMBER, "userId": USER,
            "createdAt": BEGAN,
        })
    };
    Some(match name {
        Name::MessageReceived => message("incoming", "received", THEM, US),
        Name::MessageDelivered => message("outgoing", "delivered", US, THEM),
        Name::CallRinging => call("ringing"),
        Name::CallCompleted => ended(),
        Name::CallRecordingCompleted => with(ended(), json!({"recordings": recordings()})),
        Name::CallSummaryCompleted => with(summary("status"), json!({"object": "callSummary"})),
        Name::CallTranscriptCompleted => {
            with(transcript("status"), json!({"object": "callTranscript"}))
        }
        Name::ContactUpdated | Name::ContactDeleted => json!({
            "object": "contact", "id": CONTACT, "externalId": "crm-7001", "source": "public-api", "sourceUrl": null,
            "defaultFields": {
                "firstName": "Ada", "lastName": "Example", "company": "Example Ltd", "role": null,
                "emails": [{"id": "e1", "name": "work", "value": "ada@example.com"}],
                "phoneNumbers": [{"id": "p1", "name": "mobile", "value": THEM}],
            },
            "customFields": [{"id": "cf1", "key": "size", "name": "Size", "type": "string", "value": "XL"}],
            "createdAt": BEGAN, "updatedAt": ENDED, "createdByUserId": USER,
        }),
        Name::TaskAssigned => legacy_task(),
        _ => return None,
    })
}

/// `data.object` of webhooks of the app.
fn app_object(name: &EventName) -> Option<Value> {
    use EventName as Name;
    let ends = |direction: &str, status: &str, from: &str, to: &str| {
        json!({
            "direction": direction, "status": status, "from": from, "to": to, "media": [], "createdAt": BEGAN,
            "userId": USER, "phoneNumberId": NUMBER, "conversationId": CONVERSATION,
        })
    };
    let message = |direction: &str, status: &str, from: &str, to: &str| {
        let body = json!({"object": "message", "id": MESSAGE, "body": "Is the table still free?"});
        with(ends(direction, status, from, to), body)
    };
    let call = |status: &str, rest: Value| {
        let call = json!({
            "object": "call", "id": CALL, "voicemail": null, "answeredAt": null, "completedAt": null,
        });
        with(with(ends("incoming", status, THEM, US), call), rest)
    };
    let times = || json!({"answeredAt": ANSWERED, "completedAt": ENDED});
    let media = || json!({"media": [{"url": RECORDING, "type": "audio/mpeg", "duration": 55}]});
    Some(match name {
        Name::MessageReceived => message("incoming", "received", THEM, US),
        Name::MessageDelivered => message("outgoing", "delivered", US, THEM),
        Name::CallRinging => call("ringing", json!({})),
        Name::CallCompleted => call("completed", times()),
        Name::CallRecordingCompleted => call("completed", with(times(), media())),
        Name::CallSummaryCompleted | Name::CallTranscriptCompleted => return v4_object(name),
        Name::ContactUpdated | Name::ContactDeleted => json!({
            "object": "contact", "id": CONTACT, "firstName": "Ada", "lastName": "Example", "company": "Example Ltd",
            "role": null, "pictureUrl": null, "fields": {"Phone": THEM, "Email": "ada@example.com", "Size": "XL"},
            "notes": [], "sharedWith": [ORG], "createdAt": BEGAN, "updatedAt": ENDED, "userId": USER,
        }),
        Name::TaskAssigned | Name::TaskDueDateUpdated => legacy_task(),
        Name::TaskDueDateRemoved => with(legacy_task(), json!({"dueDate": null})),
        _ => return None,
    })
}

/// What the app calls an event.
fn app_name(name: &EventName) -> &str {
    match name {
        EventName::TaskDueDateUpdated => "task.due_date_changed",
        EventName::TaskDueDateRemoved => "task.due_date_removed",
        name => name.as_str(),
    }
}

fn summary(status: &str) -> Value {
    json!({
        "callId": CALL, status: "completed", "summary": ["They asked whether the table is free."],
        "nextSteps": ["Call back."], "jobs": [],
    })
}

fn transcript(status: &str) -> Value {
    json!({
        "callId": CALL, status: "completed", "createdAt": ENDED, "duration": 55.5,
        "dialogue": [
            {"content": "Example Ltd, good morning.", "start": 0.5, "end": 2.25, "identifier": US, "userId": USER},
            {"content": "Is the table still free?", "start": 2.75, "end": 4, "identifier": THEM, "userId": null},
        ],
    })
}

fn recordings() -> Value {
    json!([{
        "id": "CRsample0001", "type": "audio/mpeg", "url": RECORDING, "duration": 50, "startTime": ANSWERED,
    }])
}

fn legacy_task() -> Value {
    json!({
        "object": "task", "taskId": TASK, "orgId": ORG, "title": "Call back", "description": "About the table",
        "dueDate": DUE, "completed": false, "isDeleted": false, "assignedTo": OTHER_USER, "assignedBy": USER,
        "createdBy": USER, "createdAt": BEGAN, "phoneNumberId": NUMBER, "conversationId": CONVERSATION,
        "activityId": CALL, "phoneNumberGroupId": null, "revision": "1",
    })
}

/// Puts the members of the second object into the first.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}
