//! Exports stop and go on, and give everything at least once.

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::dated::{ExportCheckpoint, Message};
use openphone_client::{Delivery, ErrorKind};
use serde_json::{Value, json};

use crate::bodies::{CALL, MESSAGE};
use crate::client;

fn time(seconds: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn made_at(body: &str, id: &str, at: DateTime<Utc>) -> Value {
    let mut value: Value = serde_json::from_str(body).unwrap();
    value["data"]["id"] = id.into();
    value["data"]["createdAt"] = json!(at);
    value["data"].take()
}

fn push(transport: &FakeTransport, items: &[Value], next: Option<&str>) {
    transport.push(Reply::status(200).json(&json!({"data": items, "nextCursor": next})));
}

fn queries(transport: &FakeTransport) -> Vec<Vec<(String, String)>> {
    let requests = transport.requests();
    requests.iter().map(RecordedRequest::query).collect()
}

#[tokio::test]
async fn pages_come_with_a_place_to_go_on_from() {
    let (client, transport) = client();
    let message = |id: &str, at| made_at(MESSAGE, id, time(at));
    // The limits are asked for a little wider, and what lies outside is left out here.
    push(
        &transport,
        &[message("AC3", 10), message("AC2", 9)],
        Some("c1"),
    );
    push(&transport, &[message("AC1", 0), message("AC0", -1)], None);
    let range = time(0)..time(10);
    let mut pages = client.messages().export(range.clone()).pages();

    let first = pages.next().await.unwrap().unwrap();
    let ids = |items: &[Message]| -> Vec<String> {
        items.iter().map(|it| it.id.as_str().to_owned()).collect()
    };
    assert_eq!(ids(&first.items), ["AC2"]);
    assert_eq!((first.progress.items, first.progress.pages_read), (1, 1));
    assert!(!first.checkpoint.is_end());
    let kept = serde_json::to_string(&first.checkpoint).unwrap();

    let second = pages.next().await.unwrap().unwrap();
    assert_eq!(ids(&second.items), ["AC1"]);
    assert!(second.checkpoint.is_end());
    assert!(pages.next().await.is_none());
    assert!(pages.checkpoint().is_end());
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        queries(&transport),
        [
            vec![
                pair("createdAt[gt]", "2026-02-28T23:59:59.999Z"),
                pair("createdAt[lt]", "2026-03-01T00:00:10.001Z"),
                pair("limit", "50"),
            ],
            vec![
                pair("createdAt[gt]", "2026-02-28T23:59:59.999Z"),
                pair("createdAt[lt]", "2026-03-01T00:00:10.001Z"),
                pair("limit", "50"),
                pair("after", "c1"),
            ]
        ]
    );

    // Another process.
    let checkpoint: ExportCheckpoint = serde_json::from_str(&kept).unwrap();
    push(&transport, &[message("AC1", 0)], None);
    let export = client.messages().export(range.clone()).resume(checkpoint);
    let mut items = export.items();
    assert_eq!(items.next().await.unwrap().unwrap().id.as_str(), "AC1");
    assert!(items.next().await.is_none());
    assert!(items.checkpoint().is_end());
    let last = queries(&transport).pop().unwrap();
    assert!(last.contains(&pair("after", "c1")));

    // What is over stays over, and nothing is asked.
    let asked = transport.requests().len();
    let export = client.messages().export(range).resume(items.checkpoint());
    assert!(export.items().next().await.is_none());
    assert_eq!(transport.requests().len(), asked);
}

#[tokio::test]
async fn a_page_counts_as_done_once_its_last_item_is_given_out() {
    let (client, transport) = client();
    let call = |id: &str| made_at(CALL, id, time(0));
    push(&transport, &[call("AC1"), call("AC2")], Some("c1"));
    push(&transport, &[], Some("c2"));
    transport.push(Reply::status(400).body(r#"{"title":"Bad Request","message":"no"}"#));
    let mut items = client.calls().export(..).items();
    let begin = items.checkpoint();

    items.next().await.unwrap().unwrap();
    assert_eq!(items.checkpoint(), begin);
    items.next().await.unwrap().unwrap();
    let after_first = items.checkpoint();
    assert_ne!(after_first, begin);
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert!(items.next().await.is_none());
    // The empty page is behind, the failed one ahead.
    let kept = items.checkpoint();
    assert_ne!(kept, after_first);
    push(&transport, &[call("AC3")], None);
    let mut rest = client.calls().export(..).resume(kept).items();
    assert_eq!(rest.next().await.unwrap().unwrap().id.as_str(), "AC3");
    let last = queries(&transport).pop().unwrap();
    assert!(last.contains(&("after".to_owned(), "c2".to_owned())));
    assert_eq!(rest.progress().items, 1);
}

#[tokio::test]
async fn what_cannot_be_gone_on_from_is_refused() {
    let (client, transport) = client();
    let v1 = client.v1().calls().export(..).items().checkpoint();
    let texts = client.messages().export(..).items().checkpoint();
    let march = client.calls().export(time(0)..).items().checkpoint();
    let exports = [
        client.calls().export(..).resume(v1),
        client.calls().export(..).resume(texts),
        client.calls().export(..).resume(march),
        client.calls().export(time(1)..time(1)),
    ];
    for export in exports {
        let mut items = export.items();
        let error = items.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(items.next().await.is_none());
    }
    // And the other way round.
    let ours = client.calls().export(..).items().checkpoint();
    let mut items = client.v1().calls().export(..).resume(ours).items();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert!(transport.requests().is_empty());
}
