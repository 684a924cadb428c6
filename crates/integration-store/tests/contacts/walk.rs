//! Random operations on the store in memory and on a database side by side: what they say has to be the same.
//!
//! The same walks every time, unless `PROPTEST_CASES` asks for a number of new ones.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use contact_sync::{
    Ack, Action, Begun, Claim, ClaimRequest, Contact, ContactId, ErrorClass, FailureNote, JobId,
    Known, Lane, Link, LinkChange, LogOutcome, NewJob, RemoteId, Signup, Standing, StoreError,
    TargetName, Undo, Work,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::desk::{Desk, desk, outcome, seconds};
use crate::people::{A, B, CRM, PHONE, acme, contact, crm, phone, user};
use crate::strict::started;
use crate::subject::Subject;

const LEASE: Duration = Duration::from_mins(1);

/// One operation. An index picks one of what there is; where there is none, nothing happens.
#[derive(Clone, Debug)]
enum Step {
    Accept(usize, usize, usize, bool),
    Amend(Index, usize, usize),
    Erase(Index),
    Claim(usize, usize),
    Commit(Index, usize),
    /// As `Commit`, with the newest claim: most outcomes are in time.
    CommitLast(usize),
    Renew(Index),
    Pass(u64),
    Replay(Index),
    Resume(usize),
    Begin(usize, usize, usize),
    Strict(Index, usize, StrictStep),
}

#[derive(Clone, Copy, Debug)]
enum StrictStep {
    Expect,
    Created,
    Unclear,
    Withdraw,
    Confirm,
    ConfirmFound,
    Finish,
    Abandon,
    Renew,
}

fn step() -> impl Strategy<Value = Step> {
    let strict = prop_oneof![
        4 => Just(StrictStep::Expect),
        3 => Just(StrictStep::Created),
        2 => Just(StrictStep::Unclear),
        1 => Just(StrictStep::Withdraw),
        3 => Just(StrictStep::Confirm),
        1 => Just(StrictStep::ConfirmFound),
        3 => Just(StrictStep::Finish),
        3 => Just(StrictStep::Abandon),
        1 => Just(StrictStep::Renew),
    ];
    let index = any::<Index>;
    prop_oneof![
        8 => (0..6_usize, 0..3_usize, 1..4_usize, any::<bool>())
            .prop_map(|(who, variant, at, urgent)| Step::Accept(who, variant, at, urgent)),
        1 => (index(), 0..3_usize, 1..4_usize).prop_map(|(who, variant, at)| Step::Amend(who, variant, at)),
        1 => index().prop_map(Step::Erase),
        8 => (1..8_usize, 0..8_usize).prop_map(|(limit, bulk)| Step::Claim(limit, bulk)),
        4 => (index(), 0..10_usize).prop_map(|(which, how)| Step::Commit(which, how)),
        8 => (0..10_usize).prop_map(Step::CommitLast),
        1 => index().prop_map(Step::Renew),
        5 => (1..8_u64).prop_map(Step::Pass),
        2 => index().prop_map(Step::Replay),
        1 => (0..2_usize).prop_map(Step::Resume),
        2 => (0..6_usize, 0..3_usize, 1..4_usize).prop_map(|(who, variant, at)| Step::Begin(who, variant, at)),
        6 => (index(), 0..2_usize, strict).prop_map(|(which, at, what)| Step::Strict(which, at, what)),
    ]
}

/// People of whom some are one person, some a family, and some strangers.
fn person(who: usize, variant: usize) -> Contact {
    let (name, email, number) = [
        ("Ann Lee", "ann@example.com", A),
        ("Anne Lee", "", A),
        ("Robert Day", "", A),
        ("Ann Lee", "ann@example.com", ""),
        ("Bob Ray", "bob@example.com", B),
        ("Bob Ray", "bob@example.com", ""),
    ][who];
    let (name, email, number) = match variant {
        0 => (name.to_owned(), email, number),
        1 => (name.to_owned(), email, B),
        _ => (format!("{name} Jr"), "jr@example.com", number),
    };
    if who == 5 {
        // No id of the host: the address is the key.
        return contact(&Signup::new().name(name).email("bob@example.com"));
    }
    user(&format!("user-{who}"), &name, email, number)
}

