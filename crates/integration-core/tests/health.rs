//! Regular checks by several processes at once, over days of paused time.

#![cfg(feature = "integrations")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Timer, TokioTimer};
use integration_core::instance::Health;
use integration_core::instance::health::{
    Checks, DueIntegration, HealthChecks, HealthOptions, RunningHealthChecks,
};
use integration_core::status::{
    CredentialsVersion, DueCheck, Event, State, Status, next_check, transition,
};
use integration_core::store::{LeaseStore, StoreError};
use integration_core::{IntegrationId, TenantId};
use rstest::rstest;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// A wall clock that goes with the paused one.
#[derive(Clone, Debug)]
struct Clock(Instant);

#[async_trait]
impl Timer for Clock {
    fn now(&self) -> Instant {
        TokioTimer.now()
    }

    fn utc_now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        start + (self.now() - self.0)
    }

    async fn sleep(&self, duration: Duration) {
        TokioTimer.sleep(duration).await;
    }
}

/// What a vendor does when it is called.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Vendor {
    Answers,
    Refuses,
    Hangs,
    Panics,
    /// It answers, but what came of it cannot be written.
    Unwritable,
}

struct Row {
    state: State,
    health: Health,
    next: Option<DateTime<Utc>>,
    vendor: Vendor,
}

/// What all processes share: the database, and the vendors.
struct World {
    clock: Clock,
    rows: Mutex<BTreeMap<IntegrationId, Row>>,
    lease: Mutex<Option<(String, Instant)>>,
    calls: Mutex<Vec<(usize, IntegrationId, Instant)>>,
    told: Mutex<Vec<(IntegrationId, Instant)>>,
    /// Somebody else is always first to say that an account has to be connected again.
    noted_already: AtomicBool,
    postponed: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    takes: Duration,
}

impl World {
    fn new(takes: Duration) -> Arc<Self> {
        Arc::new(Self {
            clock: Clock(TokioTimer.now()),
            rows: Mutex::default(),
            lease: Mutex::default(),
            calls: Mutex::default(),
            told: Mutex::default(),
            noted_already: AtomicBool::new(false),
            postponed: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            takes,
        })
    }

    fn add(&self, status: Status, change: impl FnOnce(&mut Row)) -> IntegrationId {
        let id = IntegrationId::generate();
        let mut state = State::new();
        state.status = status;
        state.is_active = true;
        state.has_credentials = true;
        state.credentials = CredentialsVersion(1);
        state.version = 1;
        state.error_message = (status == Status::Error).then(|| "broken".to_owned());
        let mut row = Row {
            state,
            health: Health::Probe,
            next: Some(self.clock.utc_now()),
            vendor: Vendor::Answers,
        };
        change(&mut row);
        self.rows.lock().unwrap().insert(id, row);
        id
    }

    fn calls(&self) -> Vec<(usize, IntegrationId, Instant)> {
        self.calls.lock().unwrap().clone()
    }

    fn calls_of(&self, id: IntegrationId) -> Vec<Instant> {
        let calls = self.calls();
        let own = calls.iter().filter(|call| call.1 == id);
        own.map(|call| call.2).collect()
    }

    fn callers(&self) -> Vec<usize> {
        let mut callers: Vec<_> = self.calls().iter().map(|call| call.0).collect();
        callers.sort_unstable();
        callers.dedup();
        callers
    }

    /// Applies an event, if the row is still at this version, and plans the next check.
    fn apply(&self, due: &DueIntegration, event: Event) -> bool {
        let now = self.clock.utc_now();
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(&due.id).unwrap();
        if row.state.version != due.state.version {
            return false;
        }
        let change = transition(&row.state, event, now).unwrap();
        row.state = change.state;
        row.next = next_check(&row.state, row.health, None, now, 0.5);
        change.ignored.is_none()
    }
}

#[derive(Debug)]
struct Unwritten;

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not written")
    }
}

impl std::error::Error for Unwritten {}

/// One process. Once it is dead, nothing that it asks for comes back.
struct Process {
    number: usize,
    dead: AtomicBool,
    leases_fail: AtomicBool,
    world: Arc<World>,
}

impl Process {
    async fn alive(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl LeaseStore for Process {
    async fn hold_lease(&self, _: &str, owner: &str, ttl: Duration) -> Result<bool, StoreError> {
        self.alive().await;
        if self.leases_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("down".into()));
        }
        let now = TokioTimer.now();
        let mut lease = self.world.lease.lock().unwrap();
        if let Some((holder, until)) = &*lease
            && *until > now
            && holder != owner
        {
            return Ok(false);
        }
        *lease = Some((owner.to_owned(), now + ttl));
        Ok(true)
    }

