//! A vendor of a few lines.

use std::sync::Arc;

use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use serde_json::{Value, json};
use suitedash_client::{Client, ClientBuilder};

pub(crate) const UID: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const EMAIL: &str = "jane.roe@example.com";

pub(crate) fn builder(fake: &FakeTransport) -> ClientBuilder {
    Client::builder()
        .public_id("00000000-0000-4000-8000-000000000001")
        .secret_key("k3y")
        .transport(Arc::new(fake.clone()))
}

pub(crate) fn client(fake: &FakeTransport) -> Client {
    builder(fake).build().unwrap()
}

pub(crate) fn script(replies: impl IntoIterator<Item = Reply>) -> FakeTransport {
    let fake = FakeTransport::new();
    for reply in replies {
        fake.push(reply);
    }
    fake
}

/// A contact with some of its fields set otherwise.
pub(crate) fn contact(changes: &Value) -> Value {
    let mut contact: Value = fixture("contact.json")["data"].take();
    for (field, value) in changes.as_object().unwrap() {
        contact[field] = value.clone();
    }
    contact
}

pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn told(status: u16, data: &Value) -> Reply {
    Reply::status(status).json(&json!({ "success": true, "message": "", "data": data }))
}

pub(crate) fn refused(status: u16) -> Reply {
    Reply::status(status).json(&json!({ "success": false, "message": "c4nary" }))
}

/// The requests as lines: `POST /contact`.
pub(crate) fn lines(fake: &FakeTransport) -> Vec<String> {
    fake.requests().iter().map(line).collect()
}

fn line(request: &RecordedRequest) -> String {
    let path = request.path().strip_prefix("/secure-api").unwrap();
    format!("{} {path}", request.method)
}