fn targets(mask: usize) -> Vec<TargetName> {
    let all = [phone(), crm()];
    let on = all.into_iter().enumerate();
    on.filter(|(bit, _)| mask & (1 << bit) != 0)
        .map(|(_, target)| target)
        .collect()
}

/// One store, and what is known of it under names that are the same for every store.
struct Walker<'a> {
    desk: Desk<'a>,
    names: HashMap<uuid::Uuid, usize>,
    contacts: Vec<ContactId>,
    claims: Vec<Claim>,
    operations: Vec<(Begun, Contact)>,
}

impl<'a> Walker<'a> {
    fn new(subject: &'a dyn Subject) -> Self {
        Self {
            desk: desk(subject),
            names: HashMap::new(),
            contacts: Vec::new(),
            claims: Vec::new(),
            operations: Vec::new(),
        }
    }

    fn name(&mut self, id: uuid::Uuid) -> usize {
        let next = self.names.len();
        *self.names.entry(id).or_insert(next)
    }

    fn contact(&mut self, id: ContactId) -> String {
        if !self.contacts.contains(&id) {
            self.contacts.push(id);
        }
        format!("contact {}", self.name(id.as_uuid()))
    }

    fn job(&mut self, id: JobId) -> String {
        format!("job {}", self.name(id.as_uuid()))
    }

    /// Takes a step, and returns what the store said.
    async fn take(&mut self, number: usize, step: &Step) -> String {
        let store = self.desk.store.clone();
        match step {
            Step::Accept(who, variant, at, urgent) => {
                let jobs = jobs(*at, *urgent);
                let accepted = store.accept(&acme(), &person(*who, *variant), &jobs).await;
                let accepted = accepted.unwrap();
                format!(
                    "{} at {}",
                    self.contact(accepted.contact),
                    accepted.revision
                )
            }
            Step::Amend(who, variant, at) => {
                let Some(id) = pick(&self.contacts, *who) else {
                    return String::new();
                };
                let change = person(4, *variant);
                let amended = store.amend(&acme(), id, &change, &jobs(*at, false)).await;
                let revision = amended.unwrap().map(|accepted| accepted.revision);
                format!("{revision:?}")
            }
            Step::Erase(who) => {
                let Some(id) = pick(&self.contacts, *who) else {
                    return String::new();
                };
                let erased = store.erase(&acme(), id).await.unwrap().map(|mut erased| {
                    erased.queued.sort();
                    erased.kept.sort();
                    (erased.queued, erased.kept)
                });
                format!("{erased:?}")
            }
            Step::Claim(limit, bulk) => self.claim(*limit, *bulk).await,
            Step::Commit(which, how) => {
                if self.claims.is_empty() {
                    return String::new();
                }
                self.commit(which.index(self.claims.len()), *how, number)
                    .await
            }
            Step::CommitLast(how) => match self.claims.len() {
                0 => String::new(),
                many => self.commit(many - 1, *how, number).await,
            },
            Step::Renew(which) => {
                if self.claims.is_empty() {
                    return String::new();
                }
                let claim = &self.claims[which.index(self.claims.len())];
                said(&store.renew(claim.job, claim.token, LEASE).await)
            }
            Step::Pass(tens) => {
                self.desk.pass(tens * 10).await;
                // Whoever is over time is told so from here on, whatever asks first.
                self.claim(2, 2).await
            }
            Step::Replay(which) => {
                let mut stopped = store.stopped_jobs().await.unwrap();
                stopped.sort_by_key(|job| self.names.get(&job.job.as_uuid()).copied());
                if stopped.is_empty() {
                    return String::new();
                }
                let job = stopped[which.index(stopped.len())].job;
                said(&store.replay(job).await)
            }
            Step::Resume(at) => {
                let target = [phone(), crm()][*at].clone();
                format!("{:?}", store.resume(&acme(), &target).await.unwrap())
            }
            Step::Begin(who, variant, at) => {
                let contact = person(*who, *variant);
                let begun = store.begin(&acme(), &contact, &targets(*at), LEASE).await;
                match begun {
                    Ok(begun) => {
                        let id = self.contact(begun.contact);
                        let told = format!("{id} {} {:?}", begun.key.as_str(), begun.targets);
                        self.operations.push((begun, contact));
                        told
                    }
                    Err(error) => said::<()>(&Err(error)),
                }
            }
            Step::Strict(which, at, what) => {
                if self.operations.is_empty() {
                    return String::new();
                }
                let which = which.index(self.operations.len());
                self.strict(which, *at, *what, number).await
            }
        }
    }

