//! Contacts, conversations, phone numbers, tasks and users: what stands on the wire, and what is read.

use chrono::{DateTime, Utc};
use openphone_client::dated::{
    AvailableNumbers, Contact, ContactNote, ContactPatch, ContactProperty, ContactShare,
    Conversation, ConversationSort, CustomFieldValue, ListContacts, ListConversations,
    ListPhoneNumbers, ListProperties, ListTasks, ListUsers, NewContact, NewProperty, NewTask,
    PhoneNumber, PhoneNumberPart, PhoneNumberUser, PropertyPatch, PropertyType, Task, TaskRevision,
    TaskStatus, TaskText, User,
};
use openphone_client::{Call, ErrorKind};
use rstest::rstest;
use serde_json::{Value, json};

use crate::bodies::{
    CONTACT, CONVERSATION, NOTE, NUMBER, NUMBER_USER, PROPERTY, REVISION, SHARE, TASK, USER,
    page_of,
};
use crate::models::{cannot_do_without, keeps, read, with};
use crate::wire::sent;
use crate::{assert_refused, client};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Makes a call on a client, answered like this, and compares what was sent.
macro_rules! sends {
    ($status:literal $body:expr, $client:ident => $call:expr, $line:expr) => {
        sends!($status $body, $client => $call, $line, Value::Null)
    };
    ($status:literal $body:expr, $client:ident => $call:expr, $line:expr, $sent:expr) => {
        let answer: String = $body.to_string();
        let (line, sent_body) = sent($status, answer, |$client| async move { $call.await }).await;
        assert_eq!(line, $line);
        assert_eq!(sent_body, $sent);
    };
}

#[tokio::test]
async fn contacts() {
    let page = page_of(CONTACT, None);
    let (id, all) = (|| "c 1".into(), ListContacts::new());
    sends!(200 page, client => client.contacts().list_page(&all, Some("x")), "GET /contacts limit=50&after=x");
    let one = ListContacts::new().external_ids(["e1"]).sources(["shop"]);
    sends!(200 page, client => client.contacts().list_page(&one, None),
        "GET /contacts externalId=e1&source=shop&limit=50");
    let several = ListContacts::new()
        .external_ids(["e1", "e2"])
        .sources(["a", "b"])
        .limit(7_u32);
    sends!(200 page, client => client.contacts().list_page(&several, None),
        "GET /contacts externalId[in]=e1,e2&source[in]=a,b&limit=7");

    sends!(200 CONTACT, client => client.contacts().get(&id()), "GET /contacts/c%201");
    sends!(204 "", client => client.contacts().delete(&id()), "DELETE /contacts/c%201");
    sends!(201 CONTACT, client => client.contacts().create(&NewContact::new("Ana")), "POST /contacts",
        json!({"firstName": "Ana"}));
    let ana = NewContact::new("Ana")
        .last_name("Example")
        .company("Bakery")
        .role("Owner")
        .external_id("e1")
        .source("shop")
        .source_url("https://shop.example.com/1")
        .actor_id("USabc201");
    sends!(201 CONTACT, client => client.contacts().create(&ana), "POST /contacts", json!({
        "firstName": "Ana", "lastName": "Example", "company": "Bakery", "role": "Owner",
        "externalId": "e1", "source": "shop", "sourceUrl": "https://shop.example.com/1",
        "actorId": "USabc201"
    }));
    let patch = ContactPatch::new().role("Head").clear_company();
    sends!(200 CONTACT, client => client.contacts().update(&id(), &patch), "PATCH /contacts/c%201",
        json!({"role": "Head", "company": null}));
    sends!(200 page_of(SHARE, None), client => client.contacts().shares_page(&id(), None),
        "GET /contacts/c%201/shares limit=50");
}

#[tokio::test]
async fn notes() {
    let (contact, note) = (|| "CT1".into(), || "N1".into());
    sends!(200 page_of(NOTE, None), client => client.contact_notes().list_page(&contact(), Some("x")),
        "GET /contacts/CT1/notes limit=50&after=x");
    sends!(200 NOTE, client => client.contact_notes().create(&contact(), "Hello."),
        "POST /contacts/CT1/notes", json!({"text": "Hello."}));
    sends!(200 NOTE, client => client.contact_notes().get(&contact(), &note()), "GET /contacts/CT1/notes/N1");
    sends!(200 NOTE, client => client.contact_notes().update(&contact(), &note(), "Bye."),
        "PATCH /contacts/CT1/notes/N1", json!({"text": "Bye."}));
    sends!(204 "", client => client.contact_notes().delete(&contact(), &note()),
        "DELETE /contacts/CT1/notes/N1");
}

