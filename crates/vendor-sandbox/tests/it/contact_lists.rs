use serde_json::json;
use vendor_sandbox::Sandbox;

use crate::contacts::{create, ids, small};
use crate::support::{Api, keys};

#[tokio::test]
async fn lists_are_paged_in_order_until_the_token_is_null() {
    let api = Api::start().await;
    let mut created = Vec::new();
    for number in 0..7 {
        created.push(small(&api, &format!("e{number}")).await);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/contacts?maxResults=3".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = api.get(&path).await.expect(200).json();
        assert_eq!(keys(&page), ["data", "nextPageToken", "totalItems"]);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        sizes.push(ids(&page).len());
        // The vendor's own warning: this is not the number of all items.
        assert_eq!(page["totalItems"], ids(&page).len());
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/v1/contacts?maxResults=3&pageToken={token}");
    }
    assert_eq!(seen, created);
    assert_eq!(sizes, [3, 3, 1]);
}

#[tokio::test]
async fn a_last_page_that_is_full_is_followed_by_an_empty_one() {
    let api = Api::start().await;
    for number in 0..2 {
        small(&api, &format!("e{number}")).await;
    }
    let page = api.get("/v1/contacts?maxResults=2").await.json();
    let token = page["nextPageToken"].as_str().unwrap();
    let page = api
        .get(&format!("/v1/contacts?maxResults=2&pageToken={token}"))
        .await
        .json();
    assert_eq!(
        page,
        json!({ "data": [], "totalItems": 0, "nextPageToken": null })
    );
}

#[tokio::test]
async fn paging_goes_on_when_the_last_contact_of_a_page_is_deleted() {
    let api = Api::start().await;
    let mut created = Vec::new();
    for number in 0..4 {
        created.push(small(&api, &format!("e{number}")).await);
    }
    let page = api.get("/v1/contacts?maxResults=2").await.json();
    let token = page["nextPageToken"].as_str().unwrap().to_owned();
    api.delete(&format!("/v1/contacts/{}", created[1]))
        .await
        .expect(204);
    let page = api
        .get(&format!("/v1/contacts?maxResults=2&pageToken={token}"))
        .await
        .json();
    assert_eq!(ids(&page), [created[2].as_str(), created[3].as_str()]);
}

#[tokio::test]
async fn lists_filter_by_external_id_and_source() {
    let api = Api::start().await;
    let first = small(&api, "a b+c&d").await;
    let second = small(&api, "second").await;
    small(&api, "third").await;
    let body = json!({ "defaultFields": { "firstName": "S" }, "source": "my-crm", "externalId": "second" });
    let sourced = create(&api, &body).await["id"].as_str().unwrap().to_owned();
    let found = async |query: &str| {
        let page = api
            .get(&format!("/v1/contacts?{query}&maxResults=50"))
            .await
            .expect(200)
            .json();
        ids(&page)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("externalIds=a%20b%2Bc%26d").await,
        std::slice::from_ref(&first)
    );
    // A bare plus is a blank, as in every form.
    assert_eq!(
        found("externalIds=a+b%2Bc%26d").await,
        std::slice::from_ref(&first)
    );
    assert!(found("externalIds=a%20b+c%26d").await.is_empty());
    let both = found("externalIds=second&externalIds=a%20b%2Bc%26d").await;
    assert_eq!(both, [first, second, sourced.clone()]);
    assert_eq!(
        found("sources=my-crm").await,
        std::slice::from_ref(&sourced)
    );
    assert_eq!(found("externalIds=second&sources=my-crm").await, [sourced]);
    assert_eq!(found("sources=my-crm&sources=public-api").await.len(), 4);
    assert!(found("externalIds=nobody").await.is_empty());
}

#[tokio::test]
async fn list_queries_are_checked() {
    let api = Api::start().await;
    let cases = [
        ("", "/maxResults", "Expected required property"),
        (
            "maxResults=0",
            "/maxResults",
            "Expected integer to be greater or equal to 1",
        ),
        (
            "maxResults=51",
            "/maxResults",
            "Expected integer to be less or equal to 50",
        ),
        ("maxResults=ten", "/maxResults", "Expected integer"),
        ("maxResults=1.5", "/maxResults", "Expected integer"),
        (
            "maxResults=1&maxResults=2",
            "/maxResults",
            "Expected integer",
        ),
        (
            "maxResults=1&externalIds[]=a",
            "/externalIds",
            "Expected array",
        ),
        (
            "maxResults=1&externalIds=",
            "/externalIds/0",
            "Expected string length greater or equal to 1",
        ),
    ];
    for (query, path, message) in cases {
        let answer = api.get(&format!("/v1/contacts?{query}")).await.expect(400);
        assert_eq!(answer.error_paths(), [path], "{query}");
        assert_eq!(answer.json()["errors"][0]["message"], message, "{query}");
    }
    for token in ["x", "%20", "bm8", "eyJsYXN0SWQiOiJub2JvZHkifQ"] {
        let answer = api
            .get(&format!("/v1/contacts?maxResults=1&pageToken={token}"))
            .await;
        assert_eq!(answer.expect(400).json()["message"], "Invalid page token");
    }
}

