//! Bodies of our own, in the vendor's shape.

pub(crate) const ORGANIZATION: &str = r#"{"data": {
    "id": "ORabc001", "name": "Bakery", "subscriptionStatus": "active",
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-02-01T00:00:00Z"
}}"#;

pub(crate) const CALL: &str = r#"{"data": {
    "id": "ACabc401", "phoneNumberId": "PNabc101", "actorId": "USabc201", "direction": "incoming",
    "status": "completed",
    "participants": [
        {"phoneNumber": "+12025550100", "actorId": "USabc201"},
        {"phoneNumber": "+12025550143", "actorId": null}
    ],
    "answeredAt": "2026-03-01T09:00:05Z", "answeredBy": "USabc201", "initiatedBy": null,
    "completedAt": "2026-03-01T09:04:05Z", "createdAt": "2026-03-01T09:00:00Z",
    "updatedAt": "2026-03-01T09:04:06Z", "callRoute": "phone-number", "duration": 240,
    "forwardedFrom": null, "forwardedTo": null, "aiHandled": null,
    "summary": {
        "status": "completed", "type": "human", "title": "A cake", "summary": ["Wants a cake."],
        "nextSteps": ["Bake it."],
        "jobs": [{"icon": "cake", "name": "order", "result": {"data": [{"name": "size", "value": 3}]}}]
    },
    "voicemail": {
        "id": "VMabc501", "status": "completed", "duration": 12,
        "recordingUrl": "https://media.example.com/vm.mp3", "transcript": "Please call back."
    }
}}"#;

pub(crate) const RECORDINGS: &str = r#"{"data": [{
    "id": "CRabc601", "status": "completed", "startTime": "2026-03-01T09:00:06Z", "duration": 120,
    "url": "https://media.example.com/1.mp3", "type": "audio/mpeg"
}], "nextCursor": null}"#;

pub(crate) const TRANSCRIPTS: &str = r#"{"data": [{
    "recordingId": "CRabc601", "status": "completed", "startTime": "2026-03-01T09:00:06Z",
    "createdAt": "2026-03-01T09:05:10Z", "duration": 118.5,
    "dialogue": [
        {"content": "Hello?", "start": 0.5, "end": 2.5, "identifier": "+12025550100", "actorId": "USabc201"},
        {"content": "A cake, please.", "start": 3.5, "end": 6.5, "identifier": "+12025550143", "actorId": null}
    ]
}], "nextCursor": null}"#;

pub(crate) const MESSAGE: &str = r#"{"data": {
    "id": "ACabc402", "to": ["+12025550143"], "from": "+12025550100", "text": "Your cake is ready.",
    "phoneNumberId": "PNabc101", "conversationId": "CNabc301", "direction": "outgoing",
    "userId": "USabc201", "status": "failed", "createdAt": "2026-03-01T09:00:00Z",
    "updatedAt": "2026-03-01T09:00:01Z",
    "media": [{"url": "https://media.example.com/cake.jpg", "type": "image/jpeg"}]
}}"#;

pub(crate) const WEBHOOK: &str = r#"{"data": {
    "id": "123", "orgId": "ORabc001", "label": "CRM", "status": "enabled",
    "url": "https://hooks.example.com/quo/7d1f", "createdAt": "2026-03-01T00:00:00Z",
    "updatedAt": "2026-03-01T00:00:00Z", "events": ["call.missed", "task.duedate.updated"],
    "resourceIds": ["PNabc101"], "apiVersion": "2026-03-30", "key": "whsec_c2VjcmV0"
}}"#;

pub(crate) const DELIVERY: &str = r#"{"data": {
    "id": "msg_1", "eventId": "EVabc701", "resourceId": "ACabc401", "eventType": "call.missed",
    "status": "failed", "nextAttemptAt": "2026-03-01T00:05:00Z", "createdAt": "2026-03-01T00:00:00Z"
}}"#;

pub(crate) const DELIVERY_DETAIL: &str = r#"{"data": {
    "id": "msg_1", "eventId": "EVabc701", "resourceId": "ACabc401", "eventType": "call.missed",
    "createdAt": "2026-03-01T00:00:00Z",
    "requestBody": {
        "id": "EVabc701", "apiVersion": "2026-03-30", "createdAt": "2026-03-01T00:00:00Z",
        "type": "call.missed", "data": {"resource": {"id": "ACabc401"}}
    },
    "attempts": [{
        "id": "atmpt_1", "timestamp": "2026-03-01T00:00:01Z", "status": "failed",
        "responseStatusCode": 500, "responseBody": "no", "responseDurationMs": 12.5,
        "triggerType": "scheduled", "url": "https://hooks.example.com/quo/7d1f"
    }]
}}"#;