    async fn release_lease(&self, _: &str, owner: &str) -> Result<(), StoreError> {
        self.alive().await;
        let mut lease = self.world.lease.lock().unwrap();
        if lease.as_ref().is_some_and(|(holder, _)| holder == owner) {
            *lease = None;
        }
        Ok(())
    }
}

#[async_trait]
impl Checks for Process {
    type Error = Unwritten;

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<DueIntegration>, Unwritten> {
        self.alive().await;
        let rows = self.world.rows.lock().unwrap();
        let mut due: Vec<_> = rows
            .iter()
            .filter(|(_, row)| row.next.is_some_and(|next| next <= now))
            .collect();
        due.sort_by_key(|(_, row)| row.next);
        due.truncate(usize::try_from(limit).unwrap());
        let due = due.into_iter().map(|(id, row)| {
            DueIntegration::new(
                *id,
                TenantId::default(),
                "acme",
                row.state.clone(),
                row.health,
            )
        });
        Ok(due.collect())
    }

    async fn check(&self, due: &DueIntegration, what: DueCheck) -> Result<(), Unwritten> {
        let world = &self.world;
        let call = (self.number, due.id, TokioTimer.now());
        world.calls.lock().unwrap().push(call);
        let at_once = world.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        world.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        TokioTimer.sleep(world.takes).await;
        world.under_way.fetch_sub(1, Ordering::SeqCst);
        self.alive().await;
        let vendor = world.rows.lock().unwrap()[&due.id].vendor;
        let used = due.state.credentials;
        let message = "said so".to_owned();
        let event = match (vendor, what) {
            (Vendor::Hangs, _) => std::future::pending().await,
            (Vendor::Panics, _) => panic!("a check that panics"),
            (Vendor::Unwritable, _) => return Err(Unwritten),
            (Vendor::Refuses, _) => Event::AuthRefused { used, message },
            (Vendor::Answers, DueCheck::Test) => Event::TestPassed { used, message },
            (Vendor::Answers, _) => Event::CallSucceeded { used },
        };
        world.apply(due, event);
        Ok(())
    }

    async fn postpone(
        &self,
        due: &DueIntegration,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), Unwritten> {
        self.world.postponed.fetch_add(1, Ordering::SeqCst);
        self.world
            .rows
            .lock()
            .unwrap()
            .get_mut(&due.id)
            .unwrap()
            .next = next;
        Ok(())
    }

    async fn note_reauth(&self, due: &DueIntegration) -> Result<bool, Unwritten> {
        let first = self.world.apply(due, Event::ReauthNotified);
        Ok(first && !self.world.noted_already.load(Ordering::SeqCst))
    }
}

fn start(world: &Arc<World>, number: usize) -> (Arc<Process>, RunningHealthChecks) {
    start_with(world, number, HealthOptions::default())
}

fn start_with(
    world: &Arc<World>,
    number: usize,
    options: HealthOptions,
) -> (Arc<Process>, RunningHealthChecks) {
    let process = Arc::new(Process {
        number,
        dead: AtomicBool::new(false),
        leases_fail: AtomicBool::new(false),
        world: Arc::clone(world),
    });
    let told = Arc::clone(world);
    let timer = Arc::new(world.clock.clone());
    let leases: Arc<dyn LeaseStore> = process.clone();
    let running = HealthChecks::new(process.clone(), leases, timer)
        .on_reauth(move |due| {
            let now = TokioTimer.now();
            told.told.lock().unwrap().push((due.id, now));
        })
        .options(options)
        .start();
    (process, running)
}

