use serde_json::{Value, json};
use vendor_sandbox::Sandbox;

use crate::support::{Api, keys};

fn full() -> Value {
    json!({
        "defaultFields": {
            "firstName": "Ada", "lastName": "Müller", "company": "Acme", "role": "Sales",
            "emails": [{ "name": "work", "value": "ada@example.com" }],
            "phoneNumbers": [{ "name": "mobile", "value": "+12025550143" }],
        },
        "customFields": [
            { "key": "seats", "value": 3 },
            { "key": "interests", "value": ["a", "b"] },
            { "key": "renewal-date", "value": null },
        ],
        "externalId": "crm-1",
        "source": "my-crm",
        "sourceUrl": "https://example.com/contacts/1",
    })
}

pub(crate) async fn create(api: &Api, body: &Value) -> Value {
    api.post("/v1/contacts", body).await.expect(201).json()["data"].clone()
}

/// The id of a fresh contact with nothing but a first name and an external id.
pub(crate) async fn small(api: &Api, external_id: &str) -> String {
    let body = json!({ "defaultFields": { "firstName": "A" }, "externalId": external_id });
    create(api, &body).await["id"].as_str().unwrap().to_owned()
}

pub(crate) fn ids(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|contact| contact["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_contact_is_created_with_all_it_was_given() {
    let api = Api::start().await;
    let contact = create(&api, &full()).await;
    assert_eq!(contact["externalId"], "crm-1");
    assert_eq!(contact["source"], "my-crm");
    assert_eq!(contact["sourceUrl"], "https://example.com/contacts/1");
    let fields = &contact["defaultFields"];
    assert_eq!(fields["lastName"], "Müller");
    assert_eq!(fields["role"], "Sales");
    assert_eq!(fields["emails"][0]["value"], "ada@example.com");
    assert_eq!(fields["phoneNumbers"][0]["name"], "mobile");
    assert_eq!(keys(&fields["emails"][0]), ["id", "name", "value"]);
    let custom = &contact["customFields"];
    assert_eq!(custom[0]["value"], 3);
    assert_eq!(
        (&custom[0]["name"], &custom[0]["type"]),
        (&json!("Seats"), &json!("number"))
    );
    assert_eq!(custom[1]["value"], json!(["a", "b"]));
    assert_eq!(custom[2]["value"], Value::Null);
    assert_eq!(keys(&custom[0]), ["id", "key", "name", "type", "value"]);
    assert!(
        contact["createdByUserId"]
            .as_str()
            .unwrap()
            .starts_with("US")
    );
    let id = contact["id"].as_str().unwrap();
    assert!(
        id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let created = contact["createdAt"].as_str().unwrap();
    assert_eq!(created.len(), "2026-01-01T00:00:00.000Z".len());
    assert!(created.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(created).is_ok());
    let got = api
        .get(&format!("/v1/contacts/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(got["data"], contact);
    assert_eq!(api.control.contact(id), Some(contact));
}

#[tokio::test]
async fn the_least_contact_gets_the_defaults() {
    let api = Api::start().await;
    let contact = create(&api, &json!({ "defaultFields": { "firstName": null } })).await;
    assert_eq!(contact["source"], "public-api");
    assert_eq!(contact["externalId"], Value::Null);
    assert_eq!(contact["sourceUrl"], Value::Null);
    assert_eq!(contact["customFields"], json!([]));
    let fields = json!({
        "firstName": null, "lastName": null, "company": null, "role": null,
        "emails": [], "phoneNumbers": [],
    });
    assert_eq!(contact["defaultFields"], fields);
}

#[tokio::test]
async fn what_breaks_the_schema_is_refused_by_path() {
    let api = Api::start().await;
    let with = |path: &str, value: Value| {
        let mut body = json!({ "defaultFields": { "firstName": "A" } });
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let field = |name: &str, value: Value| {
        let mut body = json!({ "defaultFields": { "firstName": "A" } });
        body["defaultFields"][name] = value;
        body
    };
    let top = |name: &str, value: Value| {
        let mut body = json!({ "defaultFields": { "firstName": "A" } });
        body[name] = value;
        body
    };
    let cases = [
        (json!([]), ""),
        (json!({}), "/defaultFields"),
        (json!({ "defaultFields": [] }), "/defaultFields"),
        (json!({ "defaultFields": {} }), "/defaultFields/firstName"),
        (
            with("/defaultFields/firstName", json!(1)),
            "/defaultFields/firstName",
        ),
        (field("lastName", json!(["x"])), "/defaultFields/lastName"),
        (field("company", json!(false)), "/defaultFields/company"),
        (
            field("emails", json!("a@example.com")),
            "/defaultFields/emails",
        ),
        (
            field("emails", json!(["a@example.com"])),
            "/defaultFields/emails/0",
        ),
        (
            field("emails", json!([{ "value": "a" }])),
            "/defaultFields/emails/0/name",
        ),
        (
            field("emails", json!([{ "name": "a" }])),
            "/defaultFields/emails/0/value",
        ),
        (
            field("phoneNumbers", json!([{ "name": 1, "value": "x" }])),
            "/defaultFields/phoneNumbers/0/name",
        ),
        (
            field("phoneNumbers", json!([{ "name": "x", "value": 1 }])),
            "/defaultFields/phoneNumbers/0/value",
        ),
        (top("externalId", json!("")), "/externalId"),
        (top("externalId", json!("x".repeat(76))), "/externalId"),
        (top("externalId", json!(7)), "/externalId"),
        (top("source", json!("")), "/source"),
        (top("source", json!("x".repeat(73))), "/source"),
        (top("source", json!(null)), "/source"),
        (top("source", json!("csv-import")), "/source"),
        (top("source", json!("zapier")), "/source"),
        (top("sourceUrl", json!("not a url")), "/sourceUrl"),
        (
            top(
                "sourceUrl",
                json!(format!("https://example.com/{}", "x".repeat(200))),
            ),
            "/sourceUrl",
        ),
        (top("createdByUserId", json!("me")), "/createdByUserId"),
        (top("customFields", json!({})), "/customFields"),
        (
            top("customFields", json!([{ "key": "seats" }])),
            "/customFields/0/value",
        ),
        (
            top("customFields", json!([{ "key": "seats", "value": {} }])),
            "/customFields/0/value",
        ),
    ];
    for (body, path) in cases {
        let answer = api.post("/v1/contacts", &body).await.expect(400);
        assert_eq!(answer.error_paths(), [path], "{body}");
        let error = answer.json();
        assert_eq!(error["code"], "0800400", "{body}");
        assert_eq!(error["status"], 400);
        assert_eq!(error["title"], "Bad Request");
        assert_eq!(error["docs"], "https://quo.com/docs");
        assert!(
            error["trace"]
                .as_str()
                .unwrap()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        );
    }
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let api = Api::start().await;
    let body = json!({ "defaultFields": { "lastName": 1 }, "externalId": "" });
    let answer = api.post("/v1/contacts", &body).await.expect(400);
    let paths = [
        "/defaultFields/lastName",
        "/defaultFields/firstName",
        "/externalId",
    ];
    assert_eq!(answer.error_paths(), paths);
    assert_eq!(
        keys(&answer.json()["errors"][0]),
        ["message", "path", "schema", "value"]
    );
}

#[tokio::test]
async fn the_limits_themselves_are_taken() {
    let api = Api::start().await;
    let body = json!({
        "defaultFields": { "firstName": "" },
        "externalId": "ü".repeat(75),
        "source": "x".repeat(72),
    });
    create(&api, &body).await;
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let api = Api::start().await;
    let send = async |content_type, body: &[u8]| {
        api.raw("POST", "/v1/contacts", content_type, body)
            .await
            .unwrap()
            .expect(400)
    };
    let valid = full().to_string();
    assert!(
        send(Some("application/json"), b"{")
            .await
            .text()
            .contains("Invalid JSON")
    );
    assert!(
        send(Some("application/json"), b"\xff\xfe")
            .await
            .text()
            .contains("Invalid JSON")
    );
    // A body that is not declared as JSON is not there at all.
    assert_eq!(send(None, valid.as_bytes()).await.error_paths(), [""]);
    assert_eq!(
        send(Some("text/plain"), valid.as_bytes())
            .await
            .error_paths(),
        [""]
    );
    assert_eq!(
        send(Some("application/json"), b"").await.error_paths(),
        [""]
    );
    let typed = Some("Application/JSON; charset=utf-8");
    let answer = api
        .raw("POST", "/v1/contacts", typed, valid.as_bytes())
        .await
        .unwrap();
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn a_wrong_custom_field_has_its_own_error() {
    let api = Api::start().await;
    let attempts = [
        json!([{ "key": "no-such-field", "value": "x" }]),
        json!([{ "value": "x" }]),
        json!([{ "key": "seats", "value": "three" }]),
        json!([{ "key": "inbound-lead", "value": "yes" }]),
        json!([{ "key": "renewal-date", "value": "tomorrow" }]),
        json!([{ "key": "interests", "value": "a" }]),
    ];
    for custom_fields in attempts {
        let body = json!({ "defaultFields": { "firstName": "A" }, "customFields": custom_fields });
        let error = api.post("/v1/contacts", &body).await.expect(400).json();
        assert_eq!(error["code"], "0801400", "{body}");
        assert_eq!(error["title"], "Invalid Custom Field Item");
        assert_eq!(error["description"], "Invalid Custom Field Item");
    }
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn a_creator_must_be_a_user() {
    let api = Api::start().await;
    let users = api.get("/v1/users?maxResults=10").await.json();
    let member = users["data"][2]["id"].clone();
    let body = json!({ "defaultFields": { "firstName": "A" }, "createdByUserId": member });
    assert_eq!(create(&api, &body).await["createdByUserId"], member);
    let body = json!({ "defaultFields": { "firstName": "A" }, "createdByUserId": "USnobody" });
    let error = api.post("/v1/contacts", &body).await.expect(403).json();
    assert_eq!(
        (&error["code"], &error["title"]),
        (&json!("0801403"), &json!("Not Phone Number User"))
    );
}

#[tokio::test]
async fn external_ids_may_repeat_unless_told_otherwise() {
    let api = Api::start().await;
    let first = small(&api, "same").await;
    let second = small(&api, "same").await;
    let page = api
        .get("/v1/contacts?externalIds=same&maxResults=10")
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&page), [first, second]);

    let strict = Sandbox::openphone()
        .rate_limit(None)
        .unique_external_ids(true);
    let api = Api::on(strict.start().await.unwrap());
    let first = small(&api, "same").await;
    let other = small(&api, "other").await;
    let body = json!({ "defaultFields": { "firstName": "B" }, "externalId": "same" });
    let error = api.post("/v1/contacts", &body).await.expect(409).json();
    assert_eq!(
        (&error["code"], &error["title"]),
        (&json!("0800409"), &json!("Conflict"))
    );
    assert_eq!(error.get("errors"), None);
    let error = api
        .patch(
            &format!("/v1/contacts/{other}"),
            &json!({ "externalId": "same" }),
        )
        .await;
    assert_eq!(error.status, 409);
    // Its own external id is no conflict.
    api.patch(
        &format!("/v1/contacts/{first}"),
        &json!({ "externalId": "same" }),
    )
    .await
    .expect(200);
    assert_eq!(api.control.contact_count(), 2);
}

#[tokio::test]
async fn an_update_replaces_lists_and_wipes_those_left_out() {
    let api = Api::start().await;
    let contact = create(&api, &full()).await;
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    let change = json!({ "defaultFields": { "lastName": "Novak" } });
    let updated = api.patch(&path, &change).await.expect(200).json()["data"].clone();
    let fields = &updated["defaultFields"];
    assert_eq!(fields["lastName"], "Novak");
    // Scalars that are left out stay.
    assert_eq!(fields["firstName"], "Ada");
    assert_eq!(fields["role"], "Sales");
    assert_eq!(updated["sourceUrl"], contact["sourceUrl"]);
    // Lists do not, and neither does the reference to the caller's system.
    assert_eq!(fields["emails"], json!([]));
    assert_eq!(fields["phoneNumbers"], json!([]));
    assert_eq!(updated["customFields"], json!([]));
    assert_eq!(
        (&updated["externalId"], &updated["source"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(api.get(&path).await.json()["data"], updated);
    // It can no longer be found by what it has lost.
    let page = api
        .get("/v1/contacts?externalIds=crm-1&maxResults=1")
        .await
        .json();
    assert!(ids(&page).is_empty());
}

#[tokio::test]
async fn an_update_that_says_everything_keeps_everything() {
    let api = Api::start().await;
    let before = create(&api, &full()).await;
    let path = format!("/v1/contacts/{}", before["id"].as_str().unwrap());
    let body = json!({
        "externalId": before["externalId"],
        "source": before["source"],
        "sourceUrl": before["sourceUrl"],
        "defaultFields": before["defaultFields"],
        "customFields": before["customFields"],
    });
    let after = api.patch(&path, &body).await.expect(200).json()["data"].clone();
    // The answer to an update leaves the ids of custom fields out; a get shows them again.
    assert_eq!(
        keys(&after["customFields"][0]),
        ["key", "name", "type", "value"]
    );
    let mut after = api.get(&path).await.json()["data"].clone();
    after["updatedAt"] = before["updatedAt"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn update_options_and_oddities() {
    let keeping = Sandbox::openphone()
        .rate_limit(None)
        .patch_keeps_reference(true);
    let api = Api::on(keeping.start().await.unwrap());
    let contact = create(&api, &full()).await;
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    let change =
        async |body: Value| api.patch(&path, &body).await.expect(200).json()["data"].clone();
    let updated = change(json!({})).await;
    assert_eq!(
        (&updated["externalId"], &updated["source"]),
        (&json!("crm-1"), &json!("my-crm"))
    );
    // An empty role is ignored without a word; null takes it away.
    let updated = change(json!({ "defaultFields": { "role": "", "company": "" } })).await;
    assert_eq!(updated["defaultFields"]["role"], "Sales");
    assert_eq!(updated["defaultFields"]["company"], "");
    let updated = change(json!({ "defaultFields": { "role": null }, "externalId": null })).await;
    assert_eq!(updated["defaultFields"]["role"], Value::Null);
    assert_eq!(updated["externalId"], Value::Null);
}

#[tokio::test]
async fn items_are_kept_by_id_removed_by_null_and_refused_when_unknown() {
    let api = Api::start().await;
    let contact = create(&api, &full()).await;
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    let email = contact["defaultFields"]["emails"][0]["id"].clone();
    let emails = json!([
        { "id": email, "name": "work", "value": "new@example.com" },
        { "name": "home", "value": "home@example.com" },
        { "name": "gone", "value": null },
    ]);
    let body = json!({ "defaultFields": { "emails": emails } });
    let updated = api.patch(&path, &body).await.expect(200).json()["data"].clone();
    let kept = updated["defaultFields"]["emails"].as_array().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(
        (&kept[0]["id"], &kept[0]["value"]),
        (&email, &json!("new@example.com"))
    );
    assert_ne!(kept[1]["id"], email);
    let body =
        json!({ "defaultFields": { "emails": [{ "id": "stranger", "name": "a", "value": "b" }] } });
    let error = api.patch(&path, &body).await.expect(400).json();
    assert_eq!(error["message"], "Item with ID stranger does not match");
    // Nothing of a refused update happened.
    assert_eq!(api.get(&path).await.json()["data"], {
        let mut shown = updated.clone();
        shown["updatedAt"] = api
            .control
            .contact(contact["id"].as_str().unwrap())
            .unwrap()["updatedAt"]
            .clone();
        shown
    });
}

#[tokio::test]
async fn a_custom_value_can_be_named_by_its_id() {
    let api = Api::start().await;
    let contact = create(&api, &full()).await;
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    let id = contact["customFields"][0]["id"].clone();
    let change = |custom_field: Value| json!({ "customFields": [custom_field] });
    let by_id = change(json!({ "id": id, "value": 4 }));
    let updated = api.patch(&path, &by_id).await.expect(200).json()["data"].clone();
    assert_eq!(updated["customFields"][0]["key"], "seats");
    assert_eq!(
        api.get(&path).await.json()["data"]["customFields"][0]["id"],
        id
    );
    for wrong in [
        json!({ "id": id, "key": "notes", "value": "x" }),
        json!({ "id": "stranger", "value": 4 }),
        json!({ "id": "stranger", "key": "seats", "value": 4 }),
    ] {
        let error = api.patch(&path, &change(wrong)).await.expect(400).json();
        assert_eq!(error["code"], "0801400");
    }
}

#[tokio::test]
async fn updates_are_checked_before_they_look() {
    let api = Api::start().await;
    let body = json!({ "source": "device", "defaultFields": { "emails": [{}] } });
    let answer = api.patch("/v1/contacts/nobody", &body).await.expect(400);
    let paths = [
        "/defaultFields/emails/0/name",
        "/defaultFields/emails/0/value",
        "/source",
    ];
    assert_eq!(answer.error_paths(), paths);
    api.patch("/v1/contacts/nobody", &json!({}))
        .await
        .expect(404);
    let id = small(&api, "a").await;
    // Update does not know the creator, and does not look at it.
    let longer = json!({ "source": "x".repeat(75), "createdByUserId": null });
    api.patch(&format!("/v1/contacts/{id}"), &longer)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_deleted_contact_is_gone() {
    let api = Api::start().await;
    let id = small(&api, "a").await;
    let path = format!("/v1/contacts/{id}");
    let answer = api.delete(&path).await.expect(204);
    assert!(answer.body.is_empty() && answer.header("content-type").is_none());
    for answer in [
        api.get(&path).await,
        api.delete(&path).await,
        api.patch(&path, &json!({})).await,
    ] {
        let error = answer.expect(404).json();
        assert_eq!(
            (&error["code"], &error["title"]),
            (&json!("0800404"), &json!("Not Found"))
        );
    }
    let page = api
        .get("/v1/contacts?externalIds=a&maxResults=1")
        .await
        .json();
    assert!(ids(&page).is_empty());
    assert_eq!(api.control.contact_count(), 0);
}

#[tokio::test]
async fn unknown_ids_are_not_found_whatever_they_look_like() {
    let api = Api::start().await;
    let id = small(&api, "a").await;
    for unknown in [
        "nobody",
        "a%2Fb",
        "%2e%2e",
        &id.to_uppercase(),
        &id[..23],
        &format!("{id}0"),
    ] {
        let answer = api.get(&format!("/v1/contacts/{unknown}")).await;
        assert_eq!(answer.expect(404).json()["code"], "0800404", "{unknown}");
    }
    let answer = api.get("/v1/contacts/%ff").await.expect(400);
    assert_eq!(answer.json()["code"], "0800400");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let run = async |seed| {
        let builder = Sandbox::openphone().seed(seed).rate_limit(None);
        let api = Api::on(builder.start().await.unwrap());
        api.control.seed_contacts(3);
        let id = create(&api, &full()).await["id"].clone();
        let page = api.get("/v1/contacts?maxResults=3").await.json();
        (
            api.sandbox.api_key().to_owned(),
            api.sandbox.webhook_key(),
            id,
            page,
        )
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    let other = run(2).await;
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1);
    assert_ne!(first.2, other.2);
}
