//! An export takes the memory of a page, however much there is.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::fmt::Write as _;
use std::sync::Arc;

use connector_http::{BoxFuture, Transport, TransportError, WireRequest, WireResponse};
use http::HeaderMap;
use openphone_client::{Client, Rate, RateClass};

/// One number with one conversation of so many pages of 100 calls. It remembers nothing.
struct Vendor {
    pages: usize,
}

impl Transport for Vendor {
    fn execute(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        let body = match request.url.path() {
            "/v1/phone-numbers" => r#"{"data":[{"id":"PN1"}]}"#.to_owned(),
            "/v1/conversations" => {
                r#"{"data":[{"id":"CN1","phoneNumberId":"PN1","participants":["+12025550143"]}],"nextPageToken":null}"#.to_owned()
            }
            "/v1/calls" => {
                let pairs = request.url.query_pairs();
                let mut token = pairs.filter(|(key, _)| key == "pageToken");
                let number = token.next().map_or(0, |(_, value)| value.parse::<usize>().unwrap());
                calls(number, self.pages)
            }
            other => panic!("{other} is not part of an export"),
        };
        let response = WireResponse::new(200, HeaderMap::new(), Ok(body.into()));
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn calls(page: usize, pages: usize) -> String {
    let mut body = r#"{"data":["#.to_owned();
    for index in 0..100 {
        let comma = if index == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"id":"AC{page:06}{index:02}","direction":"incoming","status":"completed","participants":["+12025550143","+12025550100"],"createdAt":"2026-03-01T00:00:00.000Z","duration":60}}"#
        )
        .unwrap();
    }
    let next = page + 1;
    if next < pages {
        write!(body, r#"],"nextPageToken":"{next:06}"}}"#).unwrap();
    } else {
        body.push_str(r#"],"nextPageToken":null}"#);
    }
    body
}

/// The most bytes in use at a time while so many pages were exported.
fn most_bytes(pages: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let client = Client::builder()
        .api_key("k3y")
        .transport(Arc::new(Vendor { pages }))
        .rate(RateClass::DEFAULT, Rate::per_second(1_000_000))
        .build()
        .unwrap();
    let measured = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut calls = client.calls().export(..).items();
            let mut count = 0;
            while let Some(call) = calls.next().await {
                call.unwrap();
                count += 1;
            }
            assert_eq!(count, pages * 100);
        });
    });
    measured.bytes_max
}

#[test]
fn memory_does_not_grow_with_the_number_of_calls() {
    let (few, many) = (most_bytes(10), most_bytes(500));
    // Of each page eight bytes are kept, against tokens that go in a circle; twice while the table of them grows.
    let grown = many.saturating_sub(few);
    assert!(
        grown < 32 * 1024,
        "{few} bytes for 1,000 calls, {many} for 50,000"
    );
    assert!(
        few > 32 * 1024,
        "a page alone takes more: the measurement is blind"
    );
}
