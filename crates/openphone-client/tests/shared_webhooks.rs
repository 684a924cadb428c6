//! The vendor's own samples and known answers, where `CONNECTORS_SHARED_DIR` names a folder with them.

#![cfg(feature = "webhooks")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]

#[path = "webhooks/describe.rs"]
mod describe;
#[path = "webhooks/dropped.rs"]
mod dropped;

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, HeaderName};
use openphone_client::webhooks::{
    CallEventStatus, Event, EventKind, Generation, Lookup, Verifier, WebhookErrorKind, replay_id,
};
use serde_json::Value;

use describe::describe;
use dropped::dropped;

const SECRET: &str = "c2lnbmluZyBrZXk=";

/// The samples' folder, or `None` where there is none and none is required.
fn samples() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CONNECTORS_SHARED_DIR") else {
        let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED");
        assert!(
            required.is_none_or(|value| value != "1"),
            "CONNECTORS_REQUIRE_SHARED is set, CONNECTORS_SHARED_DIR is not"
        );
        eprintln!("skipped: CONNECTORS_SHARED_DIR is not set");
        return None;
    };
    Some(PathBuf::from(folder).join("vendor-fixtures/openphone"))
}

fn headers(own: &[(&str, &Value)]) -> HeaderMap {
    own.iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                value.as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

fn parse(body: &[u8]) -> Event {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET).unwrap());
    let mac = hmac::sign(&key, &[b"1776081600000.", body].concat());
    let header = format!("hmac;1;1776081600000;{}", STANDARD.encode(mac)).into();
    let headers = headers(&[("openphone-signature", &header)]);
    let now = DateTime::from_timestamp(1_776_081_600, 0).unwrap();
    let verifier = Verifier::new([SECRET.into()]).unwrap();
    Event::parse(&verifier.verify(&headers, body, now).unwrap()).unwrap()
}

/// Every sample is read as the event and the generation that its file is named after.
#[test]
fn shared_samples_are_read() {
    let Some(folder) = samples() else { return };
    let mut read = 0;
    for entry in
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_prefix("webhook.") else {
            continue;
        };
        let (generation, name) = name.split_once('.').unwrap();
        let body = fs::read(&path).unwrap();
        let sample: Value = serde_json::from_slice(&body).unwrap();
        let event = parse(&body);

        assert_eq!(event.generation.as_str(), generation, "{name}");
        assert!(
            !matches!(event.generation, Generation::Unknown(_)),
            "{name}"
        );
        assert_eq!(event.id.as_ref().unwrap().as_str(), sample["id"], "{name}");
        assert_eq!(event.replay_id, sample["id"].as_str().unwrap(), "{name}");
        let kind = match sample["type"].as_str().unwrap() {
            "callSummary" => "call.summary.completed",
            "callTranscript" => "call.transcript.completed",
            kind => kind,
        };
        assert_eq!(event.kind.name(), kind, "{name}");
        let dropped = dropped(&sample, &describe(&event));
        assert!(dropped.is_empty(), "{name}: {dropped:?}");
        let created_at =
            DateTime::parse_from_rfc3339(sample["createdAt"].as_str().unwrap()).unwrap();
        assert_eq!(event.created_at.unwrap(), created_at, "{name}");
        let link = sample
            .pointer("/data/deepLink")
            .or_else(|| sample.pointer("/data/links/quo"));
        assert_eq!(
            event.link.as_deref(),
            link.and_then(Value::as_str),
            "{name}"
        );

        let object = sample
            .pointer("/data/object")
            .or_else(|| sample.pointer("/data/resource"))
            .unwrap();
        check(name, &event, object);
        read += 1;
    }
    assert!(read >= 41, "{read}");
}

