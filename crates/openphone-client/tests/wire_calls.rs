//! What stands on the wire of calls and what belongs to them, conversations and tasks.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::{
    Client, ConversationId, Delivery, ErrorKind, ListCalls, ListConversations, ListTasks,
    MessageId, NewTask, OpenPhoneErrorCode, PhoneNumberId, RetryPolicy, TaskTarget, TaskText,
};
use rstest::rstest;
use serde_json::{Value, json};

const CALL: &str = include_str!("fixtures/call.json");
const CALLS_PAGE: &str = include_str!("fixtures/calls_page.json");
const CONVERSATION: &str = include_str!("fixtures/conversation.json");
const CONVERSATIONS_PAGE: &str = include_str!("fixtures/conversations_page.json");
const RECORDINGS: &str = include_str!("fixtures/recordings.json");
const SUMMARY: &str = include_str!("fixtures/summary.json");
const TASK: &str = include_str!("fixtures/task.json");
const TASK_CREATED: &str = include_str!("fixtures/task_created.json");
const TASK_REVISION: &str = include_str!("fixtures/task_revision.json");
const TASKS_PAGE: &str = include_str!("fixtures/tasks_page.json");
const TRANSCRIPT: &str = include_str!("fixtures/transcript.json");
const VOICEMAIL: &str = include_str!("fixtures/voicemail.json");

/// A client whose one request gets this answer.
fn answers(status: u16, body: &'static str) -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    transport.push(Reply::status(status).body(body));
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}

fn line(request: &RecordedRequest) -> String {
    let path = &request.url[url::Position::BeforePath..];
    format!("{} {path}", request.method)
}

fn the_line(transport: &FakeTransport) -> String {
    let requests = transport.requests();
    assert_eq!(requests.len(), 1);
    let request = requests.first().unwrap();
    assert_eq!(request.header("authorization"), Some("k3y"));
    line(request)
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn lists_the_calls_with_one_number() {
    let (client, transport) = answers(200, CALLS_PAGE);
    let query = ListCalls::new("PNabc101", "+12025550143")
        .user_id("USabc201")
        .created_after(time("2026-03-01T00:00:00Z"))
        .created_before(time("2026-04-01T00:00:00.5Z"));
    let calls = client.calls().list(&query).all(10).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        the_line(&transport),
        "GET /v1/calls?phoneNumberId=PNabc101&participants=%2B12025550143&userId=USabc201\
         &createdAfter=2026-03-01T00%3A00%3A00.000Z&createdBefore=2026-04-01T00%3A00%3A00.500Z\
         &maxResults=100"
    );
}

#[tokio::test]
async fn reads_a_call_and_what_belongs_to_it() {
    let id = "AC/1".into();
    let (client, transport) = answers(200, CALL);
    client.calls().get(&id).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/calls/AC%2F1");

    let (client, transport) = answers(200, RECORDINGS);
    assert_eq!(client.recordings().list(&id).await.unwrap().len(), 2);
    assert_eq!(the_line(&transport), "GET /v1/call-recordings/AC%2F1");

    let (client, transport) = answers(200, SUMMARY);
    client.summaries().get(&id).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/call-summaries/AC%2F1");

    let (client, transport) = answers(200, TRANSCRIPT);
    client.transcripts().get(&id).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/call-transcripts/AC%2F1");

    let (client, transport) = answers(200, VOICEMAIL);
    client.voicemails().get(&id).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/call-voicemails/AC%2F1");
}

