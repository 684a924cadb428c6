//! What the vendor would refuse, or misread, is refused before it is sent.

use chrono::{DateTime, TimeDelta, Utc};
use openphone_client::dated::{
    CallStatus, ListCalls, ListDeliveries, ListMessages, NewWebhook, WebhookEvent, WebhookPatch,
    WebhookResources,
};
use rstest::rstest;

use crate::{assert_refused, client};

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn earlier() -> DateTime<Utc> {
    now() - TimeDelta::seconds(1)
}

#[rstest]
#[case::no_page(ListCalls::new().limit(0_u32), &["/limit"])]
#[case::large_page(ListCalls::new().limit(51_u32), &["/limit"])]
#[case::empty_ids(ListCalls::new().phone_number_id("").actor_id(" "), &["/phoneNumberId", "/actorId"])]
#[case::empty_number(ListCalls::new().participants(["+12025550143", ""]), &["/participant/1"])]
#[case::comma(ListCalls::new().participants(["+12025550143,+12025550144"]), &["/participant/0"])]
#[case::unknown_comma(ListCalls::new().statuses([CallStatus::from("missed,busy")]), &["/status/0"])]
#[case::backwards(ListCalls::new().created_from(now()).created_until(earlier()), &["/createdAt[lte]"])]
#[tokio::test]
async fn calls(#[case] query: ListCalls, #[case] paths: &[&str]) {
    let (client, _) = client();
    assert_refused(client.calls().list_page(&query, None), paths).await;
}

#[rstest]
#[case::large_page(ListMessages::new().limit(51_u32), &["/limit"])]
#[case::empty(ListMessages::new().from("").to("").user_id(""), &["/from", "/to", "/userId"])]
#[case::comma(ListMessages::new().to_all(["+12025550143,+12025550144"]), &["/to[all]/0"])]
#[case::both(ListMessages::new().to("+12025550143").to_all(["+12025550143"]), &["/to"])]
#[case::backwards(ListMessages::new().created_after(now()).created_before(earlier()), &["/createdAt[lt]"])]
#[tokio::test]
async fn messages(#[case] query: ListMessages, #[case] paths: &[&str]) {
    let (client, _) = client();
    assert_refused(client.messages().list_page(&query, None), paths).await;
}

fn missed(url: &str) -> NewWebhook {
    NewWebhook::new(url, [WebhookEvent::CallMissed])
}

const URL: &str = "https://hooks.example.com/quo";

#[rstest]
#[case::not_private(missed("http://hooks.example.com"), &["/url"])]
#[case::credentials(missed("https://user@hooks.example.com"), &["/url"])]
#[case::no_event(NewWebhook::new(URL, []), &["/events"])]
#[case::empty_event(NewWebhook::new(URL, [WebhookEvent::from("")]), &["/events/0"])]
#[case::no_number(missed(URL).resources(vec![]), &["/resourceIds"])]
#[case::empty_number(missed(URL).resources(vec!["".into()]), &["/resourceIds/0"])]
#[tokio::test]
async fn registrations(#[case] webhook: NewWebhook, #[case] paths: &[&str]) {
    let (client, _) = client();
    assert_refused(client.webhooks().create(&webhook), paths).await;
}

#[rstest]
#[case::nothing(WebhookPatch::new(), &[""])]
#[case::not_private(WebhookPatch::new().url("ftp://hooks.example.com"), &["/url"])]
#[case::no_number(WebhookPatch::new().resources(WebhookResources::default()), &["/resourceIds"])]
#[tokio::test]
async fn changes(#[case] patch: WebhookPatch, #[case] paths: &[&str]) {
    let (client, _) = client();
    assert_refused(client.webhooks().update(&"123".into(), &patch), paths).await;
}

#[rstest]
#[case::large_page(ListDeliveries::new().limit(51_u32), &["/limit"])]
#[case::empty(ListDeliveries::new().resource_id(""), &["/resourceId"])]
#[case::comma(ListDeliveries::new().events([WebhookEvent::from("a,b")]), &["/eventType/0"])]
#[case::backwards(ListDeliveries::new().created_after(now()).created_before(earlier()), &["/createdAt[lt]"])]
#[tokio::test]
async fn deliveries(#[case] query: ListDeliveries, #[case] paths: &[&str]) {
    let (client, _) = client();
    let call = client
        .webhooks()
        .deliveries_page(&"123".into(), &query, None);
    assert_refused(call, paths).await;
}
