//! The pace end to end, on paused time: nothing of the allowed rate is wasted, and a signup that somebody waits for
//! passes the backlog in the limiter too. `benches/pacing.rs` measures the same against a simulated vendor.

#![cfg(feature = "openphone")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Rate, RateClass, Timer as _, TokioTimer};
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{MemoryStore, SharedClient, Signup, SignupHook, StaticDirectory, Worker};
use openphone_client::Client;
use serde_json::json;
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(100);

/// When each call arrived, and whether a bulk signup made it.
type Calls = Arc<Mutex<Vec<(Instant, bool)>>>;

/// A vendor that has nobody yet and takes everybody.
fn vendor(calls: &Calls) -> FakeTransport {
    let calls = Arc::clone(calls);
    let ids = AtomicU32::new(0);
    FakeTransport::handler(move |request| {
        let text = format!(
            "{:?}{}",
            request.query(),
            String::from_utf8_lossy(&request.body)
        );
        let call = (Instant::now(), text.contains("bulk-"));
        calls.lock().unwrap().push(call);
        let reply = if request.method == "POST" {
            let id = ids.fetch_add(1, Ordering::Relaxed);
            let sent = request.json();
            Reply::status(201).json(&json!({"data": {
                "id": format!("{id:024}"), "externalId": sent["externalId"], "source": "contact-sync",
                "defaultFields": {"firstName": "Ann", "emails": [], "phoneNumbers": []}, "customFields": [],
                "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "createdByUserId": "US1",
            }}))
        } else {
            Reply::status(200).json(&json!({"data": [], "totalItems": 0, "nextPageToken": null}))
        };
        reply.delay(Duration::from_millis(30))
    })
}

fn host(calls: &Calls) -> (SignupHook, Worker) {
    let client = Client::builder()
        .api_key("0123456789abcdef0123456789abcdef")
        .transport(Arc::new(vendor(calls)))
        .rate(RateClass::DEFAULT, Rate::per_second(10).burst(1))
        .build()
        .unwrap();
    let store = Arc::new(MemoryStore::new());
    let hook = SignupHook::new(store.clone(), StaticDirectory::new().on("openphone"));
    let target = OpenPhoneTarget::new(SharedClient::new(client));
    (hook, Worker::new(store).target(Arc::new(target)))
}

async fn backlog(hook: &SignupHook, people: usize) {
    for id in 0..people {
        let signup = Signup::new().host_id(format!("bulk-{id}")).name("Ann Lee");
        hook.on_signup(signup).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_backlog_uses_all_of_the_rate_and_no_more() {
    let calls = Calls::default();
    let (hook, worker) = host(&calls);
    backlog(&hook, 100).await;
    worker.start().idle().await;
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 200);
    let between: Vec<Duration> = calls.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(between.iter().all(|wait| *wait >= INTERVAL), "never faster");
    let took = calls[199].0 - calls[0].0;
    // Timers have a grain of a millisecond.
    assert!(
        took <= (INTERVAL + Duration::from_millis(1)) * 199,
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_signup_that_somebody_waits_for_passes_the_backlog() {
    let calls = Calls::default();
    let (hook, worker) = host(&calls);
    backlog(&hook, 100).await;
    let worker = worker.start();
    TokioTimer.sleep(Duration::from_secs(5)).await;
    let before = calls.lock().unwrap().len();
    let start = Instant::now();
    let waiting = Signup::new().host_id("17").name("Bob Ray");
    let receipt = hook
        .on_signup_wait(waiting, Duration::from_mins(1))
        .await
        .unwrap();
    assert!(receipt.targets[0].integrated);
    let bulk = calls.lock().unwrap()[before..]
        .iter()
        .filter(|(_, is_bulk)| *is_bulk)
        .count();
    assert!(bulk <= 2, "it waited for {bulk} bulk calls");
    assert!(
        start.elapsed() <= Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    worker.idle().await;
    assert_eq!(calls.lock().unwrap().len(), 202);
}
