//! Payloads that are not quite what the vendor documents, made from every fixture.

use openphone_client::webhooks::{
    CallEventStatus, Direction, Event, EventKind, MessageEventStatus, WebhookErrorKind,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixtures::{all, body, event, parse};

/// The places of all members and elements, outermost first, as JSON pointers.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, places: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
                members
                    .iter()
                    .map(|(key, child)| (escaped(key), child))
                    .collect()
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, child)| (index.to_string(), child))
                .collect(),
            _ => Vec::new(),
        };
        for (key, child) in children {
            let place = format!("{at}/{key}");
            places.push(place.clone());
            walk(child, &place, places);
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// What makes an event the event it is.
fn is_required(place: &str) -> bool {
    matches!(
        place,
        "/type"
            | "/data"
            | "/data/object"
            | "/data/resource"
            | "/data/object/id"
            | "/data/resource/id"
    )
}

/// Of what belongs to a call, the call's id makes it the event it is.
fn is_essential(name: &str, place: &str) -> bool {
    let of_call = name.contains(".summary.") || name.contains(".transcript.");
    is_required(place)
        || of_call && matches!(place, "/data/object/callId" | "/data/resource/callId")
        || place == "/data/object/taskId"
}

fn remove(value: &mut Value, place: &str) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(members) => {
            members.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(key.parse().unwrap());
        }
        other => panic!("{other}"),
    }
}

fn parse_value(
    name: &str,
    value: &Value,
) -> Result<Event, openphone_client::webhooks::WebhookError> {
    parse(
        name.starts_with("dated."),
        &serde_json::to_vec(value).unwrap(),
    )
}

fn fixture_values() -> impl Iterator<Item = (String, Value)> {
    all()
        .into_iter()
        .map(|(name, bytes)| (name, serde_json::from_slice(&bytes).unwrap()))
}

#[test]
fn unknown_fields_change_nothing() {
    for (name, value) in fixture_values() {
        let plain = event(&name);
        let objects = places(&value).into_iter().chain([String::new()]);
        for place in objects {
            let mut grown = value.clone();
            let Some(Value::Object(members)) = grown.pointer_mut(&place) else {
                continue;
            };
            // Labels of a `v3` contact are data: one more is one field more.
            if place.ends_with("/fields") {
                continue;
            }
            members.insert("addedLater".into(), json!({"deep": [1, {"er": null}]}));
            let event = parse_value(&name, &grown)
                .unwrap_or_else(|error| panic!("{name} {place}: {error:?}"));
            match (&plain.kind, event.kind) {
                (EventKind::Unknown { kind, .. }, EventKind::Unknown { kind: same, .. }) => {
                    assert_eq!(*kind, same);
                }
                (_, kind) => assert_eq!(plain.kind, kind, "{name} {place}"),
            }
        }
    }
}

#[test]
fn everything_but_the_essentials_may_be_missing_or_null() {
    for (name, value) in fixture_values() {
        let plain = event(&name);
        for place in places(&value) {
            // Without the id of its call, a dated voicemail goes by its own.
            if is_essential(&name, &place) || place == "/data/resource/callId" {
                continue;
            }
            let mut without = value.clone();
            remove(&mut without, &place);
            let mut nulled = value.clone();
            *nulled.pointer_mut(&place).unwrap() = Value::Null;
            for mutated in [without, nulled] {
                let event = parse_value(&name, &mutated)
                    .unwrap_or_else(|error| panic!("{name} without {place}: {error:?}"));
                assert_eq!(
                    event.kind.name(),
                    plain.kind.name(),
                    "{name} without {place}"
                );
                assert_eq!(
                    event.object_id(),
                    plain.object_id(),
                    "{name} without {place}"
                );
                assert!(!event.replay_id.is_empty());
            }
        }
    }
}

