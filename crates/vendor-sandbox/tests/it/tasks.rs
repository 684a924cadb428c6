//! Tasks over API v1.

use serde_json::{Value, json};
use vendor_sandbox::openphone::CallEnd;

use crate::support::{Api, keys};

const TASKS: &str = "/v1/tasks";
const THEM: &str = "+12025550143";

fn new(api: &Api) -> Value {
    json!({ "title": "Call back", "description": "Pricing", "phoneNumberId": api.sandbox.phone_number_id() })
}

async fn create(api: &Api, body: &Value) -> Value {
    api.post(TASKS, body).await.expect(201).json()["data"].clone()
}

async fn get(api: &Api, id: &str) -> Value {
    api.get(&format!("{TASKS}/{id}")).await.expect(200).json()["data"].clone()
}

async fn act(api: &Api, id: &str, action: &str, body: Option<&Value>) -> Value {
    let answer = api
        .send("POST", &format!("{TASKS}/{id}/{action}"), body)
        .await
        .unwrap();
    let data = answer.expect(200).json()["data"].clone();
    assert_eq!(keys(&data), ["revision", "taskId"]);
    data["revision"].clone()
}

#[tokio::test]
async fn a_task_is_about_a_number_a_conversation_or_an_activity() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number_id();
    let text = api
        .control
        .place_inbound_text(THEM, &number, "Hello")
        .unwrap();
    let call = api
        .control
        .place_inbound_call(THEM, &number, CallEnd::Missed)
        .unwrap();
    for (name, id, conversation, activity) in [
        ("phoneNumberId", json!(number), false, false),
        (
            "conversationId",
            text["conversationId"].clone(),
            true,
            false,
        ),
        ("activityId", text["id"].clone(), true, true),
        ("activityId", json!(call), true, true),
    ] {
        let mut body = json!({ "title": "T", "description": "D" });
        body[name] = id.clone();
        let made = create(&api, &body).await;
        assert_eq!(made["revision"], "1");
        assert_eq!(made["phoneNumberId"], json!(number), "{name}");
        assert_eq!(made.get("conversationId").is_some(), conversation, "{name}");
        assert_eq!(made.get("activityId").is_some(), activity, "{name}");
        let task = get(&api, made["taskId"].as_str().unwrap()).await;
        if conversation {
            assert_eq!(task["conversationId"], text["conversationId"]);
        }
        assert_eq!(
            (&task["completed"], &task["isDeleted"]),
            (&json!(false), &json!(false))
        );
    }
    let list = api
        .get(&format!("{TASKS}?maxResults=50"))
        .await
        .expect(200)
        .json();
    assert_eq!(list["data"].as_array().unwrap().len(), 4);
    assert_eq!(
        keys(&list),
        ["data", "totalItems"],
        "no token at the end, not even null"
    );
    let first = api
        .get(&format!("{TASKS}?maxResults=3"))
        .await
        .expect(200)
        .json();
    let token = first["nextPageToken"].as_str().unwrap();
    let rest = api
        .get(&format!("{TASKS}?maxResults=3&pageToken={token}"))
        .await
        .expect(200)
        .json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_action_changes_the_task_and_its_revision() {
    let api = Api::start().await;
    let made = create(&api, &new(&api)).await;
    let id = made["taskId"].as_str().unwrap();
    let users = api.get("/v1/users?maxResults=10").await.json()["data"].clone();
    let text = api
        .control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "Hello")
        .unwrap();
    let user = json!({ "userId": users[2]["id"] });
    let conversation = json!({ "conversationId": text["conversationId"] });
    let due = json!({ "dueDate": "2100-06-18T12:00:00.000Z" });
    let steps = [
        ("complete", None, "completed", json!(true)),
        ("reopen", None, "completed", json!(false)),
        ("assign", Some(&user), "assignedTo", users[2]["id"].clone()),
        ("unassign", Some(&user), "assignedTo", Value::Null),
        (
            "link-conversation",
            Some(&conversation),
            "conversationId",
            text["conversationId"].clone(),
        ),
        (
            "unlink-conversation",
            Some(&conversation),
            "conversationId",
            Value::Null,
        ),
        (
            "change-due-date",
            Some(&due),
            "dueDate",
            due["dueDate"].clone(),
        ),
        ("remove-due-date", None, "dueDate", Value::Null),
    ];
    let mut revision = 1;
    for (action, body, name, value) in steps {
        revision += 1;
        assert_eq!(
            act(&api, id, action, body).await,
            json!(revision.to_string()),
            "{action}"
        );
        assert_eq!(get(&api, id).await[name], value, "{action}");
    }
    let texts = json!({ "title": "New", "description": "Other" });
    let path = format!("{TASKS}/{id}");
    api.put(&path, &texts).await.expect(200);
    let task = get(&api, id).await;
    assert_eq!(
        (&task["title"], &task["description"]),
        (&json!("New"), &json!("Other"))
    );
    assert!(api.delete(&path).await.expect(204).body.is_empty());
    assert_eq!(get(&api, id).await["isDeleted"], true);
    api.delete(&path).await.expect(404);
    api.put(&path, &texts).await.expect(404);
}

