//! What is known to trip up receivers of these webhooks, and the test that shows it does not here.
//!
//! | Trap | Test |
//! |---|---|
//! | text of a message is `body` in `v2` and `v3`, `text` later | `the_text_is_body_or_text` |
//! | `to` is a text, a list, or one text with commas | `recipients_come_in_three_forms` |
//! | `type` of `v4` samples is `callSummary` and `callTranscript`, live it is not | `summaries_and_transcripts_have_two_names` |
//! | neither is sure: `data.object.object` is a second hint | `envelope::tests::a_summary_is_told_by_type_or_object` |
//! | summaries and transcripts have `callId` and no `id` | `what_belongs_to_a_call_goes_by_its_id` |
//! | their state is `status` in `v4`, `processingStatus` in dated ones | `the_state_has_two_names` |
//! | seconds of a transcript have fractions | `seconds_of_a_transcript_are_fractions` |
//! | `v2` calls have `from`, `to`, `media`, `voicemail`; `v4` ones `participants`, `recordings` | `calls_of_every_generation_have_the_same_shape` |
//! | recordings are null until they are ready | `recordings_that_are_not_ready_are_not_known` |
//! | `participants` of `v4` are empty at times | `empty_participants_are_not_nobody` |
//! | `fields` of a `v3` contact is an object live, a list in the documents | `fields_of_a_contact_are_an_object_or_a_list` |
//! | dated `call.completed` has states of its own | `dated_calls_have_states_of_their_own` |
//! | dated messages have more states | `dated_messages_have_more_states` |
//! | `message.failed` has no media, and a code like `message.undelivered` | `what_failed_says_why` |
//! | `unavailable` is not empty | `unavailable_is_not_empty` |
//! | a dated voicemail says from whom to whom even then | `a_voicemail_knows_its_ends` |
//! | a dated voicemail is listed under an id that is not its call's | `what_belongs_to_a_call_goes_by_its_id` |
//! | a missed call of `v4` is a completed one | `missed_calls_are_completed_ones`, `mutations::forwarded_calls_are_not_missed` |
//! | words to opt out arrive as messages | `words_to_opt_out_are_messages` |
//! | callers may be `anonymous`, `blocked`, short codes | `callers_need_no_number` |
//! | a new contact is an updated one | `there_is_no_event_for_a_new_contact` |
//! | the app's tasks have other names and no documents | `models_tasks::a_task_of_the_app_is_read_under_the_dated_name` |
//! | an event's id is the same for every webhook, a delivery's is not | `verify::…`, and `a_dated_delivery_goes_by_its_header` |
//! | `integration.*` and what comes later | `what_nobody_documents_is_kept_whole` |
//! | members in any order, unknown ones, unknown words, missing ones | `mutations` |
//! | signatures: several, of seconds, re-serialised bodies, none at all | `verify` |

