//! Nothing of a person reaches a log line, a `Debug`, a `Display` or an error chain.
//!
//! In a process of its own, since tracing remembers for the whole process who listens to which line.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

#[expect(dead_code, reason = "the flows use the rest of it")]
#[path = "flows/vendor.rs"]
mod vendor;

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_sync::{
    ClaimRequest, ClientUnavailable, CrmHook, ErrorClass, JobStore, Region, Signup,
    StaticDirectory, Ticket,
};
use tracing_subscriber::fmt::format::FmtSpan;

use vendor::{Fault, Op, World};

/// What must not be seen: every part of the person, in every spelling that we make of it.
const CANARIES: [&str; 10] = [
    "Canaria",
    "canaria",
    "Vogel",
    "vogel",
    "kanari@",
    "2025550143",
    "555 0143",
    "Birdcage",
    "tweet",
    "Millet",
];

fn canary() -> Signup {
    Signup::new()
        .host_id("kanari@example.com")
        .name("Canaria Vogel")
        .email("Kanari@Example.com")
        .phone("(202) 555 0143")
        .company("Birdcage Ltd")
        .notes("tweet")
        .attribute("seed", "Millet")
        .trace_id("request-7")
}

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

/// Everything that was shown, one way or another.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, value: &impl Debug) {
        writeln!(self.0, "{value:?} {value:#?}").unwrap();
    }

    fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            writeln!(self.0, "{error} {error:?} {error:#?}").unwrap();
            next = error.source();
        }
    }
}

fn everything_to(sink: &Sink) -> impl tracing::Subscriber + Send + Sync + use<> {
    let writer = sink.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish()
}

fn assert_unseen(place: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} in {place}:\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_canary_is_seen() {
    let sink = Sink::default();
    let _guard = tracing::subscriber::set_default(everything_to(&sink));
    let mut shown = Shown::default();

    let world = World::new();
    shown.debug(&canary());
    shown.debug(&world.hook);
    shown.debug(&world.hook.plan(&canary()));
    let receipt = world.hook.on_signup(canary()).await.unwrap();
    shown.debug(&receipt);
    shown.debug(&world.store.contact(receipt.contact));
    let claims = world
        .store
        .claim(ClaimRequest::new(9, Duration::from_secs(1)))
        .await
        .unwrap();
    assert_eq!(claims.jobs.len(), 1);
    shown.debug(&claims);

    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let worker = world
        .worker()
        .on_event(move |event| heard.lock().unwrap().push(event.clone()));
    shown.debug(&worker);
    let worker = worker.start();
    world.vendor.script([
        Fault::Fail(ErrorClass::Transient),
        Fault::Fail(ErrorClass::Auth),
        Fault::NoClient(ClientUnavailable::Disabled),
        Fault::Panic,
        Fault::Pass,
        Fault::Lands(Duration::from_secs(3)),
        Fault::LostRequest,
        Fault::Fail(ErrorClass::Conflict),
    ]);
    worker.idle().await;
    for job in world.store.stopped_jobs().await.unwrap() {
        shown.debug(&job);
        world.store.replay(job.job).await.unwrap();
    }
    world
        .vendor
        .fault(Op::Update, Fault::Fail(ErrorClass::InvalidData));
    world
        .hook
        .on_signup(canary().name("Canaria Vogel-Vogel"))
        .await
        .unwrap();
    worker.idle().await;
    shown.debug(&*events.lock().unwrap());
    shown
        .0
        .push_str(&serde_json::to_string(&*events.lock().unwrap()).unwrap());
    shown
        .0
        .push_str(&serde_json::to_string(&world.store.log()).unwrap());
    shown.debug(&world.store.statuses());
    shown.debug(&world.store);

    let crm = CrmHook::new(world.store.clone(), StaticDirectory::new().on("fake"))
        .target(world.vendor.clone())
        .region(Region::US);
    shown.debug(&crm);
    let other = canary()
        .host_id("kanari@example.com#2")
        .email("canaria@example.com");
    for fault in [
        Fault::Fail(ErrorClass::InvalidData),
        Fault::LostRequest,
        Fault::Pass,
    ] {
        world.vendor.fault(Op::Create, fault);
        let insert = async |ticket: Ticket| {
            tracing::info!(?ticket, "the host logs its ticket");
            Err::<(), _>(io::Error::other("disk full"))
        };
        let error = crm.create(&other, insert).await.unwrap_err();
        shown.error(&error);
        world.vendor.heal();
    }
    worker.shutdown(Duration::from_secs(1)).await;

    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "signup accepted",
        "will be tried again",
        "trace_id=\"request-7\"",
        "given up",
        "strict create undone",
        "panicked",
    ] {
        assert!(
            log.contains(expected),
            "the log does not show: {expected}\n{log}"
        );
    }
    assert_unseen("the log", &log);
    assert_unseen("what was shown", &shown.0);
}
