//! The models read what the vendor sends, and what it may send tomorrow.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use openphone_client::MessageStatus;
use openphone_client::dated::{
    CallStatus, DeliveryDetail, DeliveryStatus, Message, Organization, PhoneCall, Recording,
    SubscriptionStatus, SummaryKind, Transcript, Webhook, WebhookDelivery, WebhookEvent,
    WebhookResources, WebhookStatus,
};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bodies::{
    CALL, DELIVERY, DELIVERY_DETAIL, MESSAGE, ORGANIZATION, RECORDINGS, TRANSCRIPTS, WEBHOOK,
};

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

pub(crate) fn read<T: DeserializeOwned>(body: &str) -> T {
    serde_json::from_str::<Data<T>>(body).unwrap().data
}

/// Nothing of the body is lost, and nothing unknown disturbs.
pub(crate) fn keeps<T: DeserializeOwned + Serialize>(body: &str) {
    let whole: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        serde_json::to_value(read::<T>(body)).unwrap(),
        whole["data"]
    );
    for path in members(&whole["data"], "/data") {
        let (parent, _) = path.rsplit_once('/').unwrap();
        // What a value the vendor leaves open holds, is kept.
        if parent.contains("/requestBody/data") || parent.contains("/value") {
            continue;
        }
        let mut more = whole.clone();
        more.pointer_mut(parent).unwrap()["aFieldOfTomorrow"] = serde_json::json!({"x": [1, null]});
        let read: T = read(&more.to_string());
        assert_eq!(
            serde_json::to_value(read).unwrap(),
            whole["data"],
            "{parent}"
        );
    }
}

#[rstest]
#[case::organization(keeps::<Organization>, ORGANIZATION)]
#[case::call(keeps::<PhoneCall>, CALL)]
#[case::recordings(keeps::<Vec<Recording>>, RECORDINGS)]
#[case::transcripts(keeps::<Vec<Transcript>>, TRANSCRIPTS)]
#[case::message(keeps::<Message>, MESSAGE)]
#[case::delivery(keeps::<WebhookDelivery>, DELIVERY)]
#[case::delivery_detail(keeps::<DeliveryDetail>, DELIVERY_DETAIL)]
fn bodies_are_kept_and_unknown_fields_ignored(#[case] keeps: fn(&str), #[case] body: &str) {
    keeps(body);
}

/// A webhook is not written back, because of its key.
#[test]
fn a_webhook() {
    let webhook: Webhook = read(WEBHOOK);
    assert_eq!(webhook.id.as_str(), "123");
    assert_eq!(webhook.status, WebhookStatus::Enabled);
    assert_eq!(
        webhook.events,
        [WebhookEvent::CallMissed, WebhookEvent::TaskDueDateUpdated]
    );
    assert_eq!(
        webhook.resources,
        WebhookResources::PhoneNumbers(vec!["PNabc101".into()])
    );
    assert_eq!(webhook.key.unwrap().expose_secret(), "whsec_c2VjcmV0");

    let mut value: Value = serde_json::from_str(WEBHOOK).unwrap();
    let data = value["data"].as_object_mut().unwrap();
    data.remove("key");
    data["status"] = "paused".into();
    data["events"] = serde_json::json!(["call.of.tomorrow"]);
    data["resourceIds"] = serde_json::json!(["*"]);
    let webhook: Webhook = read(&value.to_string());
    assert!(webhook.key.is_none());
    assert_eq!(webhook.status, WebhookStatus::from("paused"));
    assert_eq!(webhook.events, [WebhookEvent::from("call.of.tomorrow")]);
    assert_eq!(webhook.resources, WebhookResources::All);
}

#[test]
fn the_events_are_28_and_3_without_documents() {
    assert_eq!(WebhookEvent::KNOWN.len(), 31);
    let open = |it: &&&str| it.starts_with("integration.");
    assert_eq!(WebhookEvent::KNOWN.iter().filter(open).count(), 3);
}

pub(crate) fn with<T: DeserializeOwned>(body: &str, pointer: &str) -> T {
    let mut value: Value = serde_json::from_str(body).unwrap();
    *value.pointer_mut(pointer).unwrap() = "of-tomorrow".into();
    read(&value.to_string())
}

#[test]
fn unknown_variants_are_kept() {
    let word = || "of-tomorrow".to_owned();
    let call: PhoneCall = with(CALL, "/data/status");
    assert_eq!(call.status, CallStatus::Unknown(word()));
    let call: PhoneCall = with(CALL, "/data/summary/type");
    let kind = call.summary.unwrap().kind;
    assert_eq!(kind, Some(SummaryKind::Unknown(word())));
    let message: Message = with(MESSAGE, "/data/status");
    assert_eq!(message.status, MessageStatus::Unknown(word()));
    let organization: Organization = with(ORGANIZATION, "/data/subscriptionStatus");
    assert_eq!(
        organization.subscription_status,
        SubscriptionStatus::Unknown(word())
    );
    let delivery: WebhookDelivery = with(DELIVERY, "/data/status");
    assert_eq!(delivery.status, DeliveryStatus::Unknown(word()));
    let message: Message = read(MESSAGE);
    assert_eq!(message.status, MessageStatus::Failed);
}

/// Which fields a model cannot do without: the fewer, the longer it lives.
#[test]
fn required_fields() {
    let mut report = String::new();
    for (name, required) in [
        (
            "Organization",
            cannot_do_without::<Organization>(ORGANIZATION),
        ),
        ("PhoneCall", cannot_do_without::<PhoneCall>(CALL)),
        (
            "Transcript",
            cannot_do_without::<Vec<Transcript>>(TRANSCRIPTS),
        ),
        ("Webhook", cannot_do_without::<Webhook>(WEBHOOK)),
        (
            "WebhookDelivery",
            cannot_do_without::<WebhookDelivery>(DELIVERY),
        ),
        (
            "DeliveryDetail",
            cannot_do_without::<DeliveryDetail>(DELIVERY_DETAIL),
        ),
    ] {
        writeln!(report, "{name}").unwrap();
        for path in required {
            writeln!(report, "  {path}").unwrap();
        }
    }
    insta::assert_snapshot!(report);
}

/// Decodes the body once without each field, and once with each field null.
pub(crate) fn cannot_do_without<T: DeserializeOwned>(body: &str) -> BTreeSet<String> {
    let whole: Value = serde_json::from_str(body).unwrap();
    let mut required = BTreeSet::new();
    for path in members(&whole["data"], "/data") {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let mut absent = whole.clone();
        let map = absent.pointer_mut(parent).unwrap().as_object_mut();
        map.unwrap().remove(name);
        let mut null = whole.clone();
        null.pointer_mut(parent).unwrap()[name] = Value::Null;
        for (how, changed) in [("absent", absent), ("null", null)] {
            if serde_json::from_value::<Data<T>>(changed).is_err() {
                required.insert(format!("{} {how}", without_indices(&path)));
            }
        }
    }
    required
}

/// The pointers to every member of every object.
fn members(value: &Value, path: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, it)| (index.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    let own = value.is_object();
    children
        .into_iter()
        .flat_map(|(key, value)| {
            let path = format!("{path}/{key}");
            let below = members(value, &path);
            own.then_some(path).into_iter().chain(below)
        })
        .collect()
}

fn without_indices(path: &str) -> String {
    let part = |part: &str| {
        if part.parse::<usize>().is_ok() {
            "*".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
