//! Nothing of a person and no key reaches a log line or an error chain, with the vendor's client in between.

#![cfg(feature = "openphone")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    CrmHook, Event, MemoryStore, Region, SharedClient, Signup, SignupHook, StaticDirectory, Ticket,
    Worker,
};
use openphone_client::Client;
use tracing_subscriber::fmt::format::FmtSpan;
use vendor_sandbox::openphone::{CREATE_CONTACT, LIST_CONTACTS};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_key_nor_person_is_seen() {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .build()
        .unwrap();
    let target = Arc::new(OpenPhoneTarget::new(SharedClient::new(client)));
    let store = Arc::new(MemoryStore::new());
    let hook =
        SignupHook::new(store.clone(), StaticDirectory::new().on("openphone")).region(Region::US);
    let crm =
        CrmHook::new(store.clone(), StaticDirectory::new().on("openphone")).target(target.clone());
    // The simulated vendor runs in the subscriber's sight too, and says nothing of its own.
    sandbox.control().faults(
        FaultPlan::none()
            .next(
                LIST_CONTACTS,
                1,
                Fault::ServerError {
                    status: 503,
                    retry_after: None,
                },
            )
            .next(CREATE_CONTACT, 1, Fault::ResetAfterEffect),
    );
    let canary = Signup::new()
        .host_id("kanari@example.com")
        .name("Canaria Vogel")
        .email("kanari@example.com")
        .phone("(202) 555-0143")
        .company("Birdcage Ltd");
    hook.on_signup(canary.clone()).await.unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let listen = move |event: &Event| heard.lock().unwrap().push(event.clone());
    Worker::new(store)
        .target(target.clone())
        .on_event(listen)
        .start()
        .idle()
        .await;
    sandbox
        .control()
        .faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::HtmlErrorPage));
    let other = canary.host_id("kanari2").email("canaria@example.com");
    let error = crm
        .create(&other, async |_: Ticket| Ok::<_, io::Error>(()))
        .await
        .unwrap_err();
    let mut shown = format!("{:?} {:?}", target, events.lock().unwrap());
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        writeln!(shown, "{error} {error:?}").unwrap();
        next = error.source();
    }
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("contact delivered"), "{log}");
    for canary in [
        "Canaria",
        "canaria",
        "Vogel",
        "kanari",
        "2025550143",
        "Birdcage",
        sandbox.api_key(),
    ] {
        assert!(!log.contains(canary), "{canary} in the log:\n{log}");
        assert!(!shown.contains(canary), "{canary} shown:\n{shown}");
    }
}