#[test]
fn without_the_essentials_a_known_event_is_unreadable_and_an_unknown_one_kept() {
    for (name, value) in fixture_values() {
        let known = !matches!(event(&name).kind, EventKind::Unknown { .. });
        for place in places(&value)
            .into_iter()
            .filter(|place| is_essential(&name, place))
        {
            let mut without = value.clone();
            remove(&mut without, &place);
            let read = parse_value(&name, &without);
            // A dated voicemail is identified by its call.
            let spare = name == "dated.call.voicemail.completed" && place == "/data/resource/id";
            // Nobody documents the tasks of the app: without its id, one is kept as it came.
            let undocumented = name.starts_with("v3.task.");
            if place == "/type" || !known || spare || undocumented {
                assert!(read.is_ok(), "{name} without {place}");
            } else {
                let kind = read.unwrap_err().kind();
                assert_eq!(
                    kind,
                    WebhookErrorKind::UnreadableBody,
                    "{name} without {place}"
                );
            }
        }
    }
}

/// Every text becomes one that nobody knows: states, directions and kinds keep it, and nothing else is lost.
#[test]
fn unknown_words_are_kept() {
    let word = "added-later";
    for (name, value) in fixture_values() {
        let plain = event(&name);
        for place in places(&value) {
            if is_essential(&name, &place) || !value.pointer(&place).unwrap().is_string() {
                continue;
            }
            let mut changed = value.clone();
            *changed.pointer_mut(&place).unwrap() = word.into();
            let event = parse_value(&name, &changed)
                .unwrap_or_else(|error| panic!("{name} {place}: {error:?}"));
            assert_eq!(event.kind.name(), plain.kind.name(), "{name} {place}");
            let kept = match (place.rsplit_once('/').unwrap().1, &event.kind) {
                (
                    "status",
                    EventKind::MessageReceived(message) | EventKind::MessageDelivered(message),
                ) => message.status.as_ref().map(MessageEventStatus::as_str),
                (
                    "direction",
                    EventKind::MessageReceived(message) | EventKind::MessageDelivered(message),
                ) => message.direction.as_ref().map(Direction::as_str),
                ("status", EventKind::CallCompleted(call) | EventKind::CallRinging(call)) => {
                    call.status.as_ref().map(CallEventStatus::as_str)
                }
                ("status" | "processingStatus", EventKind::CallSummaryCompleted(event)) => {
                    Some(event.summary.status.as_str())
                }
                ("status" | "processingStatus", EventKind::CallTranscriptCompleted(event)) => {
                    Some(event.transcript.status.as_str())
                }
                ("apiVersion", _) => Some(event.generation.as_str()),
                _ => Some(word),
            };
            assert_eq!(kept, Some(word), "{name} {place}");
        }
    }
}

#[test]
fn values_of_another_type_are_read_or_refused_but_never_a_panic() {
    for (name, value) in fixture_values() {
        for place in places(&value) {
            for other in [
                json!(7),
                json!(-1.5e300),
                json!(true),
                json!("canary"),
                json!([]),
                json!({}),
                json!([[{}]]),
            ] {
                let mut changed = value.clone();
                *changed.pointer_mut(&place).unwrap() = other;
                if let Err(error) = parse_value(&name, &changed) {
                    assert_eq!(
                        error.kind(),
                        WebhookErrorKind::UnreadableBody,
                        "{name} {place}"
                    );
                    assert!(
                        !format!("{error} {error:?}").contains("canary"),
                        "{name} {place}"
                    );
                }
            }
        }
    }
}

/// What a known event is read strictly for: its shape, what it is about, and the words of a message.
fn is_strict(place: &str) -> bool {
    is_required(place)
        || matches!(
            place,
            "/data/resource/callId"
                | "/data/object/callId"
                | "/data/object/taskId"
                | "/data/object/text"
                | "/data/object/body"
                | "/data/resource/text"
        )
}

/// All else is worth less than the event it stands in: of a type that nobody expects, it is at worst not reported.
#[test]
fn secondary_fields_never_cost_the_event() {
    for (name, value) in fixture_values() {
        let plain = event(&name);
        for place in places(&value).iter().filter(|place| !is_strict(place)) {
            for other in [
                json!(7),
                json!(-1.5),
                json!(""),
                json!("soon"),
                json!(false),
                json!([]),
                json!({}),
                json!([[{}], 7, null, {"id": 7, "name": [], "type": {}, "value": {}}]),
            ] {
                let mut changed = value.clone();
                *changed.pointer_mut(place).unwrap() = other.clone();
                let event = parse_value(&name, &changed)
                    .unwrap_or_else(|error| panic!("{name} {place} {other}: {error:?}"));
                assert_eq!(event.object_id(), plain.object_id(), "{name} {place}");
            }
        }
    }
}