use openphone_client::ProcessingStatus;
use openphone_client::webhooks::{
    CallEvent, CallEventStatus, Event, EventKind, EventName, Lookup, MessageEvent,
    MessageEventStatus, WebhookErrorKind,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::describe::describe;
use crate::dropped::dropped;
use crate::fixtures::{DELIVERY_ID, all, event, parse};

fn read(delivery: &Value) -> Event {
    let dated = delivery["apiVersion"] == "2026-03-30";
    parse(dated, &serde_json::to_vec(delivery).unwrap()).unwrap()
}

fn legacy(version: &str, name: &str, object: &Value) -> Event {
    read(&json!({"id": "EV1", "apiVersion": version, "type": name, "data": {"object": object}}))
}

fn dated(name: &str, resource: &Value, context: &Value) -> Event {
    read(&json!({
        "id": "EV1", "apiVersion": "2026-03-30", "type": name,
        "data": {"resource": resource, "context": context},
    }))
}

fn message(event: Event) -> MessageEvent {
    match event.kind {
        EventKind::MessageReceived(message)
        | EventKind::MessageDelivered(message)
        | EventKind::MessageFailed(message)
        | EventKind::MessageUndelivered(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn call(event: Event) -> CallEvent {
    match event.kind {
        EventKind::CallCompleted(call)
        | EventKind::CallRinging(call)
        | EventKind::CallRecordingCompleted(call)
        | EventKind::CallVoicemailCompleted(call) => *call,
        other => panic!("{other:?}"),
    }
}

/// Every value of every fixture is somewhere in the event, but for what is left out on purpose.
#[test]
fn nothing_is_dropped() {
    for (name, bytes) in all() {
        let payload: Value = serde_json::from_slice(&bytes).unwrap();
        let dropped = dropped(&payload, &describe(&event(&name)));
        assert!(dropped.is_empty(), "{name}: {dropped:?}");
    }
}

#[rstest]
#[case("v2", "body")]
#[case("v3", "body")]
#[case("v4", "text")]
fn the_text_is_body_or_text(#[case] version: &str, #[case] member: &str) {
    let read = legacy(
        version,
        "message.received",
        &json!({"id": "AC1", member: "hi"}),
    );
    assert_eq!(message(read).text.as_deref(), Some("hi"));
}

#[rstest]
#[case::text(json!("+12025550143"), &["+12025550143"])]
#[case::list(json!(["+12025550143"]), &["+12025550143"])]
#[case::commas(json!("+12025550143,+12025550144"), &["+12025550143", "+12025550144"])]
fn recipients_come_in_three_forms(#[case] to: Value, #[case] expected: &[&str]) {
    let read = legacy(
        "v3",
        "message.received",
        &json!({"id": "AC1", "body": "hi", "to": to}),
    );
    assert_eq!(message(read).to, expected);
}

#[rstest]
#[case("callSummary", "call.summary.completed")]
#[case("call.summary.completed", "call.summary.completed")]
#[case("callTranscript", "call.transcript.completed")]
#[case("call.transcript.completed", "call.transcript.completed")]
fn summaries_and_transcripts_have_two_names(#[case] name: &str, #[case] expected: &str) {
    let read = legacy("v4", name, &json!({"callId": "AC1"}));
    assert_eq!(read.kind.name(), expected);
}

#[rstest]
#[case("v4.call.summary.completed", "ACc0ffee0123456789")]
#[case("v4.call.transcript.completed", "ACc0ffee0123456789")]
#[case("dated.call.summary.completed", "AC1122334455667788")]
#[case("dated.call.transcript.completed", "AC1122334455667788")]
#[case("dated.call.voicemail.completed", "AC1122334455667788")]
fn what_belongs_to_a_call_goes_by_its_id(#[case] name: &str, #[case] call: &str) {
    assert_eq!(event(name).object_id(), Some(call));
}

#[rstest]
#[case::v4(legacy("v4", "callSummary", &json!({"callId": "AC1", "status": "failed"})))]
#[case::dated(dated("call.summary.completed", &json!({"callId": "AC1", "processingStatus": "failed"}), &json!({})))]
fn the_state_has_two_names(#[case] event: Event) {
    let EventKind::CallSummaryCompleted(event) = event.kind else {
        panic!("{event:?}")
    };
    assert_eq!(event.summary.status, ProcessingStatus::Failed);
}

#[test]
fn seconds_of_a_transcript_are_fractions() {
    let said = json!([{"content": "hi", "start": 5.123_456, "end": 10}]);
    let read = legacy(
        "v4",
        "callTranscript",
        &json!({"callId": "AC1", "duration": 76.4, "dialogue": said}),
    );
    let EventKind::CallTranscriptCompleted(event) = read.kind else {
        panic!("{read:?}")
    };
    let line = event.transcript.dialogue.first().unwrap();
    let times = (event.transcript.duration, line.start, line.end);
    assert_eq!(times, (Some(76.4), Some(5.123_456), Some(10.0)));
}

#[test]
fn calls_of_every_generation_have_the_same_shape() {
    for name in [
        "v2.call.recording.completed",
        "v3.call.recording.completed",
        "v4.call.recording.completed",
        "dated.call.recording.completed",
    ] {
        let call = call(event(name));
        let participants = call.participants.known().unwrap();
        assert_eq!(participants.all().count(), 2, "{name}");
        let recordings = call.recordings.unwrap();
        assert!(recordings.iter().all(|one| one.url.is_some()), "{name}");
    }
    for name in [
        "v2.call.completed.voicemail",
        "dated.call.voicemail.completed",
    ] {
        let voicemail = call(event(name)).voicemail.unwrap();
        assert!(
            voicemail.url.is_some() && voicemail.duration.is_some(),
            "{name}"
        );
    }
}

#[rstest]
#[case("v2", json!({"media": []}))]
#[case("v4", json!({"recordings": null}))]
fn recordings_that_are_not_ready_are_not_known(#[case] version: &str, #[case] mut object: Value) {
    object["id"] = "AC1".into();
    assert_eq!(
        call(legacy(version, "call.completed", &object)).recordings,
        None
    );
}

#[test]
fn empty_participants_are_not_nobody() {
    let read = legacy(
        "v4",
        "call.completed",
        &json!({"id": "AC1", "participants": []}),
    );
    assert_eq!(call(read).participants, Lookup::Unavailable);
}

#[rstest]
#[case::live(json!({"Phone": "+12025550143", "Email": ["ada@example.com"]}))]
#[case::documented(json!([
    {"name": "Phone", "type": "phone-number", "value": "+12025550143"},
    {"name": "Email", "type": "email", "value": "ada@example.com"},
]))]
fn fields_of_a_contact_are_an_object_or_a_list(#[case] fields: Value) {
    let read = legacy(
        "v3",
        "contact.updated",
        &json!({"id": "CT1", "fields": fields}),
    );
    let EventKind::ContactUpdated(contact) = read.kind else {
        panic!("{read:?}")
    };
    assert_eq!(contact.numbers().collect::<Vec<_>>(), ["+12025550143"]);
    assert_eq!(contact.addresses().collect::<Vec<_>>(), ["ada@example.com"]);
}

