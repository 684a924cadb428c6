//! What attempts say about integrations is heard, on both roads, and nobody waits long for whoever hears it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_sync::{
    ClientUnavailable, ErrorClass, JobStore, Signal, Signup, StatusEvent, StatusSink, TenantId,
};
use rstest::rstest;
use tokio::time::{Instant, timeout};

use super::strict::{Row, create, crm, pass};
use super::vendor::{Fault, Op, World, ann, bob};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<StatusEvent>>>);

#[async_trait::async_trait]
impl StatusSink for Heard {
    async fn report(&self, event: &StatusEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn what_attempts_say_is_heard() {
    let world = World::new();
    let heard = Heard::default();
    let wait = Duration::from_secs(7);
    world
        .vendor
        .script([Fault::Later(ErrorClass::Transient, wait)]);
    world.hook.on_signup(ann()).await.unwrap();
    world
        .worker()
        .status_sink(heard.clone())
        .start()
        .idle()
        .await;
    let events = heard.0.lock().unwrap();
    assert_eq!(*events, world.store.statuses());
    assert_eq!((events.len(), events[0].retry_after), (2, Some(wait)));
    assert!(events[0].failure.is_some() && events[1].failure.is_none());
    assert_eq!(events[0].tenant, TenantId::default());
}

#[tokio::test(start_paused = true)]
async fn what_fails_on_this_side_says_nothing_of_the_vendor() {
    let world = World::new();
    let heard = Heard::default();
    let failed = ClientUnavailable::Failed;
    world.vendor.script([Fault::NoClient(failed)]);
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().status_sink(heard.clone()).start();
    worker.idle().await;
    let signals: Vec<Signal> = heard.0.lock().unwrap().iter().map(|e| e.signal).collect();
    assert_eq!(signals, [Signal::CallOk]);
}

#[rstest]
#[case::refused(Op::Create, ErrorClass::Auth, Some(Signal::AuthRefused))]
#[case::refused_at_the_look(Op::Find, ErrorClass::Auth, Some(Signal::AuthRefused))]
#[case::out_of_order(Op::Find, ErrorClass::Transient, Some(Signal::TransientFailure))]
#[case::refused_data(Op::Create, ErrorClass::InvalidData, Some(Signal::CallOk))]
#[case::rate_limited(Op::Create, ErrorClass::RateLimited, None)]
#[tokio::test(start_paused = true)]
async fn what_a_strict_create_says_is_heard(
    #[case] op: Op,
    #[case] class: ErrorClass,
    #[case] signal: Option<Signal>,
) {
    let world = World::new();
    let heard = Heard::default();
    let crm = crm(&world).status_sink(heard.clone());
    world.vendor.fault(op, Fault::Fail(class));
    create(&crm, &ann(), &Row::default()).await.unwrap_err();
    let said: Vec<StatusEvent> = std::mem::take(&mut *heard.0.lock().unwrap());
    // Nothing was created, so the undo has no more to say than that.
    let said: Vec<Signal> = said
        .iter()
        .filter(|event| event.failure.is_some())
        .map(|event| event.signal)
        .collect();
    assert_eq!(said, Vec::from_iter(signal));

    create(&crm, &ann(), &Row::default()).await.unwrap();
    let said = heard.0.lock().unwrap();
    assert_eq!((said.len(), said[0].signal), (1, Signal::CallOk));
    assert_eq!(
        (&said[0].tenant, said[0].target.as_str()),
        (&TenantId::default(), "fake")
    );
}

#[tokio::test(start_paused = true)]
async fn a_strict_create_that_asks_nobody_says_nothing() {
    let world = World::new();
    let heard = Heard::default();
    let crm = crm(&world).status_sink(heard.clone());
    world
        .vendor
        .script([Fault::NoClient(ClientUnavailable::Paused)]);
    create(&crm, &ann(), &Row::default()).await.unwrap_err();
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    // Known by a link: found without a call.
    create(&crm, &bob(), &Row::default()).await.unwrap();
    assert_eq!(*heard.0.lock().unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_undo_of_the_strict_road_is_heard_too() {
    let world = World::new();
    let heard = Heard::default();
    let crm = crm(&world).status_sink(heard.clone());
    world
        .vendor
        .fault(Op::Delete, Fault::Fail(ErrorClass::Auth));
    let failed = crm.create(&ann(), async |_| Err::<(), _>(())).await;
    failed.unwrap_err();
    let said: Vec<Signal> = heard.0.lock().unwrap().iter().map(|e| e.signal).collect();
    assert_eq!(said, [Signal::CallOk, Signal::AuthRefused]);
}

/// Hears nothing for a while, and counts how often it was asked.
struct Deaf {
    until: Instant,
    asked: Arc<Mutex<usize>>,
}

impl Deaf {
    fn for_ever() -> Self {
        Self::hears_after(Duration::from_hours(24))
    }

    fn hears_after(time: Duration) -> Self {
        Self {
            until: Instant::now() + time,
            asked: Arc::default(),
        }
    }
}

#[async_trait::async_trait]
impl StatusSink for Deaf {
    async fn report(&self, _event: &StatusEvent) {
        *self.asked.lock().unwrap() += 1;
        if Instant::now() < self.until {
            std::future::pending::<()>().await;
        }
    }
}

fn person(number: u32) -> Signup {
    Signup::new().email(format!("person{number}@example.com"))
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_does_not_answer_holds_up_no_place() {
    let world = World::new();
    for number in 0..20 {
        world.hook.on_signup(person(number)).await.unwrap();
    }
    let worker = world.worker().concurrency(1).status_sink(Deaf::for_ever());
    let (worker, start) = (worker.start(), Instant::now());
    timeout(Duration::from_mins(1), worker.idle())
        .await
        .unwrap();
    assert_eq!(world.vendor.records().len(), 20);
    // One patience for all of them, and the calls themselves.
    assert!(
        start.elapsed() < Duration::from_secs(7),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_does_not_answer_holds_up_no_shutdown() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().status_sink(Deaf::for_ever()).start();
    pass(Duration::from_secs(1)).await;
    assert_eq!(world.vendor.records().len(), 1);
    let (grace, start) = (Duration::from_secs(2), Instant::now());
    let stopped = timeout(Duration::from_mins(1), worker.shutdown(grace)).await;
    assert_eq!(start.elapsed(), grace);
    // Written down long since: nothing is handed back.
    assert_eq!(stopped.unwrap().released, 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_does_not_answer_delays_a_strict_create_a_little() {
    let world = World::new();
    let crm = crm(&world).status_sink(Deaf::for_ever());
    let start = Instant::now();
    let created = timeout(
        Duration::from_mins(1),
        create(&crm, &ann(), &Row::default()),
    )
    .await;
    created.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_answers_again_is_asked_again() {
    let world = World::new();
    let deaf = Deaf::hears_after(Duration::from_secs(20));
    let asked = Arc::clone(&deaf.asked);
    let worker = world.worker().status_sink(deaf).start();
    for (number, expected) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3)] {
        world.hook.on_signup(person(number)).await.unwrap();
        pass(Duration::from_secs(12)).await;
        assert_eq!(*asked.lock().unwrap(), expected, "after signup {number}");
    }
    drop(worker);
}

struct Panicking;

#[async_trait::async_trait]
impl StatusSink for Panicking {
    async fn report(&self, _event: &StatusEvent) {
        panic!("heard enough");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_takes_nobody_along() {
    let world = World::new();
    let crm = crm(&world).status_sink(Panicking);
    create(&crm, &ann(), &Row::default()).await.unwrap();
    world.hook.on_signup(bob()).await.unwrap();
    let worker = world.worker().status_sink(Panicking).start();
    pass(Duration::from_millis(30)).await;
    let stopped = worker.shutdown(Duration::from_mins(1)).await;
    assert_eq!((stopped.finished, stopped.released), (1, 0));
}
