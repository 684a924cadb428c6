use serde_json::{Value, json};
use vendor_sandbox::openphone::{CREATE_MESSAGE_WEBHOOK, DELETE_WEBHOOK, WebhookFormat};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

use crate::support::{Api, keys};

const MESSAGES: &str = "/v1/webhooks/messages";
const HOOK: &str = "https://app.example.com/hooks/quo";

fn body() -> Value {
    json!({ "url": HOOK, "events": ["message.received"] })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = body();
    body[name] = value;
    body
}

async fn create(api: &Api, body: &Value) -> Value {
    api.post(MESSAGES, body).await.expect(201).json()["data"].clone()
}

async fn list(api: &Api, query: &str) -> Vec<Value> {
    let answer = api.get(&format!("/v1/webhooks{query}")).await;
    let list = answer.expect(200).json();
    assert_eq!(keys(&list), ["data"], "unpaged");
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_webhook_is_created_read_and_deleted_for_good() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number_id();
    let wanted = json!({
        "url": HOOK,
        "events": ["message.received", "message.delivered"],
        "resourceIds": [number],
        "label": "CRM",
        "status": "disabled",
    });
    let made = create(&api, &wanted).await;
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("WH"), "{id}");
    assert!(made["orgId"].as_str().unwrap().starts_with("OR"));
    assert_eq!(made["createdAt"], made["updatedAt"]);
    assert_eq!(made["deletedAt"], Value::Null);

    let path = format!("/v1/webhooks/{id}");
    assert_eq!(api.get(&path).await.expect(200).json()["data"], made);
    assert_eq!(list(&api, "").await, [made]);
    assert!(api.delete(&path).await.expect(204).body.is_empty());
    for answer in [api.get(&path).await, api.delete(&path).await] {
        let error = answer.expect(404).json();
        assert_eq!(
            (&error["code"], &error["title"]),
            (&json!("0300404"), &json!("Not Found"))
        );
    }
    assert!(list(&api, "").await.is_empty());
}

#[tokio::test]
async fn what_is_left_out_has_a_default() {
    let api = Api::start().await;
    let made = create(&api, &body()).await;
    assert_eq!(made["status"], "enabled");
    assert_eq!(made["label"], Value::Null);
    assert_eq!(made["resourceIds"], json!(["*"]));
    let users = api.get("/v1/users?maxResults=10").await.json();
    let owner = &users["data"][0];
    assert_eq!(
        (&owner["role"], &owner["id"]),
        (&json!("owner"), &made["userId"])
    );
}

#[tokio::test]
async fn every_webhook_has_a_key_of_its_own_even_for_the_same_url() {
    let builder = || Sandbox::openphone().rate_limit(None).seed(7);
    let api = Api::on(builder().start().await.unwrap());
    let (first, second) = (create(&api, &body()).await, create(&api, &body()).await);
    let shared = json!(api.sandbox.webhook_key());
    assert_ne!(first["key"], second["key"]);
    assert!(first["key"] != shared && second["key"] != shared);
    let again = Api::on(builder().start().await.unwrap());
    assert_eq!(create(&again, &body()).await["key"], first["key"]);
}

