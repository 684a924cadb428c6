//! The queue on both databases, call by call: claims, leases, outcomes, and many claimers at once.

#![cfg(all(feature = "contacts", feature = "sqlite", feature = "postgres"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "support/clock.rs"]
mod clock;
#[path = "support/postgres.rs"]
mod postgres;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_sync::{
    Ack, Action, Claim, ClaimRequest, Contact, ContactId, ErrorClass, FailureNote, JobStore, Known,
    Lane, LinkChange, LinkStore, LogEntry, LogOutcome, NewJob, Outcome, Region, RemoteId, Signup,
    SignupStore, StoreError, TargetName, TenantId, Work,
};
use integration_store::{PostgresStore, PostgresStoreBuilder, SqliteStore, SqliteStoreBuilder};
use rstest::rstest;

use crate::clock::MovedClock;
use crate::postgres::Schema;

trait Queue: SignupStore + JobStore + LinkStore {}
impl<S: SignupStore + JobStore + LinkStore> Queue for S {}

const LEASE: Duration = Duration::from_mins(1);
const TARGET: &str = "phone";

/// A store of either database, whose time can be moved.
struct Place {
    store: Arc<dyn Queue>,
    time: Time,
}

enum Time {
    Clock(Arc<MovedClock>),
    Rows(Schema),
}

impl Place {
    async fn sqlite(set: impl FnOnce(SqliteStoreBuilder) -> SqliteStoreBuilder) -> Self {
        let clock = Arc::new(MovedClock::default());
        let builder = set(SqliteStore::builder().timer(clock.clone()));
        let store = builder.in_memory().await.unwrap();
        Self {
            store: Arc::new(store),
            time: Time::Clock(clock),
        }
    }

    async fn postgres(
        set: impl FnOnce(PostgresStoreBuilder) -> PostgresStoreBuilder,
    ) -> Option<Self> {
        let schema = postgres::schema()?;
        let builder = set(PostgresStore::builder().schema(&schema.name));
        let store = builder.connect(schema.url()).await;
        Some(Self {
            store: Arc::new(store.unwrap()),
            time: Time::Rows(schema),
        })
    }

    async fn all() -> Vec<Self> {
        let mut places = vec![Self::sqlite(|builder| builder).await];
        places.extend(Self::postgres(|builder| builder).await);
        places
    }

    /// Stores whose jobs are dead after so many crashes.
    async fn dead_after(crashes: u32) -> Vec<Self> {
        let mut places = vec![Self::sqlite(|builder| builder.max_crashes(crashes)).await];
        places.extend(Self::postgres(|builder| builder.max_crashes(crashes)).await);
        places
    }

    /// Lets time pass. Of a server it cannot be moved: there everything moves towards it.
    async fn pass(&self, time: Duration) {
        match &self.time {
            Time::Clock(clock) => clock.pass(time),
            Time::Rows(schema) => {
                let by = format!("interval '{} milliseconds'", time.as_millis());
                schema
                    .run(&format!(
                        "update {{schema}}.sync_outbox set run_at = run_at - {by}, born_at = born_at - {by},
                            lease_until = lease_until - {by}, updated_at = updated_at - {by};
                         update {{schema}}.sync_lines set settles_at = settles_at - {by}"
                    ))
                    .await;
            }
        }
    }

    async fn accept(&self, signup: Signup, lane: Lane) -> ContactId {
        let contact = Contact::new(&tenant(), &signup, Some(Region::US));
        let job = NewJob::new(TargetName::from(TARGET), lane).trace_id("trace-1");
        self.store
            .accept(&tenant(), &contact, &[job])
            .await
            .unwrap()
            .contact
    }

    async fn claim(&self, limit: usize) -> Vec<Claim> {
        self.store
            .claim(ClaimRequest::new(limit, LEASE))
            .await
            .unwrap()
            .jobs
    }

