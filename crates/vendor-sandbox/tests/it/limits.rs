use std::time::Duration;

use serde_json::json;
use tokio::time::advance;
use vendor_sandbox::Sandbox;

use crate::support::Api;

const LIST: &str = "/v1/users?maxResults=1";

#[tokio::test(start_paused = true)]
async fn ten_requests_pass_in_a_second_and_the_eleventh_does_not() {
    let api = Api::on(Sandbox::openphone().start().await.unwrap());
    for used in 1..=10 {
        let answer = api.get(LIST).await.expect(200);
        let expected = format!("\"per-second\"; r={}; t=1", 10 - used);
        assert_eq!(answer.header("ratelimit"), Some(expected.as_str()));
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"per-second\"; q=10; w=1")
        );
    }
    let answer = api.get(LIST).await.expect(429);
    assert_eq!(answer.header("ratelimit"), Some("\"per-second\"; r=0; t=1"));
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(answer.json()["error"]["key"], "TooManyRequests");
    advance(Duration::from_secs(1)).await;
    api.get(LIST).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_changes_nothing() {
    let api = Api::on(
        Sandbox::openphone()
            .rate_limit(Some(1))
            .start()
            .await
            .unwrap(),
    );
    let body = json!({ "defaultFields": { "firstName": "A" } });
    api.post("/v1/contacts", &body).await.expect(201);
    api.post("/v1/contacts", &body).await.expect(429);
    assert_eq!(api.control.contact_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_key_has_its_own_ten() {
    let api = Api::on(
        Sandbox::openphone()
            .rate_limit(Some(1))
            .start()
            .await
            .unwrap(),
    );
    api.control.add_api_key("second-key").unwrap();
    api.get(LIST).await.expect(200);
    api.get(LIST).await.expect(429);
    let api = api.with_key(Some("second-key"));
    api.get(LIST).await.expect(200);
    api.get(LIST).await.expect(429);
    // Strangers see the headers, as they do live, and are refused for their key alone.
    let api = api.with_key(Some("stranger"));
    for _ in 0..3 {
        let answer = api.get(LIST).await.expect(401);
        assert_eq!(answer.header("ratelimit"), Some("\"per-second\"; r=0; t=1"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_can_be_moved_and_lifted() {
    let api = Api::on(
        Sandbox::openphone()
            .rate_limit(Some(1))
            .start()
            .await
            .unwrap(),
    );
    api.get(LIST).await.expect(200);
    api.get(LIST).await.expect(429);
    api.control.set_rate_limit(None);
    for _ in 0..30 {
        let answer = api.get(LIST).await.expect(200);
        assert_eq!(
            (
                answer.header("ratelimit"),
                answer.header("ratelimit-policy")
            ),
            (None, None)
        );
    }
    api.control.set_rate_limit(Some(2));
    let answer = api.get(LIST).await.expect(200);
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"per-second\"; q=2; w=1")
    );
}

#[tokio::test(start_paused = true)]
async fn the_control_side_is_never_limited() {
    let api = Api::on(
        Sandbox::openphone()
            .rate_limit(Some(0))
            .start()
            .await
            .unwrap(),
    );
    api.get(LIST).await.expect(429);
    for _ in 0..20 {
        api.get("/_sandbox/").await.expect(200);
    }
}
