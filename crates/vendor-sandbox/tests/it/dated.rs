//! The dated API: its version, its errors, its pages, and what it lists over the workspace.

use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::{CallEnd, MessagingBlock, NewCall, Plan, TextFailure};

use crate::support::{Api, encoded, keys};

const ONE: &str = "+12025550143";
const TWO: &str = "+12025550144";
const PRIVATE: &str = "+12025550101";

async fn data(api: &Api, path: &str) -> Value {
    api.get(path).await.expect(200).json()["data"].clone()
}

async fn count(api: &Api, path: &str) -> usize {
    let list = api.get(path).await.expect(200).json();
    assert_eq!(keys(&list), ["data", "nextCursor"]);
    list["data"].as_array().unwrap().len()
}

async fn all(api: &Api, path: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = api.get(&next).await.expect(200).json();
        found.extend(page["data"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}&after={cursor}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn the_version_is_asked_for_before_the_key() {
    let api = Api::start().await.with_key(None);
    for version in [None, Some("2026-03-31"), Some("")] {
        let api = Api::on(Sandbox::openphone().start().await.unwrap())
            .with_key(None)
            .with_version(version);
        let error = api.get("/contacts").await.expect(400).json();
        assert_eq!(
            keys(&error),
            ["docs", "message", "title", "trace"],
            "{version:?}"
        );
        assert_eq!(error["title"], "Bad Request");
    }
    let api = api.with_version(Some("2026-03-30"));
    let error = api.get("/contacts").await.expect(401).json();
    assert_eq!(error["title"], "Unauthorized");
    // What is no route stays one, and API v1 has no versions.
    api.get("/contact").await.expect(404);
    api.get("/v1/users?maxResults=1").await.expect(401);
}

#[tokio::test]
async fn errors_have_the_dated_shape() {
    let api = Api::start_dated().await;
    let error = api.get("/users?limit=200").await.expect(400).json();
    assert_eq!(error["message"], "Validation failed for 1 field.");
    assert_eq!(
        error["errors"],
        json!([{ "path": "/query/limit", "message": "must be <= 50", "value": 200, "schema": { "type": "integer" } }])
    );
    let error = api.get("/calls/abc123").await.expect(400).json();
    assert_eq!(
        error["errors"],
        json!([{
            "path": "/callId",
            "message": "Expected string to match '^AC(.*)$'",
            "value": "abc123",
            "schema": { "type": "TemplateLiteral", "pattern": "^AC(.*)$" },
        }])
    );
    for (query, path) in [
        ("/users?limit=0", "/query/limit"),
        ("/users?limit=many", "/query/limit"),
        ("/calls?phoneNumberId=x", "/query/phoneNumberId"),
        ("/calls?direction=up", "/query/direction"),
        ("/calls?status[in]=completed,gone", "/query/status[in]"),
        ("/calls?include=jobs", "/query/include"),
        ("/calls?createdAt[gte]=today", "/query/createdAt[gte]"),
        ("/conversations?sort=name", "/query/sort"),
        ("/phone-numbers?phoneNumber=1", "/query/phoneNumber"),
    ] {
        assert_eq!(
            api.get(query).await.expect(400).error_paths(),
            [path],
            "{query}"
        );
    }
    for path in [
        "/users?after=x",
        "/calls?after=x",
        "/contacts?after=x",
        "/tasks?after=x",
    ] {
        api.get(path).await.expect(400);
    }
    for path in [
        "/calls/ACnone",
        "/messages/ACnone",
        "/users/USnone",
        "/phone-numbers/PNnone",
        "/tasks/TKnone",
        "/contacts/none",
        "/webhooks/1",
    ] {
        let error = api.get(path).await.expect(404).json();
        assert_eq!(error["title"], "Not Found", "{path}");
    }
}

#[tokio::test]
async fn calls_are_listed_over_the_workspace() {
    let api = Api::start_dated().await;
    let (main, number) = (api.sandbox.phone_number_id(), api.sandbox.phone_number());
    let place = |call: NewCall| api.control.place_call(&call).unwrap();
    place(NewCall::incoming(ONE, number));
    place(NewCall::incoming(TWO, number).end(CallEnd::AiHandled));
    place(NewCall::incoming(ONE, PRIVATE).end(CallEnd::Voicemail));
    place(NewCall::outgoing(number, TWO).end(CallEnd::Missed));
    api.control.finish_calls();
    let (one, two) = (encoded(ONE), encoded(TWO));
    for (query, expected) in [
        (String::new(), 4),
        (format!("phoneNumberId={main}"), 3),
        (format!("participant={one}"), 2),
        (format!("participant[in]={one},{two}"), 4),
        ("direction=outgoing".to_owned(), 1),
        ("status=no-answer".to_owned(), 2),
        ("status[in]=completed,busy".to_owned(), 2),
        ("createdAt[gte]=2100-01-01T00:00:00Z".to_owned(), 0),
        ("createdAt[lte]=2100-01-01T00:00:00Z".to_owned(), 4),
        (
            format!("phoneNumberId={main}&participant={two}&direction=incoming"),
            1,
        ),
    ] {
        assert_eq!(
            count(&api, &format!("/calls?{query}")).await,
            expected,
            "{query}"
        );
    }
    assert_eq!(all(&api, "/calls?limit=3").await.len(), 4);
    let calls = data(&api, "/calls?include=summary,voicemail").await;
    assert_eq!(calls[0]["summary"]["type"], "human");
    assert_eq!(calls[1]["summary"]["type"], "agent");
    assert!(calls[1]["actorId"].as_str().unwrap().starts_with("SYU"));
    assert_eq!(calls[2]["voicemail"]["status"], "completed");
    assert_eq!(calls[0].get("voicemail"), None);
    let id = calls[0]["id"].as_str().unwrap();
    assert_eq!(
        data(&api, &format!("/calls/{id}")).await.get("summary"),
        None
    );
    let transcripts = data(&api, &format!("/calls/{id}/transcripts")).await;
    let recordings = data(&api, &format!("/calls/{id}/recordings")).await;
    assert_eq!(transcripts[0]["recordingId"], recordings[0]["id"]);
    assert_eq!(transcripts[0]["dialogue"].as_array().unwrap().len(), 2);
    let missed = calls[3]["id"].as_str().unwrap();
    assert_eq!(
        count(&api, &format!("/calls/{missed}/transcripts")).await,
        0
    );
    api.control.set_plan(Plan::Starter);
    api.get(&format!("/calls/{id}/transcripts"))
        .await
        .expect(403);
    // The same call as API v1 has it.
    let v1 = data(&api, &format!("/v1/calls/{id}")).await;
    assert_eq!(
        (&v1["id"], &v1["createdAt"]),
        (&calls[0]["id"], &calls[0]["createdAt"])
    );
}

#[tokio::test]
async fn texts_are_listed_over_the_workspace_and_sent_again() {
    let api = Api::start_dated().await;
    let number = api.sandbox.phone_number();
    let send = async |to: Value| {
        let body = json!({ "content": "x", "from": number, "to": to });
        api.post("/v1/messages", &body).await.expect(202).json()["data"]["id"].clone()
    };
    api.control
        .place_inbound_text(ONE, number, "Hello")
        .unwrap();
    api.control
        .place_inbound_text(ONE, PRIVATE, "Hello")
        .unwrap();
    send(json!([ONE, TWO])).await;
    api.control.fail_next_text(TextFailure::Failed);
    api.control
        .fail_next_text(TextFailure::FailedWith("30006".to_owned()));
    api.control
        .fail_next_text(TextFailure::Undelivered("30007".to_owned()));
    let failed = send(json!([TWO])).await;
    let refused = send(json!([TWO])).await;
    let undelivered = send(json!([TWO])).await;
    let (one, two) = (encoded(ONE), encoded(TWO));
    for (query, expected) in [
        (String::new(), 6),
        (format!("from={one}"), 2),
        (format!("to={two}"), 4),
        (format!("to[all]={one},{two}"), 1),
        ("status=failed".to_owned(), 2),
        ("status=undelivered".to_owned(), 1),
        ("direction=incoming".to_owned(), 2),
        ("createdAt[gt]=2100-01-01T00:00:00Z".to_owned(), 0),
        ("createdAt[lt]=2100-01-01T00:00:00Z".to_owned(), 6),
        (
            format!("phoneNumberId={}", api.sandbox.phone_number_id()),
            5,
        ),
    ] {
        assert_eq!(
            count(&api, &format!("/messages?{query}")).await,
            expected,
            "{query}"
        );
    }
    let path = |id: &Value| format!("/messages/{}", id.as_str().unwrap());
    assert_eq!(data(&api, &path(&failed)).await["status"], "failed");
    let v1 = data(&api, &format!("/v1{}", path(&failed))).await;
    assert_eq!(v1["status"], "undelivered", "API v1 has no word for it");
    let retry = async |id: &Value| {
        let path = format!("{}/retry", path(id));
        api.send("POST", &path, None).await.unwrap()
    };
    retry(&failed).await.expect(202);
    assert_eq!(data(&api, &path(&failed)).await["status"], "delivered");
    for id in [&failed, &refused, &undelivered] {
        let error = retry(id).await.expect(422).json();
        assert_eq!(error["title"], "Unprocessable Entity");
    }
}

#[tokio::test]
async fn conversations_are_sorted_and_marked() {
    let api = Api::start_dated().await;
    let number = api.sandbox.phone_number();
    for from in [ONE, TWO, ONE] {
        api.control
            .place_inbound_text(from, number, "Hello")
            .unwrap();
    }
    api.control
        .place_inbound_text(ONE, PRIVATE, "Hello")
        .unwrap();
    let usual = data(&api, "/conversations").await;
    assert_eq!(usual[1]["participants"], json!([ONE]));
    assert_eq!(usual[0].get("assignedTo"), None, "only API v1 has it");
    let rising = data(&api, "/conversations?sort=createdAt:asc").await;
    assert_eq!(rising[1]["participants"], json!([TWO]));
    let mut falling = data(&api, "/conversations?sort=createdAt:desc").await;
    falling.as_array_mut().unwrap().reverse();
    assert_eq!(falling, rising);
    assert_eq!(
        all(&api, "/conversations?sort=updatedAt:desc&limit=2")
            .await
            .len(),
        3
    );
    let here = format!(
        "/conversations?phoneNumberId={}",
        api.sandbox.phone_number_id()
    );
    assert_eq!(count(&api, &here).await, 2);
    assert_eq!(
        count(&api, "/conversations?updatedAt[gte]=2100-01-01T00:00:00Z").await,
        0
    );
    let id = usual[0]["id"].as_str().unwrap();
    for what in ["read", "done", "open"] {
        let path = format!("/conversations/{id}/mark-as-{what}");
        let marked = api
            .send("POST", &path, None)
            .await
            .unwrap()
            .expect(200)
            .json();
        assert_eq!(
            marked["data"]["id"],
            json!(id),
            "within data, unlike in API v1"
        );
    }
}

#[tokio::test]
async fn the_workspace_its_users_and_its_numbers() {
    let api = Api::start_dated().await;
    let org = data(&api, "/organization").await;
    assert_eq!(org["subscriptionStatus"], "active");
    api.control
        .set_messaging_block(Some(MessagingBlock::SubscriptionExpired));
    assert_eq!(
        data(&api, "/organization").await["subscriptionStatus"],
        "expired"
    );
    let users = all(&api, "/users?limit=2").await;
    assert_eq!(users.len(), 3);
    let member = users[2]["id"].as_str().unwrap();
    assert_eq!(data(&api, &format!("/users/{member}")).await, users[2]);
    assert_eq!(
        count(&api, &format!("/users/{member}/phone-numbers")).await,
        1
    );
    let numbers = data(&api, "/phone-numbers").await;
    assert_eq!(numbers[0]["phoneNumber"], api.sandbox.phone_number());
    assert_eq!(numbers[0].get("restrictions"), None);
    assert_eq!(numbers[0].get("businessHours"), None);
    assert_eq!(
        count(
            &api,
            &format!("/phone-numbers?phoneNumber={}", encoded(PRIVATE))
        )
        .await,
        1
    );
    let id = numbers[1]["id"].as_str().unwrap();
    let number = data(&api, &format!("/phone-numbers/{id}?include=restrictions")).await;
    assert_eq!(number["restrictions"]["calling"]["US"], "unrestricted");
    assert_eq!(number.get("businessHours"), None);
    let both = format!("/phone-numbers/{id}?include=restrictions,businessHours");
    let number = data(&api, &both).await;
    assert!(number["restrictions"].is_object());
    let monday = &number["businessHours"]["schedule"]["monday"];
    assert_eq!(monday["start"], "0900");
    api.get("/phone-numbers?include=businessHours")
        .await
        .expect(400);
    assert_eq!(count(&api, &format!("/phone-numbers/{id}/users")).await, 1);
    let found = data(&api, "/phone-numbers/available?areaCode=415&contains=0111").await;
    assert_eq!(found["phoneNumbers"], json!(["+14155550111"]));
    for query in ["countryCode=DE", "tollFree=true", "areaCode=4155"] {
        let found = data(&api, &format!("/phone-numbers/available?{query}")).await;
        assert_eq!(found["phoneNumbers"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn tasks_are_the_same_with_other_verbs() {
    let api = Api::start_dated().await;
    let text = api
        .control
        .place_inbound_text(ONE, api.sandbox.phone_number(), "Hello")
        .unwrap();
    let users = data(&api, "/users").await;
    let conversation = json!({ "conversationId": text["conversationId"] });
    let user = json!({ "userId": users[1]["id"] });
    let new = json!({ "title": "T", "description": "D", "conversationId": text["conversationId"] });
    let made = api.post("/tasks", &new).await.expect(201).json()["data"].clone();
    assert_eq!(made["revision"], 1, "a number here, and a text in API v1");
    let path = format!("/tasks/{}", made["taskId"].as_str().unwrap());
    let due = json!({ "dueDate": "2100-01-01T00:00:00.000Z" });
    let texts = json!({ "title": "New", "description": "D" });
    let status = |status: &str| json!({ "status": status });
    let (completed, open) = (status("completed"), status("open"));
    let steps = [
        ("PATCH", "", Some(&texts), "title", json!("New")),
        (
            "PATCH",
            "/status",
            Some(&completed),
            "status",
            json!("completed"),
        ),
        ("PATCH", "/status", Some(&open), "status", json!("open")),
        (
            "POST",
            "/users",
            Some(&user),
            "assignedTo",
            users[1]["id"].clone(),
        ),
        ("DELETE", "/users", Some(&user), "assignedTo", Value::Null),
        (
            "DELETE",
            "/conversations",
            Some(&conversation),
            "conversationId",
            Value::Null,
        ),
        (
            "POST",
            "/conversations",
            Some(&conversation),
            "conversationId",
            text["conversationId"].clone(),
        ),
        (
            "PATCH",
            "/due-date",
            Some(&due),
            "dueDate",
            due["dueDate"].clone(),
        ),
        ("DELETE", "/due-date", None, "dueDate", Value::Null),
    ];
    for (index, (method, rest, body, name, value)) in steps.into_iter().enumerate() {
        let answer = api
            .send(method, &format!("{path}{rest}"), body)
            .await
            .unwrap();
        let reference = answer.expect(200).json()["data"].clone();
        assert_eq!(reference["revision"], index + 2, "{method} {rest}");
        assert_eq!(data(&api, &path).await[name], value, "{method} {rest}");
    }
    for (method, rest, body) in [
        ("PATCH", "/status", json!({ "status": "late" })),
        ("PATCH", "/status", json!({})),
        ("PATCH", "/due-date", json!({ "dueDate": "soon" })),
        ("POST", "/users", json!({ "userId": "x" })),
        ("PATCH", "", json!({ "title": "T" })),
    ] {
        api.send(method, &format!("{path}{rest}"), Some(&body))
            .await
            .unwrap()
            .expect(400);
    }
    assert_eq!(count(&api, "/tasks?limit=100").await, 1);
    api.delete(&path).await.expect(204);
    assert_eq!(data(&api, &path).await["status"], "deleted");
    assert_eq!(data(&api, &format!("/v1{path}")).await["isDeleted"], true);
}
