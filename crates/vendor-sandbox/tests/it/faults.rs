use std::io::{self, ErrorKind};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, advance, timeout};
use vendor_sandbox::openphone::{CREATE_CONTACT, DELETE_CONTACT, LIST_USERS};
use vendor_sandbox::{Fault, FaultKind, FaultPlan, Sandbox, When};

use crate::support::{Answer, Api, exchange, keys};

const USERS: &str = "/v1/users?maxResults=1";

async fn with(fault: Fault) -> Api {
    let api = Api::start().await;
    api.control
        .faults(FaultPlan::none().next(When::any(), 1, fault));
    api
}

async fn create(api: &Api) -> io::Result<Answer> {
    let body = json!({ "defaultFields": { "firstName": "A" } });
    api.send("POST", "/v1/contacts", Some(&body)).await
}

/// The last request's status and fault, as logged.
fn logged(api: &Api) -> (Option<u16>, Option<Fault>) {
    let record = api.control.requests().pop().unwrap();
    assert_eq!(record.operation, Some(CREATE_CONTACT));
    assert_eq!(record.template, Some("/v1/contacts"));
    assert_eq!(record.method, "POST");
    (record.status, record.fault)
}

#[tokio::test(start_paused = true)]
async fn latency_is_late_and_otherwise_right() {
    let fault = Fault::Latency { millis: 60_000 };
    let api = with(fault).await;
    let start = Instant::now();
    create(&api).await.unwrap().expect(201);
    assert!(start.elapsed() >= Duration::from_mins(1));
    assert_eq!(logged(&api), (Some(201), Some(fault)));
}

#[tokio::test]
async fn a_429_comes_with_or_without_retry_after_and_does_nothing() {
    for retry_after in [None, Some(7)] {
        let fault = Fault::RateLimited { retry_after };
        let api = with(fault).await;
        let answer = create(&api).await.unwrap().expect(429);
        let expected = retry_after.map(|seconds| seconds.to_string());
        assert_eq!(answer.header("retry-after"), expected.as_deref());
        assert_eq!(logged(&api), (Some(429), Some(fault)));
        assert_eq!(api.control.contact_count(), 0);
        create(&api).await.unwrap().expect(201);
        assert_eq!(logged(&api), (Some(201), None));
    }
    let builder = Sandbox::openphone().fault_plan(FaultPlan::none().next(
        When::any(),
        1,
        Fault::RateLimited { retry_after: None },
    ));
    let api = Api::on(builder.start().await.unwrap());
    let answer = api.get(USERS).await.expect(429);
    assert!(answer.header("ratelimit").unwrap().contains("r=0"));
}

#[tokio::test]
async fn server_errors_come_before_or_after_the_effect() {
    for status in [500, 502, 503, 504] {
        let api = with(Fault::ServerError {
            status,
            retry_after: Some(3),
        })
        .await;
        let answer = create(&api).await.unwrap().expect(status);
        assert_eq!(answer.header("retry-after"), Some("3"));
        if status == 500 {
            assert_eq!(answer.json()["code"], "0801500");
            assert_eq!(answer.json()["title"], "Unknown");
        } else {
            assert_eq!(keys(&answer.json()["error"]), ["key", "message", "trace"]);
        }
        assert_eq!(api.control.contact_count(), 0);

        let fault = Fault::ServerErrorAfterEffect { status };
        let api = with(fault).await;
        create(&api).await.unwrap().expect(status);
        assert_eq!(logged(&api), (Some(status), Some(fault)));
        assert_eq!(api.control.contact_count(), 1);
    }
    // A status that is no server error is answered as one.
    let api = with(Fault::ServerError {
        status: 200,
        retry_after: None,
    })
    .await;
    create(&api).await.unwrap().expect(500);
}

/// A rate never draws these two; a script does, at this vendor too.
#[tokio::test]
async fn an_answer_may_be_spoilt_or_say_no() {
    let api = with(Fault::MalformedJson).await;
    let answer = create(&api).await.unwrap().expect(201);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(api.control.contact_count(), 1);
    // This vendor's answers have no word for "not done".
    let api = with(Fault::Unsuccessful).await;
    create(&api).await.unwrap().expect(500);
    assert_eq!(api.control.contact_count(), 0);
    for kind in [FaultKind::MalformedJson, FaultKind::Unsuccessful] {
        assert!(!FaultKind::ALL.contains(&kind));
    }
    let plan = json!({ "script": [{ "fault": { "kind": "malformed_json" } }, { "fault": { "kind": "unsuccessful" } }] });
    api.put("/_sandbox/faults", &plan).await.expect(200);
}