async fn pass(time: Duration) {
    TokioTimer.sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_one_works() {
    let world = World::new(SECOND);
    let ids: Vec<_> = (0..10).map(|_| world.add(Status::Active, |_| {})).collect();
    let (_one, first) = start(&world, 1);
    let (_two, second) = start(&world, 2);
    pass(HOUR * 25).await;
    assert_eq!(world.callers().len(), 1);
    for id in ids {
        let calls = world.calls_of(id);
        assert_eq!(calls.len(), 5, "at the start and every six hours");
        for pair in calls.windows(2) {
            assert!(pair[1] - pair[0] >= HOUR * 6 && pair[1] - pair[0] < HOUR * 6 + MINUTE);
        }
    }
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn when_the_holder_dies_another_takes_over() {
    let world = World::new(SECOND);
    for _ in 0..5 {
        world.add(Status::Active, |_| {});
    }
    let (one, _first) = start(&world, 1);
    pass(MINUTE * 5).await;
    let (_two, _second) = start(&world, 2);
    pass(HOUR).await;
    assert_eq!(world.callers(), [1]);
    one.dead.store(true, Ordering::SeqCst);
    let died = TokioTimer.now();
    let late = world.add(Status::Active, |_| {});
    pass(HOUR * 7).await;
    let calls = world.calls();
    let after: Vec<_> = calls.iter().filter(|call| call.2 > died).collect();
    assert_eq!(after.len(), 7);
    assert!(after.iter().all(|call| call.0 == 2));
    let took_over = world.calls_of(late)[0] - died;
    assert!(took_over < MINUTE * 2, "{took_over:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_ends_the_work_in_time() {
    let world = World::new(SECOND);
    let (one, _first) = start(&world, 1);
    pass(MINUTE * 5).await;
    one.leases_fail.store(true, Ordering::SeqCst);
    let failed = TokioTimer.now();
    pass(HOUR).await;
    let id = world.add(Status::Active, |_| {});
    pass(HOUR).await;
    assert!(world.calls_of(id).is_empty(), "nobody holds the lease");
    assert!(world.lease.lock().unwrap().as_ref().unwrap().1 <= failed + MINUTE);
    one.leases_fail.store(false, Ordering::SeqCst);
    pass(MINUTE).await;
    assert_eq!(world.calls_of(id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_short_failure_of_the_lease_interrupts_nothing() {
    let world = World::new(SECOND);
    let (one, _first) = start(&world, 1);
    pass(MINUTE * 5).await;
    one.leases_fail.store(true, Ordering::SeqCst);
    let id = world.add(Status::Active, |_| {});
    pass(SECOND * 25).await;
    assert_eq!(world.calls_of(id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_took_stops_the_work() {
    let world = World::new(SECOND);
    let (_one, _first) = start(&world, 1);
    pass(MINUTE * 5).await;
    let for_ever = TokioTimer.now() + HOUR * 1000;
    *world.lease.lock().unwrap() = Some(("somebody".to_owned(), for_ever));
    // By now it was told so, and before its own time has run out.
    pass(SECOND * 21).await;
    let id = world.add(Status::Active, |_| {});
    pass(HOUR).await;
    assert!(world.calls_of(id).is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_storm_after_a_day_without_checks() {
    let world = World::new(SECOND * 15);
    for _ in 0..300 {
        world.add(Status::Error, |row| {
            row.next = row.next.map(|next| next - TimeDelta::days(1));
        });
    }
    let (_one, _first) = start(&world, 1);
    pass(HOUR).await;
    let calls = world.calls();
    assert_eq!(calls.len(), 300);
    assert_eq!(world.most_at_once.load(Ordering::SeqCst), 4);
    for (index, call) in calls.iter().enumerate() {
        let soon = calls[index..]
            .iter()
            .take_while(|next| next.2 - call.2 < SECOND * 10);
        assert!(soon.count() <= 8);
    }
    let spread = calls[299].2 - calls[0].2;
    assert!(spread >= MINUTE * 15, "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_one_is_told_of_once_a_day_and_not_called() {
    let world = World::new(SECOND);
    let id = world.add(Status::Active, |row| row.vendor = Vendor::Refuses);
    let (one, _first) = start(&world, 1);
    let (_two, _second) = start(&world, 2);
    pass(HOUR * 2).await;
    one.dead.store(true, Ordering::SeqCst);
    pass(HOUR * 24 * 5).await;
    assert_eq!(world.calls_of(id).len(), 1, "the call that was refused");
    let told = world.told.lock().unwrap().clone();
    assert!((4..=6).contains(&told.len()), "{told:?}");
    for pair in told.windows(2) {
        assert!(pair[1].1 - pair[0].1 >= HOUR * 24);
    }
    assert!(told[0].1 - world.clock.0 < MINUTE * 5, "the first at once");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_what_another_has_told() {
    let world = World::new(SECOND);
    world.noted_already.store(true, Ordering::SeqCst);
    let id = world.add(Status::Active, |row| row.vendor = Vendor::Refuses);
    let (_one, _first) = start(&world, 1);
    pass(HOUR).await;
    let noted = world.rows.lock().unwrap()[&id].state.reauth_notified_at;
    assert!(noted.is_some());
    assert!(world.told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_passive_vendor_is_never_called() {
    let world = World::new(SECOND);
    for status in [Status::Active, Status::Error, Status::Disconnected] {
        world.add(status, |row| row.health = Health::Passive);
    }
    let (_one, _first) = start(&world, 1);
    pass(HOUR * 48).await;
    assert!(world.calls().is_empty());
    assert_eq!(world.postponed.load(Ordering::SeqCst), 3);
    assert!(
        world
            .rows
            .lock()
            .unwrap()
            .values()
            .all(|row| row.next.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_just_succeeded_saves_the_check() {
    let world = World::new(SECOND);
    let now = world.clock.utc_now();
    let id = world.add(Status::Active, |row| row.state.last_sync_at = Some(now));
    let (_one, _first) = start(&world, 1);
    pass(HOUR * 4).await;
    assert!(world.calls_of(id).is_empty());
    pass(HOUR * 8).await;
    assert!(!world.calls_of(id).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_test_that_did_not_come_to_its_end_is_made_up_for() {
    let world = World::new(SECOND);
    let id = world.add(Status::Pending, |row| row.state.enable_pending = true);
    let (_one, _first) = start(&world, 1);
    pass(MINUTE * 5).await;
    let rows = world.rows.lock().unwrap();
    assert!(rows[&id].state.runs_jobs());
    assert!(rows[&id].state.last_test.as_ref().unwrap().ok);
}

#[tokio::test(start_paused = true)]
async fn a_bad_one_neither_stops_nor_crowds_out_the_others() {
    let world = World::new(SECOND);
    let bad: Vec<_> = [Vendor::Hangs, Vendor::Panics, Vendor::Unwritable]
        .into_iter()
        .cycle()
        .take(12)
        .map(|vendor| {
            world.add(Status::Active, |row| {
                row.vendor = vendor;
                row.next = row.next.map(|next| next - TimeDelta::days(1));
            })
        })
        .collect();
    let good: Vec<_> = (0..8).map(|_| world.add(Status::Active, |_| {})).collect();
    let (_one, running) = start(&world, 1);
    pass(MINUTE * 30).await;
    for id in good {
        assert_eq!(world.calls_of(id).len(), 1);
    }
    for id in bad {
        let calls = world.calls_of(id);
        assert!(calls.len() > 1);
        for pair in calls.windows(2) {
            assert!(pair[1] - pair[0] >= HealthOptions::default().hold_back);
        }
    }
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn shutting_down_lets_running_checks_finish_and_gives_the_lease_back() {
    let world = World::new(SECOND * 90);
    let id = world.add(Status::Active, |_| {});
    let (_one, first) = start(&world, 1);
    while world.calls().is_empty() {
        pass(SECOND).await;
    }
    let (_two, _second) = start(&world, 2);
    for _ in 0..5 {
        world.add(Status::Active, |_| {});
    }
    first.shutdown().await;
    assert!(world.rows.lock().unwrap()[&id].state.last_sync_at.is_some());
    assert_eq!(world.calls_of(id).len(), 1, "nobody repeated it meanwhile");
    assert_eq!(world.callers(), [1]);
    assert!(world.lease.lock().unwrap().is_none());
    assert!(world.calls().len() <= 6);
    pass(MINUTE).await;
    assert!(
        world.callers().contains(&2),
        "without waiting for the lease to run out"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_what_runs_stops_it() {
    let world = World::new(SECOND);
    let (_one, running) = start(&world, 1);
    pass(MINUTE).await;
    drop(running);
    pass(SECOND).await;
    let id = world.add(Status::Active, |_| {});
    pass(HOUR).await;
    assert!(world.calls_of(id).is_empty());
    assert!(world.lease.lock().unwrap().is_none());
}

#[rstest]
#[case::none(Duration::ZERO)]
#[case::without_end(Duration::MAX)]
#[tokio::test(start_paused = true)]
async fn times_that_make_no_sense_do_no_harm(#[case] time: Duration) {
    let world = World::new(SECOND);
    let id = world.add(Status::Active, |_| {});
    let mut options = HealthOptions::default();
    options.interval = time.min(HOUR);
    options.lease_ttl = time.min(HOUR * 1000);
    options.hold_back = time;
    options.check_timeout = time;
    options.concurrency = 0;
    let (_one, running) = start_with(&world, 1, options);
    pass(HOUR * 3).await;
    running.shutdown().await;
    assert!(!world.calls_of(id).is_empty());
}