    async fn claim(&mut self, limit: usize, bulk: usize) -> String {
        let request = ClaimRequest::new(limit, LEASE).bulk_limit(bulk);
        let claims = self.desk.store.claim(request).await.unwrap();
        let mut told = String::new();
        if claims.jobs.is_empty() {
            write!(told, "rests {}", claims.next_in.is_some()).unwrap();
        }
        // In what order those of several contacts are named is nobody's business: a database looks at several at once.
        let mut jobs = claims.jobs;
        jobs.sort_by_key(|job| self.names.get(&job.contact.as_uuid()).copied());
        for claim in jobs {
            writeln!(told, "{}", self.told(&claim)).unwrap();
            self.claims.push(claim);
        }
        told
    }

    fn told(&mut self, claim: &Claim) -> String {
        let work = match &claim.work {
            Work::Deliver(what) => format!(
                "deliver {} {} {:?} {} {:?} {}",
                what.revision,
                what.key.as_str(),
                what.known,
                what.uncertain,
                what.aliases
                    .iter()
                    .map(contact_sync::ExternalKey::as_str)
                    .collect::<Vec<_>>(),
                json(&what.contact)
            ),
            Work::Undo(what) => format!(
                "undo {} {:?} {} {}",
                what.key.as_str(),
                what.remote,
                what.started_at,
                json(&what.contact)
            ),
            Work::Remove(what) => format!(
                "remove {} {:?} {} {} {}",
                what.key.as_str(),
                what.remote,
                what.is_ours,
                what.since.is_some(),
                json(&what.contact)
            ),
            other => panic!("nobody has told of {:?}", other.kind()),
        };
        let (job, contact) = (self.job(claim.job), self.contact(claim.contact));
        let age = claim.age.as_secs() / 10;
        format!(
            "{job} {contact} {} {:?} {} {age} {work}",
            claim.target, claim.lane, claim.attempt
        )
    }

    async fn commit(&mut self, which: usize, how: usize, number: usize) -> String {
        let claim = &self.claims[which];
        let (link, log, ack) = match &claim.work {
            Work::Deliver(what) => deliver(what, how, number),
            Work::Undo(_) => take_away(how, LinkChange::Withdraw, LogOutcome::Undone),
            _ => take_away(how, LinkChange::Unlink, LogOutcome::Removed),
        };
        let outcome = outcome(claim, link, log, ack);
        said(&self.desk.store.commit_outcome(outcome).await)
    }