/// What the event says of its object, against the sample read as plain JSON.
fn check(name: &str, event: &Event, object: &Value) {
    let family = name.split('.').next().unwrap();
    let (id, created_at, user_id) = match &event.kind {
        EventKind::MessageReceived(message)
        | EventKind::MessageDelivered(message)
        | EventKind::MessageFailed(message)
        | EventKind::MessageUndelivered(message) => {
            assert_eq!(family, "message");
            let text = object.get("text").or_else(|| object.get("body"));
            assert_eq!(
                message.text.as_deref(),
                text.and_then(Value::as_str),
                "{name}"
            );
            assert_eq!(
                message.status.as_ref().unwrap().as_str(),
                object["status"],
                "{name}"
            );
            assert!(message.from.is_some() && !message.to.is_empty(), "{name}");
            assert_eq!(
                message.to.len(),
                if name.contains("group") { 3 } else { 1 },
                "{name}"
            );
            assert_eq!(
                message.error_code.as_deref(),
                object["errorCode"].as_str(),
                "{name}"
            );
            (message.id.as_str(), message.created_at, &message.user_id)
        }
        EventKind::CallRinging(call)
        | EventKind::CallAnswered(call)
        | EventKind::CallCompleted(call)
        | EventKind::CallForwarded(call)
        | EventKind::CallMenuSelected(call)
        | EventKind::CallRecordingCompleted(call)
        | EventKind::CallVoicemailCompleted(call) => {
            assert_eq!(family, "call");
            match &call.participants {
                Lookup::Known(participants) => assert_ne!(participants.all().count(), 0, "{name}"),
                Lookup::Unavailable => assert!(name.contains("empty-participants"), "{name}"),
                other => panic!("{name}: {other:?}"),
            }
            assert_eq!(
                call.recordings.is_some(),
                name.contains("recording"),
                "{name}"
            );
            assert_eq!(
                call.voicemail.is_some(),
                name.contains("voicemail"),
                "{name}"
            );
            let status = call.status.as_ref().map(CallEventStatus::as_str);
            assert_eq!(status, object["status"].as_str(), "{name}");
            (call.id.as_str(), call.created_at, &call.user_id)
        }
        EventKind::ContactUpdated(contact) | EventKind::ContactDeleted(contact) => {
            assert_eq!(family, "contact");
            assert_eq!(
                contact.first_name.as_deref(),
                object["firstName"].as_str(),
                "{name}"
            );
            assert_eq!(
                contact.last_name.as_deref(),
                object["lastName"].as_str(),
                "{name}"
            );
            assert_eq!(contact.numbers().count(), 1, "{name}");
            (contact.id.as_str(), contact.created_at, &contact.user_id)
        }
        // What they say is checked above, and they have neither times nor users of their own.
        EventKind::CallSummaryCompleted(_) | EventKind::CallTranscriptCompleted(_) => {
            assert_eq!(event.object_id(), object["callId"].as_str(), "{name}");
            return;
        }
        EventKind::Unknown { kind, .. } => panic!("{name}: {kind} is not known"),
        _ if family == "task" => {
            assert_eq!(event.object_id(), object["id"].as_str(), "{name}");
            return;
        }
        other => panic!("{name}: {other:?}"),
    };
    let expected = object.get("callId").unwrap_or(&object["id"]);
    assert_eq!(id, expected, "{name}");
    assert_eq!(event.object_id(), Some(id));
    let time = DateTime::parse_from_rfc3339(object["createdAt"].as_str().unwrap()).unwrap();
    assert_eq!(created_at.unwrap(), time, "{name}");
    assert!(user_id.is_some(), "{name}");
}

#[test]
fn shared_known_answers() {
    let Some(folder) = samples() else { return };
    let path = folder.join("signature-vectors.json");
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Value = serde_json::from_slice(&text).unwrap();

    let legacy = vectors["legacy_openphone_signature"].as_array().unwrap();
    assert!(legacy.len() >= 4);
    for vector in legacy {
        let verifier = Verifier::new([vector["key_base64"].as_str().unwrap().into()]).unwrap();
        let milliseconds: i64 = vector["timestamp"].as_str().unwrap().parse().unwrap();
        let headers = headers(&[("openphone-signature", &vector["header"])]);
        let body = vector["body"].as_str().unwrap().as_bytes();
        let now = DateTime::from_timestamp_millis(milliseconds).unwrap();
        let delivery = verifier
            .verify(&headers, body, now)
            .unwrap_or_else(|error| panic!("{vector}: {error:?}"));
        assert_eq!(delivery.timestamp(), Some(now));
        assert!(!replay_id(&delivery).is_empty());
        refuses_what_differs(&verifier, &headers, body, now);
    }

    let standard = vectors["standard_webhooks"].as_array().unwrap();
    assert!(standard.len() >= 3);
    for vector in standard {
        let verifier = Verifier::new([vector["secret"].as_str().unwrap().into()]).unwrap();
        let seconds: i64 = vector["webhook_timestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let headers = headers(&[
            ("webhook-id", &vector["webhook_id"]),
            ("webhook-timestamp", &vector["webhook_timestamp"]),
            ("webhook-signature", &vector["webhook_signature"]),
        ]);
        let body = vector["body"].as_str().unwrap().as_bytes();
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let delivery = verifier
            .verify(&headers, body, now)
            .unwrap_or_else(|error| panic!("{vector}: {error:?}"));
        assert_eq!(replay_id(&delivery), vector["webhook_id"].as_str().unwrap());
        refuses_what_differs(&verifier, &headers, body, now);
    }
}

fn refuses_what_differs(
    verifier: &Verifier,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<chrono::Utc>,
) {
    let kind_of = |body: &[u8], now| verifier.verify(headers, body, now).unwrap_err().kind();
    let late = now + TimeDelta::seconds(301);
    assert_eq!(kind_of(body, late), WebhookErrorKind::StaleTimestamp);
    assert_eq!(
        kind_of(&[body, b"\n"].concat(), now),
        WebhookErrorKind::WrongSignature
    );
    let other = Verifier::new(["b3RoZXI=".into(), "whsec_b3RoZXI=".into()]).unwrap();
    let refused = other.verify(headers, body, now).unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
}
