//! What stands on the wire, operation by operation.

use std::future::Future;

use chrono::{DateTime, Utc};
use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::Method;
use openphone_client::dated::{
    CallDirection, CallPart, CallStatus, Client, DeliveryStatus, ListCalls, ListDeliveries,
    ListMessages, MessageDirection, MessageStatus, NewWebhook, PhoneNumberId, WebhookEvent,
    WebhookPatch, WebhookResources, WebhookStatus,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::bodies::{
    CALL, DELIVERY, DELIVERY_DETAIL, EVENT, MESSAGE, ORGANIZATION, RECORDINGS, TRANSCRIPTS,
    WEBHOOK, page_of,
};
use crate::client;

/// A request as one line: method, path, decoded query.
fn line(request: &RecordedRequest) -> String {
    let query: Vec<_> = request
        .query()
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{} {} {}", request.method, request.path(), query.join("&"))
        .trim_end()
        .to_owned()
}

/// Makes a call that is answered like this, and gives what was sent.
pub(crate) async fn sent<T, F>(
    status: u16,
    body: impl Into<String>,
    make: impl FnOnce(Client) -> F,
) -> (String, Value)
where
    F: Future<Output = Result<T, openphone_client::Error>>,
{
    let (client, transport) = client();
    transport.push(Reply::status(status).body(body.into()));
    make(client).await.unwrap();
    last(&transport)
}

fn last(transport: &FakeTransport) -> (String, Value) {
    let request = transport.last_request().unwrap();
    assert_eq!(request.header("quo-api-version"), Some("2026-03-30"));
    assert_eq!(request.header("authorization"), Some("k3y"));
    (line(&request), request.json())
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn every_request_carries_version_and_key() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(ORGANIZATION, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let v1 = openphone_client::Client::builder()
        .api_key("k3y")
        .base_url(format!("{}/v1", server.uri()))
        .build()
        .unwrap();
    let client = Client::beside(&v1).unwrap();
    let organization = client.test_connection().await.unwrap();
    assert_eq!(organization.id.as_str(), "ORabc001");
    let raw: Value = client
        .raw(Method::Get, "/new-things")
        .query("limit", 1)
        .fetch()
        .await
        .unwrap();
    assert_eq!(raw["data"]["id"], "ORabc001");

    let requests = server.received_requests().await.unwrap();
    let paths: Vec<_> = requests.iter().map(|it| it.url.path()).collect();
    assert_eq!(paths, ["/organization", "/new-things"]);
    for request in requests {
        assert_eq!(request.headers["quo-api-version"], "2026-03-30");
        assert_eq!(request.headers["authorization"], "k3y");
        let agent = request.headers["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("openphone-client/"));
    }
}

#[tokio::test]
async fn calls_with_filters() {
    let page = page_of(CALL, None).to_string();
    let all = ListCalls::new();
    let (sent_line, _) = sent(200, page.clone(), |client| async move {
        client.calls().list_page(&all, Some("c 1")).await
    })
    .await;
    assert_eq!(sent_line, "GET /calls limit=50&after=c 1");

    let one = ListCalls::new()
        .phone_number_id("PNabc101")
        .actor_id("USabc201")
        .participants(["+12025550143"])
        .direction(CallDirection::Incoming)
        .statuses([CallStatus::Missed])
        .created_from(time("2026-03-01T00:00:00Z"))
        .created_until(time("2026-04-01T00:00:00Z"))
        .include([CallPart::Voicemail])
        .limit(7_u32);
    let (sent_line, _) = sent(200, page.clone(), |client| async move {
        client.calls().list_page(&one, None).await
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /calls phoneNumberId=PNabc101&actorId=USabc201&participant=+12025550143&direction=incoming\
         &status=missed&createdAt[gte]=2026-03-01T00:00:00.000Z&createdAt[lte]=2026-04-01T00:00:00.000Z\
         &include=voicemail&limit=7"
    );

    let several = ListCalls::new()
        .participants(["+12025550143", "+12025550144"])
        .statuses([CallStatus::Missed, CallStatus::NoAnswer])
        .include([CallPart::Summary, CallPart::Voicemail]);
    let (sent_line, _) = sent(200, page, |client| async move {
        client.calls().list_page(&several, None).await
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /calls participant[in]=+12025550143,+12025550144&status[in]=missed,no-answer\
         &include=summary,voicemail&limit=50"
    );
}

/// A plus that is not encoded would arrive as a blank.
#[tokio::test]
async fn a_plus_is_encoded() {
    let (client, transport) = client();
    transport.push(Reply::status(200).json(&page_of(CALL, None)));
    let query = ListCalls::new().participants(["+12025550143", "+12025550144"]);
    client.calls().list_page(&query, None).await.unwrap();
    let request = transport.last_request().unwrap();
    let raw = request.url.query().unwrap();
    assert!(
        raw.contains("%2B12025550143") && !raw.contains('+'),
        "{raw}"
    );
}

#[tokio::test]
async fn what_belongs_to_a_call() {
    let (sent_line, _) = sent(200, CALL, |client| async move {
        client.calls().get(&"ACabc401".into(), &[]).await
    })
    .await;
    assert_eq!(sent_line, "GET /calls/ACabc401");
    let (sent_line, _) = sent(200, CALL, |client| async move {
        let parts = [CallPart::Summary, CallPart::Voicemail];
        client.calls().get(&"ACabc401".into(), &parts).await
    })
    .await;
    assert_eq!(sent_line, "GET /calls/ACabc401 include=summary,voicemail");
    let (sent_line, _) = sent(200, RECORDINGS, |client| async move {
        client.calls().recordings_page(&"AC/1".into(), None).await
    })
    .await;
    assert_eq!(sent_line, "GET /calls/AC%2F1/recordings limit=50");
    let (sent_line, _) = sent(200, TRANSCRIPTS, |client| async move {
        let mut transcripts = client.calls().transcripts(&"ACabc401".into()).items();
        transcripts.next().await.unwrap()
    })
    .await;
    assert_eq!(sent_line, "GET /calls/ACabc401/transcripts limit=50");
}

#[tokio::test]
async fn messages_with_filters() {
    let page = page_of(MESSAGE, None).to_string();
    let query = ListMessages::new()
        .from("+12025550100")
        .to("+12025550143")
        .status(MessageStatus::Failed)
        .direction(MessageDirection::Outgoing)
        .phone_number_id("PNabc101")
        .user_id("USabc201")
        .created_after(time("2026-03-01T00:00:00Z"))
        .created_before(time("2026-04-01T00:00:00Z"));
    let (sent_line, _) = sent(200, page.clone(), |client| async move {
        client.messages().list_page(&query, None).await
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /messages from=+12025550100&to=+12025550143&status=failed&direction=outgoing\
         &phoneNumberId=PNabc101&userId=USabc201&createdAt[gt]=2026-03-01T00:00:00.000Z\
         &createdAt[lt]=2026-04-01T00:00:00.000Z&limit=50"
    );
    let group = ListMessages::new().to_all(["+12025550143", "+12025550144"]);
    let (sent_line, _) = sent(200, page, |client| async move {
        client.messages().list_page(&group, None).await
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /messages to[all]=+12025550143,+12025550144&limit=50"
    );
    let (sent_line, _) = sent(200, MESSAGE, |client| async move {
        client.messages().get(&"ACabc402".into()).await
    })
    .await;
    assert_eq!(sent_line, "GET /messages/ACabc402");
    let (sent_line, body) = sent(202, "{}", |client| async move {
        client.messages().retry(&"ACabc402".into()).await
    })
    .await;
    assert_eq!(sent_line, "POST /messages/ACabc402/retry");
    assert_eq!(body, Value::Null);
}

#[tokio::test]
async fn pages_follow_the_cursor() {
    let (client, transport) = client();
    transport.push(Reply::status(200).json(&page_of(MESSAGE, Some("c1"))));
    transport.push(Reply::status(200).json(&json!({"data": [], "nextCursor": "c2"})));
    transport.push(Reply::status(200).json(&page_of(MESSAGE, None)));
    let mut messages = client.messages().list(&ListMessages::new()).items();
    let mut count = 0;
    while let Some(message) = messages.next().await {
        message.unwrap();
        count += 1;
    }
    assert_eq!(count, 2);
    let lines: Vec<_> = transport.requests().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "GET /messages limit=50",
            "GET /messages limit=50&after=c1",
            "GET /messages limit=50&after=c2",
        ]
    );
}

#[tokio::test]
async fn webhooks() {
    let id = || "123".into();
    let list = page_of(WEBHOOK, None).to_string();
    let (sent_line, _) = sent(
        200,
        list,
        |client| async move { client.webhooks().list().await },
    )
    .await;
    assert_eq!(sent_line, "GET /webhooks");

    let url = "https://hooks.example.com/quo/7d1f";
    let new = NewWebhook::new(url, [WebhookEvent::CallMissed, WebhookEvent::TaskOverdue]);
    let (sent_line, body) = sent(201, WEBHOOK, |client| async move {
        client.webhooks().create(&new).await
    })
    .await;
    assert_eq!(sent_line, "POST /webhooks");
    let events = json!(["call.missed", "task.overdue"]);
    assert_eq!(body, json!({"url": url, "events": events}));

    let new = NewWebhook::new(url, [WebhookEvent::CallMissed])
        .resources(PhoneNumberId::from("PNabc101"))
        .status(WebhookStatus::Disabled)
        .label("CRM");
    let (_, body) = sent(201, WEBHOOK, |client| async move {
        let webhook = client.webhooks().create(&new).await?;
        assert_eq!(webhook.key.unwrap().expose_secret(), "whsec_c2VjcmV0");
        Ok(())
    })
    .await;
    assert_eq!(
        body,
        json!({
            "url": url, "events": ["call.missed"], "resourceIds": ["PNabc101"], "status": "disabled",
            "label": "CRM"
        })
    );

    let (sent_line, _) = sent(200, WEBHOOK, |client| async move {
        client.webhooks().get(&id()).await
    })
    .await;
    assert_eq!(sent_line, "GET /webhooks/123");
    let (sent_line, _) = sent(204, "", |client| async move {
        client.webhooks().delete(&id()).await
    })
    .await;
    assert_eq!(sent_line, "DELETE /webhooks/123");

    for (patch, expected) in [
        (
            WebhookPatch::new().status(WebhookStatus::Disabled),
            json!({"status": "disabled"}),
        ),
        (WebhookPatch::new().clear_label(), json!({"label": null})),
        (
            WebhookPatch::new().resources(WebhookResources::All),
            json!({"resourceIds": null}),
        ),
        (
            WebhookPatch::new()
                .url(url)
                .events([WebhookEvent::CallMissed])
                .resources(PhoneNumberId::from("PNabc101"))
                .label("CRM"),
            json!({
                "url": url, "events": ["call.missed"], "resourceIds": ["PNabc101"], "label": "CRM"
            }),
        ),
    ] {
        let (sent_line, body) = sent(200, WEBHOOK, |client| async move {
            client.webhooks().update(&id(), &patch).await
        })
        .await;
        assert_eq!(sent_line, "PATCH /webhooks/123");
        assert_eq!(body, expected);
    }

    let key = r#"{"data": {"key": "whsec_bmV3"}}"#;
    let (sent_line, body) = sent(200, key, |client| async move {
        let key = client.webhooks().rotate_secret(&id()).await?;
        assert_eq!(key.expose_secret(), "whsec_bmV3");
        Ok(())
    })
    .await;
    assert_eq!(sent_line, "POST /webhooks/123/rotate");
    assert_eq!(body, Value::Null);
}

#[tokio::test]
async fn deliveries() {
    let (sent_line, body) = sent(200, EVENT, |client| async move {
        let event = client
            .webhooks()
            .test(&"123".into(), &WebhookEvent::CallMissed)
            .await?;
        assert_eq!(event.kind, WebhookEvent::CallMissed);
        Ok(())
    })
    .await;
    assert_eq!(sent_line, "POST /webhooks/123/events/test");
    assert_eq!(body, json!({"eventType": "call.missed"}));

    let page = page_of(DELIVERY, None).to_string();
    let query = ListDeliveries::new()
        .status(DeliveryStatus::Failed)
        .events([WebhookEvent::CallMissed, WebhookEvent::CallRinging])
        .resource_id("ACabc401")
        .created_after(time("2026-03-01T00:00:00Z"))
        .created_before(time("2026-04-01T00:00:00Z"));
    let (sent_line, _) = sent(200, page.clone(), |client| async move {
        let mut deliveries = client.webhooks().deliveries(&"123".into(), &query).items();
        deliveries.next().await.unwrap()
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /webhooks/123/events status=failed&resourceId=ACabc401\
         &createdAt[gt]=2026-03-01T00:00:00.000Z&createdAt[lt]=2026-04-01T00:00:00.000Z\
         &eventType[in]=call.missed,call.ringing&limit=50"
    );
    let query = ListDeliveries::new().events([WebhookEvent::CallMissed]);
    let (sent_line, _) = sent(200, page, |client| async move {
        client
            .webhooks()
            .deliveries_page(&"123".into(), &query, Some("c1"))
            .await
    })
    .await;
    assert_eq!(
        sent_line,
        "GET /webhooks/123/events eventType=call.missed&limit=50&after=c1"
    );

    let (sent_line, _) = sent(200, DELIVERY_DETAIL, |client| async move {
        client
            .webhooks()
            .delivery(&"123".into(), &"msg_1".into())
            .await
    })
    .await;
    assert_eq!(sent_line, "GET /webhooks/123/events/msg_1");
    let (sent_line, body) = sent(202, "{}", |client| async move {
        client
            .webhooks()
            .retry_delivery(&"123".into(), &"msg_1".into())
            .await
    })
    .await;
    assert_eq!(sent_line, "POST /webhooks/123/events/msg_1/retry");
    assert_eq!(body, Value::Null);
}
