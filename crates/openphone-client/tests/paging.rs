//! Lists and scans: many pages, empty pages, stopping and going on.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;
use std::time::Duration;

use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::{
    Client, Cursor, ErrorKind, ListContacts, MatchedBy, Rate, RateClass, ScanFor,
};
use serde_json::{Value, json};

/// A workspace of `total` contacts in pages of `size`; every third page is empty, as real ones are.
fn workspace(total: usize, size: usize) -> (Client, FakeTransport) {
    let transport =
        FakeTransport::handler(move |request| Reply::status(200).json(&page(request, total, size)));
    let client = Client::builder()
        .api_key("k3y")
        .transport(Arc::new(transport.clone()))
        .rate(RateClass::DEFAULT, Rate::per_second(1_000))
        .build()
        .unwrap();
    (client, transport)
}

fn page(request: &RecordedRequest, total: usize, size: usize) -> Value {
    let token = request
        .query()
        .into_iter()
        .find(|(key, _)| key == "pageToken");
    let number: usize = token.map_or(0, |(_, token)| {
        token.trim_start_matches('p').parse().unwrap()
    });
    let (round, place) = (number / 3, number % 3);
    let start = (round * 2 + place) * size;
    let empty = place == 2;
    let contacts: Vec<_> = if empty {
        Vec::new()
    } else {
        (start..(start + size).min(total)).map(contact).collect()
    };
    let last = !empty && start + size >= total;
    let next = (!last).then(|| format!("p{}", number + 1));
    json!({"data": contacts, "totalItems": contacts.len(), "nextPageToken": next})
}

fn contact(index: usize) -> Value {
    json!({
        "id": format!("CT{index}"), "externalId": format!("user-{index}"), "source": "public-api",
        "sourceUrl": null,
        "defaultFields": {
            "firstName": format!("Person {index}"), "lastName": null, "company": null, "role": null,
            "emails": [{"id": "e", "name": "work", "value": format!("Person{index}@Example.com")}],
            "phoneNumbers": [{"id": "p", "name": "mobile", "value": format!("(202) 555-{index:04}")}]
        },
        "customFields": [], "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
        "createdByUserId": "US1"
    })
}