#[tokio::test]
async fn unknown_query_names_are_no_filter() {
    let api = Api::start().await;
    small(&api, "a").await;
    let page = api
        .get("/v1/contacts?maxResults=10&phoneNumber=%2B12025550143")
        .await
        .expect(200);
    assert_eq!(ids(&page.json()).len(), 1);

    let strict = Sandbox::openphone()
        .rate_limit(None)
        .refuse_unknown_query(true);
    let api = Api::on(strict.start().await.unwrap());
    let answer = api
        .get("/v1/contacts?maxResults=10&phoneNumber=x")
        .await
        .expect(400);
    assert_eq!(answer.error_paths(), ["/phoneNumber"]);
    api.get("/v1/contacts?maxResults=10&externalIds=x&sources=y")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_million_synthetic_contacts_page_change_and_vanish_like_others() {
    let api = Api::start().await;
    let before = small(&api, "before").await;
    api.control.seed_contacts(1_000_000);
    let after = small(&api, "after").await;
    assert_eq!(api.control.contact_count(), 1_000_002);
    let page = api.get("/v1/contacts?maxResults=50").await.json();
    assert_eq!(ids(&page).len(), 50);
    assert_eq!(ids(&page)[0], before);
    assert_eq!(page["data"][1]["externalId"], "synthetic-2");
    assert_eq!(
        page["data"][1]["defaultFields"]["emails"][0]["value"],
        "person2@example.com"
    );

    let found =
        api.get("/v1/contacts?externalIds=synthetic-1000001&externalIds=after&maxResults=9");
    let found = found.await.json();
    assert_eq!(ids(&found)[1], after);
    let last = ids(&found)[0].to_owned();
    let path = format!("/v1/contacts/{last}");
    let same = api.get(&path).await.expect(200).json();
    assert_eq!(same["data"], found["data"][0]);

    api.patch(&path, &json!({ "externalId": "mine" }))
        .await
        .expect(200);
    assert_eq!(api.get(&path).await.json()["data"]["externalId"], "mine");
    let gone = api
        .get("/v1/contacts?externalIds=synthetic-1000001&maxResults=1")
        .await
        .json();
    assert!(ids(&gone).is_empty());
    let mine = api
        .get("/v1/contacts?externalIds=mine&maxResults=1")
        .await
        .json();
    assert_eq!(ids(&mine), [last.as_str()]);

    api.delete(&path).await.expect(204);
    api.get(&path).await.expect(404);
    api.delete(&path).await.expect(404);
    let second = page["data"][1]["id"].as_str().unwrap();
    api.delete(&format!("/v1/contacts/{second}"))
        .await
        .expect(204);
    let page = api.get("/v1/contacts?maxResults=2").await.json();
    assert_eq!(page["data"][1]["externalId"], "synthetic-3");
    assert_eq!(api.control.contact_count(), 1_000_000);
    // Another place than the last one is another person with a number nobody has.
    let number = page["data"][1]["defaultFields"]["phoneNumbers"][0]["value"]
        .as_str()
        .unwrap();
    assert!(
        number.len() == 12 && number[5..].starts_with("55501"),
        "{number}"
    );
}

#[tokio::test]
async fn more_synthetic_contacts_than_ids_leave_room_for_others() {
    let api = Api::start().await;
    api.control.seed_contacts(u64::MAX);
    api.control.seed_contacts(u64::MAX);
    let count = api.control.contact_count();
    let id = small(&api, "behind them all").await;
    assert_eq!(id.len(), 24);
    assert_eq!(api.control.contact_count(), count + 1);
    api.get(&format!("/v1/contacts/{id}")).await.expect(200);
    let found = api.get("/v1/contacts?externalIds=synthetic-1000000000&maxResults=1");
    let found = found.await.json();
    assert_eq!(ids(&found).len(), 1);
}