    async fn strict(&mut self, which: usize, at: usize, what: StrictStep, number: usize) -> String {
        let store = self.desk.store.clone();
        let (begun, contact) = self.operations[which].clone();
        let (held, target) = (
            begun.held,
            begun.targets[at % begun.targets.len()].target.clone(),
        );
        let remote = RemoteId::from(format!("s{}", number % 5));
        match what {
            StrictStep::Expect => {
                let minute = i64::try_from(number).unwrap();
                let undo = Undo::new(contact, begun.key.clone(), started(minute));
                said(&store.expect_create(held, &target, undo).await)
            }
            StrictStep::Created => said(&store.note_created(held, &target, &remote).await),
            StrictStep::Unclear => said(&store.note_unclear(held, &target, seconds(20)).await),
            StrictStep::Withdraw => said(&store.withdraw_create(held, &target).await),
            StrictStep::Confirm => {
                let links = [Link::new(target, remote)];
                said(&store.confirm(held, &links, &[]).await)
            }
            StrictStep::ConfirmFound => {
                let links = [Link::new(target, remote)];
                said(&store.confirm(held, &[], &links).await)
            }
            StrictStep::Finish => match store.finish(held).await {
                Ok(ended) => format!("ended {ended}"),
                Err(error) => said::<()>(&Err(error)),
            },
            StrictStep::Renew => said(&store.renew_operation(held, LEASE).await),
            StrictStep::Abandon => match store.abandon(held, LEASE).await {
                Ok(claims) => {
                    let mut told = String::new();
                    for claim in claims {
                        writeln!(told, "{}", self.told(&claim)).unwrap();
                        self.claims.push(claim);
                    }
                    told
                }
                Err(error) => said::<()>(&Err(error)),
            },
        }
    }

    /// Tells everything that can be asked.
    async fn look(&mut self) -> String {
        let store = self.desk.store.clone();
        let mut told = String::new();
        for id in self.contacts.clone() {
            let mut states = store.deliveries(id).await.unwrap();
            // Whether a line is there of which there is nothing to tell is no matter: one that an operation was refused.
            states.retain(|state| {
                state.standing != Standing::Idle || state.remote.is_some() || state.delivered > 0
            });
            states.sort_by(|a, b| a.target.cmp(&b.target));
            let mut links = store.links(id).await.unwrap();
            links.sort_by(|a, b| a.target.cmp(&b.target));
            let stored = store.stored(&acme(), id).await.unwrap();
            let stored = stored.map(|stored| (stored.revision, json(&stored.contact)));
            let name = self.contact(id);
            writeln!(told, "{name} {stored:?} {states:?} {links:?}").unwrap();
        }
        let mut standings = Vec::new();
        for standing in store.standings(None, 1_000).await.unwrap() {
            standings.push((self.contact(standing.contact), standing.revision));
        }
        standings.sort();
        let mut stopped = Vec::new();
        for job in store.stopped_jobs().await.unwrap() {
            let (name, contact) = (self.job(job.job), self.contact(job.contact));
            stopped.push(format!(
                "{name} {contact} {:?} {} {} {:?}",
                job.kind, job.target, job.review, job.failure
            ));
        }
        stopped.sort();
        for remote in ["r0", "r1", "s1"] {
            for target in [PHONE, CRM] {
                let (target, remote) = (TargetName::from(target), RemoteId::from(remote));
                let linked = store.is_linked(&acme(), &target, &remote, None).await;
                write!(told, "{} ", linked.unwrap()).unwrap();
            }
        }
        let mut snapshot = store.snapshot().await.unwrap();
        snapshot.oldest_ms /= 10_000;
        write!(told, "{standings:?} {stopped:?} {snapshot:?}").unwrap();
        told
    }
}

fn jobs(mask: usize, urgent: bool) -> Vec<NewJob> {
    let lane = if urgent {
        Lane::Interactive
    } else {
        Lane::Bulk
    };
    let targets = targets(mask).into_iter();
    targets.map(|target| NewJob::new(target, lane)).collect()
}

fn pick(all: &[ContactId], which: Index) -> Option<ContactId> {
    (!all.is_empty()).then(|| all[which.index(all.len())])
}

fn json(contact: &Contact) -> String {
    serde_json::to_string(contact).unwrap()
}

fn said<T>(result: &Result<T, StoreError>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(StoreError::Unavailable(cause)) => panic!("the store failed: {cause}"),
        Err(error) => error.to_string(),
    }
}