#[tokio::test(start_paused = true)]
async fn a_list_passes_empty_pages_and_ignores_the_total() {
    let (client, transport) = workspace(57, 10);
    let all = client
        .contacts()
        .list(&ListContacts::new())
        .all(1_000)
        .await
        .unwrap();
    assert_eq!(all.len(), 57);
    assert_eq!(all[56].id.as_str(), "CT56");
    assert_eq!(transport.requests().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_list_stops_and_goes_on_where_it_was() {
    let (client, _) = workspace(57, 10);
    let query = ListContacts::new();
    let mut first = client.contacts().list(&query).items();
    for _ in 0..23 {
        first.next().await.unwrap().unwrap();
    }
    let saved = first.cursor().to_string();

    let cursor: Cursor = saved.parse().unwrap();
    let mut rest = client.contacts().list(&query).resume(cursor).items();
    let mut seen = 23;
    while let Some(contact) = rest.next().await {
        assert_eq!(contact.unwrap().id.as_str(), format!("CT{seen}"));
        seen += 1;
    }
    assert_eq!(seen, 57);
}

#[tokio::test(start_paused = true)]
async fn a_scan_finds_everybody_in_one_pass() {
    let (client, transport) = workspace(57, 10);
    let wanted = ScanFor::new()
        .email(" PERSON3@example.com")
        .phone("+12025550041")
        .email("person50@example.com")
        .phone("202-555-0050")
        .email("nobody@example.com");
    let mut matches = client.contacts().scan(wanted).matches();
    let mut found = Vec::new();
    while let Some(one) = matches.next().await {
        let one = one.unwrap();
        found.push((one.contact.id.as_str().to_owned(), one.matched));
    }

    assert_eq!(
        found,
        [
            (
                "CT3".to_owned(),
                vec![MatchedBy::Email(" PERSON3@example.com".to_owned())]
            ),
            (
                "CT41".to_owned(),
                vec![MatchedBy::Phone("+12025550041".to_owned())]
            ),
            (
                "CT50".to_owned(),
                vec![
                    MatchedBy::Email("person50@example.com".to_owned()),
                    MatchedBy::Phone("202-555-0050".to_owned())
                ]
            ),
        ]
    );
    let progress = matches.progress();
    assert_eq!((progress.pages_read, progress.contacts_read), (8, 57));
    assert_eq!(transport.requests().len(), 8);
    assert!(
        transport
            .requests()
            .iter()
            .all(|it| it.query()[0] == ("maxResults".into(), "50".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_match_ends_the_reading() {
    let (client, transport) = workspace(57, 10);
    let contacts = client.contacts();
    let found = contacts
        .scan(ScanFor::new().phone("2025550012"))
        .first()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.contact.id.as_str(), "CT12");
    assert_eq!(transport.requests().len(), 2);

    let nobody = contacts
        .scan(ScanFor::new().email("nobody@example.com"))
        .first()
        .await
        .unwrap();
    assert_eq!(nobody, None);
}

#[tokio::test(start_paused = true)]
async fn a_scan_goes_on_behind_the_last_match() {
    let (client, _) = workspace(57, 10);
    let wanted = || {
        ScanFor::new()
            .phone("2025550012")
            .phone("2025550013")
            .phone("2025550055")
    };
    let mut scan = client.contacts().scan(wanted()).matches();
    let first = scan.next().await.unwrap().unwrap();
    assert_eq!(first.contact.id.as_str(), "CT12");

    let mut rest = client
        .contacts()
        .scan(wanted())
        .resume(scan.cursor())
        .matches();
    let mut ids = Vec::new();
    while let Some(one) = rest.next().await {
        ids.push(one.unwrap().contact.id.into_string());
    }
    assert_eq!(ids, ["CT13", "CT55"]);
}

#[tokio::test(start_paused = true)]
async fn pages_give_progress_and_a_cursor_while_nothing_matches() {
    let (client, transport) = workspace(57, 10);
    let wanted = ScanFor::new().phone("2025550055");
    let mut pages = client.contacts().scan(wanted.clone()).pages();
    for expected in [(1, 10), (2, 20), (3, 20)] {
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.matches, []);
        assert_eq!(
            (page.progress.pages_read, page.progress.contacts_read),
            expected
        );
    }
    let cursor = pages.next().await.unwrap().unwrap().cursor;
    drop(pages);
    assert_eq!(transport.requests().len(), 4);

    let mut rest = client.contacts().scan(wanted).resume(cursor).pages();
    let mut matches = Vec::new();
    while let Some(page) = rest.next().await {
        matches.extend(page.unwrap().matches);
    }
    assert_eq!(matches.len(), 1);
    assert_eq!(transport.requests().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_failed_page_ends_the_scan_and_can_be_resumed() {
    let (client, transport) = workspace(57, 10);
    let wanted = ScanFor::new().phone("2025550055");
    let mut scan = client.contacts().scan(wanted.clone()).matches();
    transport.push(Reply::status(200).json(&page_of_one("p1")));
    transport.push(Reply::status(401).body(include_str!("fixtures/error_gateway.json")));
    let error = scan.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(scan.next().await.is_none());
    assert_eq!(scan.progress().pages_read, 1);

    let found = client
        .contacts()
        .scan(wanted)
        .resume(scan.cursor())
        .first()
        .await
        .unwrap();
    assert_eq!(found.unwrap().contact.id.as_str(), "CT55");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_go_in_a_circle_end_with_an_error() {
    let transport = FakeTransport::handler(|_| Reply::status(200).json(&page_of_one("p1")));
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    let error = client
        .contacts()
        .list(&ListContacts::new())
        .all(1_000)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(transport.requests().len() <= 3);
}

#[tokio::test(start_paused = true)]
async fn only_those_asked_for_come_back_from_a_look_up() {
    // A gateway that drops the filter answers with everybody.
    let (client, transport) = workspace(20, 10);
    let contacts = client.contacts();
    let found = contacts.find_by_external_id("user-7").await.unwrap();
    assert_eq!(
        found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["CT7"]
    );
    assert_eq!(contacts.find_by_external_id("USER-7").await.unwrap(), []);
    // "None" would be a lie here, and a second contact for the same person.
    let found = contacts.find_by_external_id("user-19").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(transport.requests().len(), 6);

    let found = contacts
        .find_by_external_ids(["user-1", "user-19"])
        .all(10)
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["CT1", "CT19"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_look_up_reads_on_behind_an_empty_page() {
    let transport = FakeTransport::new();
    let empty = json!({"data": [], "totalItems": 0, "nextPageToken": "p1"});
    let last = json!({"data": [contact(7)], "totalItems": 0, "nextPageToken": null});
    transport.push(Reply::status(200).json(&empty));
    transport.push(Reply::status(200).json(&last));
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    let found = client.contacts().find_by_external_id("user-7").await;
    assert_eq!(found.unwrap()[0].id.as_str(), "CT7");
    let filters = transport.requests().into_iter().map(|it| it.query());
    assert!(
        filters
            .map(|query| query[0].clone())
            .all(|it| it == ("externalIds".into(), "user-7".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_look_up_without_an_end_is_an_error_and_not_nobody() {
    let (client, transport) = workspace(10_000, 10);
    let contacts = client.contacts();
    let error = contacts.find_by_external_id("nobody").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.operation(), "contacts.find_by_external_id");
    assert!(!error.is_retryable());
    assert_eq!(transport.requests().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_takes_its_options_into_each_page() {
    let transport = FakeTransport::new();
    transport.push(Reply::status(200).json(&page_of_one("p1")));
    transport.push(Reply::status(500));
    transport.push(Reply::status(200).json(&page_of_one("p2")));
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    let find = client.contacts().find_by_external_id("user-7");
    let find = find.timeout(Duration::from_secs(2)).no_retry();
    assert!(transport.requests().is_empty());
    let error = tokio::spawn(find).await.unwrap().unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(500), 1));
    let requests = transport.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|it| it.timeout == Duration::from_secs(2))
    );
}

#[tokio::test(start_paused = true)]
async fn a_match_is_named_in_every_spelling_that_was_asked() {
    let (client, _) = workspace(5, 10);
    let wanted = ScanFor::new()
        .email("person3@example.com")
        .email("PERSON3@example.com")
        .phone("2025550003");
    let found = client.contacts().scan(wanted).first().await.unwrap();
    assert_eq!(
        found.unwrap().matched,
        [
            MatchedBy::Email("person3@example.com".to_owned()),
            MatchedBy::Email("PERSON3@example.com".to_owned()),
            MatchedBy::Phone("2025550003".to_owned()),
        ]
    );
}

fn page_of_one(next: &str) -> Value {
    json!({"data": [contact(900)], "totalItems": 1, "nextPageToken": next})
}
