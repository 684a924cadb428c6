//! Downloads without the key, and waits that end.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;
use std::time::Duration;

use connector_http::BodyErrorKind;
use connector_http::testing::{FakeTransport, Reply};
use openphone_client::{
    CallId, Client, Delivery, ErrorKind, ProcessingStatus, Recording, Voicemail,
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::Instant;

const RECORDINGS: &str = include_str!("fixtures/recordings.json");
const SUMMARY: &str = include_str!("fixtures/summary.json");
const SUMMARY_PENDING: &str = include_str!("fixtures/summary_pending.json");
const TRANSCRIPT: &str = include_str!("fixtures/transcript.json");
const TRANSCRIPT_PENDING: &str = include_str!("fixtures/transcript_pending.json");
const VOICEMAIL: &str = include_str!("fixtures/voicemail.json");

fn client_of(transport: &FakeTransport) -> Client {
    Client::from_transport("c4nary-key", Arc::new(transport.clone())).unwrap()
}

fn script(replies: impl IntoIterator<Item = Reply>) -> FakeTransport {
    let transport = FakeTransport::new();
    for reply in replies {
        transport.push(reply);
    }
    transport
}

fn answers(bodies: &[&'static str]) -> FakeTransport {
    script(bodies.iter().map(|body| Reply::status(200).body(*body)))
}

fn recordings() -> Vec<Recording> {
    let body: Value = serde_json::from_str(RECORDINGS).unwrap();
    serde_json::from_value(body["data"].clone()).unwrap()
}

fn call() -> CallId {
    CallId::from("ACabc401")
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_downloaded_without_the_key() {
    let transport = answers(&[RECORDINGS, "audio"]);
    let client = client_of(&transport);
    let listed = client.recordings().list(&call()).await.unwrap();
    let mut audio = Vec::new();
    let first = listed.first().unwrap();
    let bytes = client.recordings().download(first, &mut audio).await;
    assert_eq!((bytes.unwrap(), audio.as_slice()), (5, &b"audio"[..]));

    let requests = transport.requests();
    let [list, download] = requests.as_slice() else {
        unreachable!("two requests")
    };
    assert_eq!(list.header("authorization"), Some("c4nary-key"));
    assert_eq!(Some(download.url.as_str()), first.url.as_deref());
    for (name, value) in &download.headers {
        assert_ne!(name, "authorization");
        assert!(!value.to_str().unwrap().contains("c4nary"), "{name}");
    }
}

/// Not to the API's own host either: what is there to download needs no key.
#[tokio::test(start_paused = true)]
async fn a_voicemail_and_an_address_are_downloaded_alike() {
    let transport = answers(&["1", "22", "333"]);
    let client = client_of(&transport);
    let body: Value = serde_json::from_str(VOICEMAIL).unwrap();
    let voicemail: Voicemail = serde_json::from_value(body["data"].clone()).unwrap();
    let url = "https://api.quo.com/v1/media/1.mp3".to_owned();
    let mut audio = Vec::new();
    let recordings = client.recordings();
    assert_eq!(
        recordings.download(&voicemail, &mut audio).await.unwrap(),
        1
    );
    assert_eq!(recordings.download(&url, &mut audio).await.unwrap(), 2);
    let download = recordings.download(url.as_str(), &mut audio);
    assert_eq!(download.await.unwrap(), 3);
    for request in transport.requests() {
        assert_eq!(request.header("authorization"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_asked_for() {
    let transport = answers(&["audio"]);
    let client = client_of(&transport);
    let listed = recordings();
    let mut audio = Vec::new();
    let processing = listed.get(1).unwrap();
    let download = client.recordings().download(processing, &mut audio);
    let error = download.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(error.field_errors().first().unwrap().path, "/url");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(transport.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_part_and_a_cap_are_errors() {
    let part = || Reply::status(200).body("audio").cut(BodyErrorKind::Broken);
    let transport = script([part(), Reply::status(200).body("audio")]);
    let client = client_of(&transport);
    let listed = recordings();
    let recording = listed.first().unwrap();
    let mut audio = Vec::new();
    let recordings = client.recordings();
    let error = recordings
        .download(recording, &mut audio)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.operation(), "recordings.download");
    let capped = recordings.download(recording, &mut audio).max_bytes(4);
    assert_eq!(capped.await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(transport.requests().len(), 2);
}

/// A signed address that has expired must not look like a key that was taken back.
#[rstest]
#[case(401)]
#[case(403)]
#[tokio::test(start_paused = true)]
async fn an_expired_address_is_no_wrong_key(#[case] status: u16) {
    let transport =
        script([Reply::status(status).body("<Error><Code>AccessDenied</Code></Error>")]);
    let listed = recordings();
    let client = client_of(&transport);
    let mut audio = Vec::new();
    let download = client
        .recordings()
        .download(listed.first().unwrap(), &mut audio);
    let shown = format!("{download:?}");
    let error = download.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(!format!("{shown} {error} {error:?}").contains("media.example.com"));
}

#[tokio::test(start_paused = true)]
async fn a_transcript_is_waited_for() {
    let transport = answers(&[TRANSCRIPT_PENDING, TRANSCRIPT_PENDING, TRANSCRIPT]);
    let client = client_of(&transport);
    let start = Instant::now();
    let wait = client
        .calls()
        .wait_for_transcript(&call(), Duration::from_mins(5));
    let transcript = tokio::spawn(wait).await.unwrap().unwrap();
    assert_eq!(transcript.status, ProcessingStatus::Completed);
    assert_eq!(transcript.dialogue.len(), 2);
    // Two seconds, four, and up to a tenth more.
    assert!((6.0..7.0).contains(&start.elapsed().as_secs_f64()));
    for request in transport.requests() {
        assert_eq!(request.path(), "/v1/call-transcripts/ACabc401");
    }
}

#[tokio::test(start_paused = true)]
async fn a_summary_is_waited_for_until_the_deadline() {
    let transport = answers(&[SUMMARY_PENDING, SUMMARY]);
    let client = client_of(&transport);
    let wait = |deadline| client.calls().wait_for_summary(&call(), deadline);
    let summary = wait(Duration::from_mins(5)).await.unwrap();
    assert_eq!(summary.summary.len(), 1);

    let transport = FakeTransport::handler(|_| Reply::status(200).body(SUMMARY_PENDING));
    let client = client_of(&transport);
    let start = Instant::now();
    let wait = client
        .calls()
        .wait_for_summary(&call(), Duration::from_secs(30));
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable() && start.elapsed() <= Duration::from_secs(30));
    assert_eq!(
        error.to_string(),
        "openphone calls.wait_for_summary: timed out: after 5 looks it was still in progress"
    );
}

#[rstest]
#[case("failed", ProcessingStatus::Failed)]
#[case("absent", ProcessingStatus::Absent)]
#[case("of-tomorrow", ProcessingStatus::Unknown("of-tomorrow".to_owned()))]
#[tokio::test(start_paused = true)]
async fn what_will_not_come_is_a_result(#[case] word: &str, #[case] status: ProcessingStatus) {
    let body =
        json!({"data": {"callId": "ACabc401", "status": word, "summary": null, "dialogue": null}});
    let transport = FakeTransport::handler(move |_| Reply::status(200).json(&body));
    let client = client_of(&transport);
    let day = Duration::from_hours(24);
    let summary = client.calls().wait_for_summary(&call(), day).await;
    assert_eq!(summary.unwrap().status, status);
    let transcript = client.calls().wait_for_transcript(&call(), day).await;
    assert_eq!(transcript.unwrap().status, status);
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_there_is_not_waited_for() {
    let body = json!({"message": "no", "code": "0600404", "status": 404, "title": "Not Found"});
    let transport = script([Reply::status(404).json(&body)]);
    let client = client_of(&transport);
    let wait = client
        .calls()
        .wait_for_transcript(&call(), Duration::from_mins(5));
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(transport.requests().len(), 1);
}

/// What the caller chose for each request holds, and the wait's own deadline over it.
#[tokio::test(start_paused = true)]
async fn options_hold_for_each_request() {
    let transport = FakeTransport::handler(|_| Reply::hang());
    let client = client_of(&transport);
    let wait = client
        .calls()
        .wait_for_transcript(&call(), Duration::from_secs(10))
        .timeout(Duration::from_secs(3))
        .deadline(Duration::from_mins(5))
        .no_retry();
    let start = Instant::now();
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(start.elapsed() <= Duration::from_secs(10));
    let timeouts: Vec<_> = transport
        .requests()
        .iter()
        .map(|request| request.timeout.as_secs())
        .collect();
    assert_eq!(timeouts.first(), Some(&3));
}
