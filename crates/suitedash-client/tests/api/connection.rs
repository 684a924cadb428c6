//! The address, the two headers, and what is remembered of the account.

use std::sync::Arc;
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use rstest::rstest;
use serde_json::json;
use suitedash_client::{Client, ErrorKind, Method, ProjectKey, ProjectRef};

use crate::support::{UID, builder, client, contact, fixture, lines, refused, script, told};

fn meta() -> Reply {
    Reply::status(200).json(&fixture("contact_meta.json"))
}

#[tokio::test(start_paused = true)]
async fn every_call_carries_both_headers() {
    let fake = script([told(200, &contact(&json!({})))]);
    client(&fake).contacts().get(&UID.into()).await.unwrap();
    let request = fake.last_request().unwrap();
    assert_eq!(
        request.header("x-public-id"),
        Some("00000000-0000-4000-8000-000000000001")
    );
    assert_eq!(request.header("x-secret-key"), Some("k3y"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.headers["x-secret-key"].is_sensitive());
    assert_eq!(
        request.url.as_str(),
        format!("https://app.suitedash.com/secure-api/contact/{UID}")
    );
}

#[rstest]
#[case(
    "https://app.suitedash.com/api/v1",
    "use https://app.suitedash.com/secure-api"
)]
#[case(
    "https://portal.example.com/api/v1/",
    "use https://portal.example.com/secure-api"
)]
#[case("http://portal.example.com", "plain http")]
#[case("https://a:b@portal.example.com", "credentials")]
#[case("https://portal.example.com?x=1", "query")]
#[case("portal.example.com", "not a url")]
fn an_address_that_cannot_be_is_refused(#[case] url: &str, #[case] reason: &str) {
    let error = builder(&FakeTransport::new())
        .base_url(url)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(reason), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_account_is_asked_once_and_by_one() {
    let fake = FakeTransport::handler(|_| meta().delay(Duration::from_secs(1)));
    let client = client(&fake);
    let asking: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.meta().await.unwrap() })
        })
        .collect();
    for attributes in asking {
        let found = attributes.await.unwrap().custom_field("service interest");
        assert_eq!(found, Some("44444444-4444-4444-8444-444444444444".into()));
    }
    assert_eq!(lines(&fake), ["GET /contact/meta"]);
    tokio::time::advance(Duration::from_hours(24)).await;
    client.meta().await.unwrap();
    assert_eq!(fake.requests().len(), 2);
    client.forget_meta();
    client.meta().await.unwrap();
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_does_not_stop_the_others() {
    let fake = FakeTransport::handler(|_| meta().delay(Duration::from_secs(1)));
    let client = client(&fake);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.meta().await.map(drop) }
    });
    tokio::task::yield_now().await;
    let second = tokio::spawn(async move { client.meta().await.map(drop) });
    tokio::task::yield_now().await;
    first.abort();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_remembered() {
    let fake = script([refused(401), meta()]);
    let client = client(&fake);
    assert_eq!(client.meta().await.unwrap_err().kind(), ErrorKind::Auth);
    client.meta().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_test_of_a_connection_is_one_call_and_feeds_what_is_remembered() {
    let enveloped = told(200, &fixture("contact_meta.json"));
    for reply in [meta(), enveloped] {
        let fake = script([reply]);
        let client = client(&fake);
        let info = client.test_connection().await.unwrap();
        assert_eq!(
            (info.attributes, info.custom_fields, info.dummy),
            (6, 2, false)
        );
        client.meta().await.unwrap();
        assert_eq!(lines(&fake), ["GET /contact/meta"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_published_pair_says_that_it_proves_nothing() {
    let fake = script([meta()]);
    let client = Client::builder()
        .dummy_credentials()
        .transport(Arc::new(fake.clone()))
        .build()
        .unwrap();
    assert!(client.is_dummy());
    assert!(client.test_connection().await.unwrap().dummy);
    let request = fake.last_request().unwrap();
    assert_eq!(request.header("x-secret-key"), Some("DummySecretKey"));
}

#[tokio::test(start_paused = true)]
async fn projects_are_named_in_four_ways() {
    let project = fixture("project.json");
    let fake = FakeTransport::handler(move |_| Reply::status(200).json(&project));
    let client = client(&fake);
    for (name, path) in [
        (
            ProjectRef::Key(ProjectKey::Uid("u1".into())),
            "GET /project/uid/u1",
        ),
        (
            ProjectRef::Key(ProjectKey::Name("A B".to_owned())),
            "GET /project/name/A%20B",
        ),
        (
            ProjectRef::Containing("A".to_owned()),
            "GET /project/contains_the_following/A",
        ),
        (ProjectRef::MostRecent, "GET /project/most_recent/true"),
    ] {
        client.projects().get(name).await.unwrap();
        assert_eq!(lines(&fake).last().unwrap(), path);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_typed_can_be_called_all_the_same() {
    let fake = script([Reply::status(200).json(&json!({"success": true, "data": []}))]);
    let reply = client(&fake)
        .raw(Method::Get, "/new-things/{id}")
        .path("id", "a b")
        .fetch::<serde_json::Value>();
    assert_eq!(reply.await.unwrap()["success"], true);
    assert_eq!(lines(&fake), ["GET /new-things/a%20b"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_shows_what_became_of_each() {
    let fake = script([Reply::status(200).json(&json!({
        "success": true, "message": "1 of 2", "data": [{"ok": true}, {"ok": false}],
    }))]);
    let body = json!({"subscribers": []});
    let reply = client(&fake).marketing().subscribe(&body).await.unwrap();
    assert_eq!(reply.message.as_deref(), Some("1 of 2"));
    assert_eq!(reply.data[1]["ok"], false);
}