#[tokio::test]
async fn properties() {
    let (contact, property) = (|| "CT1".into(), || "P1".into());
    let phones = ListProperties::new().kind(PropertyType::PhoneNumber);
    sends!(200 page_of(PROPERTY, None),
        client => client.contact_properties().list_page(&contact(), &phones, Some("x")),
        "GET /contacts/CT1/properties type=phone-number&limit=50&after=x");
    let mobile = NewProperty::new(PropertyType::PhoneNumber, "+12025550143").name("Mobile");
    sends!(200 PROPERTY, client => client.contact_properties().create(&contact(), &mobile),
        "POST /contacts/CT1/properties",
        json!({"type": "phone-number", "name": "Mobile", "value": "+12025550143"}));
    sends!(200 PROPERTY, client => client.contact_properties().get(&contact(), &property()),
        "GET /contacts/CT1/properties/P1");
    let patch = PropertyPatch::new().clear_name().value(true);
    sends!(200 PROPERTY, client => client.contact_properties().update(&contact(), &property(), &patch),
        "PATCH /contacts/CT1/properties/P1", json!({"name": null, "value": true}));
    sends!(204 "", client => client.contact_properties().delete(&contact(), &property()),
        "DELETE /contacts/CT1/properties/P1");
}

#[tokio::test]
async fn tasks() {
    let id = || "TK1".into();
    sends!(200 page_of(TASK, None), client => client.tasks().list_page(&ListTasks::new(), Some("x")),
        "GET /tasks limit=100&after=x");
    let task = NewTask::new("CNabc301", "Call back", "About the cake.")
        .due_date(time("2026-03-02T00:00:00Z"))
        .assigned_to("USabc201");
    sends!(201 REVISION, client => client.tasks().create(&task), "POST /tasks", json!({
        "conversationId": "CNabc301", "title": "Call back", "description": "About the cake.",
        "dueDate": "2026-03-02T00:00:00.000Z", "assignedTo": "USabc201"
    }));
    sends!(200 TASK, client => client.tasks().get(&id()), "GET /tasks/TK1");
    sends!(200 REVISION, client => client.tasks().update(&id(), &TaskText::new("A", "B")),
        "PATCH /tasks/TK1", json!({"title": "A", "description": "B"}));
    sends!(204 "", client => client.tasks().delete(&id()), "DELETE /tasks/TK1");
    sends!(200 REVISION, client => client.tasks().set_status(&id(), &TaskStatus::Completed),
        "PATCH /tasks/TK1/status", json!({"status": "completed"}));
    sends!(200 REVISION, client => client.tasks().link_conversation(&id(), &"CN1".into()),
        "POST /tasks/TK1/conversations", json!({"conversationId": "CN1"}));
    sends!(200 REVISION, client => client.tasks().unlink_conversation(&id(), &"CN1".into()),
        "DELETE /tasks/TK1/conversations", json!({"conversationId": "CN1"}));
    sends!(200 REVISION, client => client.tasks().assign(&id(), &"US1".into()),
        "POST /tasks/TK1/users", json!({"userId": "US1"}));
    sends!(200 REVISION, client => client.tasks().unassign(&id(), &"US1".into()),
        "DELETE /tasks/TK1/users", json!({"userId": "US1"}));
    sends!(200 REVISION, client => client.tasks().change_due_date(&id(), time("2026-03-02T00:00:00Z")),
        "PATCH /tasks/TK1/due-date", json!({"dueDate": "2026-03-02T00:00:00.000Z"}));
    sends!(200 REVISION, client => client.tasks().remove_due_date(&id()), "DELETE /tasks/TK1/due-date");
}

