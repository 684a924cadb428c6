//! The dated API: what stands on the wire, what is read, what is refused, and that nothing personal comes out.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

mod bodies;
mod endpoints;
mod errors;
mod export;
mod models;
mod records;
mod redaction;
mod validation;
mod wire;

use std::sync::Arc;

use connector_http::testing::FakeTransport;
use openphone_client::dated::Client;
use openphone_client::{Call, Delivery, ErrorKind};

/// A client, and the transport that shows what it sent.
fn client() -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}

/// Checks that a call fails before it is sent, at these places.
async fn assert_refused<T: Send + std::fmt::Debug + 'static>(call: Call<T>, paths: &[&str]) {
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    let found: Vec<_> = error.field_errors().iter().map(|it| &*it.path).collect();
    assert_eq!(found, paths);
}
