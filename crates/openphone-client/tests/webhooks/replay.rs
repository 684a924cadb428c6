//! Samples and recordings, through the road that a host's deliveries take.

use std::io::{self, Write};

use chrono::TimeDelta;
use http::HeaderMap;
use openphone_client::webhooks::replay::{
    Recorder, ReplayError, TestKeys, UnsignedDelivery, read, sample, samples,
};
use openphone_client::webhooks::{
    Event, EventKind, EventName, Generation, Verifier, WebhookErrorKind,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use crate::describe::describe;
use crate::fixtures::{all, body, dated_headers, event, headers, legacy_headers, now};

/// What a host's route does, with its own verifier.
fn route(headers: &HeaderMap, body: &[u8]) -> Event {
    let verifier = Verifier::new(TestKeys::SECRETS.map(Into::into)).unwrap();
    Event::parse(&verifier.verify(headers, body, now()).unwrap()).unwrap()
}

fn replayed(delivery: &UnsignedDelivery) -> Event {
    let signed = delivery.sign(&TestKeys::default(), now()).unwrap();
    route(&signed.headers, &signed.body)
}

fn arrived(name: &str, body: &[u8]) -> HeaderMap {
    if name.starts_with("dated.") {
        dated_headers(body)
    } else {
        legacy_headers(body)
    }
}

fn recorded(keep: bool, deliveries: &[(HeaderMap, Vec<u8>)]) -> String {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file);
    if keep {
        recorder = recorder.keep_personal_data();
    }
    for (headers, body) in deliveries {
        recorder.record(headers, body).unwrap();
    }
    String::from_utf8(file).unwrap()
}

/// Every documented event of dated webhooks, and what the others have.
#[test]
fn samples_are_taken_by_a_hosts_own_verifier_and_read_as_what_they_are() {
    let mut count = [0; 4];
    for (name, generation, delivery) in samples() {
        let event = replayed(&delivery);
        assert_eq!(event.kind.name(), name.as_str(), "{generation}");
        assert_eq!(event.generation, generation, "{name}");
        assert!(event.object_id().is_some_and(|id| id.contains("sample")));
        assert!(event.replay_id.contains("sample"), "{}", event.replay_id);
        let place = ["v2", "v3", "v4", "2026-03-30"]
            .iter()
            .position(|known| *known == generation.as_str());
        count[place.unwrap()] += 1;
    }
    assert_eq!(count, [12, 12, 10, 28]);
}

/// What is written for tests of hosts says all that it could say to a receiver.
#[test]
fn samples_have_nothing_that_nobody_reads() {
    for (name, generation, delivery) in samples() {
        let payload: Value = serde_json::from_slice(delivery.body()).unwrap();
        let mut dropped = crate::dropped::dropped(&payload, &describe(&replayed(&delivery)));
        // Of the app's tasks, which nobody documents, the samples have all that tasks of API v1 have.
        let of_api = [
            "completed",
            "isDeleted",
            "assignedBy",
            "createdBy",
            "createdAt",
            "revision",
        ];
        dropped.retain(|place| {
            generation == Generation::Dated
                || !of_api
                    .iter()
                    .any(|member| place.starts_with(&format!("/data/object/{member}:")))
        });
        assert!(dropped.is_empty(), "{name} {generation}: {dropped:?}");
    }
}

#[rstest]
#[case(EventName::CallMissed, Generation::V4)]
#[case(EventName::TaskCreated, Generation::V3)]
#[case(EventName::from("tag.added"), Generation::Dated)]
#[case(EventName::CallCompleted, Generation::from("2027-01-01"))]
fn there_is_no_sample_of_what_there_is_not(
    #[case] name: EventName,
    #[case] generation: Generation,
) {
    assert_eq!(sample(&name, &generation), None);
}

/// A test may have what it needs otherwise.
#[test]
fn samples_can_be_changed() {
    let text = sample(&EventName::MessageReceived, &Generation::Dated).unwrap();
    let changed = text
        .clone()
        .set("/data/resource/text", "STOP")
        .unwrap()
        .set("/data/resource/addedLater", json!([1]))
        .unwrap()
        .with_delivery_id("msg_again");
    let event = replayed(&changed);
    assert_eq!(event.replay_id, "msg_again");
    match event.kind {
        EventKind::MessageReceived(message) => assert_eq!(message.text.as_deref(), Some("STOP")),
        other => panic!("{other:?}"),
    }
    let refused = text.clone().set("/nowhere/text", 1).unwrap_err();
    assert!(matches!(refused, ReplayError::NoSuchPlace), "{refused}");
    let bytes = UnsignedDelivery::new(&Generation::V4, *b"no json");
    assert!(matches!(bytes.set("/id", 1), Err(ReplayError::NotJson)));
    let dotted = text.with_delivery_id("msg.1");
    let refused = dotted.sign(&TestKeys::default(), now()).unwrap_err();
    assert!(matches!(refused, ReplayError::Signing(_)), "{refused}");
}

