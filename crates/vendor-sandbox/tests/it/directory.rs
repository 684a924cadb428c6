use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::CustomFieldKind;

use crate::support::{Api, exchange, keys};

#[tokio::test]
async fn users_are_paged_and_got() {
    let api = Api::start().await;
    let first = api.get("/v1/users?maxResults=2").await.expect(200).json();
    let token = first["nextPageToken"].as_str().unwrap();
    let rest = api
        .get(&format!("/v1/users?maxResults=2&pageToken={token}"))
        .await
        .json();
    assert_eq!(rest["nextPageToken"], Value::Null);
    let roles =
        [&first["data"][0], &first["data"][1], &rest["data"][0]].map(|user| user["role"].clone());
    assert_eq!(roles, ["owner", "admin", "member"]);
    let user = &first["data"][0];
    let expected = [
        "createdAt",
        "email",
        "firstName",
        "id",
        "lastName",
        "pictureUrl",
        "role",
        "updatedAt",
    ];
    assert_eq!(keys(user), expected);
    let id = user["id"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("/v1/users/{id}")).await.expect(200).json()["data"],
        *user
    );

    let error = api.get("/v1/users/USnobody").await.expect(404).json();
    assert_eq!(error["code"], "1100404");
    let answer = api.get("/v1/users/nobody").await.expect(400);
    assert_eq!(answer.error_paths(), ["/userId"]);
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "Expected string to match '^US(.*)$'"
    );
    assert_eq!(
        api.get("/v1/users").await.expect(400).error_paths(),
        ["/maxResults"]
    );
    assert_eq!(
        api.get("/v1/users?maxResults=51")
            .await
            .expect(400)
            .error_paths(),
        ["/maxResults"]
    );
    let unknown = "eyJsYXN0SWQiOiJVU25vYm9keSJ9";
    api.get(&format!("/v1/users?maxResults=1&pageToken={unknown}"))
        .await
        .expect(400);
}

