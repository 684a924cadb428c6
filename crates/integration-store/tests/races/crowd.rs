//! Everybody at once, at few people.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use connector_http::{Timer, TokioTimer};
use contact_sync::{
    Ack, ClaimRequest, ContactId, JobStore, Known, Link, LinkChange, LinkStore, Region, Signup,
    SignupStore, StoreError, StrictStore, TargetName, Undo,
};
use integration_store::PostgresStore;

use crate::scene::{LEASE, Scene, accept, claim, contact, done, failed, finish, remote, tenant};

const PEOPLE: u64 = 9;
const TARGETS: [&str; 2] = ["a", "b"];

/// Numbers that look like chance, the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Several of them share an address or a number.
fn somebody(dice: &mut Dice) -> Signup {
    let n = dice.throw(PEOPLE);
    let signup = Signup::new()
        .host_id(format!("{n}"))
        .name(format!("Person {}", n / 3))
        .notes(format!("{}", dice.throw(1_000)));
    if n.is_multiple_of(3) {
        signup.email(format!("p{}@example.com", n / 3))
    } else {
        signup.phone(format!("202 555 01{:02}", n / 3))
    }
}

async fn known(store: &PostgresStore, signup: &Signup) -> Option<ContactId> {
    let key = contact_sync::Contact::new(&tenant(), signup, Some(Region::US));
    store.find(&tenant(), key.key()).await.unwrap()
}

async fn sign_up(store: PostgresStore, mut dice: Dice) {
    for _ in 0..30 {
        let signup = somebody(&mut dice);
        match dice.throw(6) {
            0 => {
                if let Some(contact) = known(&store, &signup).await {
                    store.erase(&tenant(), contact).await.unwrap();
                }
            }
            1 => strict(&store, &signup, &mut dice).await,
            _ => drop(accept(&store, &signup, &TARGETS).await),
        }
    }
}

/// As the hook does: a record that is known is found, and nothing is created beside it; where the vendor has refused a
/// create or not answered, nothing is confirmed, unless it says that it is switched off.
async fn strict(store: &PostgresStore, signup: &Signup, dice: &mut Dice) {
    let targets = TARGETS.map(TargetName::from);
    let someone = contact(signup);
    let begun = match store.begin(&tenant(), &someone, &targets, LEASE).await {
        Ok(begun) => begun,
        Err(StoreError::Busy) => return,
        Err(error) => panic!("{error}"),
    };
    let (held, mut created, mut found) = (begun.held, Vec::new(), Vec::new());
    let mut is_refused = false;
    for state in &begun.targets {
        let target = &state.target;
        match &state.known {
            Known::One(remote) => {
                found.push(Link::new(target.clone(), remote.clone()));
                continue;
            }
            Known::Nobody => {}
            _ => {
                is_refused = true;
                break;
            }
        }
        let undo = Undo::new(someone.clone(), begun.key.clone(), TokioTimer.utc_now());
        store.expect_create(held, target, undo).await.unwrap();
        let outcome = dice.throw(8);
        match outcome {
            0 | 1 => store.withdraw_create(held, target).await.unwrap(),
            2 => {
                let settle = Duration::from_millis(5);
                store.note_unclear(held, target, settle).await.unwrap();
            }
            _ => {
                let remote = format!("s-{}-{target}", begun.contact).into();
                store.note_created(held, target, &remote).await.unwrap();
                created.push(Link::new(target.clone(), remote));
            }
        }
        is_refused = matches!(outcome, 1 | 2);
        if is_refused {
            break;
        }
    }
    if !is_refused && dice.throw(4) > 0 {
        store.confirm(held, &created, &found).await.unwrap();
        if dice.throw(2) == 0 {
            assert!(store.finish(held).await.unwrap());
            return;
        }
    }
    for undo in store.abandon(held, LEASE).await.unwrap() {
        finish(store, &undo).await;
    }
}