#[tokio::test]
async fn lists_conversations_with_every_filter() {
    let (client, transport) = answers(200, CONVERSATIONS_PAGE);
    let query = ListConversations::new()
        .phone_number("PNabc101")
        .phone_number(PhoneNumberId::from("PNabc102"))
        .phone_number("+12025550100")
        .user_id("USabc201")
        .created_after(time("2026-01-01T00:00:00Z"))
        .created_before(time("2026-02-01T00:00:00Z"))
        .updated_after(time("2026-03-01T00:00:00Z"))
        .updated_before(time("2026-04-01T00:00:00Z"))
        .exclude_inactive(true)
        .max_results(7u32);
    let page = client
        .conversations()
        .list_page(&query, Some("t/1"))
        .await
        .unwrap();
    assert_eq!((page.data.len(), page.next_page_token), (1, None));
    assert_eq!(
        the_line(&transport),
        "GET /v1/conversations?phoneNumbers=PNabc101&phoneNumbers=PNabc102\
         &phoneNumbers=%2B12025550100&userId=USabc201\
         &createdAfter=2026-01-01T00%3A00%3A00.000Z&createdBefore=2026-02-01T00%3A00%3A00.000Z\
         &updatedAfter=2026-03-01T00%3A00%3A00.000Z&updatedBefore=2026-04-01T00%3A00%3A00.000Z\
         &excludeInactive=true&maxResults=7&pageToken=t%2F1"
    );

    let (client, transport) = answers(200, CONVERSATIONS_PAGE);
    let all = client.conversations().list(&ListConversations::new());
    all.all(10).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/conversations?maxResults=100");
}

/// The answers of the three have no envelope.
#[tokio::test]
async fn marks_conversations() {
    let id = "CNabc301".into();
    for (mark, path) in [(0, "read"), (1, "done"), (2, "open")] {
        let (client, transport) = answers(200, CONVERSATION);
        let conversations = client.conversations();
        let call = match mark {
            0 => conversations.mark_as_read(&id),
            1 => conversations.mark_as_done(&id),
            _ => conversations.mark_as_open(&id),
        };
        assert_eq!(call.await.unwrap().id, id);
        let expected = format!("POST /v1/conversations/CNabc301/mark-as-{path}");
        assert_eq!(the_line(&transport), expected);
        assert!(transport.last_request().unwrap().body.is_empty());
    }
}

#[rstest]
#[case(PhoneNumberId::from("PNabc101").into(), "phoneNumberId", "PNabc101")]
#[case(ConversationId::from("CNabc301").into(), "conversationId", "CNabc301")]
#[case(MessageId::from("ACabc001").into(), "activityId", "ACabc001")]
#[tokio::test]
async fn creates_a_task_about_exactly_one_thing(
    #[case] about: TaskTarget,
    #[case] key: &str,
    #[case] id: &str,
) {
    let (client, transport) = answers(201, TASK_CREATED);
    let task = NewTask::new(about.clone(), "Call back", "About the delivery.");
    let created = client.tasks().create(&task).await.unwrap();
    assert_eq!(created.id.as_str(), "TKabc701");
    assert_eq!(the_line(&transport), "POST /v1/tasks");
    let mut expected = json!({"title": "Call back", "description": "About the delivery."});
    expected[key] = id.into();
    assert_eq!(transport.last_request().unwrap().json(), expected);

    let (client, transport) = answers(201, TASK_CREATED);
    let full = NewTask::new(about, "a", "b")
        .assigned_to("USabc201")
        .due_date(time("2026-03-05T12:00:00Z"));
    client.tasks().create(&full).await.unwrap();
    expected["title"] = "a".into();
    expected["description"] = "b".into();
    expected["assignedTo"] = "USabc201".into();
    expected["dueDate"] = "2026-03-05T12:00:00.000Z".into();
    assert_eq!(transport.last_request().unwrap().json(), expected);
}

