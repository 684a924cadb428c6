//! What answers mean.

use connector_http::testing::Reply;
use rstest::rstest;
use serde_json::json;
use suitedash_client::{ContactPatch, Delivery, ErrorKind, NewContact, Role};

use crate::support::{EMAIL, UID, builder, client, contact, refused, script, told};

#[rstest]
#[case(refused(400), ErrorKind::Validation, Delivery::Rejected)]
#[case(refused(401), ErrorKind::Auth, Delivery::Rejected)]
#[case(refused(404), ErrorKind::NotFound, Delivery::Rejected)]
#[case(Reply::status(404).body("<html>no api here</html>"), ErrorKind::Api, Delivery::Rejected)]
#[case(refused(405), ErrorKind::Api, Delivery::Rejected)]
#[case(refused(422), ErrorKind::Validation, Delivery::Rejected)]
#[case(refused(429), ErrorKind::QuotaSpent, Delivery::Rejected)]
#[case(refused(200), ErrorKind::Api, Delivery::Rejected)]
#[case(refused(201), ErrorKind::Api, Delivery::Rejected)]
#[case(Reply::status(201).body(r#"{"success":false,"message":"\ud800"}"#), ErrorKind::Api, Delivery::Rejected)]
#[case(Reply::status(201).body(format!(r#"{{"success":false,"data":{}{}}}"#, "[".repeat(999), "]".repeat(999))), ErrorKind::Api, Delivery::Rejected)]
#[case(Reply::status(201).body(r#"{"success":"true","data":{"uid":7}}"#), ErrorKind::Decode, Delivery::Succeeded)]
#[case(Reply::status(502).body("<html>502 Bad Gateway</html>"), ErrorKind::Server, Delivery::Unknown)]
#[case(Reply::status(200).body("<html>log in</html>"), ErrorKind::Decode, Delivery::Succeeded)]
#[case(Reply::status(201).body(r#"{"success":true,"data":{"uid":"u","first_name":"\ud800"}}"#), ErrorKind::Decode, Delivery::Succeeded)]
#[case(Reply::status(201).json(&json!({"success": true, "data": {"id": 7}})), ErrorKind::Decode, Delivery::Succeeded)]
#[case(Reply::status(201).json(&json!({"success": true})), ErrorKind::Decode, Delivery::Succeeded)]
#[case(Reply::status(302).header("location", "https://evil.example/"), ErrorKind::Api, Delivery::Rejected)]
#[tokio::test(start_paused = true)]
async fn a_creation_ends_so_and_is_sent_once(
    #[case] reply: Reply,
    #[case] kind: ErrorKind,
    #[case] delivery: Delivery,
) {
    let fake = script([reply]);
    let jane = NewContact::new(Role::Lead, "Jane", "Roe").email(EMAIL);
    let error = client(&fake).contacts().create(&jane).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (kind, delivery),
        "{error}"
    );
    assert_eq!(fake.requests().len(), 1);
    assert!(!error.is_retryable());
    assert!(!error.to_string().contains("c4nary"), "{error}");
}

/// Whether the same call may be made again later, by whom it was and whether it left this machine.
#[rstest]
#[case(Reply::connect_error(), true, true)]
#[case(Reply::hang(), true, false)]
#[case(Reply::reset_after_sending(), true, false)]
#[case(Reply::status(503), true, false)]
#[case(refused(429), false, false)]
#[case(refused(429).header("retry-after", "60"), false, false)]
#[case(refused(401), false, false)]
#[case(refused(422), false, false)]
#[case(refused(200), false, false)]
#[case(Reply::status(200).body("<html>"), false, false)]
#[tokio::test(start_paused = true)]
async fn a_failure_may_be_tried_again(
    #[case] reply: Reply,
    #[case] read: bool,
    #[case] write: bool,
) {
    let fake = connector_http::testing::FakeTransport::handler(move |_| reply.clone());
    let client = || builder(&fake).without_quota().build().unwrap();
    let error = client().contacts().get(&UID.into()).await.unwrap_err();
    assert_eq!(error.is_retryable(), read, "{error}");
    let jane = NewContact::new(Role::Lead, "Jane", "Roe").email(EMAIL);
    let error = client().contacts().create(&jane).await.unwrap_err();
    assert_eq!(error.is_retryable(), write, "{error}");
    let patch = ContactPatch::new().title("CEO");
    let error = client()
        .contacts()
        .update(&UID.into(), &patch)
        .await
        .unwrap_err();
    assert_eq!(error.is_retryable(), write, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_twice_at_most() {
    let html = || Reply::status(502).body("<html>");
    let fake = script([html(), told(200, &contact(&json!({})))]);
    client(&fake).contacts().get(&UID.into()).await.unwrap();
    let fake = script([html(), html(), html()]);
    let error = client(&fake).contacts().get(&UID.into()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Server, Some(502))
    );
    assert_eq!((error.attempts(), fake.requests().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_found_fault_with_is_told() {
    let fake = script([Reply::status(422).json(&json!({
        "success": false, "message": "Invalid", "errors": {"email": ["is bad"]},
    }))]);
    let jane = NewContact::new(Role::Lead, "Jane", "Roe").email(EMAIL);
    let error = client(&fake).contacts().create(&jane).await.unwrap_err();
    assert_eq!(error.message(), Some("Invalid"));
    let field = &error.field_errors()[0];
    assert_eq!((&*field.path, &*field.message), ("email", "is bad"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_no_error_of_a_look_up() {
    let fake = script([refused(404), told(200, &contact(&json!({})))]);
    let client = client(&fake);
    assert_eq!(client.contacts().find_by_email(EMAIL).await.unwrap(), None);
    let found = client
        .contacts()
        .find_by_email(" Jane.Roe@example.com ")
        .await
        .unwrap();
    assert_eq!(found.unwrap().uid.as_str(), UID);
    // A portal that is not there is no proof that nobody is.
    fake.push(Reply::status(404).body("<html>"));
    client.contacts().find_by_email(EMAIL).await.unwrap_err();
    fake.push(told(200, &contact(&json!({"email": "john@example.com"}))));
    let error = client.contacts().find_by_email(EMAIL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn an_address_is_one_segment_and_a_plus_no_blank() {
    let odd = "jane+tag@example.com";
    let fake = script([told(200, &contact(&json!({ "email": odd })))]);
    client(&fake).contacts().find_by_email(odd).await.unwrap();
    let path = fake.last_request().unwrap().path().to_owned();
    assert_eq!(path, "/secure-api/contact/jane%2Btag%40example.com");
}
