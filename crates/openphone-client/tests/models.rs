//! The models read what the vendor sends, and what it may send tomorrow.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use openphone_client::{
    AiHandler, CallDirection, CallRoute, CallStatus, CallSummary, Contact, Conversation,
    CreatedTask, CustomField, CustomFieldType, ListPage, Message, MessageDirection, MessageStatus,
    PhoneCall, PhoneNumber, ProcessingStatus, Recording, RecordingStatus, Task, TaskRevision,
    Transcript, User, UserRole, Voicemail, VoicemailStatus, Webhook, WebhookEvent,
    WebhookResources, WebhookStatus,
};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

fn read<T: DeserializeOwned>(body: &str) -> T {
    serde_json::from_str::<Data<T>>(body).unwrap().data
}

fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

const CALL: &str = include_str!("fixtures/call.json");
const CALL_MISSED: &str = include_str!("fixtures/call_missed.json");
const RECORDINGS: &str = include_str!("fixtures/recordings.json");
const SUMMARY: &str = include_str!("fixtures/summary.json");
const SUMMARY_PENDING: &str = include_str!("fixtures/summary_pending.json");
const TASK: &str = include_str!("fixtures/task.json");
const TASK_CREATED: &str = include_str!("fixtures/task_created.json");
const TRANSCRIPT: &str = include_str!("fixtures/transcript.json");
const TRANSCRIPT_PENDING: &str = include_str!("fixtures/transcript_pending.json");
const VOICEMAIL: &str = include_str!("fixtures/voicemail.json");
/// As the three marks answer it; here in the envelope that everything else has.
const CONVERSATION: &str = concat!(
    "{\"data\":",
    include_str!("fixtures/conversation.json"),
    "}"
);
const CONTACT: &str = include_str!("fixtures/contact.json");
const CONTACT_BARE: &str = include_str!("fixtures/contact_bare.json");
const CUSTOM_FIELDS: &str = include_str!("fixtures/custom_fields.json");
const MESSAGE_RECEIVED: &str = include_str!("fixtures/message_received.json");
const MESSAGE_SENT: &str = include_str!("fixtures/message_sent.json");
const PHONE_NUMBER: &str = include_str!("fixtures/phone_number.json");
const PHONE_NUMBERS: &str = include_str!("fixtures/phone_numbers.json");
const USER: &str = include_str!("fixtures/user.json");
const WEBHOOK: &str = include_str!("fixtures/webhook.json");
const WEBHOOKS: &str = include_str!("fixtures/webhooks.json");

#[test]
fn contact() {
    insta::assert_snapshot!(pretty(&read::<Contact>(CONTACT)));
}

#[test]
fn contact_bare() {
    insta::assert_snapshot!(pretty(&read::<Contact>(CONTACT_BARE)));
}

#[test]
fn custom_fields() {
    insta::assert_snapshot!(pretty(&read::<Vec<CustomField>>(CUSTOM_FIELDS)));
}

#[test]
fn message_sent() {
    insta::assert_snapshot!(pretty(&read::<Message>(MESSAGE_SENT)));
}

#[test]
fn message_received() {
    insta::assert_snapshot!(pretty(&read::<Message>(MESSAGE_RECEIVED)));
}

#[test]
fn phone_number() {
    insta::assert_snapshot!(pretty(&read::<PhoneNumber>(PHONE_NUMBER)));
}

#[test]
fn phone_numbers_with_a_malformed_time() {
    insta::assert_snapshot!(pretty(&read::<Vec<PhoneNumber>>(PHONE_NUMBERS)));
}

#[test]
fn user() {
    insta::assert_snapshot!(pretty(&read::<User>(USER)));
}

#[test]
fn calls() {
    let call: PhoneCall = read(CALL);
    let missed: PhoneCall = read(CALL_MISSED);
    assert!(call.is_answered() && !missed.is_answered());
    insta::assert_snapshot!(pretty(&[call, missed]));
}

