//! Conversations, as they follow from texts and calls.

use serde_json::{Value, json};
use vendor_sandbox::openphone::CallEnd;

use crate::support::{Api, keys};

const ONE: &str = "+12025550143";
const TWO: &str = "+12025550144";
const PRIVATE: &str = "+12025550101";

async fn list(api: &Api, query: &str) -> Vec<Value> {
    let list = api
        .get(&format!("/v1/conversations?maxResults=100{query}"))
        .await;
    let list = list.expect(200).json();
    assert_eq!(keys(&list), ["data", "nextPageToken", "totalItems"]);
    list["data"].as_array().unwrap().clone()
}

fn people(list: &[Value]) -> Vec<&Value> {
    list.iter().map(|one| &one["participants"]).collect()
}

#[tokio::test]
async fn texts_and_calls_with_the_same_people_are_one_conversation() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number();
    api.control
        .place_inbound_text(ONE, number, "Hello")
        .unwrap();
    let group = json!({ "content": "Hi", "from": number, "to": [TWO, ONE] });
    let sent = api.post("/v1/messages", &group).await.expect(202).json();
    let call = api
        .control
        .place_inbound_call(ONE, number, CallEnd::Missed)
        .unwrap();
    api.control
        .place_inbound_text(ONE, PRIVATE, "Hello")
        .unwrap();
    let all = list(&api, "").await;
    assert_eq!(all.len(), 3);
    let group = all
        .iter()
        .find(|one| one["participants"] == json!([TWO, ONE]))
        .unwrap();
    assert_eq!(group["id"], sent["data"]["conversationId"]);
    assert_eq!(group["lastActivityId"], sent["data"]["id"]);
    let here = list(
        &api,
        &format!("&phoneNumbers={}", api.sandbox.phone_number_id()),
    )
    .await;
    assert_eq!(here.len(), 2);
    let single = here
        .iter()
        .find(|one| one["participants"] == json!([ONE]))
        .unwrap();
    assert!(single["lastActivityId"].is_string());
    let found = api
        .get(&format!("/v1/calls/{call}"))
        .await
        .expect(200)
        .json();
    assert_eq!(found["data"]["phoneNumberId"], single["phoneNumberId"]);
}

#[tokio::test]
async fn the_most_recent_comes_first_and_pages_go_on() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number();
    for _ in 0..2 {
        for from in [ONE, TWO, "+12025550145"] {
            api.control
                .place_inbound_text(from, number, "Hello")
                .unwrap();
        }
    }
    api.control
        .place_inbound_text(ONE, number, "Again")
        .unwrap();
    let all = list(&api, "").await;
    assert_eq!(all[0]["participants"], json!([ONE]));
    let mut paged = Vec::new();
    let mut path = "/v1/conversations?maxResults=2".to_owned();
    loop {
        let page = api.get(&path).await.expect(200).json();
        paged.extend(page["data"].as_array().unwrap().clone());
        match page["nextPageToken"].as_str() {
            Some(token) => path = format!("/v1/conversations?maxResults=2&pageToken={token}"),
            None => break,
        }
    }
    assert_eq!(people(&paged), people(&all));
}

#[tokio::test]
async fn a_list_is_filtered() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number();
    api.control
        .place_inbound_text(ONE, number, "Hello")
        .unwrap();
    api.control
        .place_inbound_text(TWO, PRIVATE, "Hello")
        .unwrap();
    let users = api.get("/v1/users?maxResults=10").await.json()["data"].clone();
    let (owner, member) = (
        users[0]["id"].as_str().unwrap(),
        users[2]["id"].as_str().unwrap(),
    );
    for (query, count) in [
        ("&phoneNumbers=%2B12025550100".to_owned(), 1),
        (
            "&phoneNumbers=%2B12025550100&phoneNumbers=%2B12025550101".to_owned(),
            2,
        ),
        ("&phoneNumber=%2B12025550101".to_owned(), 1),
        (format!("&userId={owner}"), 2),
        (format!("&userId={member}"), 1),
        ("&createdAfter=2100-01-01T00:00:00Z".to_owned(), 0),
        ("&createdBefore=2100-01-01T00:00:00Z".to_owned(), 2),
        ("&updatedAfter=2100-01-01T00:00:00Z".to_owned(), 0),
        (
            "&updatedBefore=2100-01-01T00:00:00Z&excludeInactive=true".to_owned(),
            2,
        ),
    ] {
        assert_eq!(list(&api, &query).await.len(), count, "{query}");
    }
    for (query, status, code) in [
        (
            format!("&userId={member}&phoneNumbers=%2B12025550101"),
            403,
            "1001403",
        ),
        ("&phoneNumbers=PNnone".to_owned(), 404, "1000404"),
        ("&phoneNumbers=none".to_owned(), 400, "1000400"),
        ("&excludeInactive=perhaps".to_owned(), 400, "1000400"),
        ("&pageToken=x".to_owned(), 400, "1000400"),
    ] {
        let path = format!("/v1/conversations?maxResults=100{query}");
        assert_eq!(
            api.get(&path).await.expect(status).json()["code"],
            code,
            "{query}"
        );
    }
    let many = "&phoneNumbers=PN1".repeat(101);
    api.get(&format!("/v1/conversations?maxResults=1{many}"))
        .await
        .expect(400);
    api.get("/v1/conversations").await.expect(400);
}

#[tokio::test]
async fn a_conversation_is_marked_and_answered_bare() {
    let api = Api::start().await;
    let number = api.sandbox.phone_number();
    api.control
        .place_inbound_text(ONE, number, "Hello")
        .unwrap();
    let before = list(&api, "").await.remove(0);
    let id = before["id"].as_str().unwrap();
    let mark = async |what: &str| {
        let path = format!("/v1/conversations/{id}/mark-as-{what}");
        let answer = api.send("POST", &path, None).await.unwrap();
        answer.expect(200).json()
    };
    let read = mark("read").await;
    assert_eq!(keys(&read), keys(&before), "bare");
    assert_eq!(read["id"], before["id"]);
    mark("done").await;
    assert!(list(&api, "&excludeInactive=true").await.is_empty());
    mark("open").await;
    assert_eq!(list(&api, "&excludeInactive=true").await.len(), 1);
    mark("done").await;
    // What comes in brings it back.
    api.control
        .place_inbound_text(ONE, number, "Hello?")
        .unwrap();
    assert_eq!(list(&api, "&excludeInactive=true").await.len(), 1);
    let reply = json!({ "content": "Hi", "from": number, "to": [ONE], "setInboxStatus": "done" });
    api.post("/v1/messages", &reply).await.expect(202);
    assert!(list(&api, "&excludeInactive=true").await.is_empty());

    let none = api
        .send("POST", "/v1/conversations/CNnone/mark-as-read", None)
        .await
        .unwrap();
    assert_eq!(none.expect(404).json()["code"], "1000404");
    let wrong = api
        .send("POST", "/v1/conversations/x/mark-as-read", None)
        .await
        .unwrap();
    assert_eq!(wrong.expect(400).error_paths(), ["/conversationId"]);
}
