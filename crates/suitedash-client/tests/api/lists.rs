//! Pages of ten: counted here, with an end.

use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use serde_json::{Value, json};
use suitedash_client::{Error, ErrorKind, ListQuery};

use crate::support::{client, fixture};

fn number(request: &RecordedRequest) -> u64 {
    let query = request.query();
    let page = query.iter().find(|(key, _)| key == "page");
    page.unwrap().1.parse().unwrap()
}

fn page(number: u64, last: u64, items: &[String]) -> Reply {
    let items: Vec<Value> = items.iter().map(|uid| json!({ "uid": uid })).collect();
    // Where it points must not matter.
    let next = (number < last).then_some("https://evil.example/secure-api/contacts?page=1");
    Reply::status(200).json(&json!({
        "success": true, "message": "", "data": items,
        "meta": {"pagination": {
            "pageSize": 10, "totalPages": last, "totalItems": last * 10, "currentPageNumber": number,
            "previousPage": null, "nextPage": next,
        }},
    }))
}

fn ten(of: u64) -> Vec<String> {
    (0..10).map(|n| format!("{of}-{n}")).collect()
}

async fn read(fake: &FakeTransport) -> (usize, Option<Error>) {
    let mut contacts = client(fake).contacts().list(&ListQuery::new()).items();
    let mut count = 0;
    while let Some(contact) = contacts.next().await {
        match contact {
            Ok(_) => count += 1,
            Err(error) => return (count, Some(error)),
        }
    }
    (count, None)
}

#[tokio::test(start_paused = true)]
async fn pages_are_counted_and_no_address_is_followed() {
    let fake = FakeTransport::handler(|request| {
        let number = number(request);
        page(number, 3, &ten(number))
    });
    let (count, error) = read(&fake).await;
    assert_eq!(count, 30);
    assert!(error.is_none());
    let requests = fake.requests();
    let asked: Vec<_> = requests.iter().map(number).collect();
    assert_eq!(asked, [1, 2, 3]);
    assert!(
        requests
            .iter()
            .all(|it| it.url.host_str() == Some("app.suitedash.com"))
    );
}

/// A server that ignores the number gives the first page for ever, at a call each.
#[tokio::test(start_paused = true)]
async fn a_page_that_comes_again_is_an_error() {
    let silent = FakeTransport::handler(|_| {
        let items: Vec<Value> = ten(1).iter().map(|uid| json!({ "uid": uid })).collect();
        Reply::status(200).json(&json!({"success": true, "data": items}))
    });
    let honest = FakeTransport::handler(|_| page(1, 9, &ten(1)));
    for fake in [silent, honest] {
        let (count, error) = read(&fake).await;
        assert_eq!(count, 10);
        assert_eq!(error.unwrap().kind(), ErrorKind::Decode);
        assert_eq!(fake.requests().len(), 2);
    }
}

/// As does one that has nothing to give and always a next page.
#[tokio::test(start_paused = true)]
async fn empty_pages_without_end_are_an_error() {
    let fake = FakeTransport::handler(|_| {
        Reply::status(200).json(&json!({
            "success": true, "data": [], "meta": {"pagination": {"nextPage": "x"}},
        }))
    });
    let (count, error) = read(&fake).await;
    assert_eq!(count, 0);
    assert_eq!(error.unwrap().kind(), ErrorKind::Decode);
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_ends() {
    let fake = FakeTransport::handler(|request| {
        let number = number(request);
        page(number, u64::MAX / 100, &ten(number))
    });
    let list = client(&fake).contacts().list(&ListQuery::new());
    let error = list.max_pages(5).all(usize::MAX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(fake.requests().len(), 5);
    // Also without being told.
    let list = client(&fake).contacts().list(&ListQuery::new());
    list.all(usize::MAX).await.unwrap_err();
    assert_eq!(fake.requests().len(), 5 + 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_walk_goes_on_from_its_cursor() {
    let fake = FakeTransport::handler(|request| {
        let number = number(request);
        page(number, 3, &ten(number))
    });
    let client = client(&fake);
    let mut pages = client.contacts().list(&ListQuery::new()).pages();
    pages.next().await.unwrap().unwrap();
    let saved = pages.cursor().to_string();
    let rest = client
        .contacts()
        .list(&ListQuery::new())
        .resume(saved.parse().unwrap());
    assert_eq!(rest.all(100).await.unwrap().len(), 20);
    assert_eq!(
        fake.requests().iter().map(number).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[tokio::test(start_paused = true)]
async fn a_query_is_written_as_the_vendor_wants_it() {
    let fake = FakeTransport::handler(|_| Reply::status(200).json(&fixture("contacts_page.json")));
    let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let query = ListQuery::new()
        .created_min(time("2026-11-01T09:00:00+02:00"))
        .created_max(time("2026-12-01T00:00:00Z"))
        .order_by("name");
    let found = client(&fake).contacts().list_page(&query, 1).await.unwrap();
    assert_eq!(found.items.len(), 2);
    assert_eq!(found.pagination.unwrap().total_items, Some(2));
    let request = fake.last_request().unwrap();
    // A plus sign would be read as a blank.
    assert!(
        request
            .url
            .query()
            .unwrap()
            .contains("createdMin=2026-11-01T07%3A00%3A00%2B00%3A00")
    );
    let expected = [
        ("page", "1"),
        ("createdMin", "2026-11-01T07:00:00+00:00"),
        ("createdMax", "2026-12-01T00:00:00+00:00"),
        ("orderBy", "name"),
    ];
    assert_eq!(
        request.query(),
        expected.map(|(k, v)| (k.to_owned(), v.to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn companies_projects_and_worlds_are_walked_alike() {
    let fake = FakeTransport::handler(|request| {
        let number = number(request);
        page(number, 2, &ten(number))
    });
    let client = client(&fake);
    let query = ListQuery::new();
    assert_eq!(
        client.companies().list(&query).all(99).await.unwrap().len(),
        20
    );
    assert_eq!(
        client.projects().list(&query).all(99).await.unwrap().len(),
        20
    );
    assert_eq!(
        client
            .worlds()
            .list(Some("name"))
            .all(99)
            .await
            .unwrap()
            .len(),
        20
    );
    assert_eq!(fake.requests().len(), 6);
}