#[rstest]
fn what_is_signed_too_early_or_with_other_keys_is_refused(
    #[values(Generation::V2, Generation::V4, Generation::Dated)] generation: Generation,
) {
    let verifier = TestKeys::default().verifier();
    let delivery = sample(&EventName::CallCompleted, &generation).unwrap();
    let kind_of = |keys: &TestKeys, at| {
        let signed = delivery.sign(keys, at).unwrap();
        let refused = verifier.verify(&signed.headers, &signed.body, now());
        refused.unwrap_err().kind()
    };
    let late = now() - TimeDelta::seconds(301);
    assert_eq!(
        kind_of(&TestKeys::default(), late),
        WebhookErrorKind::StaleTimestamp
    );
    let others = TestKeys::new(&"b3RoZXI=".into(), &"whsec_b3RoZXI=".into()).unwrap();
    assert_eq!(kind_of(&others, now()), WebhookErrorKind::WrongSignature);
}

/// With personal data kept, a recording is the delivery but for the links that open something.
#[test]
fn kept_recordings_replay_the_same_event() {
    for (name, body) in all() {
        let headers = arrived(&name, &body);
        let file = recorded(true, &[(headers, body.clone())]);
        let deliveries = read(file.as_bytes()).unwrap();
        let [delivery] = deliveries.as_slice() else {
            panic!("{name}: {}", deliveries.len())
        };
        if !String::from_utf8_lossy(&body).contains("files.example.com") {
            assert_eq!(delivery.body(), body, "{name}");
            assert_eq!(replayed(delivery), event(&name), "{name}");
        }
        assert!(!file.contains("files.example.com"), "{name}");
        assert_eq!(
            replayed(delivery).replay_id,
            event(&name).replay_id,
            "{name}"
        );
    }
}

/// Whatever belongs to a person in the fixtures.
const PERSONAL: &[&str] = &[
    "+120255501",
    "77453",
    "Ada",
    "ada@",
    "Example",
    "Könnt",
    "blue",
    "nine",
    "neun",
    "Hello",
    "Call back",
    "order",
    "Buyer",
    "basic",
    "XL",
    "crm-7001",
    "files.example.com",
    "my.quo.com",
    "Extension",
    "Plan",
    "Old email",
    "Message taking",
    "bill",
    "delivery.\"",
    "help?",
    "morning",
    "Sales",
];

/// Redacted, it is still the same event about the same thing.
#[test]
fn redacted_recordings_replay_the_same_kind_of_event_without_persons() {
    let deliveries: Vec<_> = all()
        .into_iter()
        .map(|(name, body)| (arrived(&name, &body), body))
        .collect();
    let file = recorded(false, &deliveries);
    for personal in PERSONAL {
        assert!(!file.contains(personal), "{personal}");
    }
    let read = read(file.as_bytes()).unwrap();
    assert_eq!(read.len(), deliveries.len());
    for ((name, _), delivery) in all().into_iter().zip(&read) {
        let (before, after) = (event(&name), replayed(delivery));
        assert_eq!(after.kind.name(), before.kind.name(), "{name}");
        assert_eq!(after.object_id(), before.object_id(), "{name}");
        assert_eq!(after.replay_id, before.replay_id, "{name}");
        assert_eq!(after.generation, before.generation, "{name}");
        assert_eq!(after.created_at, before.created_at, "{name}");
    }
}

/// What people call a contact's fields may be spelt like a member whose value stays.
#[test]
fn labels_do_not_keep_what_they_label() {
    let fields = json!({
        "id": "c4nary-1", "status": ["c4nary-2"], "key": {"source": "c4nary-3"}, "type": [{"id": "c4nary-4"}], "end": 7391,
    });
    let contact = json!({"id": "CT1", "object": "contact", "fields": fields});
    let body = json!({"id": "EV1", "apiVersion": "v3", "type": "contact.updated", "data": {"object": contact}});
    let file = recorded(false, &[(HeaderMap::new(), body.to_string().into_bytes())]);
    assert!(!file.contains("c4nary") && !file.contains("7391"), "{file}");
}