#[rstest]
fn dated_calls_have_states_of_their_own(
    #[values(
        "answered",
        "unanswered",
        "failed",
        "forwarded",
        "abandoned",
        "ai-handled",
        "unknown"
    )]
    status: &str,
) {
    let read = dated(
        "call.completed",
        &json!({"id": "AC1", "status": status}),
        &json!({}),
    );
    let read = call(read).status.unwrap();
    assert!(!matches!(read, CallEventStatus::Unknown(_)));
    assert_eq!(read.as_str(), status);
}

#[rstest]
fn dated_messages_have_more_states(
    #[values(
        "queued",
        "sending",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "receiving",
        "received",
        "accepted",
        "scheduled",
        "read",
        "partially_delivered",
        "canceled"
    )]
    status: &str,
) {
    let read = dated(
        "message.delivered",
        &json!({"id": "AC1", "status": status}),
        &json!({}),
    );
    let read = message(read).status.unwrap();
    assert!(!matches!(read, MessageEventStatus::Unknown(_)));
    assert_eq!(read.as_str(), status);
}

#[test]
fn what_failed_says_why() {
    let failed = message(event("dated.message.failed"));
    assert_eq!(
        (failed.media, failed.error_code.as_deref()),
        (None, Some("30006"))
    );
    let undelivered = message(event("dated.message.undelivered"));
    assert_eq!(undelivered.media, Some(Vec::new()));
    assert_eq!(undelivered.error_code.as_deref(), Some("30007"));
}

fn unavailable() -> Value {
    json!({
        "contacts": {"ids": [], "lookupStatus": "unavailable"},
        "participants": {"workspace": [], "external": [], "resolution": "unavailable"},
    })
}

#[rstest]
#[case("call.completed", json!({"id": "AC1"}))]
#[case("call.summary.completed", json!({"callId": "AC1"}))]
#[case("call.transcript.completed", json!({"callId": "AC1"}))]
fn unavailable_is_not_empty(#[case] name: &str, #[case] resource: Value) {
    let (participants, contacts) = match dated(name, &resource, &unavailable()).kind {
        EventKind::CallCompleted(call) => (call.participants, call.contacts),
        EventKind::CallSummaryCompleted(event) => (event.participants, event.contacts),
        EventKind::CallTranscriptCompleted(event) => (event.participants, event.contacts),
        other => panic!("{other:?}"),
    };
    assert_eq!(participants, Lookup::Unavailable);
    assert_eq!(contacts, Lookup::Unavailable);
}