#[tokio::test]
async fn changes_a_task() {
    let id = "TK/1".into();
    let (user, conversation) = ("USabc201".into(), "CNabc301".into());
    let due = time("2026-03-05T12:00:00Z");
    for (step, path, body) in [
        (0, "complete", Value::Null),
        (1, "reopen", Value::Null),
        (2, "assign", json!({"userId": "USabc201"})),
        (3, "unassign", json!({"userId": "USabc201"})),
        (
            4,
            "link-conversation",
            json!({"conversationId": "CNabc301"}),
        ),
        (
            5,
            "unlink-conversation",
            json!({"conversationId": "CNabc301"}),
        ),
        (
            6,
            "change-due-date",
            json!({"dueDate": "2026-03-05T12:00:00.000Z"}),
        ),
        (7, "remove-due-date", Value::Null),
    ] {
        let (client, transport) = answers(200, TASK_REVISION);
        let tasks = client.tasks();
        let call = match step {
            0 => tasks.complete(&id),
            1 => tasks.reopen(&id),
            2 => tasks.assign(&id, &user),
            3 => tasks.unassign(&id, &user),
            4 => tasks.link_conversation(&id, &conversation),
            5 => tasks.unlink_conversation(&id, &conversation),
            6 => tasks.change_due_date(&id, due),
            _ => tasks.remove_due_date(&id),
        };
        assert_eq!(call.await.unwrap().revision, "2");
        assert_eq!(
            the_line(&transport),
            format!("POST /v1/tasks/TK%2F1/{path}")
        );
        assert_eq!(transport.last_request().unwrap().json(), body, "{path}");
    }

    let (client, transport) = answers(200, TASK_REVISION);
    let text = TaskText::new("Call back", "Today.");
    client.tasks().update(&id, &text).await.unwrap();
    assert_eq!(the_line(&transport), "PUT /v1/tasks/TK%2F1");
    let body = json!({"title": "Call back", "description": "Today."});
    assert_eq!(transport.last_request().unwrap().json(), body);

    let (client, transport) = answers(204, "");
    client.tasks().delete(&id).await.unwrap();
    assert_eq!(the_line(&transport), "DELETE /v1/tasks/TK%2F1");

    let (client, transport) = answers(200, TASK);
    client.tasks().get(&id).await.unwrap();
    assert_eq!(the_line(&transport), "GET /v1/tasks/TK%2F1");
}

/// The last page of tasks has no `nextPageToken` at all.
#[tokio::test]
async fn lists_tasks() {
    let (client, transport) = answers(200, TASKS_PAGE);
    let tasks = client
        .tasks()
        .list(&ListTasks::new())
        .all(10)
        .await
        .unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(the_line(&transport), "GET /v1/tasks?maxResults=100");
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_answer_is_lost_is_not_created_again_but_a_state_is_set_again() {
    let (client, transport) = answers(500, "");
    let task = NewTask::new(PhoneNumberId::from("PN1"), "a", "b");
    let error = client.tasks().create(&task).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(transport.requests().len(), 1);

    for lost in [Reply::status(500), Reply::reset_after_sending()] {
        let transport = FakeTransport::new();
        transport.push(lost);
        transport.push(Reply::status(200).body(TASK_REVISION));
        let client = Client::builder()
            .api_key("k3y")
            .transport(Arc::new(transport.clone()))
            .retry(RetryPolicy::new())
            .build()
            .unwrap();
        client.tasks().complete(&"TK1".into()).await.unwrap();
        assert_eq!(transport.requests().len(), 2);
    }
}

#[rstest]
#[case(
    403,
    "0101403",
    ErrorKind::Permission,
    OpenPhoneErrorCode::NotPhoneNumberUser
)]
#[case(
    400,
    "0101400",
    ErrorKind::Validation,
    OpenPhoneErrorCode::TooManyParticipants
)]
#[case(
    402,
    "0600402",
    ErrorKind::QuotaSpent,
    OpenPhoneErrorCode::OpenTasksLimitReached
)]
#[case(404, "1200404", ErrorKind::NotFound, OpenPhoneErrorCode::NotFound)]
#[tokio::test]
async fn errors_of_these_resources_have_a_meaning(
    #[case] status: u16,
    #[case] code: &str,
    #[case] kind: ErrorKind,
    #[case] meaning: OpenPhoneErrorCode,
) {
    let transport = FakeTransport::new();
    let body = json!({"message": "no", "code": code, "status": status, "title": "No"});
    transport.push(Reply::status(status).json(&body));
    let client = Client::from_transport("k3y", Arc::new(transport)).unwrap();
    let error = client.voicemails().get(&"AC1".into()).await.unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(OpenPhoneErrorCode::of(&error), Some(meaning));
}