/// The vendor documents `v3` fields as a list of objects, whose members are no labels.
#[test]
fn a_list_of_fields_is_read_as_one() {
    let field = json!({"name": "Door", "type": "phone-number", "value": "+12025550143"});
    let contact = json!({"id": "CT1", "object": "contact", "fields": [field]});
    let body = json!({"id": "EV1", "apiVersion": "v3", "type": "contact.updated", "data": {"object": contact}});
    let body = body.to_string().into_bytes();
    let file = recorded(false, &[(legacy_headers(&body), body)]);
    assert!(!file.contains("Door"), "{file}");
    let EventKind::ContactUpdated(contact) = replayed(&read(file.as_bytes()).unwrap()[0]).kind
    else {
        panic!("{file}")
    };
    assert_eq!(contact.numbers().collect::<Vec<_>>(), ["+12015550100"]);
}

/// Nobody says what an event about an integration holds; a key to sign with may not stay, whatever it is called.
#[test]
fn a_signing_key_is_not_written() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = json!({"id": "EV1", "type": "integration.created", "data": {"resource": {"id": "1", "key": key}}});
    let file = recorded(false, &[(HeaderMap::new(), body.to_string().into_bytes())]);
    assert!(!file.contains("whsec_"), "{file}");
}

#[test]
fn a_redacted_delivery_looks_like_one() {
    let group = body("v3.message.received.group");
    let file = recorded(false, &[(legacy_headers(&group), group)]);
    insta::assert_snapshot!(file, @r#"{"version":1,"scheme":"openphone-signature","webhook-id":null,"content-type":"application/json","user-agent":null,"body":"{\"id\":\"EVb0000000000000000000000000000002\",\"object\":\"event\",\"apiVersion\":\"v3\",\"createdAt\":\"2026-02-04T09:20:01.512Z\",\"type\":\"message.received\",\"data\":{\"object\":{\"id\":\"AC5e1c0f7a92b34d68\",\"object\":\"message\",\"from\":\"+12015550100\",\"to\":\"+12015550101,+12015550102,+12015550103\",\"direction\":\"incoming\",\"body\":\"redacted\",\"media\":[],\"status\":\"received\",\"createdAt\":\"2026-02-03T09:15:01.120Z\",\"userId\":\"USk3Qm8ZtY\",\"phoneNumberId\":\"PNb7Xw2LqR\",\"conversationId\":\"CN6c9d0e1f2a3b4c5d\",\"createdBy\":null}}}"}"#);
}

#[test]
fn the_same_person_is_the_same_in_a_whole_recording() {
    let names = [
        "v4.message.received",
        "v4.call.completed",
        "dated.call.completed",
    ];
    let deliveries = names.map(|name| {
        let body = body(name);
        (arrived(name, &body), body)
    });
    let file = recorded(false, &deliveries);
    let read = read(file.as_bytes()).unwrap();
    let EventKind::MessageReceived(message) = replayed(&read[0]).kind else {
        panic!()
    };
    let from = message.from.unwrap();
    for delivery in &read[1..] {
        let EventKind::CallCompleted(call) = replayed(delivery).kind else {
            panic!()
        };
        let participants = call.participants.into_known().unwrap();
        assert!(participants.all().any(|number| number == from));
    }
}

#[test]
fn signatures_and_foreign_headers_are_not_written() {
    let text = body("dated.message.received");
    let mut arrived = dated_headers(&text);
    let signature = arrived["webhook-signature"].to_str().unwrap().to_owned();
    let secret = [
        ("authorization", "Bearer c4nary"),
        ("cookie", "c4nary"),
        ("x-forwarded-for", "192.0.2.7"),
    ];
    arrived.extend(headers(&secret));
    arrived.insert("user-agent", "Quo-Webhooks/1".parse().unwrap());
    for keep in [true, false] {
        let file = recorded(keep, &[(arrived.clone(), text.clone())]);
        for hidden in ["c4nary", "192.0.2.7", &signature, "webhook-timestamp"] {
            assert!(!file.contains(hidden), "{hidden}");
        }
        let read = read(file.as_bytes()).unwrap();
        let signed = read[0].sign(&TestKeys::default(), now()).unwrap();
        assert_eq!(signed.headers["user-agent"], "Quo-Webhooks/1");
        assert_eq!(signed.headers["content-type"], "application/json");
        assert_ne!(signed.headers["webhook-signature"], signature);
        assert_eq!(signed.headers.len(), 5);
    }
}

/// A webhook service of the vendor's has been seen to send none.
#[test]
fn what_came_without_a_signature_goes_without_one() {
    let text = body("v4.message.received");
    let file = recorded(false, &[(headers(&[]), text)]);
    let read = read(file.as_bytes()).unwrap();
    let signed = read[0].sign(&TestKeys::default(), now()).unwrap();
    let verifier = TestKeys::default().verifier();
    let refused = verifier.verify(&signed.headers, &signed.body, now());
    assert_eq!(refused.unwrap_err().kind(), WebhookErrorKind::MissingHeader);
}

#[rstest]
#[case(b"no json")]
#[case(b"[1]")]
#[case(b"\"text\"")]
#[case(b"{} {}")]
#[case(b"{\"a\":")]
#[case(b"\xff")]
fn what_is_no_json_object_is_not_recorded(#[case] body: &[u8]) {
    for keep in [true, false] {
        let mut file = Vec::new();
        let mut recorder = Recorder::new(&mut file);
        if keep {
            recorder = recorder.keep_personal_data();
        }
        let refused = recorder.record(&HeaderMap::new(), body).unwrap_err();
        assert!(matches!(refused, ReplayError::NotJson), "{refused}");
        assert!(file.is_empty());
    }
}

#[rstest]
#[case::empty("", None)]
#[case::blank_lines("\n\n", None)]
#[case::no_json("\nhello\n", Some(2))]
#[case::later_version(r#"{"version":2,"body":"{}"}"#, Some(1))]
#[case::no_body(r#"{"version":1}"#, Some(1))]
#[case::unknown_scheme(r#"{"version":1,"scheme":"canary","body":"{}"}"#, Some(1))]
#[case::bad_header(r#"{"version":1,"content-type":"a\nb","body":"{}"}"#, Some(1))]
fn bad_lines_are_named(#[case] file: &str, #[case] line: Option<usize>) {
    match (read(file.as_bytes()), line) {
        (Ok(deliveries), None) => assert!(deliveries.is_empty()),
        (Err(ReplayError::Line(found)), Some(line)) => assert_eq!(found, line),
        (other, _) => panic!("{other:?}"),
    }
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn failures_to_write_are_reported() {
    let refused = Recorder::new(Full)
        .record(&HeaderMap::new(), b"{}")
        .unwrap_err();
    assert!(matches!(refused, ReplayError::Io(_)));
    assert_eq!(refused.to_string(), "reading or writing a recording failed");
}

#[test]
fn debug_shows_no_body_and_no_key() {
    let delivery = sample(&EventName::MessageReceived, &Generation::V4).unwrap();
    let signed = delivery.sign(&TestKeys::default(), now()).unwrap();
    let recorder = Recorder::new(Vec::new());
    let keys = TestKeys::default();
    let text = format!("{delivery:?} {signed:?} {recorder:?} {keys:?}");
    for hidden in ["table", "+1202", "hmac", "cHVi"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

/// A canary of every form that personal data has, in an invented payload under names nobody has heard of.
fn any_canary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("canary")),
        Just(json!("canary@example.org")),
        Just(json!("+13035557391")),
        Just(json!("(303) 555-7391")),
        Just(json!(13_035_557_391_u64)),
        Just(json!("https://example.org/canary")),
        Just(json!(7391)),
        Just(json!(-73.91)),
        Just(Value::Null),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "text",
            "name",
            "fields",
            "value",
            "addedLater",
            "title",
            "from",
            "content"
        ])
        .prop_map(str::to_owned),
        // Also where ids and states are expected, a number is nobody's id; and members may be named after people.
        Just("+13035557391".to_owned()),
        Just("canary@example.org".to_owned()),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_canary_is_written(data in any_canary(), id in prop::sample::select(vec!["+13035557391", "canary@example.org", "the canary"])) {
        let body = json!({"id": id, "type": "call.held", "data": data});
        let file = recorded(false, &[(HeaderMap::new(), serde_json::to_vec(&body).unwrap())]);
        for canary in ["canary", "7391", "example.org"] {
            prop_assert!(!file.contains(canary), "{}", file);
        }
        let read = read(file.as_bytes()).unwrap();
        prop_assert!(serde_json::from_slice::<Value>(read[0].body()).unwrap().is_object());
    }

    #[test]
    fn no_bytes_panic(body: Vec<u8>, line: String) {
        let _ = Recorder::new(Vec::new()).record(&HeaderMap::new(), &body);
        let _ = read(line.as_bytes());
    }
}
