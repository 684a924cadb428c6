//! Calls, conversations and tasks against the simulated vendor, written by other hands from the same facts.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use openphone_client::{
    CallId, Client, ErrorKind, ExportRange, ListCalls, ListConversations, ListPhoneNumbers,
    ListTasks, ListUsers, Method, NewTask, ProcessingStatus, Rate, RateClass, RecordingStatus,
    TaskText, VoicemailStatus,
};
use serde_json::{Value, json};
use vendor_sandbox::Sandbox;

const THEM: &str = "+12025550143";

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .rate(RateClass::DEFAULT, Rate::per_second(10_000))
        .build()
        .unwrap();
    (sandbox, client)
}

async fn control(client: &Client, path: &str, body: &Value) -> Value {
    let request = client.raw(Method::Post, &format!("/_sandbox/{path}"));
    let answer = request.json(body).bytes().await.unwrap();
    serde_json::from_slice(&answer).unwrap_or_default()
}

/// Lets somebody call the first number, and gives the id of the call.
async fn called(client: &Client, more: Value) -> CallId {
    let numbers = client.phone_numbers().list(&ListPhoneNumbers::new());
    let numbers = numbers.await.unwrap();
    let mut body = json!({"direction": "incoming", "them": THEM, "number": numbers[0].number});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    control(client, "calls", &body).await;
    control(client, "calls/finish", &json!({})).await;
    let query = ListCalls::new(&numbers[0].id, THEM);
    let calls = client.calls().list(&query).all(10).await.unwrap();
    let newest = calls.iter().max_by_key(|call| call.created_at).unwrap();
    newest.id.clone()
}

#[tokio::test]
async fn a_call_that_is_recorded_transcribed_and_summarised() {
    let (_sandbox, client) = sandbox().await;
    let how = json!({"end": "answered", "recorded": true, "transcribed": true, "summarised": true});
    let id = called(&client, how).await;

    let call = client.calls().get(&id).await.unwrap();
    assert!(call.is_answered() && call.participants.contains(&THEM.to_owned()));
    let within = Duration::from_secs(20);
    let transcript = client
        .calls()
        .wait_for_transcript(&id, within)
        .await
        .unwrap();
    assert_eq!(transcript.status, ProcessingStatus::Completed);
    assert!(!transcript.dialogue.is_empty() && transcript.call_id == id);
    let summary = client.calls().wait_for_summary(&id, within).await.unwrap();
    assert_eq!(summary.status, ProcessingStatus::Completed);
    assert!(!summary.summary.is_empty());

    let recordings = client.recordings().list(&id).await.unwrap();
    assert_eq!(recordings[0].status, Some(RecordingStatus::Completed));
    let mut audio = Vec::new();
    let download = client.recordings().download(&recordings[0], &mut audio);
    let bytes = download.await.unwrap();
    assert!(bytes > 0 && bytes == audio.len() as u64);

    control(&client, "recording-urls/expire", &json!({})).await;
    let download = client.recordings().download(&recordings[0], &mut audio);
    let error = download.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_elsewhere()),
        (ErrorKind::Permission, true)
    );
}

#[tokio::test]
async fn a_call_that_is_missed_and_one_that_leaves_a_voicemail() {
    let (_sandbox, client) = sandbox().await;
    let missed = called(&client, json!({"end": "missed"})).await;
    assert!(!client.calls().get(&missed).await.unwrap().is_answered());
    let none = client.voicemails().get(&missed).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    let day = Duration::from_hours(24);
    let summary = client.calls().wait_for_summary(&missed, day).await.unwrap();
    assert_eq!(summary.status, ProcessingStatus::Absent);

    let id = called(&client, json!({"end": "voicemail"})).await;
    let voicemail = client.voicemails().get(&id).await.unwrap();
    assert_eq!(voicemail.status, VoicemailStatus::Completed);
    let mut audio = Vec::new();
    let download = client.recordings().download(&voicemail, &mut audio);
    assert!(download.await.unwrap() > 0);
}

#[tokio::test]
async fn conversations_are_listed_and_marked() {
    let (_sandbox, client) = sandbox().await;
    called(&client, json!({"end": "answered"})).await;
    let list = client.conversations().list(&ListConversations::new());
    let conversations = list.all(10).await.unwrap();
    let conversation = conversations
        .iter()
        .find(|it| it.participants == [THEM])
        .unwrap();
    let marks = client.conversations();
    for marked in [
        marks.mark_as_read(&conversation.id).await.unwrap(),
        marks.mark_as_done(&conversation.id).await.unwrap(),
        marks.mark_as_open(&conversation.id).await.unwrap(),
    ] {
        assert_eq!(marked.id, conversation.id);
    }
}

#[tokio::test]
async fn a_task_from_beginning_to_end() {
    let (_sandbox, client) = sandbox().await;
    let call = called(&client, json!({"end": "missed"})).await;
    let users = client
        .users()
        .list(&ListUsers::new())
        .all(10)
        .await
        .unwrap();
    let tasks = client.tasks();
    let new = NewTask::new(call.clone(), "Call back", "About the delivery.")
        .due_date(chrono::DateTime::UNIX_EPOCH);
    let created = tasks.create(&new).await.unwrap();
    let id = created.id;
    let conversations = client.conversations().list(&ListConversations::new());
    let conversation = conversations.all(10).await.unwrap().remove(0).id;

    let task = tasks.get(&id).await.unwrap();
    assert_eq!(task.activity_id, Some(call.into()));
    assert_eq!(task.due_date, Some(chrono::DateTime::UNIX_EPOCH));
    tasks.assign(&id, &users[0].id).await.unwrap();
    assert_eq!(
        tasks.get(&id).await.unwrap().assigned_to.as_ref(),
        Some(&users[0].id)
    );
    tasks.unassign(&id, &users[0].id).await.unwrap();
    tasks.link_conversation(&id, &conversation).await.unwrap();
    tasks.unlink_conversation(&id, &conversation).await.unwrap();
    tasks
        .change_due_date(&id, chrono::DateTime::UNIX_EPOCH)
        .await
        .unwrap();
    tasks.remove_due_date(&id).await.unwrap();
    let text = TaskText::new("Call again", "");
    tasks.update(&id, &text).await.unwrap();
    let revision = tasks.complete(&id).await.unwrap();
    let task = tasks.get(&id).await.unwrap();
    assert_eq!(
        (task.revision.as_str(), task.completed),
        (revision.revision.as_str(), true)
    );
    assert_eq!(
        (task.title.as_deref(), task.due_date),
        (Some("Call again"), None)
    );
    tasks.reopen(&id).await.unwrap();
    assert_eq!(
        tasks.list(&ListTasks::new()).all(10).await.unwrap().len(),
        1
    );
    tasks.delete(&id).await.unwrap();
}

#[tokio::test]
async fn everything_is_exported_once() {
    let (_sandbox, client) = sandbox().await;
    let many = json!({"count": 700, "people": 12});
    control(&client, "synthetic-calls", &many).await;
    control(&client, "synthetic-messages", &many).await;

    let mut calls = client.calls().export(..).items();
    let mut ids = BTreeSet::new();
    while let Some(call) = calls.next().await {
        assert!(ids.insert(call.unwrap().id));
    }
    assert_eq!(ids.len(), 700, "{:?}", calls.progress());

    let mut messages = client.messages().export(ExportRange::all()).items();
    let mut ids = BTreeSet::new();
    while let Some(message) = messages.next().await {
        assert!(ids.insert(message.unwrap().id));
    }
    assert_eq!(ids.len(), 700, "{:?}", messages.progress());
}