#[tokio::test]
async fn each_family_takes_its_own_events_and_no_other() {
    let api = Api::start().await;
    let families = [
        ("messages", vec!["message.received", "message.delivered"]),
        (
            "calls",
            vec!["call.completed", "call.ringing", "call.recording.completed"],
        ),
        ("call-summaries", vec!["call.summary.completed"]),
        ("call-transcripts", vec!["call.transcript.completed"]),
    ];
    for (family, events) in &families {
        let path = format!("/v1/webhooks/{family}");
        let made = api
            .post(&path, &with("events", json!(events)))
            .await
            .expect(201)
            .json();
        assert_eq!(made["data"]["events"], json!(events));
        for (other, events) in &families {
            if other == family {
                continue;
            }
            let refused = api
                .post(&path, &with("events", json!(events)))
                .await
                .expect(400);
            assert_eq!(
                refused.error_paths().len(),
                events.len(),
                "{family} {other}"
            );
        }
        for unknown in ["message.sent", "call.missed", "contact.updated", "*", ""] {
            let refused = api
                .post(&path, &with("events", json!([unknown])))
                .await
                .expect(400);
            assert_eq!(refused.error_paths(), ["/events/0"], "{family} {unknown}");
        }
    }
    // The specification asks for at least one event in two of the four.
    for (family, status) in [
        ("messages", 201),
        ("calls", 201),
        ("call-summaries", 400),
        ("call-transcripts", 400),
    ] {
        let path = format!("/v1/webhooks/{family}");
        api.post(&path, &with("events", json!([])))
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn bodies_are_checked_as_a_whole() {
    let api = Api::start().await;
    for (body, paths) in [
        (json!({}), vec!["/events", "/url"]),
        (json!([]), vec![""]),
        (with("url", json!("not a uri")), vec!["/url"]),
        (with("url", json!(7)), vec!["/url"]),
        (with("url", Value::Null), vec!["/url"]),
        (with("events", json!("message.received")), vec!["/events"]),
        (
            with("events", json!([1, "message.received", null])),
            vec!["/events/0", "/events/2"],
        ),
        (with("label", Value::Null), vec!["/label"]),
        (with("status", json!("paused")), vec!["/status"]),
        (with("status", Value::Null), vec!["/status"]),
        (with("userId", json!("nobody")), vec!["/userId"]),
        (with("resourceIds", json!("*")), vec!["/resourceIds"]),
        (
            with("resourceIds", json!(["*", "PN1"])),
            vec!["/resourceIds"],
        ),
        (
            with("resourceIds", json!(["+12025550100"])),
            vec!["/resourceIds"],
        ),
        (with("resourceIds", json!([1])), vec!["/resourceIds"]),
        (
            json!({ "url": "", "events": [""], "status": "", "label": 1 }),
            vec!["/events/0", "/label", "/status", "/url"],
        ),
    ] {
        let refused = api.post(MESSAGES, &body).await.expect(400);
        assert_eq!(refused.error_paths(), paths, "{body}");
        let error = refused.json();
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!("0300400"), &json!("The input was invalid")),
        );
    }
    let text = api
        .raw(
            "POST",
            MESSAGES,
            Some("text/plain"),
            body().to_string().as_bytes(),
        )
        .await;
    assert_eq!(text.unwrap().expect(400).error_paths(), [""]);
    api.raw("POST", MESSAGES, Some("application/json"), b"{")
        .await
        .unwrap()
        .expect(400);
    assert!(list(&api, "").await.is_empty(), "nothing of it was stored");
    // Names that the specification does not have are not refused by it either.
    api.post(MESSAGES, &with("secret", json!("mine")))
        .await
        .expect(201);
}

#[tokio::test]
async fn strangers_are_refused_by_number_user_and_id() {
    let api = Api::start().await;
    let error = |answer: Value| (answer["code"].clone(), answer["title"].clone());
    let number = api
        .post(MESSAGES, &with("resourceIds", json!(["PNstranger"])))
        .await;
    assert_eq!(
        error(number.expect(404).json()),
        (json!("0300404"), json!("Not Found"))
    );
    let user = api
        .post(MESSAGES, &with("userId", json!("USstranger")))
        .await;
    assert_eq!(
        error(user.expect(403).json()),
        (json!("0300403"), json!("Forbidden"))
    );
    for method in ["GET", "DELETE"] {
        let refused = api
            .send(method, "/v1/webhooks/messages", None)
            .await
            .unwrap();
        assert_eq!(refused.expect(400).error_paths(), ["/id"], "{method}");
        api.send(method, "/v1/webhooks/WHnone", None)
            .await
            .unwrap()
            .expect(404);
    }
    let refused = api.get("/v1/webhooks?userId=x").await.expect(400);
    assert_eq!(refused.error_paths(), ["/userId"]);
    // There is no operation that updates, and none for all families.
    api.patch("/v1/webhooks/WHnone", &json!({}))
        .await
        .expect(404);
    assert!(
        api.post("/v1/webhooks", &body())
            .await
            .expect(404)
            .text()
            .starts_with('<')
    );
}

