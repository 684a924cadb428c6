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
mod redaction;
mod validation;
mod wire;

use std::sync::Arc;

use connector_http::testing::FakeTransport;
use openphone_client::dated::Client;

/// A client, and the transport that shows what it sent.
fn client() -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}
