//! Calls and what is left of them, over API v1.

use std::time::Duration;

use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::{CallEnd, Direction, NewCall, Plan};

use crate::support::{Api, encoded, keys};

const THEM: &str = "+12025550143";
const CALLS: &str = "/v1/calls";

/// A sandbox in which what is processed waits for the handle.
async fn held() -> Api {
    let builder = Sandbox::openphone().rate_limit(None).call_processing(None);
    Api::on(builder.start().await.unwrap())
}

fn incoming(api: &Api, end: CallEnd) -> String {
    let call = NewCall::incoming(THEM, api.sandbox.phone_number()).end(end);
    api.control.place_call(&call).unwrap()
}

async fn data(api: &Api, path: &str) -> Value {
    api.get(path).await.expect(200).json()["data"].clone()
}

async fn error(api: &Api, path: &str, status: u16) -> (Value, Value) {
    let error = api.get(path).await.expect(status).json();
    (error["code"].clone(), error["title"].clone())
}

fn query(api: &Api, participant: &str, rest: &str) -> String {
    let number = api.sandbox.phone_number_id();
    let participant = encoded(participant);
    format!("{CALLS}?phoneNumberId={number}&participants={participant}&maxResults=100{rest}")
}

#[tokio::test]
async fn each_end_of_a_call_has_its_own_marks() {
    let api = held().await;
    for (end, status, answered) in [
        (CallEnd::Answered, "completed", true),
        (CallEnd::AiHandled, "completed", true),
        (CallEnd::Missed, "no-answer", false),
        (CallEnd::Voicemail, "no-answer", false),
        (CallEnd::Forwarded, "forwarded", false),
        (CallEnd::Abandoned, "abandoned", false),
        (CallEnd::Failed, "failed", false),
    ] {
        let id = incoming(&api, end);
        let call = data(&api, &format!("{CALLS}/{id}")).await;
        assert_eq!(api.control.call(&id).unwrap(), call);
        assert_eq!(call["status"], status, "{end:?}");
        assert_eq!(call["answeredAt"].is_string(), answered, "{end:?}");
        assert_eq!(call["answeredBy"].is_string(), answered, "{end:?}");
        let by_machine = call["answeredBy"]
            .as_str()
            .is_some_and(|by| by.starts_with("SYU"));
        assert_eq!(by_machine, end == CallEnd::AiHandled);
        assert_eq!(call["aiHandled"].is_string(), end == CallEnd::AiHandled);
        assert_eq!(call["forwardedTo"].is_string(), end == CallEnd::Forwarded);
        assert!(call["completedAt"].is_string());
        assert_eq!(call["duration"], 24);
        assert_eq!(call["direction"], "incoming");
        assert_eq!(call["initiatedBy"], Value::Null);
        assert_eq!(
            call["participants"],
            json!([THEM, api.sandbox.phone_number()])
        );
    }
    let busy = NewCall::outgoing(api.sandbox.phone_number_id(), THEM)
        .end(CallEnd::Busy)
        .ringing(Duration::from_secs(9))
        .talking(Duration::ZERO);
    assert_eq!(busy.direction, Direction::Outgoing);
    let id = api.control.place_call(&busy).unwrap();
    let call = data(&api, &format!("{CALLS}/{id}")).await;
    assert_eq!(
        (&call["status"], &call["duration"]),
        (&json!("busy"), &json!(9))
    );
    assert!(call["initiatedBy"].is_string());
    assert_eq!(
        call["participants"],
        json!([api.sandbox.phone_number(), THEM])
    );
}

#[tokio::test]
async fn calls_that_cannot_be_are_refused() {
    let api = held().await;
    let number = api.sandbox.phone_number();
    for call in [
        NewCall::incoming(THEM, "+12025550199"),
        NewCall::incoming(" ", number),
        NewCall::incoming(THEM, number).end(CallEnd::Busy),
        NewCall::outgoing(number, THEM).end(CallEnd::Voicemail),
        NewCall::outgoing(number, THEM).end(CallEnd::AiHandled),
    ] {
        let error = api.control.place_call(&call).unwrap_err().to_string();
        assert!(error.starts_with("the call is not possible"), "{error}");
    }
    assert_eq!(api.control.call_count(), 0);
}