pub(crate) const EVENT: &str = r#"{
    "id": "EVabc702", "apiVersion": "2026-03-30", "createdAt": "2026-03-01T00:00:00Z",
    "type": "call.missed", "data": {"resource": {}, "context": {}, "links": {"quo": null}}
}"#;

/// A page of one thing.
pub(crate) fn page_of(body: &str, next: Option<&str>) -> serde_json::Value {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    serde_json::json!({"data": [value["data"]], "nextCursor": next})
}

pub(crate) const CONTACT: &str = r#"{"data": {
    "id": "CTabc801", "externalId": "user-42", "source": "shop", "sourceUrl": "https://shop.example.com/42",
    "firstName": "Ana", "lastName": "Example", "company": "Bakery", "role": "Owner",
    "createdAt": "2026-03-01T00:00:00Z", "updatedAt": "2026-03-02T00:00:00Z", "actorId": "USabc201"
}}"#;

pub(crate) const NOTE: &str = r#"{"data": {
    "id": "note1", "text": "Prefers mornings.",
    "media": [{"url": "https://media.example.com/1.jpg", "type": "image/jpeg", "name": "cake.jpg"}],
    "createdAt": "2026-03-01T00:00:00Z", "updatedAt": "2026-03-02T00:00:00Z", "actorId": "USabc201"
}}"#;

pub(crate) const PROPERTY: &str = r#"{"data": {
    "id": "prop1", "type": "phone-number", "name": "Mobile", "value": "+12025550143",
    "createdAt": "2026-03-01T00:00:00Z", "updatedAt": "2026-03-02T00:00:00Z"
}}"#;

pub(crate) const SHARE: &str = r#"{"data": {
    "contactId": "CTabc801", "sharedWith": "ORabc001", "createdAt": "2026-03-01T00:00:00Z"
}}"#;

/// With the field that only API v1 has, since both share the type.
pub(crate) const CONVERSATION: &str = r#"{"data": {
    "id": "CNabc301", "phoneNumberId": "PNabc101", "participants": ["+12025550143"], "name": null,
    "assignedTo": null, "lastActivityAt": "2026-03-01T00:00:00Z", "lastActivityId": "ACabc401",
    "mutedUntil": null, "snoozedUntil": null, "createdAt": "2026-02-01T00:00:00Z",
    "updatedAt": "2026-03-01T00:00:00Z", "deletedAt": null
}}"#;

pub(crate) const NUMBER: &str = r#"{"data": {
    "id": "PNabc101", "groupId": "GRabc901", "name": "Front desk", "phoneNumber": "+12025550100",
    "formattedNumber": "(202) 555-0100", "forward": null, "portRequestId": null, "portingStatus": null,
    "symbol": "*", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z",
    "restrictions": {
        "calling": {"US": "unrestricted", "CA": "unrestricted", "Intl": "restricted"},
        "messaging": {"US": "unrestricted", "CA": "restricted", "Intl": "restricted"}
    },
    "businessHours": {
        "enabled": true, "timezone": "America/New_York",
        "schedule": {
            "monday": {"start": "0900", "end": "1700"}, "tuesday": {"start": "0900", "end": "1700"},
            "wednesday": {"start": "0900", "end": "1700"}, "thursday": {"start": "0900", "end": "1700"},
            "friday": {"start": "0900", "end": "1300"}, "saturday": null, "sunday": null
        }
    }
}}"#;

pub(crate) const NUMBER_USER: &str = r#"{"data": {
    "id": "USabc201", "email": "ana@example.com", "firstName": "Ana", "lastName": "Example",
    "role": "member", "groupId": "GRabc901"
}}"#;

pub(crate) const TASK: &str = r#"{"data": {
    "taskId": "TKabc901", "orgId": "ORabc001", "title": "Call back", "description": "About the cake.",
    "dueDate": "2026-03-02T00:00:00Z", "status": "open", "assignedTo": "USabc201",
    "assignedBy": "USabc202", "createdBy": "USabc202", "createdAt": "2026-03-01T00:00:00Z",
    "phoneNumberId": "PNabc101", "conversationId": "CNabc301", "activityId": null,
    "phoneNumberGroupId": null, "revision": 3
}}"#;

pub(crate) const REVISION: &str = r#"{"data": {"taskId": "TKabc901", "revision": 4}}"#;

pub(crate) const USER: &str = r#"{"data": {
    "id": "USabc201", "email": "ana@example.com", "firstName": "Ana", "lastName": "Example",
    "pictureUrl": null, "role": "admin", "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-02T00:00:00Z"
}}"#;
