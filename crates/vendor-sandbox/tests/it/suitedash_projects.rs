//! Projects, marketing and worlds.

use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::RecordKind;

use crate::portal::{Portal, text};
use crate::support::keys;

const FIELD: &str = "44444444-4444-4444-8444-444444444444";

async fn portal() -> Portal {
    let builder = Sandbox::suitedash().custom_field(RecordKind::Project, FIELD, "Avatar");
    Portal::with(builder).await
}

fn names(answer: &Value) -> String {
    text(&answer["data"]["name"])
}

#[tokio::test]
async fn a_project_is_found_by_four_kinds_of_identifier() {
    let portal = portal().await;
    let uid = portal
        .control
        .seed_project(&json!({ "name": "Onboarding" }))
        .unwrap();
    portal
        .control
        .seed_project(&json!({ "name": "Onboarding again" }))
        .unwrap();
    portal.control.seed_projects(1);
    for (path, expected) in [
        (format!("uid/{uid}"), "Onboarding"),
        ("name/Onboarding%20again".to_owned(), "Onboarding again"),
        ("contains_the_following/board".to_owned(), "Onboarding"),
        (
            "contains_the_following/again".to_owned(),
            "Onboarding again",
        ),
        ("most_recent/true".to_owned(), "Synthetic project 3"),
    ] {
        let found = portal
            .get(&format!("/project/{path}"))
            .await
            .expect(200)
            .json();
        assert_eq!(names(&found), expected, "{path}");
    }
    for path in [
        "uid/Onboarding",
        "name/board",
        "most_recent/1",
        "newest/true",
        "name/",
    ] {
        portal.get(&format!("/project/{path}")).await.expect(404);
    }
    let list = portal.get("/projects").await.expect(200).json();
    assert_eq!(list["meta"]["pagination"]["totalItems"], 3);
}

#[tokio::test]
async fn an_update_normalises_the_status_and_checks_its_forms() {
    let portal = portal().await;
    let record = json!({ "name": "Onboarding", "start_date": "2026-11-01", "due_time": "17:00" });
    let uid = portal.control.seed_project(&record).unwrap();
    let path = format!("/project/uid/{uid}");
    let body = json!({
        "status": "in_progress",
        "estimated_value": 12.5,
        "end_date": "2026-12-01",
        "project_custom_fields": { FIELD: "https://example.com/a.png" },
    });
    let changed = portal.put(&path, &body).await.expect(200).json();
    let project = &changed["data"];
    assert_eq!(project["status"], "In Progress");
    assert_eq!(project["estimated_value"], 12.5);
    assert_eq!(project["start_date"], "2026-11-01");
    assert_eq!(
        project["project_custom_fields"],
        body["project_custom_fields"]
    );
    for (name, value) in [
        ("status", json!("Nearly")),
        ("status", Value::Null),
        ("name", json!("")),
        ("end_date", json!("1.12.2026")),
        ("due_time", json!("17:15")),
        ("estimated_value", json!("12")),
    ] {
        let answer = portal
            .put(&path, &json!({ name: value }))
            .await
            .expect(422)
            .json();
        assert_eq!(keys(&answer["errors"]), [name]);
    }
    let answer = portal
        .put(&path, &json!({ "project_custom_fields": { "x": 1 } }))
        .await;
    answer.expect(422);
    assert_eq!(portal.control.projects(), std::slice::from_ref(project));
    // Written through a fragment of a name, it may be another project than was meant.
    let answer = portal
        .put("/project/contains_the_following/o", &json!({ "name": "X" }))
        .await;
    assert_eq!(names(&answer.expect(200).json()), "X");
    portal
        .put("/project/most_recent/true", &json!({ "end_date": null }))
        .await
        .expect(200);
    assert_eq!(portal.control.projects()[0]["end_date"], Value::Null);
}

#[tokio::test]
async fn one_subscription_that_worked_hides_those_that_did_not() {
    let portal = Portal::with(Sandbox::suitedash().audience(7).audience(8)).await;
    let body = json!({ "subscribers": [
        { "email": "jane@example.com", "audiences": [7, 9] },
        { "email": "nobody", "audiences": [7] },
    ] });
    let answer = portal
        .post("/marketing/subscribe", &body)
        .await
        .expect(200)
        .json();
    let worked: Vec<_> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["success"])
        .collect();
    assert_eq!(worked, [true, false, false]);
    let body = json!({ "contacts": ["john@example.com"], "audience": "8" });
    portal.post("/marketing/subscribe", &body).await.expect(200);
    portal.post("/marketing/subscribe", &body).await.expect(200);
    let list = portal.control.subscriptions();
    let list: Vec<_> = list
        .iter()
        .map(|one| (one.email.as_str(), one.audience))
        .collect();
    assert_eq!(list, [("jane@example.com", 7), ("john@example.com", 8)]);
    for body in [
        json!({ "contacts": ["john@example.com"], "audience": "9" }),
        json!({ "contacts": ["john@example.com"] }),
        json!({ "subscribers": [] }),
        json!({ "subscribers": "x" }),
        json!({}),
    ] {
        portal.post("/marketing/subscribe", &body).await.expect(422);
    }
}

#[tokio::test]
async fn worlds_are_listed_in_pages() {
    let mut builder = Sandbox::suitedash();
    for number in 1..=11 {
        builder = builder.world(format!("World {number}"));
    }
    let portal = Portal::with(builder).await;
    let list = portal.get("/worlds?page=2").await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["name"], "World 11");
}