#[test]
fn what_belongs_to_a_call() {
    let recordings: Vec<Recording> = read(RECORDINGS);
    let summaries = [read::<CallSummary>(SUMMARY), read(SUMMARY_PENDING)];
    let transcripts = [read::<Transcript>(TRANSCRIPT), read(TRANSCRIPT_PENDING)];
    let voicemail: Voicemail = read(VOICEMAIL);
    insta::assert_snapshot!(pretty(&(recordings, summaries, transcripts, voicemail)));
}

#[test]
fn conversations_and_tasks() {
    let conversation: Conversation = read(CONVERSATION);
    let task: Task = read(TASK);
    let created: CreatedTask = read(TASK_CREATED);
    insta::assert_snapshot!(pretty(&(conversation, task, created)));
}

/// The dated API counts revisions, this one names them.
#[test]
fn a_revision_may_be_a_number() {
    let revision: TaskRevision = read(r#"{"data":{"taskId":"TK1","revision":7}}"#);
    assert_eq!(revision.revision, "7");
}

#[test]
fn webhooks() {
    let webhooks: Vec<Webhook> = read(WEBHOOKS);
    insta::assert_snapshot!(format!("{webhooks:#?}"));
    assert_eq!(
        webhooks.iter().map(Webhook::is_enabled).collect::<Vec<_>>(),
        [true, false]
    );
    let webhook: Webhook = read(WEBHOOK);
    let key = webhook.key.unwrap();
    assert_eq!(key.expose_secret(), "c3ludGhldGljLXdlYmhvb2sta2V5");
    assert_eq!(webhook.url, "https://hooks.example.com/quo/7d1f");
    assert_eq!(webhook.label.as_deref(), Some("CRM"));
    assert_eq!(webhooks[1].resources, WebhookResources::All);
}

#[test]
fn a_webhook_of_tomorrow_can_be_read() {
    let mut value: Value = serde_json::from_str(WEBHOOK).unwrap();
    let data = value["data"].as_object_mut().unwrap();
    data.insert("aFieldOfTomorrow".to_owned(), serde_json::json!({"x": [1]}));
    data["status"] = "paused".into();
    data["events"] = serde_json::json!(["message.read"]);
    data["resourceIds"] = Value::Null;
    data["key"] = "".into();
    let webhook: Webhook = read(&value.to_string());
    assert_eq!(webhook.status, WebhookStatus::Unknown("paused".to_owned()));
    assert_eq!(webhook.events, [WebhookEvent::from("message.read")]);
    assert!(!webhook.events[0].can_be_registered());
    assert_eq!(webhook.resources, WebhookResources::PhoneNumbers(vec![]));
    assert!(webhook.key.is_none() && !webhook.is_enabled());
}

#[test]
fn debug_prints_presence_only() {
    let contact: Contact = read(CONTACT);
    let message: Message = read(MESSAGE_SENT);
    let number: Vec<PhoneNumber> = read(PHONE_NUMBERS);
    let user: User = read(USER);
    insta::assert_snapshot!(format!(
        "{contact:#?}\n{message:#?}\n{number:#?}\n{user:#?}"
    ));
}

#[test]
fn debug_prints_presence_only_of_calls_and_tasks() {
    let call: PhoneCall = read(CALL);
    let recordings: Vec<Recording> = read(RECORDINGS);
    let summary: CallSummary = read(SUMMARY);
    let transcript: Transcript = read(TRANSCRIPT);
    let voicemail: Voicemail = read(VOICEMAIL);
    let conversation: Conversation = read(CONVERSATION);
    let task: Task = read(TASK);
    let parts = (&summary.jobs, &transcript.dialogue);
    insta::assert_snapshot!(format!(
        "{call:#?}\n{recordings:#?}\n{summary:#?}\n{transcript:#?}\n{parts:#?}\n{voicemail:#?}\n{conversation:#?}\n{task:#?}"
    ));
}

/// Which fields a model cannot do without: the fewer, the longer it lives.
#[test]
fn required_fields() {
    let mut report = String::new();
    for (name, required) in [
        ("Contact", cannot_do_without::<Contact>(CONTACT)),
        (
            "CustomField",
            cannot_do_without::<Vec<CustomField>>(CUSTOM_FIELDS),
        ),
        ("Message", cannot_do_without::<Message>(MESSAGE_RECEIVED)),
        (
            "PhoneNumber",
            cannot_do_without::<Vec<PhoneNumber>>(PHONE_NUMBERS),
        ),
        ("User", cannot_do_without::<User>(USER)),
        ("Webhook", cannot_do_without::<Webhook>(WEBHOOK)),
        ("PhoneCall", cannot_do_without::<PhoneCall>(CALL)),
        ("Recording", cannot_do_without::<Vec<Recording>>(RECORDINGS)),
        ("CallSummary", cannot_do_without::<CallSummary>(SUMMARY)),
        ("Transcript", cannot_do_without::<Transcript>(TRANSCRIPT)),
        ("Voicemail", cannot_do_without::<Voicemail>(VOICEMAIL)),
        (
            "Conversation",
            cannot_do_without::<Conversation>(CONVERSATION),
        ),
        ("Task", cannot_do_without::<Task>(TASK)),
        (
            "CreatedTask",
            cannot_do_without::<CreatedTask>(TASK_CREATED),
        ),
    ] {
        writeln!(report, "{name}").unwrap();
        for path in required {
            writeln!(report, "  {path}").unwrap();
        }
    }
    insta::assert_snapshot!(report);
}

#[rstest]
#[case::contact(survives_unknown_fields::<Contact>, CONTACT)]
#[case::custom_fields(survives_unknown_fields::<Vec<CustomField>>, CUSTOM_FIELDS)]
#[case::message(survives_unknown_fields::<Message>, MESSAGE_RECEIVED)]
#[case::phone_number(survives_unknown_fields::<Vec<PhoneNumber>>, PHONE_NUMBERS)]
#[case::user(survives_unknown_fields::<User>, USER)]
#[case::call(survives_unknown_fields::<PhoneCall>, CALL)]
#[case::recordings(survives_unknown_fields::<Vec<Recording>>, RECORDINGS)]
#[case::summary(survives_unknown_fields::<CallSummary>, SUMMARY)]
#[case::transcript(survives_unknown_fields::<Transcript>, TRANSCRIPT)]
#[case::voicemail(survives_unknown_fields::<Voicemail>, VOICEMAIL)]
#[case::conversation(survives_unknown_fields::<Conversation>, CONVERSATION)]
#[case::task(survives_unknown_fields::<Task>, TASK)]
fn unknown_fields_are_ignored(#[case] survives: fn(&str), #[case] body: &str) {
    survives(body);
}

#[test]
fn unknown_variants_are_kept() {
    let mut value: Value = serde_json::from_str(MESSAGE_SENT).unwrap();
    value["data"]["status"] = "partially_delivered".into();
    value["data"]["direction"] = "sideways".into();
    let message: Message = read(&value.to_string());
    assert_eq!(
        message.status,
        MessageStatus::Unknown("partially_delivered".to_owned())
    );
    assert_eq!(
        message.direction,
        MessageDirection::Unknown("sideways".to_owned())
    );
    let again = serde_json::to_value(&message).unwrap();
    assert_eq!(again["status"], "partially_delivered");

    let mut value: Value = serde_json::from_str(USER).unwrap();
    value["data"]["role"] = "guest".into();
    assert_eq!(
        read::<User>(&value.to_string()).role,
        UserRole::Unknown("guest".to_owned())
    );

    let mut value: Value = serde_json::from_str(CONTACT).unwrap();
    value["data"]["customFields"][0]["type"] = "geo".into();
    value["data"]["customFields"][0]["value"] = serde_json::json!({"lat": 1.5});
    let contact: Contact = read(&value.to_string());
    assert_eq!(
        contact.custom_fields[0].kind,
        CustomFieldType::Unknown("geo".to_owned())
    );
    assert_eq!(
        serde_json::to_value(&contact).unwrap()["customFields"][0]["value"]["lat"],
        1.5
    );
}

/// Sets one field to a value nobody knows.
fn with<T: DeserializeOwned>(body: &str, field: &str) -> T {
    let mut value: Value = serde_json::from_str(body).unwrap();
    value["data"][field] = "of-tomorrow".into();
    read(&value.to_string())
}

#[test]
fn unknown_variants_of_calls_are_kept() {
    let word = || "of-tomorrow".to_owned();
    let call: PhoneCall = with(CALL, "status");
    assert_eq!(call.status, CallStatus::Unknown(word()));
    let again = serde_json::to_value(&call).unwrap();
    assert_eq!(again["status"], "of-tomorrow");
    let call: PhoneCall = with(CALL, "direction");
    assert_eq!(call.direction, CallDirection::Unknown(word()));
    let call: PhoneCall = with(CALL, "callRoute");
    assert_eq!(call.call_route, Some(CallRoute::Unknown(word())));
    let call: PhoneCall = with(CALL, "aiHandled");
    assert_eq!(call.ai_handled, Some(AiHandler::Unknown(word())));
    let summary: CallSummary = with(SUMMARY, "status");
    assert_eq!(summary.status, ProcessingStatus::Unknown(word()));
    let transcript: Transcript = with(TRANSCRIPT, "status");
    assert_eq!(transcript.status, ProcessingStatus::Unknown(word()));
    let voicemail: Voicemail = with(VOICEMAIL, "status");
    assert_eq!(voicemail.status, VoicemailStatus::Unknown(word()));

    let body = RECORDINGS.replace("processing", "of-tomorrow");
    let recordings: Vec<Recording> = read(&body);
    let status = Some(RecordingStatus::Unknown(word()));
    assert_eq!(recordings[1].status, status);
}

#[test]
fn null_lists_are_empty() {
    let mut value: Value = serde_json::from_str(CONTACT).unwrap();
    value["data"]["customFields"] = Value::Null;
    value["data"]["defaultFields"]["emails"] = Value::Null;
    let contact: Contact = read(&value.to_string());
    assert!(contact.custom_fields.is_empty() && contact.default_fields.emails.is_empty());

    value["data"]["defaultFields"] = Value::Null;
    assert!(
        read::<Contact>(&value.to_string())
            .default_fields
            .phone_numbers
            .is_empty()
    );
}

#[test]
fn a_page_keeps_the_total_nobody_should_use() {
    let body = include_str!("fixtures/users_page.json");
    let page: ListPage<User> = serde_json::from_str(body).unwrap();
    assert_eq!((page.data.len(), page.total_items), (1, Some(7)));
}

/// Decodes the body once without each field, and once with each field null.
fn cannot_do_without<T: DeserializeOwned>(body: &str) -> BTreeSet<String> {
    let whole: Value = serde_json::from_str(body).unwrap();
    let mut required = BTreeSet::new();
    for path in members(&whole["data"], "/data") {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let mut absent = whole.clone();
        absent
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        let mut null = whole.clone();
        null.pointer_mut(parent).unwrap()[name] = Value::Null;
        for (how, changed) in [("absent", absent), ("null", null)] {
            if serde_json::from_value::<Data<T>>(changed).is_err() {
                required.insert(format!("{} {how}", without_indices(&path)));
            }
        }
    }
    required
}

fn survives_unknown_fields<T: DeserializeOwned + Serialize>(body: &str) {
    let whole: Value = serde_json::from_str(body).unwrap();
    let before = serde_json::to_value(read::<T>(body)).unwrap();
    for path in members(&whole["data"], "/data") {
        let (parent, _) = path.rsplit_once('/').unwrap();
        let mut more = whole.clone();
        more.pointer_mut(parent).unwrap()["aFieldOfTomorrow"] = serde_json::json!({"x": [1, null]});
        let read: T = read(&more.to_string());
        assert_eq!(serde_json::to_value(read).unwrap(), before, "{parent}");
    }
}

/// The pointers to every member of every object.
fn members(value: &Value, path: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let own = value.is_object();
    children
        .into_iter()
        .flat_map(|(key, value)| {
            let path = format!("{path}/{key}");
            let below = members(value, &path);
            own.then_some(path).into_iter().chain(below)
        })
        .collect()
}

fn without_indices(path: &str) -> String {
    let part = |part: &str| {
        if part.parse::<usize>().is_ok() {
            "*".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
