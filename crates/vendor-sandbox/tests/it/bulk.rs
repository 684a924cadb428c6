//! A hundred thousand calls and texts that take no memory.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use vendor_sandbox::openphone::NewCall;

use crate::support::{Api, encoded};

async fn all(api: &Api, path: &str, max: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = api
            .get(&format!("{path}maxResults={max}{token}"))
            .await
            .expect(200)
            .json();
        found.extend(page["data"].as_array().unwrap().clone());
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn every_seeded_call_is_found_by_walking_the_conversations() {
    let api = Api::start().await;
    api.control.seed_calls(1_001, 7);
    assert_eq!(api.control.call_count(), 1_001);
    let conversations = all(&api, "/v1/conversations?", 5).await;
    assert_eq!(conversations.len(), 14);
    let mut ids = HashSet::new();
    let mut ends = BTreeMap::new();
    for conversation in &conversations {
        let number = conversation["phoneNumberId"].as_str().unwrap();
        let them = encoded(conversation["participants"][0].as_str().unwrap());
        let path = format!("/v1/calls?phoneNumberId={number}&participants={them}&");
        let calls = all(&api, &path, 13).await;
        assert!((71..=72).contains(&calls.len()));
        let last = calls.last().unwrap();
        assert_eq!(last["id"], conversation["lastActivityId"]);
        assert_eq!(last["createdAt"], conversation["lastActivityAt"]);
        for call in calls {
            assert!(
                call["participants"]
                    .as_array()
                    .unwrap()
                    .contains(&conversation["participants"][0])
            );
            *ends
                .entry(call["status"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
            ids.insert(call["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids.len(), 1_001);
    assert!(
        ends["completed"] > 500 && ends["no-answer"] > 200,
        "{ends:?}"
    );
    let id = ids.iter().next().unwrap();
    let call = api.get(&format!("/v1/calls/{id}")).await.expect(200).json();
    assert_eq!(call["data"]["id"], json!(id));
}

#[tokio::test]
async fn seeded_texts_and_made_ones_share_a_thread_in_order() {
    let api = Api::start().await;
    api.post(
        "/_sandbox/synthetic-messages",
        &json!({ "count": 20, "people": 2 }),
    )
    .await
    .expect(201);
    let conversations = all(&api, "/v1/conversations?", 100).await;
    assert_eq!(conversations.len(), 4);
    let main = api.sandbox.phone_number_id();
    let thread = conversations
        .iter()
        .find(|one| one["phoneNumberId"] == json!(main))
        .unwrap();
    let them = thread["participants"][0].as_str().unwrap();
    api.control
        .place_inbound_text(them, &main, "The last")
        .unwrap();
    let path = format!(
        "/v1/messages?phoneNumberId={main}&participants={}&",
        encoded(them)
    );
    let texts = all(&api, &path, 2).await;
    assert_eq!(texts.len(), 6);
    assert_eq!(texts[5]["text"], "The last");
    let times: Vec<_> = texts
        .iter()
        .map(|text| text["createdAt"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted());
    assert!(
        texts
            .iter()
            .all(|text| text["conversationId"] == thread["id"])
    );
    assert_eq!(api.control.message_count(), 21);
}

#[tokio::test]
async fn a_hundred_thousand_are_there_at_once_and_a_reset_forgets_them() {
    let api = Api::start().await;
    api.post(
        "/_sandbox/synthetic-calls",
        &json!({ "count": 100_000, "people": 500 }),
    )
    .await
    .expect(201);
    api.control.seed_calls(100_000, 500);
    api.control.seed_calls(3, 500);
    api.control.seed_calls(0, 0);
    assert_eq!(api.control.call_count(), 200_003);
    let about = api.get("/_sandbox/").await.expect(200).json();
    assert_eq!(about["calls"], 200_003);
    let call = NewCall::incoming("+12025550143", api.sandbox.phone_number());
    let id = api.control.place_call(&call).unwrap();
    api.control.reset();
    assert_eq!(api.control.call_count(), 0);
    api.get(&format!("/v1/calls/{id}")).await.expect(404);
    assert!(all(&api, "/v1/conversations?", 100).await.is_empty());
}