#[tokio::test]
async fn phone_numbers_are_listed_whole_filtered_and_got() {
    let api = Api::start().await;
    let all = api.get("/v1/phone-numbers").await.expect(200).json();
    assert_eq!(keys(&all), ["data"]);
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    assert_eq!(all["data"][0]["number"], api.sandbox.phone_number());
    let id = api.sandbox.phone_number_id();
    assert_eq!(all["data"][0]["id"], id);
    let one = api
        .get(&format!("/v1/phone-numbers/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(one["data"], all["data"][0]);
    let owner = all["data"][1]["users"][0]["id"].as_str().unwrap();
    let member = all["data"][0]["users"][2]["id"].as_str().unwrap();
    for (user, count) in [(owner, 2), (member, 1), ("USnobody", 0)] {
        let found = api
            .get(&format!("/v1/phone-numbers?userId={user}"))
            .await
            .expect(200)
            .json();
        assert_eq!(found["data"].as_array().unwrap().len(), count, "{user}");
    }
    assert_eq!(
        api.get("/v1/phone-numbers?userId=x")
            .await
            .expect(400)
            .error_paths(),
        ["/userId"]
    );
    assert_eq!(
        api.get("/v1/phone-numbers/PNx").await.expect(404).json()["code"],
        "0400404"
    );
    assert_eq!(
        api.get("/v1/phone-numbers/x").await.expect(400).json()["code"],
        "0400400"
    );
}

#[tokio::test]
async fn custom_fields_are_those_of_the_app() {
    let builder = Sandbox::openphone().custom_field("Tier", "tier", CustomFieldKind::String);
    let api = Api::on(builder.rate_limit(None).start().await.unwrap());
    api.control
        .add_custom_field("VIP", "vip", CustomFieldKind::Boolean);
    api.control
        .add_custom_field("Seats bought", "seats", CustomFieldKind::Number);
    let fields = api
        .get("/v1/contact-custom-fields")
        .await
        .expect(200)
        .json();
    let fields = fields["data"].as_array().unwrap();
    let named = |key: &str| {
        fields
            .iter()
            .filter(|field| field["key"] == key)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        named("tier"),
        [&json!({ "name": "Tier", "key": "tier", "type": "string" })]
    );
    assert_eq!(
        named("vip"),
        [&json!({ "name": "VIP", "key": "vip", "type": "boolean" })]
    );
    let seats = json!({ "name": "Seats bought", "key": "seats", "type": "number" });
    assert_eq!(named("seats"), [&seats]);
    let kinds: std::collections::BTreeSet<_> = fields
        .iter()
        .map(|field| field["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.len(), 7);
}

#[tokio::test]
async fn the_door_answers_in_the_shape_of_the_gateway() {
    let api = Api::start().await.with_key(None);
    let answer = api.get("/v1/contacts?maxResults=1").await.expect(401);
    let error = answer.json();
    assert_eq!(keys(&error), ["error"]);
    assert_eq!(keys(&error["error"]), ["key", "message", "trace"]);
    assert_eq!(error["error"]["message"], "Missing authorization header");
    assert_eq!(error["error"]["key"], "Unauthorized");
    let right = api.sandbox.api_key().to_owned();
    let mut api = api;
    for wrong in [
        "wrong".to_owned(),
        format!("Bearer {right}"),
        right.to_lowercase(),
    ] {
        api = api.with_key(Some(&wrong));
        let error = api
            .get("/v1/contacts?maxResults=1")
            .await
            .expect(401)
            .json();
        assert_eq!(error["error"]["message"], "Unauthorized", "{wrong}");
        assert_eq!(error["error"]["key"], "Unauthorized");
    }
    // The door comes before the house: nothing is said about what is wrong inside.
    api.post("/v1/contacts", &json!({})).await.expect(401);
    api.with_key(Some(&right))
        .get("/v1/contacts?maxResults=1")
        .await
        .expect(200);
}

#[tokio::test]
async fn unknown_routes_get_a_page() {
    let api = Api::start().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/contact"),
        ("GET", "/v2/contacts"),
        ("PUT", "/v1/contacts/a"),
        ("GET", "/v1/contacts/"),
    ] {
        let answer = api.send(method, path, None).await.unwrap().expect(404);
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{path}"
        );
        assert!(answer.text().starts_with("<!DOCTYPE html>"));
    }
    let record = api.control.requests().pop().unwrap();
    assert_eq!(
        (record.operation, record.template, record.status),
        (None, None, Some(404))
    );
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_and_odd_requests_do_no_harm() {
    let builder = Sandbox::openphone().rate_limit(None).max_body(1_000);
    let api = Api::on(builder.start().await.unwrap());
    let large = json!({ "defaultFields": { "firstName": "x".repeat(1_000) } });
    let error = api.post("/v1/contacts", &large).await.expect(413).json();
    assert_eq!(keys(&error), ["error"]);
    let error = api.post("/_sandbox/contacts", &large).await.expect(413);
    assert!(error.json()["error"].is_string());
    let method = "M".repeat(10_000);
    let answer = api.raw(&method, "/v1/contacts", None, b"").await;
    answer.unwrap().expect(404);
    let logged = api.control.requests().pop().unwrap().method;
    assert_eq!(logged, "M".repeat(32));
    let address = api.sandbox.base_url().strip_prefix("http://").unwrap();
    for odd in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/contacts HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ] {
        // Whatever it answers, or does not: it goes on serving.
        let _ = exchange(address, odd.as_bytes()).await;
    }
    api.get("/v1/users?maxResults=1").await.expect(200);
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error_and_a_dropped_sandbox_frees_it() {
    let first = Sandbox::openphone().start().await.unwrap();
    let port: u16 = first
        .base_url()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    let error = Sandbox::openphone().port(port).start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("port {port} is already in use on 127.0.0.1")
    );
    drop(first);
    // The serving task is aborted at its next step, which this yield lets it take.
    while Sandbox::openphone().port(port).start().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_key_that_cannot_stand_in_a_header_is_refused() {
    for key in ["", "a b", "a\nb", "schlüssel"] {
        let error = Sandbox::openphone().api_key(key).start().await.unwrap_err();
        assert!(error.to_string().contains("API key"), "{key:?}");
    }
    let sandbox = Sandbox::openphone()
        .api_key("my-key")
        .start()
        .await
        .unwrap();
    assert_eq!(sandbox.api_key(), "my-key");
}