async fn work(
    store: PostgresStore,
    mut dice: Dice,
    is_over: Arc<AtomicBool>,
    late: Arc<AtomicU64>,
) {
    while !is_over.load(Ordering::SeqCst) {
        let is_short = dice.throw(8) == 0;
        let lease = if is_short {
            Duration::from_millis(1)
        } else {
            LEASE
        };
        let claims = store.claim(ClaimRequest::new(4, lease)).await.unwrap();
        for job in claims.jobs {
            let soon = Duration::from_millis(dice.throw(20));
            let outcome = match dice.throw(8) {
                0 => failed(&job, LinkChange::Withdraw, Ack::Retry { after: soon }),
                1 => {
                    let unclear = LinkChange::Unclear { settle: soon };
                    failed(&job, unclear, Ack::Snooze { after: soon })
                }
                2 => {
                    let gone = LinkChange::Gone(remote(&job).into());
                    failed(&job, gone, Ack::Park { after: soon })
                }
                3 => failed(&job, LinkChange::Keep, Ack::Dead),
                _ => done(&job),
            };
            match store.commit_outcome(outcome).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost) => _ = late.fetch_add(1, Ordering::SeqCst),
                Err(error) => panic!("{error}"),
            }
        }
        if dice.throw(4) == 0 {
            for stopped in store.stopped_jobs().await.unwrap() {
                match store.replay(stopped.job).await {
                    Ok(()) | Err(StoreError::NoSuchJob) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            for target in TARGETS {
                store.resume(&tenant(), &target.into()).await.unwrap();
            }
        }
    }
}

/// Signups, erasures, strict creates, workers that fail and workers that come too late, in three processes. When all is
/// quiet nothing is left over, and everybody has been delivered as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_everything_in_order() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let (is_over, late) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let (mut people, mut workers) = (Vec::new(), Vec::new());
    for n in 1..=3 {
        let store = scene.again().await;
        let dice = |seed: u64| Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        people.push(tokio::spawn(sign_up(store.clone(), dice(n))));
        people.push(tokio::spawn(sign_up(store.clone(), dice(n + 10))));
        let worker = work(store, dice(n + 20), is_over.clone(), late.clone());
        workers.push(tokio::spawn(worker));
    }
    for person in people {
        person.await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    let quiet = async {
        while scene
            .number("select count(*) from {schema}.sync_outbox")
            .await
            > 0
        {
            for job in claim(&scene.store, 100).await {
                finish(&scene.store, &job).await;
            }
            for stopped in scene.store.stopped_jobs().await.unwrap() {
                scene.store.replay(stopped.job).await.unwrap();
            }
        }
    };
    if tokio::time::timeout(Duration::from_secs(90), quiet)
        .await
        .is_err()
    {
        panic!("jobs are stuck: {}", everything(&scene).await);
    }
    for (what, left) in [
        ("identifiers", "select count(*) from {schema}.sync_claims"),
        ("undos", "select count(*) from {schema}.sync_undos"),
        ("operations", "select count(*) from {schema}.sync_operations"),
        (
            "confirmations",
            "select count(*) from {schema}.sync_confirmations where ended_at is null or changes is not null",
        ),
        (
            "held lines",
            "select count(*) from {schema}.sync_lines
            where holder is not null or link = 'intent' or held_contact is not null or stopped_job is not null",
        ),
        (
            "erased people",
            "select count(*) from {schema}.sync_contacts where erased_at is not null and contact_key is not null",
        ),
        (
            "lines of erased people",
            "select count(*) from {schema}.sync_lines l join {schema}.sync_contacts c on c.id = l.contact_id
            where c.erased_at is not null",
        ),
        (
            "people who were not delivered",
            "select count(*) from {schema}.sync_contacts c join {schema}.sync_lines l on l.contact_id = c.id
            where c.contact is not null and l.delivered <> c.revision and l.delivered <> 0",
        ),
    ] {
        let left = scene.number(left).await;
        assert_eq!(left, 0, "{what} are left over: {}", everything(&scene).await);
    }
}

/// What there is, for the message of a test that fails.
async fn everything(scene: &Scene) -> String {
    let mut everything = String::new();
    for table in [
        "contacts",
        "lines",
        "claims",
        "outbox",
        "undos",
        "operations",
        "confirmations",
    ] {
        let rows = scene.dump(&format!("sync_{table}")).await;
        everything.extend(["\n", table, ": ", &rows]);
    }
    everything
}