#[tokio::test]
async fn conversations() {
    let page = page_of(CONVERSATION, None);
    let query = ListConversations::new()
        .phone_number_ids(["PN1", "PN2"])
        .created_from(time("2026-03-01T00:00:00Z"))
        .created_until(time("2026-03-02T00:00:00Z"))
        .updated_from(time("2026-03-03T00:00:00Z"))
        .updated_until(time("2026-03-04T00:00:00Z"))
        .sort(ConversationSort::OldestFirst);
    sends!(200 page, client => client.conversations().list_page(&query, Some("x")),
        "GET /conversations phoneNumberId[in]=PN1,PN2&createdAt[gte]=2026-03-01T00:00:00.000Z\
         &createdAt[lte]=2026-03-02T00:00:00.000Z&updatedAt[gte]=2026-03-03T00:00:00.000Z\
         &updatedAt[lte]=2026-03-04T00:00:00.000Z&sort=createdAt:asc&limit=50&after=x");
    let one = ListConversations::new().phone_number_ids(["PN1"]);
    sends!(200 page, client => client.conversations().list_page(&one, None),
        "GET /conversations phoneNumberId=PN1&limit=50");
    let id = || "CN1".into();
    sends!(200 CONVERSATION, client => client.conversations().mark_as_read(&id()),
        "POST /conversations/CN1/mark-as-read");
    sends!(200 CONVERSATION, client => client.conversations().mark_as_done(&id()),
        "POST /conversations/CN1/mark-as-done");
    sends!(200 CONVERSATION, client => client.conversations().mark_as_open(&id()),
        "POST /conversations/CN1/mark-as-open");
}

#[tokio::test]
async fn phone_numbers_and_users() {
    let page = page_of(NUMBER, None);
    let query = ListPhoneNumbers::new()
        .phone_number("+12025550100")
        .include([PhoneNumberPart::Restrictions]);
    sends!(200 page, client => client.phone_numbers().list_page(&query, Some("x")),
        "GET /phone-numbers phoneNumber=+12025550100&include=restrictions&limit=50&after=x");
    let parts = [
        PhoneNumberPart::Restrictions,
        PhoneNumberPart::BusinessHours,
    ];
    sends!(200 NUMBER, client => client.phone_numbers().get(&"PN1".into(), &parts),
        "GET /phone-numbers/PN1 include=restrictions,businessHours");
    sends!(200 page_of(NUMBER_USER, None), client => client.phone_numbers().users_page(&"PN1".into(), None),
        "GET /phone-numbers/PN1/users limit=50");

    let found = json!({"data": {"phoneNumbers": ["+12025550100"]}});
    let query = AvailableNumbers::new()
        .country_code("US")
        .area_code("202")
        .in_locality("Washington")
        .in_region("DC")
        .contains("555")
        .toll_free(false);
    sends!(200 found, client => client.phone_numbers().available(&query),
        "GET /phone-numbers/available countryCode=US&areaCode=202&inLocality=Washington&inRegion=DC\
         &contains=555&tollFree=false");
    let (client, transport) = client();
    transport.push(connector_http::testing::Reply::status(200).json(&found));
    let numbers = client.phone_numbers().available(&AvailableNumbers::new());
    assert_eq!(numbers.await.unwrap(), ["+12025550100"]);

    sends!(200 page_of(USER, None), client => client.users().list_page(&ListUsers::new(), Some("x")),
        "GET /users limit=50&after=x");
    sends!(200 USER, client => client.users().get(&"US1".into()), "GET /users/US1");
    let parts = [PhoneNumberPart::Restrictions];
    sends!(200 page, client => client.users().phone_numbers_page(&"US1".into(), &parts, None),
        "GET /users/US1/phone-numbers include=restrictions&limit=50");
}

/// Each list that is walked from a scope keeps the scope from page to page.
#[tokio::test]
async fn lists_below_something_are_walked() {
    let (client, transport) = client();
    let reply = |body| connector_http::testing::Reply::status(200).json(&body);
    let contact = "CT1".into();
    transport.push(reply(page_of(SHARE, Some("c1"))));
    transport.push(reply(page_of(SHARE, None)));
    let mut shares = client.contacts().shares(&contact).items();
    while let Some(share) = shares.next().await {
        share.unwrap();
    }
    transport.push(reply(page_of(PROPERTY, Some("c1"))));
    transport.push(reply(page_of(PROPERTY, None)));
    let query = ListProperties::new().kind(PropertyType::Email);
    let mut properties = client.contact_properties().list(&contact, &query).items();
    while let Some(property) = properties.next().await {
        property.unwrap();
    }
    transport.push(reply(page_of(NUMBER, Some("c1"))));
    transport.push(reply(page_of(NUMBER, None)));
    let mut numbers = client.users().phone_numbers(&"US1".into(), &[]).items();
    while let Some(number) = numbers.next().await {
        number.unwrap();
    }
    let requests = transport.requests();
    let urls: Vec<_> = requests
        .iter()
        .map(|it| format!("{}?{}", it.path(), it.url.query().unwrap_or_default()))
        .collect();
    assert_eq!(
        urls,
        [
            "/contacts/CT1/shares?limit=50",
            "/contacts/CT1/shares?limit=50&after=c1",
            "/contacts/CT1/properties?type=email&limit=50",
            "/contacts/CT1/properties?type=email&limit=50&after=c1",
            "/users/US1/phone-numbers?limit=50",
            "/users/US1/phone-numbers?limit=50&after=c1",
        ]
    );
}