    async fn one(&self) -> Claim {
        let mut jobs = self.claim(10).await;
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    async fn done(&self, claim: &Claim, remote: &str) -> Result<(), StoreError> {
        let revision = delivery(claim).revision;
        let link = LinkChange::Set {
            remote: remote.into(),
            created: true,
        };
        let log = LogOutcome::Delivered {
            action: Action::Created,
            unmapped: Vec::new(),
        };
        self.end(claim, link, log, Ack::Done { revision }).await
    }

    async fn fail(&self, claim: &Claim, link: LinkChange, ack: Ack) -> Result<(), StoreError> {
        let log = LogOutcome::Failed(FailureNote::new(ErrorClass::Transient));
        self.end(claim, link, log, ack).await
    }

    async fn end(
        &self,
        claim: &Claim,
        link: LinkChange,
        log: LogOutcome,
        ack: Ack,
    ) -> Result<(), StoreError> {
        let whose = (claim.tenant.clone(), claim.target.clone(), claim.contact);
        let log = LogEntry::new(claim.job, claim.work.kind(), whose, log);
        let outcome = Outcome::new((claim.job, claim.token), link, log, None, ack);
        self.store.commit_outcome(outcome).await
    }
}

fn tenant() -> TenantId {
    TenantId::from("acme")
}

fn person(n: usize) -> Signup {
    Signup::new()
        .host_id(format!("{n}"))
        .name(format!("Person {n}"))
        .email(format!("p{n}@example.com"))
}

fn delivery(claim: &Claim) -> &contact_sync::Delivery {
    match &claim.work {
        Work::Deliver(delivery) => delivery,
        other => panic!("{:?}", other.kind()),
    }
}

#[tokio::test]
async fn a_job_is_claimed_once_and_done() {
    for place in Place::all().await {
        let contact = place.accept(person(1), Lane::Interactive).await;
        let claim = place.one().await;
        assert_eq!(
            (claim.contact, claim.attempt, claim.lane),
            (contact, 1, Lane::Interactive)
        );
        assert_eq!(claim.trace_id.as_deref(), Some("trace-1"));
        assert_eq!(delivery(&claim).known, Known::Nobody);
        assert!(!delivery(&claim).uncertain);
        let again = place
            .store
            .claim(ClaimRequest::new(10, LEASE))
            .await
            .unwrap();
        assert!(again.jobs.is_empty());
        assert!(
            again
                .next_in
                .is_some_and(|at| at > LEASE / 2 && at <= LEASE)
        );
        place.done(&claim, "r1").await.unwrap();
        assert!(matches!(
            place.done(&claim, "r1").await,
            Err(StoreError::LeaseLost)
        ));
        let idle = place
            .store
            .claim(ClaimRequest::new(10, LEASE))
            .await
            .unwrap();
        assert_eq!((idle.jobs.len(), idle.next_in), (0, None));
        assert_eq!(
            place.store.links(contact).await.unwrap()[0].remote,
            RemoteId::from("r1")
        );
        let linked = async |except| {
            let (target, remote) = (TargetName::from(TARGET), RemoteId::from("r1"));
            place
                .store
                .is_linked(&tenant(), &target, &remote, except)
                .await
                .unwrap()
        };
        assert!(linked(None).await && !linked(Some(contact)).await);
        let snapshot = place.store.snapshot().await.unwrap();
        assert_eq!(
            (snapshot.live(), snapshot.done, snapshot.outcomes.created),
            (0, 1, 1)
        );
        assert_eq!(place.store.sweep(Duration::ZERO).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn interactive_jobs_go_first_and_bulk_ones_within_their_limit() {
    for place in Place::all().await {
        for n in 0..4 {
            place
                .accept(
                    person(n),
                    if n < 2 { Lane::Bulk } else { Lane::Interactive },
                )
                .await;
        }
        let request = ClaimRequest::new(3, LEASE).bulk_limit(1);
        let lanes: Vec<Lane> = place
            .store
            .claim(request)
            .await
            .unwrap()
            .jobs
            .iter()
            .map(|job| job.lane)
            .collect();
        assert_eq!(lanes, [Lane::Interactive, Lane::Interactive, Lane::Bulk]);
    }
}

#[tokio::test]
async fn one_person_is_worked_on_once_at_a_time() {
    for place in Place::all().await {
        let phone = "202 555 0143";
        for n in 0..3 {
            let name = if n == 2 { "Robert Ray" } else { "Ann Lee" };
            let signup = Signup::new()
                .host_id(format!("{n}"))
                .name(name)
                .phone(phone);
            place.accept(signup, Lane::Bulk).await;
        }
        let first = place.one().await;
        assert!(place.claim(10).await.is_empty());
        place.done(&first, "r1").await.unwrap();
        let second = place.one().await;
        // The second is the same person, and known by the first one's record.
        assert_eq!(delivery(&second).known, Known::One("r1".into()));
        place.done(&second, "r1").await.unwrap();
        let third = place.one().await;
        assert_eq!(delivery(&third).known, Known::Nobody);
    }
}

#[tokio::test]
async fn an_unconfirmed_create_holds_back_the_same_person_alone() {
    for place in Place::all().await {
        let signup = |n: usize, name: &str| {
            Signup::new()
                .host_id(format!("{n}"))
                .name(name)
                .phone("202 555 0143")
        };
        let first_contact = place.accept(signup(1, "Ann Lee"), Lane::Bulk).await;
        let first = place.one().await;
        let unclear = LinkChange::Unclear {
            settle: Duration::from_secs(30),
        };
        let retry = Ack::Retry {
            after: Duration::from_secs(90),
        };
        place.fail(&first, unclear, retry).await.unwrap();
        place.accept(signup(2, "Ann Lee"), Lane::Bulk).await;
        place.accept(signup(3, "Robert Ray"), Lane::Bulk).await;
        let other = place.one().await;
        assert_eq!(delivery(&other).contact.name().first(), Some("Robert"));
        place.done(&other, "r3").await.unwrap();
        assert!(place.claim(10).await.is_empty());
        place.pass(Duration::from_secs(91)).await;
        let again = place.one().await;
        assert_eq!((again.contact, again.attempt), (first_contact, 2));
        assert!(delivery(&again).uncertain);
        // Given up: who waited for it goes on, and knows what may have been created.
        place
            .fail(&again, LinkChange::Keep, Ack::Dead)
            .await
            .unwrap();
        let second = place.one().await;
        assert_eq!(delivery(&second).aliases.len(), 1);
        let stopped = place.store.stopped_jobs().await.unwrap();
        assert_eq!((stopped.len(), stopped[0].review), (1, false));
        place.done(&second, "r1").await.unwrap();
        place.store.replay(stopped[0].job).await.unwrap();
        let replayed = place.one().await;
        assert_eq!((replayed.contact, replayed.attempt), (first_contact, 1));
        assert!(delivery(&replayed).uncertain);
        assert!(matches!(
            place.store.replay(stopped[0].job).await,
            Err(StoreError::NoSuchJob)
        ));
    }
}

#[tokio::test]
async fn a_newer_revision_goes_on_with_the_same_job() {
    for place in Place::all().await {
        place.accept(person(1), Lane::Bulk).await;
        let first = place.one().await;
        place.accept(person(1).company("Lee Ltd"), Lane::Bulk).await;
        place.done(&first, "r1").await.unwrap();
        let second = place.one().await;
        assert_eq!((second.job, second.attempt), (first.job, 1));
        assert_eq!(delivery(&second).revision, 2);
        assert_eq!(delivery(&second).known, Known::One("r1".into()));
        place.done(&second, "r1").await.unwrap();
        assert!(place.claim(10).await.is_empty());
    }
}

#[tokio::test]
async fn a_lost_lease_writes_nothing_and_crashes_are_counted() {
    for place in Place::all().await {
        place.accept(person(1), Lane::Bulk).await;
        let mut lost = None;
        for crash in 1..=3_u32 {
            let claim = place.one().await;
            assert_eq!(claim.attempt, crash);
            place
                .store
                .renew(claim.job, claim.token, LEASE)
                .await
                .unwrap();
            place.pass(LEASE + Duration::from_millis(1)).await;
            assert!(place.claim(10).await.is_empty());
            assert!(matches!(
                place.done(&claim, "r1").await,
                Err(StoreError::LeaseLost)
            ));
            let renewed = place.store.renew(claim.job, claim.token, LEASE).await;
            assert!(matches!(renewed, Err(StoreError::LeaseLost)));
            place.pass(Duration::from_secs(1 << crash)).await;
            lost = Some(claim);
        }
        assert!(place.claim(10).await.is_empty());
        let lost = lost.unwrap();
        let stopped = place.store.stopped_jobs().await.unwrap();
        assert_eq!(
            stopped[0].failure,
            Some(FailureNote::new(ErrorClass::Ambiguous))
        );
        assert!(place.store.links(lost.contact).await.unwrap().is_empty());
        let snapshot = place.store.snapshot().await.unwrap();
        assert_eq!(
            (
                snapshot.dead,
                snapshot.outcomes.crashes,
                snapshot.outcomes.dead
            ),
            (1, 3, 1)
        );
    }
}

#[rstest]
#[case::none(0, 1)]
#[case::one(1, 1)]
#[case::two(2, 2)]
#[case::more_than_there_are_by_default(5, 5)]
#[tokio::test]
async fn a_job_is_dead_after_as_many_crashes_as_were_set(#[case] set: u32, #[case] crashes: u32) {
    for place in Place::dead_after(set).await {
        place.accept(person(1), Lane::Bulk).await;
        for crash in 1..=crashes {
            assert!(place.store.stopped_jobs().await.unwrap().is_empty());
            assert_eq!(place.one().await.attempt, crash);
            place.pass(LEASE + Duration::from_millis(1)).await;
            assert!(place.claim(10).await.is_empty());
            place.pass(Duration::from_secs(1 << crash)).await;
        }
        assert!(place.claim(10).await.is_empty());
        assert_eq!(place.store.stopped_jobs().await.unwrap().len(), 1);
        let outcomes = place.store.snapshot().await.unwrap().outcomes;
        assert_eq!((outcomes.crashes, outcomes.dead), (u64::from(crashes), 1));
    }
}

#[tokio::test]
async fn a_record_that_is_gone_is_forgotten_by_all() {
    for place in Place::all().await {
        for n in 0..2 {
            let signup = Signup::new()
                .host_id(format!("{n}"))
                .name("Ann Lee")
                .phone("202 555 0143");
            place.accept(signup, Lane::Bulk).await;
            let claim = place.one().await;
            place.done(&claim, "r1").await.unwrap();
        }
        place
            .accept(Signup::new().host_id("0").notes("new"), Lane::Bulk)
            .await;
        let claim = place.one().await;
        let ack = Ack::Snooze {
            after: Duration::ZERO,
        };
        place
            .end(
                &claim,
                LinkChange::Gone("r1".into()),
                LogOutcome::Relinking,
                ack,
            )
            .await
            .unwrap();
        let claim = place.one().await;
        assert_eq!(
            (delivery(&claim).known.clone(), claim.attempt),
            (Known::Nobody, 1)
        );
        let (target, remote) = (TargetName::from(TARGET), RemoteId::from("r1"));
        assert!(
            !place
                .store
                .is_linked(&tenant(), &target, &remote, None)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn parked_jobs_go_on_at_once_and_no_others() {
    for place in Place::all().await {
        for n in 0..2 {
            place.accept(person(n), Lane::Bulk).await;
        }
        let jobs = place.claim(2).await;
        let after = Duration::from_hours(1);
        place
            .fail(&jobs[0], LinkChange::Withdraw, Ack::Park { after })
            .await
            .unwrap();
        place
            .fail(&jobs[1], LinkChange::Withdraw, Ack::Retry { after })
            .await
            .unwrap();
        assert!(place.claim(10).await.is_empty());
        place.pass(Duration::from_mins(10)).await;
        let target = TargetName::from(TARGET);
        assert_eq!(place.store.resume(&tenant(), &target).await.unwrap(), 1);
        assert_eq!(place.store.resume(&tenant(), &target).await.unwrap(), 0);
        let resumed = place.one().await;
        assert_eq!((resumed.job, resumed.attempt), (jobs[0].job, 1));
        // What it has waited for the integration does not count, and the rest of the wait was not spent.
        assert!(resumed.age < Duration::from_mins(1), "{:?}", resumed.age);
    }
}

/// Eight claimers, and people of whom several share a number or an address.
#[rstest::rstest]
#[case::sqlite(false)]
#[case::postgres(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claimers_never_meet(#[case] is_postgres: bool) {
    const PEOPLE: usize = 240;
    let place = if is_postgres {
        Place::postgres(|builder| builder).await
    } else {
        Some(Place::sqlite(|builder| builder).await)
    };
    let Some(place) = place.map(Arc::new) else {
        return;
    };
    for n in 0..PEOPLE {
        let signup = Signup::new()
            .host_id(format!("{n}"))
            .name(format!("Person {n}"))
            .email(format!("p{}@example.com", n / 2))
            .phone(format!("202 555 01{:02}", n % 40));
        place
            .accept(
                signup,
                if n % 3 == 0 {
                    Lane::Interactive
                } else {
                    Lane::Bulk
                },
            )
            .await;
    }
    let busy = Arc::new(Mutex::new(HashSet::new()));
    let done = Arc::new(Mutex::new(0));
    let claimers: Vec<_> = (0..8)
        .map(|_| {
            let (place, busy, done) = (place.clone(), busy.clone(), done.clone());
            tokio::spawn(async move {
                while *done.lock().unwrap() < PEOPLE {
                    let claims = place.claim(5).await;
                    if claims.is_empty() {
                        tokio::task::yield_now().await;
                    }
                    for claim in claims {
                        let identifiers = delivery(&claim).contact.identifiers();
                        for identifier in &identifiers {
                            assert!(
                                busy.lock().unwrap().insert(identifier.clone()),
                                "two at once"
                            );
                        }
                        let (place, busy, done) = (place.clone(), busy.clone(), done.clone());
                        tokio::spawn(async move {
                            tokio::task::yield_now().await;
                            for identifier in &identifiers {
                                busy.lock().unwrap().remove(identifier);
                            }
                            let remote = format!("r{}", claim.contact);
                            place.done(&claim, &remote).await.unwrap();
                            *done.lock().unwrap() += 1;
                        });
                    }
                }
            })
        })
        .collect();
    let all = async {
        for claimer in claimers {
            claimer.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all)
        .await
        .unwrap();
    let snapshot = place.store.snapshot().await.unwrap();
    assert_eq!(
        (snapshot.live(), snapshot.dead, snapshot.done),
        (0, 0, PEOPLE as u64)
    );
}
