use serde_json::{Value, json};
use vendor_sandbox::openphone::MessagingBlock;

use crate::support::{Api, encoded, keys};

const THEM: &str = "+12025550143";

fn text(api: &Api, content: &str, to: &[&str]) -> Value {
    json!({ "content": content, "from": api.sandbox.phone_number(), "to": to })
}

fn list_path(api: &Api, participants: &[&str], rest: &str) -> String {
    let mut path = format!(
        "/v1/messages?phoneNumberId={}{rest}",
        api.sandbox.phone_number_id()
    );
    for participant in participants {
        path.push_str("&participants=");
        path.push_str(&encoded(participant));
    }
    path
}

fn texts(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_text_is_accepted_queued_and_delivered() {
    let api = Api::start().await;
    let message = api
        .post("/v1/messages", &text(&api, "Hi", &[THEM]))
        .await
        .expect(202)
        .json();
    let message = &message["data"];
    assert_eq!(message["status"], "queued");
    assert_eq!(message["direction"], "outgoing");
    assert_eq!(message["text"], "Hi");
    assert_eq!(message["to"], json!([THEM]));
    assert_eq!(message["from"], api.sandbox.phone_number());
    assert_eq!(message["phoneNumberId"], api.sandbox.phone_number_id());
    for (name, prefix) in [("id", "AC"), ("conversationId", "CN"), ("userId", "US")] {
        assert!(
            message[name].as_str().unwrap().starts_with(prefix),
            "{name}"
        );
    }
    let id = message["id"].as_str().unwrap();
    let got = api
        .get(&format!("/v1/messages/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(keys(&got["data"]), keys(message));
    assert_eq!(got["data"]["status"], "delivered");
    assert_eq!(api.control.messages(), [got["data"].clone()]);
}

#[tokio::test]
async fn sending_is_checked() {
    let api = Api::start().await;
    let with = |name: &str, value: Value| {
        let mut body = text(&api, "Hi", &[THEM]);
        body[name] = value;
        body
    };
    let many: Vec<String> = (0..11)
        .map(|number| format!("+120255501{number:02}"))
        .collect();
    let cases = [
        (json!("text"), vec![""]),
        (json!({}), vec!["/content", "/from", "/to"]),
        (with("content", json!("")), vec!["/content"]),
        (with("content", json!(" \n ")), vec!["/content"]),
        (with("content", json!("x".repeat(1_601))), vec!["/content"]),
        (with("content", json!(7)), vec!["/content"]),
        (with("from", json!("12025550100")), vec!["/from"]),
        (with("from", json!(null)), vec!["/from"]),
        (with("to", json!(THEM)), vec!["/to"]),
        (with("to", json!([])), vec!["/to"]),
        (with("to", json!(many)), vec!["/to"]),
        (with("to", json!([THEM, "1234567890123456"])), vec!["/to/1"]),
        (with("to", json!([null])), vec!["/to/0"]),
        (with("userId", json!("olive")), vec!["/userId"]),
        (
            with("setInboxStatus", json!("open")),
            vec!["/setInboxStatus"],
        ),
        (with("phoneNumberId", json!("OP1")), vec!["/phoneNumberId"]),
    ];
    for (body, paths) in cases {
        let answer = api.post("/v1/messages", &body).await.expect(400);
        assert_eq!(answer.error_paths(), paths, "{body}");
        assert_eq!(answer.json()["code"], "0200400");
    }
    assert!(api.control.messages().is_empty());
    for body in [
        with("content", json!("ü".repeat(1_600))),
        with("to", json!(["12345"])),
        with("from", json!(api.sandbox.phone_number_id())),
        with("setInboxStatus", json!("done")),
    ] {
        api.post("/v1/messages", &body).await.expect(202);
    }
}

#[tokio::test]
async fn the_sender_must_be_ours() {
    let api = Api::start().await;
    let numbers = api.get("/v1/phone-numbers").await.json();
    let (private, member) = (&numbers["data"][1], &numbers["data"][0]["users"][2]["id"]);
    let send = async |from: &Value, user: Option<&Value>| {
        let mut body = json!({ "content": "Hi", "from": from, "to": [THEM] });
        if let Some(user) = user {
            body["userId"] = user.clone();
        }
        api.post("/v1/messages", &body).await
    };
    let message = send(&numbers["data"][0]["number"], Some(member))
        .await
        .expect(202)
        .json();
    assert_eq!(message["data"]["userId"], *member);
    let error = send(&private["id"], Some(member)).await.expect(403).json();
    assert_eq!(error["code"], "0202403");
    assert_eq!(error["title"], "Not Phone Number User");
    assert_eq!(
        send(&json!("+12025550199"), None).await.expect(404).json()["code"],
        "0200404"
    );
    assert_eq!(
        send(&json!("PNx"), None).await.expect(404).json()["code"],
        "0200404"
    );
}

#[tokio::test]
async fn a_workspace_can_be_barred_from_sending() {
    let api = Api::start().await;
    let cases = [
        (MessagingBlock::A2pNotApproved, 400, "0206400"),
        (MessagingBlock::SubscriptionExpired, 402, "0201402"),
        (MessagingBlock::DailyCapReached, 403, "0204403"),
    ];
    for (block, status, code) in cases {
        api.control.set_messaging_block(Some(block));
        let answer = api
            .post("/v1/messages", &text(&api, "Hi", &[THEM]))
            .await
            .expect(status);
        assert_eq!(answer.json()["code"], code);
    }
    assert!(api.control.messages().is_empty());
    api.control.set_messaging_block(None);
    api.post("/v1/messages", &text(&api, "Hi", &[THEM]))
        .await
        .expect(202);
}

#[tokio::test]
async fn threads_are_listed_oldest_first_and_apart() {
    let api = Api::start().await;
    let other = "+12025550144";
    for number in 1..=3 {
        api.post(
            "/v1/messages",
            &text(&api, &format!("one {number}"), &[THEM]),
        )
        .await
        .expect(202);
    }
    api.post("/v1/messages", &text(&api, "other", &[other]))
        .await
        .expect(202);
    api.post("/v1/messages", &text(&api, "group", &[THEM, other]))
        .await
        .expect(202);
    let inbound = api
        .control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "back")
        .unwrap();
    assert_eq!(
        (&inbound["direction"], &inbound["status"]),
        (&json!("incoming"), &json!("received"))
    );
    assert_eq!(inbound["userId"], Value::Null);

    let page = api
        .get(&list_path(&api, &[THEM], "&maxResults=100"))
        .await
        .expect(200)
        .json();
    assert_eq!(texts(&page), ["one 1", "one 2", "one 3", "back"]);
    let conversation = &page["data"][0]["conversationId"];
    assert_eq!(page["data"][3]["conversationId"], *conversation);
    // The order of the participants does not matter.
    let page = api
        .get(&list_path(&api, &[other, THEM], "&maxResults=100"))
        .await
        .json();
    assert_eq!(texts(&page), ["group"]);
    assert_ne!(page["data"][0]["conversationId"], *conversation);
    let page = api
        .get(&list_path(&api, &["+12025550150"], "&maxResults=100"))
        .await
        .json();
    assert!(texts(&page).is_empty());

    let page = api
        .get(&list_path(&api, &[THEM], "&maxResults=3"))
        .await
        .json();
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = format!("&maxResults=3&pageToken={token}");
    let page = api.get(&list_path(&api, &[THEM], &rest)).await.json();
    assert_eq!(texts(&page), ["back"]);
    assert_eq!(page["nextPageToken"], Value::Null);
}

#[tokio::test]
async fn listing_filters_by_user_and_time() {
    let api = Api::start().await;
    let sent = api
        .post("/v1/messages", &text(&api, "out", &[THEM]))
        .await
        .json()["data"]
        .clone();
    api.control
        .place_inbound_text(THEM, &api.sandbox.phone_number_id(), "in")
        .unwrap();
    let found = async |rest: String| {
        let path = list_path(&api, &[THEM], &format!("&maxResults=9{rest}"));
        let page = api.get(&path).await.expect(200).json();
        texts(&page)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let user = sent["userId"].as_str().unwrap();
    assert_eq!(found(format!("&userId={user}")).await, ["out"]);
    let (long_ago, far_off) = ("2020-01-01T00:00:00Z", "2120-01-01T00:00:00.000Z");
    assert_eq!(
        found(format!("&createdAfter={long_ago}&createdBefore={far_off}"))
            .await
            .len(),
        2
    );
    assert!(found(format!("&createdAfter={far_off}")).await.is_empty());
    assert!(found(format!("&createdBefore={long_ago}")).await.is_empty());
    // The deprecated name acts as its opposite.
    assert!(found(format!("&since={long_ago}")).await.is_empty());
    assert_eq!(found(format!("&since={far_off}")).await.len(), 2);
    assert!(
        found(format!("&since={far_off}&createdBefore={long_ago}"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn listing_is_checked() {
    let api = Api::start().await;
    let answer = api.get("/v1/messages").await.expect(400);
    assert_eq!(
        answer.error_paths(),
        ["/phoneNumberId", "/participants", "/maxResults"]
    );
    assert_eq!(answer.json()["code"], "0200400");
    let id = api.sandbox.phone_number_id();
    let base = format!("/v1/messages?phoneNumberId={id}&maxResults=5");
    let cases = [
        // A bare plus is a blank, so this is no number.
        (
            "participants=+12025550143",
            "/participants/0",
            r"Expected string to match '^\+[1-9]\d{1,14}$'",
        ),
        (
            "participants=12345",
            "/participants/0",
            r"Expected string to match '^\+[1-9]\d{1,14}$'",
        ),
        (
            "participants[]=%2B12025550143",
            "/participants",
            "Expected array",
        ),
        (
            "participants=%2B12025550143&since=yesterday",
            "/since",
            "Expected string to match 'date-time' format",
        ),
        (
            "participants=%2B12025550143&userId=x",
            "/userId",
            "Expected string to match '^US(.*)$'",
        ),
        (
            "participants=%2B12025550143&userId=USa&userId=USb",
            "/userId",
            "Expected string",
        ),
    ];
    for (query, path, message) in cases {
        let answer = api.get(&format!("{base}&{query}")).await.expect(400);
        assert_eq!(answer.error_paths(), [path], "{query}");
        assert_eq!(answer.json()["errors"][0]["message"], message, "{query}");
    }
    let many: Vec<String> = (0..11)
        .map(|number| format!("+120255501{number:02}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let answer = api
        .get(&list_path(&api, &many, "&maxResults=5"))
        .await
        .expect(400);
    assert_eq!(answer.error_paths(), ["/participants"]);
    let answer = api
        .get(&list_path(&api, &[THEM], "&maxResults=101"))
        .await
        .expect(400);
    assert_eq!(answer.error_paths(), ["/maxResults"]);
    let unknown = "/v1/messages?phoneNumberId=PNx&maxResults=5&participants=%2B12025550143";
    assert_eq!(api.get(unknown).await.expect(404).json()["code"], "0200404");
    let answer = api
        .get(&list_path(&api, &[THEM], "&maxResults=5&pageToken=x"))
        .await
        .expect(400);
    assert_eq!(answer.json()["message"], "Invalid page token");
}

#[tokio::test]
async fn unknown_messages_and_impossible_texts_are_refused() {
    let api = Api::start().await;
    assert_eq!(
        api.get("/v1/messages/ACx").await.expect(404).json()["code"],
        "0200404"
    );
    assert_eq!(
        api.get("/v1/messages/x").await.expect(400).error_paths(),
        ["/id"]
    );
    assert!(
        api.control
            .place_inbound_text(THEM, "+12025550199", "x")
            .is_err()
    );
    assert!(
        api.control
            .place_inbound_text(" ", api.sandbox.phone_number(), "x")
            .is_err()
    );
    // A sender need not be a number.
    api.control
        .place_inbound_text("anonymous", api.sandbox.phone_number(), "x")
        .unwrap();
}