#[tokio::test]
async fn bodies_of_tasks_are_checked() {
    let api = Api::start().await;
    let with = |name: &str, value: Value| {
        let mut body = new(&api);
        body[name] = value;
        body
    };
    for (body, paths) in [
        (json!({}), vec!["", "/title", "/description"]),
        (
            json!({ "title": 1, "description": null, "phoneNumberId": "x" }),
            vec!["/phoneNumberId", "/title", "/description"],
        ),
        (with("conversationId", json!("CN1")), vec![""]),
        (with("dueDate", json!("tomorrow")), vec!["/dueDate"]),
        (with("assignedTo", json!("nobody")), vec!["/assignedTo"]),
        (with("priority", json!(1)), vec!["/priority"]),
    ] {
        let refused = api.post(TASKS, &body).await.expect(400);
        assert_eq!(refused.error_paths(), paths, "{body}");
        assert_eq!(refused.json()["code"], "0600400");
    }
    for (name, value) in [("phoneNumberId", "PNnone"), ("assignedTo", "USnone")] {
        let missing = api
            .post(TASKS, &with(name, json!(value)))
            .await
            .expect(404)
            .json();
        assert_eq!(missing["code"], "0600404", "{name}");
    }
    let made = create(&api, &new(&api)).await;
    let path = format!("{TASKS}/{}", made["taskId"].as_str().unwrap());
    for (action, body, status) in [
        ("assign", json!({}), 400),
        ("assign", json!({ "userId": "USnone" }), 404),
        ("assign", json!({ "userId": "US1", "x": 1 }), 400),
        ("unassign", json!({ "userId": "US1" }), 404),
        (
            "link-conversation",
            json!({ "conversationId": "CNnone" }),
            404,
        ),
        (
            "unlink-conversation",
            json!({ "conversationId": "CNnone" }),
            404,
        ),
        ("change-due-date", json!({}), 400),
        ("change-due-date", json!({ "dueDate": null }), 400),
    ] {
        api.post(&format!("{path}/{action}"), &body)
            .await
            .expect(status);
    }
    api.put(&path, &json!({ "title": "T" })).await.expect(400);
    api.get(&format!("{TASKS}/TKnone")).await.expect(404);
    api.get(&format!("{TASKS}/none")).await.expect(400);
    assert_eq!(
        get(&api, made["taskId"].as_str().unwrap()).await["revision"],
        "1"
    );
}

#[tokio::test]
async fn no_more_tasks_are_opened_than_are_paid_for() {
    let api = Api::start().await;
    api.control.set_open_task_limit(Some(1));
    let made = create(&api, &new(&api)).await;
    let id = made["taskId"].as_str().unwrap();
    let refused = api.post(TASKS, &new(&api)).await.expect(402).json();
    assert_eq!(
        (&refused["code"], &refused["title"]),
        (&json!("0600402"), &json!("Open Tasks Limit Reached"))
    );
    act(&api, id, "complete", None).await;
    create(&api, &new(&api)).await;
    api.send("POST", &format!("{TASKS}/{id}/reopen"), None)
        .await
        .unwrap()
        .expect(402);
    api.put("/_sandbox/open-task-limit", &json!({ "limit": null }))
        .await
        .expect(200);
    act(&api, id, "reopen", None).await;
}
