//! Nothing of a person and no key reaches a log line or an event of the SuiteDash target, in either mode.

#![cfg(feature = "suitedash")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

#[expect(dead_code, reason = "the flows use the rest of it")]
#[path = "suitedash/world.rs"]
mod world;

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use contact_sync::targets::suitedash::Settings;
use contact_sync::{Signup, TenantId};
use suitedash_client::connection::ImportPlace;
use suitedash_client::export::NewExport;
use tracing_subscriber::fmt::format::FmtSpan;
use vendor_sandbox::suitedash::{CREATE_CONTACT, GET_CONTACT};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

use self::world::World;

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

fn canary() -> Signup {
    Signup::new()
        .host_id("kanari@example.com")
        .name("Canaria Vogel")
        .email("kanari@example.com")
        .phone("(202) 555-0143")
        .company("Birdcage Ltd")
        .notes("tweet")
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
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    let error = Fault::ServerError {
        status: 503,
        retry_after: None,
    };
    control.faults(
        FaultPlan::none()
            .next(CREATE_CONTACT, 1, Fault::ResetAfterEffect)
            .next(GET_CONTACT, 2, error),
    );
    world.sign_up(canary()).await;
    world.work().await;
    let directory = tempfile::tempdir().unwrap();
    let files = World::with(ImportPlace::new(directory.path()), Settings::new());
    files.sign_up(canary()).await;
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    let tenant = TenantId::default();
    let exports = files.exports();
    let done = exports.export(&tenant, NewExport::new(now, "user-7")).await;
    let done = done.unwrap();
    let run = done.run.clone().unwrap();
    exports
        .mark_imported(&tenant, &run.id, now, "user-7")
        .await
        .unwrap();
    files.work().await;

    let mut shown = format!("{:?} {exports:?} {done:?}", world.target);
    for world in [&world, &files] {
        let links = world.events.lock().unwrap();
        write!(shown, "{links:?}").unwrap();
    }
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("contact delivered"), "{log}");
    for canary in [
        "Canaria",
        "Vogel",
        "kanari",
        "2025550143",
        "Birdcage",
        "tweet",
        sandbox.secret_key(),
    ] {
        assert!(!log.contains(canary), "{canary} in the log:\n{log}");
        assert!(!shown.contains(canary), "{canary} shown:\n{shown}");
    }
}