#[tokio::test]
async fn a_list_is_of_one_number_and_one_participant() {
    let api = held().await;
    let ids: Vec<_> = (0..3).map(|_| incoming(&api, CallEnd::Answered)).collect();
    api.control
        .place_call(&NewCall::incoming(
            "+12025550144",
            api.sandbox.phone_number(),
        ))
        .unwrap();
    api.control
        .place_call(&NewCall::incoming(THEM, "+12025550101"))
        .unwrap();
    let found = |list: &Value| -> Vec<String> {
        let list = list["data"].as_array().unwrap();
        list.iter()
            .map(|call| call["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = api.get(&query(&api, THEM, "")).await.expect(200).json();
    assert_eq!(keys(&all), ["data", "nextPageToken", "totalItems"]);
    assert_eq!(found(&all), ids);

    let pages = query(&api, THEM, "").replace("maxResults=100", "maxResults=2");
    let first = api.get(&pages).await.expect(200).json();
    assert_eq!(found(&first), ids[..2]);
    let token = first["nextPageToken"].as_str().unwrap();
    let second = api
        .get(&format!("{pages}&pageToken={token}"))
        .await
        .expect(200)
        .json();
    assert_eq!(found(&second), ids[2..]);
    assert_eq!(second["nextPageToken"], Value::Null);

    let created = data(&api, &format!("{CALLS}/{}", ids[1])).await["createdAt"].clone();
    let created = encoded(created.as_str().unwrap());
    for filter in [
        format!("&createdAfter={created}"),
        format!("&createdBefore={created}"),
        // By the vendor's words it acts as its opposite.
        format!("&since={created}"),
    ] {
        let list = api
            .get(&query(&api, THEM, &filter))
            .await
            .expect(200)
            .json();
        assert!(!found(&list).contains(&ids[1]), "{filter}");
    }
    for (filter, all) in [
        ("createdAfter", false),
        ("createdBefore", true),
        ("since", true),
    ] {
        let filter = format!("&{filter}=2100-01-01T00:00:00Z");
        let list = api
            .get(&query(&api, THEM, &filter))
            .await
            .expect(200)
            .json();
        assert_eq!(found(&list).len(), if all { 3 } else { 0 }, "{filter}");
    }
    let users = data(&api, "/v1/users?maxResults=10").await;
    let user = |index: usize| users[index]["id"].as_str().unwrap().to_owned();
    let owner = api
        .get(&query(&api, THEM, &format!("&userId={}", user(0))))
        .await;
    assert_eq!(found(&owner.expect(200).json()), ids);
    let admin = api
        .get(&query(&api, THEM, &format!("&userId={}", user(1))))
        .await;
    assert!(found(&admin.expect(200).json()).is_empty());
}

#[tokio::test]
async fn lists_say_what_is_wrong_with_them() {
    let api = held().await;
    let number = api.sandbox.phone_number_id();
    let two = query(&api, THEM, "&participants=%2B12025550144");
    assert_eq!(
        error(&api, &two, 400).await,
        (json!("0101400"), json!("Too Many Participants"))
    );
    for (query, paths) in [
        (
            String::new(),
            vec!["/phoneNumberId", "/participants", "/maxResults"],
        ),
        (
            format!("?phoneNumberId={number}&maxResults=101&participants=x"),
            vec!["/maxResults"],
        ),
        (
            "?phoneNumberId=x&maxResults=1&participants=".to_owned(),
            vec!["/phoneNumberId", "/participants/0"],
        ),
        (
            format!("?phoneNumberId={number}&maxResults=1&participants[]=x"),
            vec!["/participants"],
        ),
    ] {
        let refused = api.get(&format!("{CALLS}{query}")).await.expect(400);
        assert_eq!(refused.error_paths(), paths, "{query}");
    }
    let stranger = format!("{CALLS}?phoneNumberId=PNnone&maxResults=1&participants=x");
    assert_eq!(error(&api, &stranger, 404).await.0, "0100404");
    let users = data(&api, "/v1/users?maxResults=10").await;
    let numbers = data(&api, "/v1/phone-numbers").await;
    let private = format!(
        "{CALLS}?phoneNumberId={}&maxResults=1&participants=x&userId={}",
        numbers[1]["id"].as_str().unwrap(),
        users[2]["id"].as_str().unwrap(),
    );
    assert_eq!(
        error(&api, &private, 403).await,
        (json!("0101403"), json!("Not Phone Number User"))
    );
    for (path, code) in [
        ("/v1/calls/ACnone", "0100404"),
        ("/v1/call-recordings/ACnone", "0900404"),
        ("/v1/call-summaries/ACnone", "0500404"),
        ("/v1/call-transcripts/ACnone", "0600404"),
        ("/v1/call-voicemails/ACnone", "1200404"),
    ] {
        assert_eq!(error(&api, path, 404).await.0, code, "{path}");
        let wrong = path.replace("ACnone", "none");
        api.get(&wrong).await.expect(400);
    }
}

#[tokio::test]
async fn what_was_said_is_worked_on_after_the_end() {
    let api = held().await;
    let id = incoming(&api, CallEnd::Answered);
    let paths =
        ["recordings", "summaries", "transcripts"].map(|what| format!("/v1/call-{what}/{id}"));
    let [recordings, summary, transcript] = &paths;
    let working = data(&api, recordings).await;
    assert_eq!(
        (&working[0]["status"], &working[0]["url"]),
        (&json!("in-progress"), &Value::Null)
    );
    assert_eq!(working[0]["duration"], Value::Null);
    for path in [summary, transcript] {
        assert_eq!(data(&api, path).await["status"], "in-progress");
    }
    assert_eq!(data(&api, summary).await["summary"], Value::Null);
    assert_eq!(data(&api, transcript).await["dialogue"], Value::Null);

    api.control.finish_calls();
    let done = data(&api, recordings).await;
    assert_eq!(done.as_array().unwrap().len(), 1);
    assert_eq!(
        (&done[0]["status"], &done[0]["duration"]),
        (&json!("completed"), &json!(20))
    );
    assert_eq!(done[0]["type"], "audio/mpeg");
    let summary = data(&api, summary).await;
    assert_eq!(summary["status"], "completed");
    assert!(summary["summary"][0].is_string() && summary["nextSteps"][0].is_string());
    assert_eq!(summary["jobs"], Value::Null);
    let transcript = data(&api, transcript).await;
    assert_eq!(transcript["dialogue"].as_array().unwrap().len(), 2);
    assert_eq!(transcript["dialogue"][1]["identifier"], THEM);
    assert_eq!(transcript["dialogue"][1]["userId"], Value::Null);
    assert_eq!(
        error(&api, &format!("/v1/call-voicemails/{id}"), 404)
            .await
            .0,
        "1200404"
    );
}

#[tokio::test]
async fn processing_ends_without_anyone_asking() {
    let api = Api::start().await;
    let id = incoming(&api, CallEnd::Answered);
    api.control.webhooks_settled().await;
    let summary = data(&api, &format!("/v1/call-summaries/{id}")).await;
    assert_eq!(summary["status"], "completed");
}

#[tokio::test]
async fn a_call_may_leave_less_behind() {
    let api = held().await;
    let plain = NewCall::incoming(THEM, api.sandbox.phone_number())
        .recorded(false)
        .transcribed(false)
        .summarised(false);
    let failing = NewCall::incoming(THEM, api.sandbox.phone_number()).processing_fails(true);
    let plain = api.control.place_call(&plain).unwrap();
    let failing = api.control.place_call(&failing).unwrap();
    let missed = incoming(&api, CallEnd::Missed);
    api.control.finish_calls();
    for (id, status) in [
        (&plain, "absent"),
        (&missed, "absent"),
        (&failing, "failed"),
    ] {
        let recordings = data(&api, &format!("/v1/call-recordings/{id}")).await;
        assert_eq!(
            recordings.as_array().unwrap().len(),
            usize::from(id == &failing)
        );
        for what in ["summaries", "transcripts"] {
            let data = data(&api, &format!("/v1/call-{what}/{id}")).await;
            assert_eq!(data["status"], status, "{what}");
        }
    }
    let strict = Sandbox::openphone()
        .rate_limit(None)
        .absent_is_missing(true);
    let api = Api::on(strict.start().await.unwrap());
    let id = incoming(&api, CallEnd::Missed);
    for (what, code) in [("summaries", "0500404"), ("transcripts", "0600404")] {
        let path = format!("/v1/call-{what}/{id}");
        assert_eq!(error(&api, &path, 404).await.0, code);
    }
}

#[tokio::test]
async fn a_voicemail_is_null_while_it_is_worked_on() {
    let api = held().await;
    let id = incoming(&api, CallEnd::Voicemail);
    let path = format!("/v1/call-voicemails/{id}");
    let working = data(&api, &path).await;
    assert_eq!(working["status"], "in-progress");
    for name in ["duration", "transcript", "recordingUrl"] {
        assert_eq!(working[name], Value::Null, "{name}");
    }
    api.control.finish_calls();
    let done = data(&api, &path).await;
    assert_eq!(
        (&done["status"], &done["duration"]),
        (&json!("completed"), &json!(20))
    );
    assert!(done["id"].as_str().unwrap().starts_with("VM"));
    assert!(done["transcript"].is_string() && done["recordingUrl"].is_string());
}

#[tokio::test]
async fn the_smallest_plan_has_no_insights() {
    let api = held().await;
    api.control.set_plan(Plan::Starter);
    let id = incoming(&api, CallEnd::Answered);
    for (what, code) in [("summaries", "0500403"), ("transcripts", "0600403")] {
        let path = format!("/v1/call-{what}/{id}");
        assert_eq!(
            error(&api, &path, 403).await,
            (json!(code), json!("Forbidden"))
        );
    }
    api.put("/_sandbox/plan", &json!({ "plan": "business" }))
        .await
        .expect(200);
    let summary = data(&api, &format!("/v1/call-summaries/{id}")).await;
    assert_eq!(
        summary["status"], "absent",
        "nothing was made while it was not paid for"
    );
}

#[tokio::test]
async fn a_live_call_rings_and_goes_on_and_ends() {
    let api = held().await;
    let hour = Duration::from_hours(1);
    let ringing = NewCall::incoming(THEM, api.sandbox.phone_number())
        .ringing(hour)
        .live(true);
    let talking = ringing
        .clone()
        .ringing(Duration::from_millis(1))
        .talking(hour);
    let ringing = api.control.place_call(&ringing).unwrap();
    let talking = api.control.place_call(&talking).unwrap();
    let path = |id: &str| format!("{CALLS}/{id}");
    // The clock of the runtime moves it on.
    while data(&api, &path(&talking)).await["status"] == "ringing" {
        tokio::task::yield_now().await;
    }
    let one = data(&api, &path(&ringing)).await;
    assert_eq!(
        (&one["status"], &one["duration"]),
        (&json!("ringing"), &json!(0))
    );
    let other = data(&api, &path(&talking)).await;
    assert_eq!(other["status"], "in-progress");
    assert!(other["answeredAt"].is_string() && other["completedAt"].is_null());
    for id in [&ringing, &talking] {
        assert!(
            data(&api, &format!("/v1/call-recordings/{id}"))
                .await
                .as_array()
                .unwrap()
                .is_empty()
        );
    }
    api.control.finish_calls();
    for id in [&ringing, &talking] {
        assert_eq!(data(&api, &path(id)).await["status"], "completed");
        let recordings = data(&api, &format!("/v1/call-recordings/{id}")).await;
        assert_eq!(recordings[0]["status"], "completed");
    }
}

#[tokio::test]
async fn calls_are_placed_over_http_too() {
    let api = held().await;
    let call = json!({
        "direction": "outgoing",
        "them": THEM,
        "number": api.sandbox.phone_number(),
        "end": "missed",
        "ringing_millis": 7_000,
        "talking_millis": 0,
        "summarised": false,
    });
    let id = api.post("/_sandbox/calls", &call).await.expect(201).json()["id"].clone();
    let path = format!("/_sandbox/calls/{}", id.as_str().unwrap());
    let found = api.get(&path).await.expect(200).json();
    assert_eq!((&found["id"], &found["duration"]), (&id, &json!(7)));
    api.post("/_sandbox/calls/finish", &json!({}))
        .await
        .expect(200);
    for wrong in [
        json!({}),
        json!({ "direction": "sideways", "them": THEM, "number": "x" }),
    ] {
        api.post("/_sandbox/calls", &wrong).await.expect(400);
    }
    api.get("/_sandbox/calls/ACnone").await.expect(404);
}
