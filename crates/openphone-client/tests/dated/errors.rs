//! The errors of the dated API: no code, but a title; and what may be sent again.

use connector_http::testing::Reply;
use openphone_client::dated::{
    NewContact, NewProperty, NewTask, NewWebhook, PropertyType, WebhookEvent,
};
use openphone_client::{Delivery, Error, ErrorKind, OpenPhoneErrorCode};
use rstest::rstest;

use crate::client;

async fn answered(status: u16, body: &str) -> Error {
    let (client, transport) = client();
    transport.push(Reply::status(status).body(body.to_owned()));
    let call = client.organization().no_retry();
    call.await.unwrap_err()
}

#[rstest]
#[case(400, "Bad Request", ErrorKind::Validation)]
#[case(401, "Unauthorized", ErrorKind::Auth)]
// The vendor's own sample: the title does not match the status.
#[case(401, "Not Found", ErrorKind::Auth)]
#[case(402, "Payment Required", ErrorKind::Permission)]
#[case(403, "Forbidden", ErrorKind::Permission)]
#[case(404, "Not Found", ErrorKind::NotFound)]
#[case(409, "Conflict", ErrorKind::Conflict)]
#[case(422, "Unprocessable Entity", ErrorKind::Validation)]
#[case(429, "Too Many Requests", ErrorKind::RateLimited)]
#[case(500, "Unknown Error", ErrorKind::Server)]
#[tokio::test]
async fn the_status_says_what_kind_it_is(
    #[case] status: u16,
    #[case] title: &str,
    #[case] kind: ErrorKind,
) {
    let body = format!(
        r#"{{"title":"{title}","message":"m","docs":"https://quo.com/docs","trace":"6897907457496870895"}}"#
    );
    let error = answered(status, &body).await;
    assert_eq!(error.kind(), kind);
    assert_eq!(error.status(), Some(status));
    assert_eq!(error.message(), Some("m"));
    assert_eq!(error.request_id(), Some("6897907457496870895"));
    assert_eq!(OpenPhoneErrorCode::of(&error), None);
}

#[tokio::test]
async fn fields_and_codes_are_read_where_they_are() {
    let error = answered(
        400,
        r#"{"title":"Bad Request","message":"m","docs":"d","code":"0303400",
            "errors":[{"path":"/query/limit","message":"must be <= 50","value":200,"schema":{"type":"integer"}}]}"#,
    )
    .await;
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::InvalidWebhookId)
    );
    assert_eq!(error.field_errors()[0].path, "/query/limit");
}

/// The old host, or a path with a typo, must not tell a sync that everything is gone.
#[tokio::test]
async fn an_address_nobody_serves_is_not_not_found() {
    let error = answered(404, "<html>Cannot GET /organization</html>").await;
    assert_eq!(error.kind(), ErrorKind::Api);
}

#[tokio::test]
async fn what_may_have_happened_is_not_done_again() {
    let (client, transport) = client();
    let webhooks = client.webhooks();
    let new = NewWebhook::new("https://hooks.example.com", [WebhookEvent::CallMissed]);
    let (id, delivery) = ("123".into(), "msg_1".into());
    for _ in 0..9 {
        transport.push(Reply::reset_after_sending());
    }
    let (contact, task) = ("CT1".into(), NewTask::new("CN1", "A", "B"));
    let mail = NewProperty::new(PropertyType::Email, "ana@example.com");
    let properties = client.contact_properties();
    let errors = [
        client
            .contacts()
            .create(&NewContact::new("Ana"))
            .await
            .unwrap_err(),
        client
            .contact_notes()
            .create(&contact, "Hello.")
            .await
            .unwrap_err(),
        properties.create(&contact, &mail).await.unwrap_err(),
        client.tasks().create(&task).await.unwrap_err(),
        webhooks.create(&new).await.unwrap_err(),
        webhooks.rotate_secret(&id).await.unwrap_err(),
        webhooks.retry_delivery(&id, &delivery).await.unwrap_err(),
        webhooks
            .test(&id, &WebhookEvent::CallMissed)
            .await
            .unwrap_err(),
        client
            .messages()
            .retry(&"ACabc402".into())
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.delivery(), Delivery::Unknown, "{error}");
        assert_eq!(error.attempts(), 1, "{error}");
    }
    assert_eq!(transport.requests().len(), 9);
}