#[test]
fn a_voicemail_knows_its_ends() {
    let resource = json!({
        "id": "AC2", "voicemailId": "VM1", "callId": "AC1", "direction": "incoming",
        "from": "+12025550117", "to": "+12025550143",
    });
    let read = call(dated("call.voicemail.completed", &resource, &unavailable()));
    let participants = read.participants.into_known().unwrap();
    assert_eq!(participants.external, ["+12025550117"]);
    assert_eq!(participants.workspace, ["+12025550143"]);
    assert_eq!(read.contacts, Lookup::Unavailable);
    assert_eq!(read.voicemail.unwrap().activity_id.unwrap().as_str(), "AC2");
}

#[rstest]
#[case("v4.call.completed.missed", true)]
#[case("v4.call.completed", false)]
#[case("v2.call.completed.voicemail", true)]
#[case("dated.call.completed.unavailable", true)]
#[case("dated.call.completed", false)]
fn missed_calls_are_completed_ones(#[case] name: &str, #[case] missed: bool) {
    assert_eq!(call(event(name)).was_missed(), missed);
}

#[rstest]
fn words_to_opt_out_are_messages(#[values("STOP", "Unsubscribe", "start")] word: &str) {
    let read = legacy(
        "v4",
        "message.received",
        &json!({"id": "AC1", "text": word}),
    );
    assert_eq!(message(read).text.as_deref(), Some(word));
}

#[rstest]
fn callers_need_no_number(#[values("anonymous", "BLOCKED", "Restricted", "77453")] from: &str) {
    let read = legacy(
        "v2",
        "call.ringing",
        &json!({"id": "AC1", "direction": "incoming", "from": from}),
    );
    assert_eq!(
        call(read).participants.into_known().unwrap().external,
        [from]
    );
    let context = json!({"participants": {"workspace": ["+12025550143"], "external": [from]}});
    let read = dated("call.ringing", &json!({"id": "AC1"}), &context);
    assert_eq!(
        call(read).participants.into_known().unwrap().external,
        [from]
    );
}

#[test]
fn there_is_no_event_for_a_new_contact() {
    let names = EventName::KNOWN;
    assert!(names.contains(&"contact.updated") && !names.contains(&"contact.created"));
}

/// The vendor documents 28 events.
#[test]
fn every_documented_event_has_a_type() {
    assert_eq!(EventName::KNOWN.len(), 28);
}

#[test]
fn a_dated_delivery_goes_by_its_header() {
    let event = event("dated.task.created");
    assert_eq!(event.replay_id, DELIVERY_ID);
    assert_ne!(event.id.unwrap().as_str(), DELIVERY_ID);
}

#[rstest]
fn what_nobody_documents_is_kept_whole(
    #[values(
        "integration.created",
        "integration.updated",
        "integration.deleted",
        "call.held"
    )]
    name: &str,
) {
    let delivery = json!({"id": "EV1", "apiVersion": "2026-03-30", "type": name, "data": {"resource": {"id": 7}}});
    match read(&delivery).kind {
        EventKind::Unknown { kind, raw } => assert_eq!((kind.as_str(), raw), (name, delivery)),
        other => panic!("{other:?}"),
    }
}

/// JSON of any shape, of the words that payloads are made of.
fn any_payload() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        prop::sample::select(EventName::KNOWN).prop_map(str::to_owned),
        prop::sample::select(vec![
            "callSummary",
            "callTranscript",
            "v3",
            "2026-03-30",
            "unavailable",
            "completed"
        ])
        .prop_map(str::to_owned),
        ".*",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let key = prop_oneof![
        4 => prop::sample::select(vec![
            "id", "type", "apiVersion", "createdAt", "data", "object", "resource", "context", "links", "callId",
            "voicemailId", "status", "processingStatus", "summary", "jobs", "result", "name", "value", "dialogue",
            "content", "start", "participants", "contacts", "ids", "lookupStatus", "updatedFields", "title",
            "isUpdated", "updatedValue", "fields", "to", "from", "media", "recordings", "voicemail", "duration",
        ])
        .prop_map(str::to_owned),
        1 => ".*",
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(name in prop::sample::select(EventName::KNOWN), data in any_payload(), any in any_payload(), dated: bool) {
        for delivery in [json!({"type": name, "data": data}), any] {
            let body = serde_json::to_vec(&delivery).unwrap();
            if let Err(error) = parse(dated, &body) {
                prop_assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
            }
        }
    }
}
