use serde_json::{Value, json};
use vendor_sandbox::Sandbox;

use crate::portal::{Portal, lead, text};
use crate::support::encoded;

fn emails(answer: &Value) -> Vec<String> {
    let items = answer["data"].as_array().unwrap();
    items.iter().map(|item| text(&item["email"])).collect()
}

async fn seeded(count: u32) -> Portal {
    let portal = Portal::start().await;
    seed(&portal, count);
    portal
}

fn seed(portal: &Portal, count: u32) {
    for number in 1..=count {
        let mut record = lead("Jane", &format!("jane{number}@example.com"));
        record["created"] = json!(format!("2026-11-{number:02}T10:00:00+00:00"));
        portal.control.seed_contact(&record).unwrap();
    }
}

#[tokio::test]
async fn a_page_has_ten_whatever_is_asked_for() {
    let portal = seeded(12).await;
    let first = portal
        .get("/contacts?limit=100&per_page=100")
        .await
        .expect(200)
        .json();
    assert_eq!(emails(&first).len(), 10);
    let next = format!("{}/contacts?page=2", portal.sandbox.api_url());
    let expected = json!({
        "pageSize": 10,
        "totalPages": 2,
        "totalItems": 12,
        "currentPageNumber": 1,
        "previousPage": null,
        "nextPage": next,
    });
    assert_eq!(first["meta"]["pagination"], expected);
    let second = portal.get("/contacts?page=2").await.expect(200).json();
    assert_eq!(
        emails(&second),
        ["jane11@example.com", "jane12@example.com"]
    );
    assert_eq!(second["meta"]["pagination"]["nextPage"], Value::Null);
    assert_eq!(
        second["meta"]["pagination"]["previousPage"],
        format!("{}/contacts?page=1", portal.sandbox.api_url())
    );
    let behind = portal.get("/contacts?page=3").await.expect(200).json();
    assert_eq!(behind["data"], json!([]));
    assert_eq!(behind["meta"]["pagination"]["totalPages"], 2);
}

#[tokio::test]
async fn an_empty_list_is_one_page() {
    let portal = Portal::start().await;
    for path in ["/contacts", "/companies", "/projects", "/worlds"] {
        let answer = portal.get(path).await.expect(200).json();
        assert_eq!(answer["data"], json!([]));
        assert_eq!(answer["meta"]["pagination"]["totalPages"], 1);
        assert_eq!(answer["meta"]["pagination"]["totalItems"], 0);
    }
}

#[tokio::test]
async fn asking_for_an_email_answers_the_first_page_of_everybody() {
    let portal = seeded(12).await;
    let answer = portal
        .get("/contacts?email=jane12%40example.com&limit=1")
        .await;
    let answer = answer.expect(200).json();
    assert_eq!(emails(&answer)[0], "jane1@example.com");
    assert_eq!(emails(&answer).len(), 10);
}

#[tokio::test]
async fn only_the_time_of_creation_is_filtered_by_and_its_bounds_are_exclusive() {
    let portal = seeded(9).await;
    let from = encoded("2026-11-03T10:00:00+00:00");
    let to = encoded("2026-11-06T12:00:00+02:00");
    let answer = portal
        .get(&format!("/contacts?createdMin={from}&createdMax={to}"))
        .await;
    let answer = answer.expect(200).json();
    assert_eq!(emails(&answer), ["jane4@example.com", "jane5@example.com"]);
    assert_eq!(answer["meta"]["pagination"]["totalItems"], 2);
    for wrong in [
        // A plus that is not encoded is a blank.
        "createdMin=2026-11-03T10:00:00+00:00".to_owned(),
        "createdMin=2026-11-03T10:00:00".to_owned(),
        "createdMin=2026-11-03".to_owned(),
        format!("createdMin={to}&createdMax={from}"),
        format!("createdMin={from}&createdMax={from}"),
    ] {
        portal.get(&format!("/contacts?{wrong}")).await.expect(400);
    }
}

#[tokio::test]
async fn a_million_synthetic_contacts_are_paged_found_and_changed() {
    let portal = seeded(1).await;
    portal.control.seed_contacts(1_000_000);
    let last = portal.get("/contacts?page=100001").await.expect(200).json();
    assert_eq!(emails(&last), ["synthetic.1000001@example.com"]);
    assert_eq!(last["meta"]["pagination"]["totalItems"], 1_000_001);
    let path = "/contact/synthetic.70%40example.com";
    let found = portal.get(path).await.expect(200).json();
    let changed = portal
        .put(path, &json!({ "tags": ["x"] }))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["data"]["uid"], found["data"]["uid"]);
    assert_eq!(portal.get(path).await.expect(200).json(), changed);
    portal
        .post("/contact", &lead("A", "Synthetic.71@example.com"))
        .await
        .expect(422);
    let page = portal.get("/contacts?page=7").await.expect(200).json();
    assert_eq!(page["data"][9], changed["data"]);
    assert!(portal.control.delete_contact("synthetic.70@example.com"));
    portal.get(path).await.expect(404);
    assert_eq!(portal.control.contact_count(), 1_000_000);
}

#[tokio::test]
async fn pages_may_lead_elsewhere_and_the_last_may_repeat() {
    let builder = Sandbox::suitedash()
        .page_links_to("https://elsewhere.example.com")
        .last_page_repeats(true);
    let portal = Portal::with(builder).await;
    seed(&portal, 12);
    let first = portal.get("/contacts").await.expect(200).json();
    let next = "https://elsewhere.example.com/secure-api/contacts?page=2";
    assert_eq!(first["meta"]["pagination"]["nextPage"], next);
    let behind = portal.get("/contacts?page=9").await.expect(200).json();
    assert_eq!(emails(&behind).len(), 2);
    assert_eq!(behind["meta"]["pagination"]["currentPageNumber"], 2);
}

#[tokio::test]
async fn what_is_no_page_is_the_first_and_other_names_change_nothing() {
    let portal = seeded(12).await;
    let first = portal.get("/contacts").await.expect(200).body;
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=2&page=1",
        "orderBy=name",
        "meta=1",
        "page%5B%5D=2",
    ] {
        let answer = portal.get(&format!("/contacts?{query}")).await.expect(200);
        assert_eq!(answer.body, first, "{query}");
    }
    let path = format!("/contacts?page={}", u64::MAX);
    let behind = portal.get(&path).await.expect(200).json();
    assert_eq!(behind["data"], json!([]));
}