#[tokio::test]
async fn the_list_is_that_of_one_user_and_by_default_of_the_owner() {
    let api = Api::start().await;
    let users = api.get("/v1/users?maxResults=10").await.json();
    let user = |index: usize| users["data"][index]["id"].as_str().unwrap().to_owned();
    let first = create(&api, &body()).await;
    let members = create(&api, &with("userId", json!(user(2)))).await;
    let second = create(&api, &body()).await;
    assert_eq!(members["userId"], user(2));
    assert_eq!(list(&api, "").await, [first.clone(), second.clone()]);
    assert_eq!(
        list(&api, &format!("?userId={}", user(0))).await,
        [first, second]
    );
    assert_eq!(list(&api, &format!("?userId={}", user(2))).await, [members]);
    assert!(list(&api, &format!("?userId={}", user(1))).await.is_empty());
    assert!(list(&api, "?userId=USnobody").await.is_empty());
}

#[tokio::test]
async fn urls_are_taken_as_the_vendor_takes_them_and_written_out() {
    let api = Api::start().await;
    for (url, written) in [
        ("https://example.com", "https://example.com/"),
        (HOOK, HOOK),
        (
            "HTTPS://App.Example.com:443/a?b=c",
            "https://app.example.com/a?b=c",
        ),
        ("http://127.0.0.1:9/hook", "http://127.0.0.1:9/hook"),
    ] {
        let made = create(&api, &with("url", json!(url))).await;
        assert_eq!(made["url"], written);
    }
    let reachable: Vec<bool> = api
        .control
        .webhooks()
        .iter()
        .map(|webhook| webhook.loopback)
        .collect();
    assert_eq!(reachable, [false, false, false, true]);
}

#[tokio::test]
async fn the_api_and_the_control_handle_see_what_each_may_see() {
    let api = Api::start().await;
    let by_hand = api
        .control
        .register_webhook("http://127.0.0.1:9/", WebhookFormat::V4)
        .unwrap();
    let made = create(&api, &body()).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(list(&api, "").await.len(), 1);
    let path = format!("/v1/webhooks/{}", by_hand.id);
    api.get(&path).await.expect(404);
    api.delete(&path).await.expect(404);

    let seen = api.get("/_sandbox/webhooks").await.expect(200).json();
    let expected = json!({
        "id": id, "url": HOOK, "format": "v4", "key": made["key"],
        "through_api": true, "loopback": false,
    });
    assert_eq!(seen["webhooks"][1], expected);
    assert_eq!(seen["webhooks"][0]["through_api"], false);

    // Somebody deletes it in the app.
    api.control.remove_webhook(id).unwrap();
    api.get(&format!("/v1/webhooks/{id}")).await.expect(404);
    create(&api, &body()).await;
    api.control.reset();
    assert_eq!(api.control.webhooks(), [by_hand]);
}

#[tokio::test]
async fn faults_limits_and_keys_stand_before_these_operations_too() {
    let api = Api::start().await;
    let plan = FaultPlan::none()
        .next(CREATE_MESSAGE_WEBHOOK, 1, Fault::ResetAfterEffect)
        .next(
            DELETE_WEBHOOK,
            1,
            Fault::ServerError {
                status: 500,
                retry_after: None,
            },
        );
    api.control.faults(plan);
    api.send("POST", MESSAGES, Some(&body())).await.unwrap_err();
    let [made] = list(&api, "").await.try_into().unwrap();
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(
        api.delete(&path).await.expect(500).json()["code"],
        "0301500"
    );
    let last = api.control.requests().pop().unwrap();
    assert_eq!(
        (last.operation, last.template),
        (Some(DELETE_WEBHOOK), Some("/v1/webhooks/{id}"))
    );
    api.control.set_rate_limit(Some(0));
    api.delete(&path).await.expect(429);
    api.control.set_rate_limit(None);
    api.control.revoke_api_keys();
    api.delete(&path).await.expect(401);
    assert_eq!(api.control.webhooks().len(), 1);
}
