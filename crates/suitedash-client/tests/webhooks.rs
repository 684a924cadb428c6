//! Deliveries as SuiteDash may send them: read as hints, whatever they hold.

#![cfg(feature = "webhooks")]

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use suitedash_client::webhooks::{
    EventHint, EventName, HintKind, Receiver, WebhookError, WebhookErrorKind,
};

const SECRET: &str = "Jq0cV7yZr2m4uXb8nTf6Wg";
const CLIENT: &str = "11111111-1111-4111-8111-111111111111";
const FIELD: &str = "44444444-4444-4444-8444-444444444444";

fn read(event: &str, body: &[u8]) -> Result<EventHint, WebhookError> {
    let receiver = Receiver::new([SECRET.into()])?;
    let delivery = receiver.receive(SECRET, body)?;
    EventHint::read(&delivery, EventName::from(event))
}

fn project_updated() -> Value {
    json!({
        "client": {"uid": CLIENT},
        "project_custom_fields": {FIELD: "canary value"},
    })
}

#[rstest]
#[case("project-updated")]
#[case("project-created")]
#[case("project-deleted")]
#[case::an_address_without_a_name("")]
fn the_two_known_keys_of_a_project_are_typed(#[case] event: &str) {
    let hint = read(event, project_updated().to_string().as_bytes()).unwrap();
    assert_eq!(hint.client_uid.as_deref(), Some(CLIENT));
    let HintKind::Project(project) = &hint.kind else {
        panic!("{hint:?}");
    };
    assert_eq!(project.custom_fields[FIELD], "canary value");
    assert!(!format!("{hint:?}").contains("canary"), "{hint:?}");
}

#[rstest]
#[case("subscription-created", HintKind::Billing)]
#[case("subscription-canceled", HintKind::Billing)]
#[case("subscription-expired", HintKind::Billing)]
#[case("subscription-unpaid", HintKind::Billing)]
#[case("automation", HintKind::Automation)]
#[case("deal-won", HintKind::Unknown)]
#[case("", HintKind::Unknown)]
fn the_address_names_the_family(#[case] event: &str, #[case] kind: HintKind) {
    let hint = read(event, br#"{"anything":{"deep":[1,null]}}"#).unwrap();
    assert_eq!(hint.kind, kind);
    assert_eq!(hint.event.as_str(), event);
    assert_eq!(hint.raw["anything"], json!({"deep": [1, null]}));
    assert_eq!(hint.client_uid, None);
}

#[rstest]
#[case(json!({"client": CLIENT}))]
#[case(json!({"client": {"uid": 7}, "project_custom_fields": []}))]
#[case(json!({"client": null, "project_custom_fields": null, "new": true}))]
fn known_keys_of_another_type_stay_raw(#[case] body: Value) {
    let hint = read("project-updated", body.to_string().as_bytes()).unwrap();
    assert_eq!(hint.client_uid, None);
    assert_eq!(Value::from(hint.raw), body);
    let HintKind::Project(project) = hint.kind else {
        panic!("a project by its address");
    };
    assert!(project.custom_fields.is_empty());
}

#[rstest]
#[case::nothing("")]
#[case::a_list("[]")]
#[case::a_text("\"canary\"")]
#[case::cut_off("{\"canary\":")]
#[case::html("<html>canary</html>")]
#[case::lone_surrogate(r#"{"canary":"\ud800"}"#)]
fn what_is_no_object_is_unreadable_and_not_shown(#[case] body: &str) {
    let error = read("project-updated", body.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
    assert!(error.position().is_some());
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn a_body_nested_without_end_is_refused() {
    let body = format!("{{\"a\":{}", "[".repeat(60_000));
    let error = read("automation", body.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
}

#[test]
fn a_repeated_delivery_has_the_same_key_and_another_body_another() {
    let body = project_updated().to_string();
    let first = read("project-updated", body.as_bytes()).unwrap();
    let again = read("project-updated", body.as_bytes()).unwrap();
    let other = read("project-updated", format!("{body} ").as_bytes()).unwrap();
    assert_eq!(first.dedup_key, again.dedup_key);
    assert_ne!(first.dedup_key, other.dedup_key);
    assert_eq!(first.dedup_key.len(), "sha256:".len() + 64);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300), event in ".{0,20}") {
        if let Ok(hint) = read(&event, &body) {
            let object: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(Value::from(hint.raw), object);
        }
    }
}