#[test]
fn a_bad_type_costs_its_own_field_alone() {
    let read = |name: &str, changes: &[(&str, Value)]| {
        let mut value: Value = serde_json::from_slice(&body(name)).unwrap();
        for (place, other) in changes {
            *value.pointer_mut(place).unwrap() = other.clone();
        }
        parse_value(name, &value).unwrap()
    };
    let plain = event("dated.message.received");
    let changed = read(
        "dated.message.received",
        &[
            ("/data/links/quo", json!(7)),
            ("/data/context/orgId", json!([])),
            ("/data/context/contacts/lookupStatus", json!({"a": 1})),
        ],
    );
    let (EventKind::MessageReceived(before), EventKind::MessageReceived(after)) =
        (plain.kind, changed.kind)
    else {
        panic!("another kind");
    };
    assert!(plain.link.is_some() && before.org_id.is_some());
    assert_eq!((changed.link, after.org_id.as_ref()), (None, None));
    let mut expected = before;
    expected.org_id = None;
    assert_eq!(after, expected);
}

#[test]
fn phone_numbers_may_be_json_numbers() {
    let body = br#"{"id":"EV1","type":"message.received","data":{"object":
        {"id":"AC1","from":12025550144,"to":12025550143,"text":"hi"}}}"#;
    match parse(false, body).unwrap().kind {
        EventKind::MessageReceived(message) => {
            assert_eq!(message.from.as_deref(), Some("12025550144"));
            assert_eq!(message.to, ["12025550143"]);
        }
        other => panic!("{other:?}"),
    }
}

/// API v1 says `completed` of a call that nobody answered, and of one that was forwarded.
#[rstest]
#[case::nobody_took_it("completed", None, true)]
#[case::a_forwarding_took_it("completed", Some("+12025550144"), false)]
#[case::nobody_took_it_there_either("no-answer", Some("+12025550144"), true)]
#[case::the_vendor_says_forwarded("forwarded", Some("+12025550144"), false)]
fn forwarded_calls_are_not_missed(
    #[case] status: &str,
    #[case] forwarded_to: Option<&str>,
    #[case] missed: bool,
) {
    let call = json!({
        "id": "AC1", "direction": "incoming", "status": status, "forwardedTo": forwarded_to,
        "answeredAt": null, "completedAt": "2026-04-13T12:00:00.000Z",
    });
    let delivery = json!({"id": "EV1", "type": "call.completed", "data": {"object": call}});
    match parse_value("v4", &delivery).unwrap().kind {
        EventKind::CallCompleted(call) => assert_eq!(call.was_missed(), missed),
        other => panic!("{other:?}"),
    }
}

/// Live payloads have sorted keys, documented ones do not: the order must not matter.
#[test]
fn the_order_of_members_changes_nothing() {
    for (name, value) in fixture_values() {
        // `serde_json` sorts them.
        let sorted = parse_value(&name, &value).unwrap();
        assert_eq!(sorted, event(&name), "{name}");
        let Value::Object(members) = &value else {
            panic!("{name}")
        };
        let reversed: Vec<String> = members
            .iter()
            .rev()
            .map(|(key, value)| format!("{}: {value}", serde_json::to_string(key).unwrap()))
            .collect();
        let reversed = format!("{{ {} }}", reversed.join(" ,\n"));
        assert_eq!(
            parse(name.starts_with("dated."), reversed.as_bytes()).unwrap(),
            sorted,
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body: Vec<u8>, dated: bool) {
        if let Err(error) = parse(dated, &body) {
            prop_assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
        }
    }

    #[test]
    fn no_altered_fixture_panics(index: prop::sample::Index, at: prop::sample::Index, byte: u8, cut: bool) {
        let all = all();
        let (name, mut body) = all[index.index(all.len())].clone();
        let at = at.index(body.len());
        if cut {
            body.truncate(at);
        } else {
            body[at] = byte;
        }
        if let Err(error) = parse(name.starts_with("dated."), &body) {
            prop_assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
        }
    }
}
