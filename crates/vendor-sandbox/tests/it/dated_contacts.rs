//! Dated contacts with their notes and properties, on the same state as those of API v1.

use serde_json::{Value, json};
use vendor_sandbox::openphone::WebhookFormat;

use crate::receiver::Receiver;
use crate::support::Api;

async fn data(api: &Api, path: &str) -> Value {
    api.get(path).await.expect(200).json()["data"].clone()
}

async fn create(api: &Api) -> String {
    let body =
        json!({ "firstName": "Ada", "company": "Acme", "externalId": "crm-1", "source": "acme" });
    let made = api.post("/contacts", &body).await.expect(201).json();
    made["data"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_contact_is_flat_and_changed_name_by_name() {
    let api = Api::start_dated().await;
    let id = create(&api).await;
    let path = format!("/contacts/{id}");
    let before = data(&api, &path).await;
    assert_eq!(
        (&before["firstName"], &before["company"]),
        (&json!("Ada"), &json!("Acme"))
    );
    assert!(before["actorId"].as_str().unwrap().starts_with("US"));
    let change = json!({ "lastName": "Lovelace", "company": null });
    let after = api.patch(&path, &change).await.expect(200).json()["data"].clone();
    assert_eq!(
        (&after["lastName"], &after["company"]),
        (&json!("Lovelace"), &Value::Null)
    );
    for name in ["firstName", "externalId", "source"] {
        assert_eq!(after[name], before[name], "{name} was not named and stays");
    }
    let v1 = data(&api, &format!("/v1{path}")).await;
    assert_eq!(v1["defaultFields"]["lastName"], "Lovelace");
    for (body, paths) in [
        (json!({}), vec!["/body/firstName"]),
        (json!({ "firstName": 1 }), vec!["/body/firstName"]),
        (
            json!({ "firstName": "A", "sourceUrl": "x" }),
            vec!["/body/sourceUrl"],
        ),
        (json!([]), vec!["/body", "/body/firstName"]),
    ] {
        let refused = api.post("/contacts", &body).await.expect(400);
        assert_eq!(refused.error_paths(), paths, "{body}");
    }
    let reserved = json!({ "firstName": "A", "source": "csv" });
    api.post("/contacts", &reserved).await.expect(400);
    api.delete(&path).await.expect(204);
    api.get(&path).await.expect(404);
}

#[tokio::test]
async fn contacts_are_found_by_their_references() {
    let api = Api::start_dated().await;
    api.control.seed_contacts(60);
    let id = create(&api).await;
    for (query, expected) in [
        ("externalId=crm-1", 1),
        ("externalId[in]=crm-1,synthetic-2", 2),
        ("source=acme", 1),
        ("source[in]=acme,none&externalId=synthetic-2", 0),
    ] {
        let list = data(&api, &format!("/contacts?{query}")).await;
        assert_eq!(list.as_array().unwrap().len(), expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/contacts?limit=25".to_owned();
    loop {
        let page = api.get(&path).await.expect(200).json();
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone()),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/contacts?limit=25&after={cursor}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), &seen[60]), (61, &json!(id)));
    let shares = data(&api, &format!("/contacts/{id}/shares")).await;
    assert_eq!(shares[0]["contactId"], json!(id));
}

#[tokio::test]
async fn notes_come_and_go() {
    let api = Api::start_dated().await;
    let id = create(&api).await;
    let notes = format!("/contacts/{id}/notes");
    let note = json!({ "text": "Called twice." });
    let made = api.post(&notes, &note).await.expect(200).json()["data"].clone();
    let path = format!("{notes}/{}", made["id"].as_str().unwrap());
    assert_eq!(data(&api, &path).await, made);
    assert_eq!(data(&api, &notes).await, json!([made]));
    let changed = api
        .patch(&path, &json!({ "text": "Called." }))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["data"]["text"], "Called.");
    for body in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": "x".repeat(2001) }),
    ] {
        api.post(&notes, &body).await.expect(400);
    }
    api.delete(&path).await.expect(204);
    for answer in [api.get(&path).await, api.delete(&path).await] {
        answer.expect(404);
    }
    api.get("/contacts/none/notes").await.expect(404);
}

#[tokio::test]
async fn properties_are_changed_one_by_one() {
    let api = Api::start_dated().await;
    let inbox = Receiver::start(&[]).await;
    let id = create(&api).await;
    api.control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    let path = format!("/contacts/{id}/properties");
    let add = async |body: Value| {
        let made = api.post(&path, &body).await.expect(200).json()["data"].clone();
        (format!("{path}/{}", made["id"].as_str().unwrap()), made)
    };
    let (number, made) =
        add(json!({ "type": "phone-number", "name": "Mobile", "value": "+12025550143" })).await;
    assert_eq!(
        (&made["name"], &made["value"]),
        (&json!("Mobile"), &json!("+12025550143"))
    );
    let (email, _) = add(json!({ "type": "email", "value": "ada@example.com" })).await;
    let (seats, made) = add(json!({ "type": "number", "name": "Seats", "value": 3 })).await;
    assert_eq!(made["name"], "Seats");
    assert_eq!(data(&api, &path).await.as_array().unwrap().len(), 3);
    let emails = data(&api, &format!("{path}?type=email")).await;
    assert_eq!(emails.as_array().unwrap().len(), 1);
    let patched = api
        .patch(&number, &json!({ "name": "Work" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&patched["data"]["name"], &patched["data"]["value"]),
        (&json!("Work"), &json!("+12025550143"))
    );
    api.patch(&seats, &json!({ "value": 4 })).await.expect(200);
    api.patch(&seats, &json!({ "value": "four" }))
        .await
        .expect(400);
    let v1 = data(&api, &format!("/v1/contacts/{id}")).await;
    assert_eq!(v1["defaultFields"]["phoneNumbers"][0]["name"], "Work");
    assert_eq!(v1["customFields"][0]["value"], 4);
    let unnamed = api.patch(&number, &json!({ "name": null })).await;
    assert_eq!(unnamed.expect(200).json()["data"]["name"], Value::Null);
    api.patch(&seats, &json!({ "value": null }))
        .await
        .expect(400);
    api.delete(&email).await.expect(204);
    for answer in [
        api.get(&email).await,
        api.delete(&email).await,
        api.patch(&email, &json!({ "name": "x" })).await,
    ] {
        answer.expect(404);
    }
    for body in [
        json!({ "type": "email" }),
        json!({ "value": "x" }),
        json!({ "type": "email", "value": 1 }),
        json!({ "type": "number", "name": "None", "value": 3 }),
        json!({ "type": "number", "value": "three" }),
        json!({ "type": "number", "name": "Seats", "value": null }),
    ] {
        api.post(&path, &body).await.expect(400);
    }
    api.control.webhooks_settled().await;
    assert_eq!(
        inbox.take().len(),
        7,
        "three additions, three changes, one deletion"
    );
}

#[tokio::test]
async fn what_has_no_value_is_no_property() {
    let api = Api::start_dated().await;
    let record = json!({
        "defaultFields": {
            "firstName": "Ada",
            "emails": [{ "name": "work", "value": null }],
            "phoneNumbers": [{ "name": "", "value": "+12025550143" }],
        },
    });
    let id = api.control.seed(&record).unwrap();
    let properties = data(&api, &format!("/contacts/{id}/properties")).await;
    assert_eq!(properties.as_array().unwrap().len(), 1);
    assert_eq!(properties[0]["value"], "+12025550143");
}