#[rstest]
#[case::contact(keeps::<Contact>, CONTACT)]
#[case::note(keeps::<ContactNote>, NOTE)]
#[case::property(keeps::<ContactProperty>, PROPERTY)]
#[case::share(keeps::<ContactShare>, SHARE)]
#[case::conversation(keeps::<Conversation>, CONVERSATION)]
#[case::number(keeps::<PhoneNumber>, NUMBER)]
#[case::number_user(keeps::<PhoneNumberUser>, NUMBER_USER)]
#[case::task(keeps::<Task>, TASK)]
#[case::revision(keeps::<TaskRevision>, REVISION)]
#[case::user(keeps::<User>, USER)]
fn bodies_are_kept_and_unknown_fields_ignored(#[case] keeps: fn(&str), #[case] body: &str) {
    keeps(body);
}

#[rstest]
#[case(json!("text"))]
#[case(json!(true))]
#[case(json!(7.5))]
#[case(json!(["a", "b"]))]
#[case(json!([["a"], ["b"]]))]
#[case(json!({"lat": 1.5}))]
#[case(json!(null))]
fn every_value_of_a_property_is_kept(#[case] value: Value) {
    let mut body: Value = serde_json::from_str(PROPERTY).unwrap();
    body["data"]["value"] = value.clone();
    let property: ContactProperty = read(&body.to_string());
    assert_eq!(serde_json::to_value(property).unwrap()["value"], value);
}

#[test]
fn unknown_variants_are_kept() {
    let word = || "of-tomorrow".to_owned();
    let task: Task = with(TASK, "/data/status");
    assert_eq!(task.status, TaskStatus::Unknown(word()));
    let property: ContactProperty = with(PROPERTY, "/data/type");
    assert_eq!(property.kind, PropertyType::Unknown(word()));
    let number: PhoneNumber = read(NUMBER);
    let hours = number.business_hours.unwrap().schedule.unwrap();
    assert_eq!(hours.monday.unwrap().start.as_deref(), Some("0900"));
    assert!(hours.sunday.is_none());
}

/// The revision is a text in API v1; read as one it must not cost the answer of a change.
#[test]
fn a_revision_may_be_a_text() {
    let body = r#"{"data": {"taskId": "TK1", "revision": "3"}}"#;
    assert_eq!(read::<TaskRevision>(body).revision, 3);
    let body = r#"{"taskId": "TK1", "revision": "three"}"#;
    assert!(serde_json::from_str::<TaskRevision>(body).is_err());
}

/// Which fields a model cannot do without: the fewer, the longer it lives.
#[test]
fn required_fields() {
    let mut report = Vec::new();
    for (name, required) in [
        ("Contact", cannot_do_without::<Contact>(CONTACT)),
        ("ContactNote", cannot_do_without::<ContactNote>(NOTE)),
        (
            "ContactProperty",
            cannot_do_without::<ContactProperty>(PROPERTY),
        ),
        ("ContactShare", cannot_do_without::<ContactShare>(SHARE)),
        ("PhoneNumber", cannot_do_without::<PhoneNumber>(NUMBER)),
        ("Task", cannot_do_without::<Task>(TASK)),
        ("TaskRevision", cannot_do_without::<TaskRevision>(REVISION)),
    ] {
        report.push(name.to_owned());
        report.extend(required.into_iter().map(|path| format!("  {path}")));
    }
    insta::assert_snapshot!(report.join("\n"));
}