#[tokio::test]
async fn resets_are_resets() {
    for (fault, count) in [(Fault::ResetBeforeEffect, 0), (Fault::ResetAfterEffect, 1)] {
        let api = with(fault).await;
        let error = create(&api).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{fault:?}");
        assert_eq!(api.control.contact_count(), count, "{fault:?}");
        assert_eq!(logged(&api), (None, Some(fault)));
        create(&api).await.unwrap().expect(201);
    }
}

#[tokio::test]
async fn a_truncated_body_promises_more_than_it_sends() {
    let api = with(Fault::TruncatedBody).await;
    let error = create(&api).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(api.control.contact_count(), 1);
    assert_eq!(logged(&api), (None, Some(Fault::TruncatedBody)));

    // What there is of it is the beginning of the right answer.
    let api = with(Fault::TruncatedBody).await;
    let address = api
        .sandbox
        .base_url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let request = format!(
        "GET {USERS} HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\n\r\n",
        api.sandbox.api_key()
    );
    let bytes = read_all(&address, request.as_bytes()).await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(body.starts_with("{\"data\":["));
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
}

async fn read_all(address: &str, request: &[u8]) -> Vec<u8> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn an_empty_answer_has_nothing_to_cut_and_is_reset() {
    let api = Api::start().await;
    let id = api
        .control
        .seed(&json!({ "defaultFields": { "firstName": "A" } }))
        .unwrap();
    api.control
        .faults(FaultPlan::none().next(DELETE_CONTACT, 1, Fault::TruncatedBody));
    let error = api
        .send("DELETE", &format!("/v1/contacts/{id}"), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn an_html_page_is_html() {
    let api = with(Fault::HtmlErrorPage).await;
    let answer = create(&api).await.unwrap().expect(502);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(answer.text().contains("502 Bad Gateway"));
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn what_is_answered_late_has_happened_even_if_nobody_waits() {
    let fault = Fault::Latency { millis: 3_600_000 };
    let api = with(fault).await;
    let mut waiting = Box::pin(create(&api));
    until_logged(&api, &mut waiting).await;
    drop(waiting);
    assert_eq!(logged(&api), (Some(201), Some(fault)));
    assert_eq!(api.control.contact_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_at_the_door_uses_up_no_step() {
    let builder = Sandbox::openphone()
        .rate_limit(Some(1))
        .max_body(1_000)
        .fault_plan(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::ResetAfterEffect));
    let api = Api::on(builder.start().await.unwrap());
    let key = api.sandbox.api_key().to_owned();
    let api = api.with_key(Some("stranger"));
    create(&api).await.unwrap().expect(401);
    let api = api.with_key(Some(&key));
    api.get(USERS).await.expect(200);
    create(&api).await.unwrap().expect(429);
    advance(Duration::from_secs(1)).await;
    let large = json!({ "defaultFields": { "firstName": "x".repeat(1_000) } });
    api.post("/v1/contacts", &large).await.expect(413);
    assert!(
        api.control
            .requests()
            .iter()
            .all(|record| record.fault.is_none())
    );
    advance(Duration::from_secs(1)).await;
    let error = create(&api).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(api.control.contact_count(), 1);
}

/// Waits until the request stands in the log, and so has been read and decided upon.
async fn until_logged(api: &Api, waiting: &mut (impl Future<Output = io::Result<Answer>> + Unpin)) {
    let logged = async {
        while api.control.request_count() == 0 {
            tokio::select! {
                biased;
                answer = &mut *waiting => panic!("{answer:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    };
    // Only a request that is never logged meets this bound.
    timeout(Duration::from_secs(10), logged).await.unwrap();
}

#[tokio::test]
async fn a_hang_lasts_until_the_caller_gives_up() {
    for (fault, count) in [(Fault::Hang, 0), (Fault::HangAfterEffect, 1)] {
        let api = with(fault).await;
        let mut waiting = Box::pin(create(&api));
        until_logged(&api, &mut waiting).await;
        drop(waiting);
        assert_eq!(logged(&api), (None, Some(fault)));
        assert_eq!(api.control.contact_count(), count, "{fault:?}");
        create(&api).await.unwrap().expect(201);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bounded_hang_ends_in_a_reset() {
    let api = Api::start().await;
    let plan = FaultPlan::none()
        .next(When::any(), 1, Fault::HangAfterEffect)
        .hang_millis(90_000);
    api.control.faults(plan);
    let start = Instant::now();
    assert_eq!(
        create(&api).await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert!(start.elapsed() >= Duration::from_secs(90));
    assert_eq!(api.control.contact_count(), 1);
}

#[tokio::test]
async fn faults_keep_to_their_operation_and_away_from_the_control_side() {
    let api = Api::start().await;
    let plan = FaultPlan::none()
        .next(CREATE_CONTACT, 1, Fault::HtmlErrorPage)
        .chance(
            LIST_USERS,
            1.0,
            Fault::ServerError {
                status: 503,
                retry_after: None,
            },
        );
    api.control.faults(plan);
    api.get("/v1/phone-numbers").await.expect(200);
    api.get(USERS).await.expect(503);
    api.get(USERS).await.expect(503);
    create(&api).await.unwrap().expect(502);
    create(&api).await.unwrap().expect(201);
    api.control.faults(FaultPlan::rate(1.0));
    for _ in 0..20 {
        api.get("/_sandbox/").await.expect(200);
        api.get("/v1/nowhere").await.expect(404);
    }
    api.control.clear_faults();
    api.get(USERS).await.expect(200);
}

/// The log is the truth about a storm: a contact exists for every create that was answered with
/// 201 and for every one whose fault came after the effect, and for no other.
#[tokio::test(start_paused = true)]
async fn a_storm_is_accounted_for() {
    let builder = Sandbox::openphone()
        .rate_limit(None)
        .fault_plan(FaultPlan::rate(0.5));
    let api = Api::on(builder.start().await.unwrap());
    let mut answered = 0;
    for _ in 0..400 {
        answered += u64::from(matches!(create(&api).await, Ok(answer) if answer.status == 201));
    }
    let requests = api.control.requests();
    assert_eq!(requests.len(), 400);
    let late = [
        FaultKind::ServerErrorAfterEffect,
        FaultKind::ResetAfterEffect,
        FaultKind::TruncatedBody,
        FaultKind::HangAfterEffect,
    ];
    let kind = |fault: Option<Fault>| fault.and_then(Fault::kind);
    let lost = requests
        .iter()
        .filter(|record| kind(record.fault).is_some_and(|kind| late.contains(&kind)));
    assert_eq!(api.control.contact_count(), answered + lost.count() as u64);
    for kind_wanted in FaultKind::ALL {
        let seen = requests
            .iter()
            .any(|record| kind(record.fault) == Some(*kind_wanted));
        assert!(seen, "{kind_wanted:?} never struck");
    }
}

#[tokio::test]
async fn faults_come_over_http_too() {
    let api = Api::start().await;
    let plan = json!({
        "script": [{ "operation": "createContact_v1", "times": 2, "fault": { "kind": "reset_after_effect" } }],
        "chances": [{ "operation": "listUsers_v1", "probability": 1, "fault": { "kind": "server_error", "status": 504 } }],
    });
    api.put("/_sandbox/faults", &plan).await.expect(200);
    for _ in 0..2 {
        assert_eq!(
            create(&api).await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    }
    create(&api).await.unwrap().expect(201);
    api.get(USERS).await.expect(504);
    api.delete("/_sandbox/faults").await.expect(200);
    api.get(USERS).await.expect(200);
    let log = api.get("/_sandbox/requests").await.expect(200).json();
    assert_eq!(log["total"], 5);
    assert_eq!(
        log["requests"][0]["fault"],
        json!({ "kind": "reset_after_effect" })
    );
    assert_eq!(log["requests"][0]["operation"], "createContact_v1");
    assert_eq!(log["requests"][0]["status"], Value::Null);
    let wrong =
        json!({ "script": [{ "operation": "craeteContact", "fault": { "kind": "hang" } }] });
    let answer = api.put("/_sandbox/faults", &wrong).await.expect(400);
    assert!(answer.text().contains("there is no operation"));
    let wrong = json!({ "script": [{ "fault": { "kind": "explode" } }] });
    api.put("/_sandbox/faults", &wrong).await.expect(400);
}

#[tokio::test]
async fn a_connection_serves_many_requests_in_a_row() {
    let api = Api::start().await;
    let address = api
        .sandbox
        .base_url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let one = format!(
        "GET {USERS} HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\n",
        api.sandbox.api_key()
    );
    let request = format!("{one}\r\n{one}\r\n{one}connection: close\r\n\r\n");
    exchange(&address, request.as_bytes())
        .await
        .unwrap()
        .expect(200);
    assert_eq!(api.control.request_count(), 3);
}
