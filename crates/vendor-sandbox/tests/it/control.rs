use serde_json::{Value, json};
use vendor_sandbox::Sandbox;

use crate::support::{Answer, Api, exchange, keys};

const THEM: &str = "+12025550143";

#[tokio::test]
async fn a_seed_may_hold_what_only_the_app_makes() {
    let api = Api::start().await;
    let record =
        json!({ "defaultFields": { "firstName": "Ada" }, "source": "csv", "externalId": "x" });
    let id = api.control.seed(&record).unwrap();
    let contact = api
        .get(&format!("/v1/contacts/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(contact["data"]["source"], "csv");
    let by_hand = api
        .control
        .seed(&json!({ "defaultFields": { "firstName": "Eve" } }))
        .unwrap();
    assert_eq!(
        api.control.contact(&by_hand).unwrap()["source"],
        Value::Null
    );
    let error = api
        .control
        .seed(&json!({ "defaultFields": {} }))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the seeded record is not valid: /defaultFields/firstName: Expected required property",
    );
    assert_eq!(api.control.contacts().len(), 2);
    assert!(
        api.control
            .requests()
            .iter()
            .all(|record| record.status == Some(200))
    );
}

#[tokio::test]
async fn keys_come_and_go() {
    let api = Api::start().await;
    api.control.add_api_key("second").unwrap();
    api.control.add_api_key("second").unwrap();
    assert!(api.control.add_api_key("not a key").is_err());
    let first = api.sandbox.api_key().to_owned();
    assert!(api.control.revoke_api_key(&first));
    assert!(!api.control.revoke_api_key(&first));
    api.get("/v1/users?maxResults=1").await.expect(401);
    let api = api.with_key(Some("second"));
    api.get("/v1/users?maxResults=1").await.expect(200);
}

/// The answer that was seen live for a wrong key, but for its trace.
fn assert_wrong_key(answer: &Answer) {
    let error = &answer.json()["error"];
    assert_eq!(keys(error), ["key", "message", "trace"]);
    assert_eq!(
        (&error["key"], &error["message"]),
        (&json!("Unauthorized"), &json!("Unauthorized"))
    );
}

#[tokio::test]
async fn a_key_is_replaced_and_all_keys_are_revoked() {
    let api = Api::start().await;
    let (users, first) = ("/v1/users?maxResults=1", api.sandbox.api_key().to_owned());
    api.control.add_api_key("second").unwrap();
    assert!(api.control.replace_api_key("not a key").is_err());
    api.get(users).await.expect(200);
    api.control.replace_api_key("third").unwrap();
    assert_wrong_key(&api.get(users).await.expect(401));
    let api = api.with_key(Some("second"));
    assert_wrong_key(&api.get(users).await.expect(401));
    let api = api.with_key(Some("third"));
    api.get(users).await.expect(200);
    api.control.revoke_api_keys();
    assert_wrong_key(&api.get(users).await.expect(401));
    api.control.add_api_key(&first).unwrap();
    api.with_key(Some(&first)).get(users).await.expect(200);
}

#[tokio::test]
async fn a_key_is_replaced_and_all_keys_are_revoked_over_http() {
    let api = Api::start().await;
    let (users, keys) = ("/v1/users?maxResults=1", "/_sandbox/api-keys");
    for wrong in [json!({ "key": "" }), json!({})] {
        api.put(keys, &wrong).await.expect(400);
    }
    api.get(users).await.expect(200);
    let left = api
        .put(keys, &json!({ "key": "next" }))
        .await
        .expect(200)
        .json();
    assert_eq!(left, json!({ "api_keys": ["next"] }));
    assert_wrong_key(&api.get(users).await.expect(401));
    let api = api.with_key(Some("next"));
    api.get(users).await.expect(200);
    let left = api.delete(keys).await.expect(200).json();
    assert_eq!(left, json!({ "api_keys": [] }));
    assert_wrong_key(&api.get(users).await.expect(401));
    assert_eq!(
        api.get("/_sandbox/").await.expect(200).json()["api_keys"],
        json!([])
    );
}

#[tokio::test]
async fn the_log_is_bounded_and_counts_on() {
    let builder = Sandbox::openphone().rate_limit(None).request_log(3);
    let api = Api::on(builder.start().await.unwrap());
    for _ in 0..5 {
        api.get("/v1/users?maxResults=1").await.expect(200);
    }
    let numbers: Vec<u64> = api
        .control
        .requests()
        .iter()
        .map(|record| record.number)
        .collect();
    assert_eq!(numbers, [3, 4, 5]);
    assert_eq!(api.control.request_count(), 5);
    api.control.clear_requests();
    assert_eq!(
        (api.control.requests().len(), api.control.request_count()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_reset_forgets_what_was_made_and_nothing_else() {
    let api = Api::start().await;
    let old = api
        .control
        .seed(&json!({ "defaultFields": { "firstName": "A" } }))
        .unwrap();
    api.control.seed_contacts(10);
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "x")
        .unwrap();
    api.get(&format!("/v1/contacts/{old}")).await.expect(200);
    api.control.reset();
    assert_eq!(
        (api.control.contact_count(), api.control.messages().len()),
        (0, 0)
    );
    assert_eq!(api.control.request_count(), 0);
    let new = api
        .control
        .seed(&json!({ "defaultFields": { "firstName": "B" } }))
        .unwrap();
    assert_ne!(new, old);
    api.get(&format!("/v1/contacts/{old}")).await.expect(404);
    let page = api
        .get("/v1/contacts?maxResults=50")
        .await
        .expect(200)
        .json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn everything_is_there_over_http() {
    let builder = Sandbox::openphone()
        .rate_limit(None)
        .webhook_retry_compression(u32::MAX);
    let api = Api::on(builder.start().await.unwrap());
    let about = api.get("/_sandbox").await.expect(200).json();
    assert_eq!(about["vendor"], "openphone");
    assert_eq!(about["base_url"], api.sandbox.base_url());
    assert_eq!(about["webhook_secret"], api.sandbox.webhook_secret());
    assert_eq!(
        about["phone_numbers"][0]["id"],
        api.sandbox.phone_number_id()
    );

    let seeds =
        json!({ "synthetic": 2, "contacts": [{ "defaultFields": { "firstName": "Ada" } }] });
    let seeded = api
        .post("/_sandbox/contacts", &seeds)
        .await
        .expect(201)
        .json();
    assert_eq!(seeded["count"], 3);
    let id = seeded["ids"][0].as_str().unwrap();
    let contact = api
        .get(&format!("/_sandbox/contacts/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(contact["defaultFields"]["firstName"], "Ada");
    let all = api.get("/_sandbox/contacts").await.expect(200).json();
    assert_eq!(all["contacts"], json!(api.control.contacts()));

    let hook = json!({ "url": "http://127.0.0.1:9/", "format": "2026-03-30" });
    let hook = api
        .post("/_sandbox/webhooks", &hook)
        .await
        .expect(201)
        .json();
    assert_eq!(hook["key"], api.sandbox.webhook_secret());
    let text = json!({ "from": THEM, "to": api.sandbox.phone_number(), "text": "Hello" });
    let message = api
        .post("/_sandbox/inbound-texts", &text)
        .await
        .expect(201)
        .json();
    assert_eq!(message["direction"], "incoming");
    let messages = api.get("/_sandbox/messages").await.expect(200).json();
    assert_eq!(messages["messages"], json!([message]));
    let deliveries = api.get("/_sandbox/deliveries").await.expect(200).json();
    assert_eq!(deliveries["deliveries"][0]["event"], "message.received");
    api.post("/_sandbox/deliveries/1/repeat", &json!({}))
        .await
        .expect(200);
    api.post("/_sandbox/deliveries/77/repeat", &json!({}))
        .await
        .expect(404);
    let hooks = api.get("/_sandbox/webhooks").await.expect(200).json();
    assert_eq!(hooks["webhooks"][0]["id"], hook["id"]);
    let path = format!("/_sandbox/webhooks/{}", hook["id"].as_str().unwrap());
    api.delete(&path).await.expect(200);
    api.delete(&path).await.expect(404);
    api.post("/_sandbox/webhooks/settle", &json!({}))
        .await
        .expect(200);

    let field = json!({ "name": "VIP", "key": "vip", "type": "boolean" });
    api.post("/_sandbox/custom-fields", &field)
        .await
        .expect(201);
    let fields = api.get("/v1/contact-custom-fields").await.json();
    assert!(fields["data"].as_array().unwrap().contains(&field));
    api.put(
        "/_sandbox/messaging-block",
        &json!({ "block": "subscription_expired" }),
    )
    .await
    .expect(200);
    let send = json!({ "content": "x", "from": api.sandbox.phone_number(), "to": [THEM] });
    api.post("/v1/messages", &send).await.expect(402);
    api.put("/_sandbox/messaging-block", &json!({ "block": null }))
        .await
        .expect(200);
    api.post("/v1/messages", &send).await.expect(202);

    api.put("/_sandbox/rate-limit", &json!({ "per_window": 0 }))
        .await
        .expect(200);
    api.post("/v1/messages", &send).await.expect(429);
    api.put("/_sandbox/rate-limit", &json!({ "per_window": null }))
        .await
        .expect(200);
    api.post("/v1/messages", &send).await.expect(202);
    api.post("/_sandbox/api-keys", &json!({ "key": "second" }))
        .await
        .expect(200);
    api.post("/_sandbox/api-keys", &json!({ "key": "not a key" }))
        .await
        .expect(400);
    api.delete("/_sandbox/api-keys/second").await.expect(200);
    api.delete("/_sandbox/api-keys/second").await.expect(404);
    api.delete("/_sandbox/requests").await.expect(200);
    assert_eq!(api.control.request_count(), 0);
    api.post("/_sandbox/reset", &json!({})).await.expect(200);
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn control_requests_are_checked_and_need_no_key() {
    let api = Api::start().await.with_key(None);
    api.get("/_sandbox/").await.expect(200);
    api.get("/_sandbox/nothing").await.expect(404);
    api.get("/_sandboxes").await.expect(404);
    api.get("/_sandbox/contacts/nobody").await.expect(404);
    let bad = api
        .raw("POST", "/_sandbox/contacts", None, b"{")
        .await
        .unwrap()
        .expect(400);
    assert!(
        bad.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("the body is not JSON")
    );
    for (path, body) in [
        ("/_sandbox/contacts", json!({ "count": 3 })),
        ("/_sandbox/contacts", json!({ "contacts": [{}] })),
        ("/_sandbox/contacts", json!({ "synthetic": -1 })),
        (
            "/_sandbox/inbound-texts",
            json!({ "from": THEM, "to": "+12025550199", "text": "x" }),
        ),
        ("/_sandbox/inbound-texts", json!({ "from": THEM })),
        (
            "/_sandbox/webhooks",
            json!({ "url": "http://127.0.0.1:1/", "format": "v3" }),
        ),
        (
            "/_sandbox/custom-fields",
            json!({ "name": "x", "key": "x", "type": "colour" }),
        ),
    ] {
        let answer = api.post(path, &body).await.expect(400);
        assert!(answer.json()["error"].is_string(), "{path} {body}");
    }
    assert_eq!(
        api.control.request_count(),
        1,
        "only /_sandboxes went to the vendor"
    );
}

#[tokio::test]
async fn a_web_page_cannot_steer_it() {
    let api = Api::start().await;
    let address = api
        .sandbox
        .base_url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let port = address.rsplit_once(':').unwrap().1;
    let ask = async |headers: &str| {
        let request = format!("GET /_sandbox/ HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
        exchange(&address, request.as_bytes()).await.unwrap().status
    };
    assert_eq!(ask(&format!("host: localhost:{port}\r\n")).await, 200);
    assert_eq!(
        ask(&format!("host: evil.example.com:{port}\r\n")).await,
        403
    );
    assert_eq!(
        ask(&format!(
            "host: {address}\r\norigin: http://example.com\r\n"
        ))
        .await,
        403
    );
    assert_eq!(ask("").await, 403);
}