/// One of the ends that a worker gives to a delivery.
fn deliver(
    what: &contact_sync::Delivery,
    how: usize,
    number: usize,
) -> (LinkChange, LogOutcome, Ack) {
    let failed = |class| LogOutcome::Failed(FailureNote::new(class));
    let unclear = |settle| LinkChange::Unclear {
        settle: seconds(settle),
    };
    let after = seconds(20);
    let done = |remote: RemoteId, action| {
        let created = action == Action::Created;
        let log = LogOutcome::Delivered {
            action,
            unmapped: Vec::new(),
        };
        let revision = what.revision;
        (
            LinkChange::Set { remote, created },
            log,
            Ack::Done { revision },
        )
    };
    match how {
        0 | 1 => done(format!("r{}", number % 5).into(), Action::Created),
        2 => match &what.known {
            Known::One(remote) => done(remote.clone(), Action::Updated),
            _ => done(format!("r{}", number % 3).into(), Action::Unchanged),
        },
        3 => (
            LinkChange::Withdraw,
            failed(ErrorClass::Transient),
            Ack::Retry { after },
        ),
        4 => (
            unclear(30),
            failed(ErrorClass::Ambiguous),
            Ack::Retry { after },
        ),
        5 => (
            LinkChange::Keep,
            failed(ErrorClass::RateLimited),
            Ack::Snooze { after },
        ),
        6 => (
            LinkChange::Withdraw,
            failed(ErrorClass::Auth),
            Ack::Park {
                after: seconds(100),
            },
        ),
        7 => (
            unclear(0),
            failed(ErrorClass::Conflict),
            if number.is_multiple_of(2) {
                Ack::Review
            } else {
                Ack::Dead
            },
        ),
        8 => match &what.known {
            Known::One(remote) => (
                LinkChange::Gone(remote.clone()),
                LogOutcome::Relinking,
                Ack::Snooze {
                    after: Duration::ZERO,
                },
            ),
            _ => (
                LinkChange::Withdraw,
                failed(ErrorClass::InvalidData),
                Ack::Dead,
            ),
        },
        _ => (unclear(30), LogOutcome::Released, Ack::Snooze { after }),
    }
}

/// One of the ends that a worker gives to an undo or a removal.
fn take_away(how: usize, link: LinkChange, log: LogOutcome) -> (LinkChange, LogOutcome, Ack) {
    let failed = |class| LogOutcome::Failed(FailureNote::new(class));
    match how {
        0..=5 => (link, log, Ack::Done { revision: 0 }),
        6 => (LinkChange::Keep, failed(ErrorClass::Conflict), Ack::Review),
        _ => (
            LinkChange::Keep,
            failed(ErrorClass::Transient),
            Ack::Retry { after: seconds(20) },
        ),
    }
}

async fn walk(model: &dyn Subject, subject: &dyn Subject, steps: &[Step]) -> Result<(), String> {
    let (mut one, mut other) = (Walker::new(model), Walker::new(subject));
    for (number, step) in steps.iter().enumerate() {
        let (expected, got) = (one.take(number, step).await, other.take(number, step).await);
        if expected != got {
            return Err(format!(
                "step {number}, {step:?}:\nmemory: {expected}\ndatabase: {got}"
            ));
        }
        let (expected, got) = (one.look().await, other.look().await);
        if expected != got {
            return Err(format!(
                "after step {number}, {step:?}:\nmemory: {expected}\ndatabase: {got}"
            ));
        }
    }
    Ok(())
}

/// Walks on fresh stores, and shortens the walk on which they differ.
fn walks<S: Subject, F: Future<Output = Option<S>>>(cases: u32, place: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let mut config = ProptestConfig {
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = if asked {
        TestRunner::new(config)
    } else {
        config.cases = cases;
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let result = runner.run(&vec(step(), 1..60), |steps| {
        runtime.block_on(async {
            let model = crate::places::in_memory().await.unwrap();
            let Some(subject) = place().await else {
                return Ok(());
            };
            let same = walk(&model, &subject, &steps).await;
            same.map_err(TestCaseError::fail)
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The walk itself says the same twice: neither ids nor times are in what is compared.
#[test]
fn memory_says_what_memory_says() {
    walks(40, crate::places::in_memory);
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_says_what_memory_says() {
    walks(40, crate::places::on_file);
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_says_what_memory_says() {
    walks(12, crate::places::in_schema);
}