#[rstest]
#[case::reserved_by_nobody(NewContact::new("Ana").source(""), &["/source"])]
#[case::empty_ids(NewContact::new("Ana").external_id(" ").actor_id(""), &["/externalId", "/actorId"])]
#[case::no_address(NewContact::new("Ana").source_url("shop.example.com"), &["/sourceUrl"])]
#[case::long_address(NewContact::new("Ana").source_url(format!("https://example.com/{}", "x".repeat(190))), &["/sourceUrl"])]
#[tokio::test]
async fn new_contacts_are_checked(#[case] contact: NewContact, #[case] paths: &[&str]) {
    let (client, _) = client();
    assert_refused(client.contacts().create(&contact), paths).await;
}

#[tokio::test]
async fn what_is_wrong_is_not_sent() {
    let (client, transport) = client();
    let (id, contact) = (|| "TK1".into(), "CT1".into());
    let contacts = client.contacts();
    assert_refused(contacts.update(&contact, &ContactPatch::new()), &[""]).await;
    let patch = ContactPatch::new().source_url("x");
    assert_refused(contacts.update(&contact, &patch), &["/sourceUrl"]).await;
    let query = ListContacts::new().external_ids(["a,b"]).limit(0_u32);
    let paths = ["/limit", "/externalId/0"];
    assert_refused(contacts.list_page(&query, None), &paths).await;
    let query = ListContacts::new().sources((0..51).map(|it| it.to_string()));
    assert_refused(contacts.list_page(&query, None), &["/source"]).await;

    let notes = client.contact_notes();
    assert_refused(notes.create(&contact, " "), &["/text"]).await;
    let long = "ä".repeat(2001);
    assert_refused(notes.update(&contact, &"N1".into(), &long), &["/text"]).await;
    let properties = client.contact_properties();
    let patch = PropertyPatch::new();
    assert_refused(properties.update(&contact, &"P1".into(), &patch), &[""]).await;
    let new = NewProperty::new(PropertyType::from(""), CustomFieldValue::from("x"));
    assert_refused(properties.create(&contact, &new), &["/type"]).await;
    let query = ListProperties::new().limit(51_u32);
    assert_refused(properties.list_page(&contact, &query, None), &["/limit"]).await;

    let tasks = client.tasks();
    let new = NewTask::new("", "A", "B").assigned_to(" ");
    assert_refused(tasks.create(&new), &["/conversationId", "/assignedTo"]).await;
    assert_refused(tasks.assign(&id(), &"".into()), &["/userId"]).await;
    assert_refused(tasks.unassign(&id(), &"".into()), &["/userId"]).await;
    let paths = ["/conversationId"];
    assert_refused(tasks.link_conversation(&id(), &"".into()), &paths).await;
    assert_refused(tasks.unlink_conversation(&id(), &"".into()), &paths).await;
    assert_refused(tasks.set_status(&id(), &TaskStatus::from("")), &["/status"]).await;
    let query = ListTasks::new().limit(101_u32);
    assert_refused(tasks.list_page(&query, None), &["/limit"]).await;

    let query = ListConversations::new()
        .phone_number_ids(vec!["PN1"; 101])
        .updated_from(time("2026-03-02T00:00:00Z"))
        .updated_until(time("2026-03-01T00:00:00Z"))
        .sort(ConversationSort::from(""));
    let paths = ["/phoneNumberId", "/sort", "/updatedAt[lte]"];
    assert_refused(client.conversations().list_page(&query, None), &paths).await;

    let numbers = client.phone_numbers();
    let query = ListPhoneNumbers::new()
        .phone_number("2025550100")
        .include([PhoneNumberPart::BusinessHours]);
    let paths = ["/phoneNumber", "/include"];
    assert_refused(numbers.list_page(&query, None), &paths).await;
    let query = AvailableNumbers::new().area_code("");
    assert_refused(numbers.available(&query), &["/areaCode"]).await;
    let users = client.users();
    let parts = [PhoneNumberPart::BusinessHours];
    assert_refused(
        users.phone_numbers_page(&"US1".into(), &parts, None),
        &["/include"],
    )
    .await;
    let query = ListUsers::new().limit(51_u32);
    assert_refused(users.list_page(&query, None), &["/limit"]).await;

    let call: Call<Contact> = contacts.get(&"".into());
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Config);
    assert!(transport.requests().is_empty());
}
