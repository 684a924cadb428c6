//! A store that does not answer now and then, and what the two roads make of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    Accepted, Begun, Claim, ClaimRequest, Claims, Contact, ContactId, ContactKey, CrmHook,
    DeliveryState, Erased, Held, JobId, JobStore, LeaseToken, Link, LinkStore, MemoryStore, NewJob,
    Outcome, Planner, Reason, Reconciler, Region, RemoteId, Signup, SignupHook, SignupStore,
    SkipReason, Snapshot, Standings, StaticDirectory, StoppedJob, StoreError, StoredContact,
    StrictError, StrictStore, TargetName, TenantId, Ticket, Undo, Worker,
};
use rstest::rstest;

use super::strict::{Row, create, pass};
use super::vendor::{Fault, Op, Vendor, World, ann};

const ALWAYS: u32 = u32::MAX;

/// The store in memory, with calls that fail.
pub(crate) struct Flaky {
    store: Arc<MemoryStore>,
    fails: Mutex<HashMap<&'static str, u32>>,
    error: fn() -> StoreError,
    /// What changes about a contact right after it was read.
    meanwhile: Mutex<Option<Contact>>,
}

impl Flaky {
    fn of(world: &World, call: &'static str, times: u32) -> Arc<Self> {
        Self::failing(world, call, times, || StoreError::unavailable("down"))
    }

    pub(crate) fn failing(
        world: &World,
        call: &'static str,
        times: u32,
        error: fn() -> StoreError,
    ) -> Arc<Self> {
        Arc::new(Self {
            store: world.store.clone(),
            fails: Mutex::new(HashMap::from([(call, times)])),
            error,
            meanwhile: Mutex::default(),
        })
    }

    fn up(&self, call: &'static str) -> Result<&MemoryStore, StoreError> {
        match self.fails.lock().unwrap().get_mut(call) {
            Some(times @ 1..) => {
                *times = if *times == ALWAYS { ALWAYS } else { *times - 1 };
                Err((self.error)())
            }
            _ => Ok(&self.store),
        }
    }
}

#[async_trait]
impl SignupStore for Flaky {
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError> {
        self.up("accept")?.accept(tenant, contact, jobs).await
    }

    async fn amend(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        change: &Contact,
        jobs: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError> {
        self.up("amend")?.amend(tenant, contact, change, jobs).await
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<Erased>, StoreError> {
        self.up("erase")?.erase(tenant, contact).await
    }

    async fn find(
        &self,
        tenant: &TenantId,
        key: &ContactKey,
    ) -> Result<Option<ContactId>, StoreError> {
        self.up("find")?.find(tenant, key).await
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<StoredContact>, StoreError> {
        let stored = self.up("stored")?.stored(tenant, contact).await;
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(change) = meanwhile {
            self.store.amend(tenant, contact, &change, &[]).await?;
        }
        stored
    }

    async fn drain_intake(
        &self,
        _planner: &Planner<'_>,
        _limit: usize,
    ) -> Result<usize, StoreError> {
        assert!(self.up("planner").is_ok(), "the host's directory panics");
        Ok(0)
    }

    async fn standings(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Standings>, StoreError> {
        self.up("standings")?.standings(after, limit).await
    }

    async fn deliveries(&self, contact: ContactId) -> Result<Vec<DeliveryState>, StoreError> {
        self.up("deliveries")?.deliveries(contact).await
    }

    async fn settled(&self, accepted: Accepted, targets: &[TargetName]) -> Result<(), StoreError> {
        self.up("settled")?.settled(accepted, targets).await
    }
}

#[async_trait]
impl JobStore for Flaky {
    async fn claim(&self, request: ClaimRequest) -> Result<Claims, StoreError> {
        self.up("claim")?.claim(request).await
    }

    async fn renew(
        &self,
        job: JobId,
        token: LeaseToken,
        lease: Duration,
    ) -> Result<(), StoreError> {
        self.up("renew")?.renew(job, token, lease).await
    }

    async fn work_added(&self) {
        self.store.work_added().await;
    }

    async fn stopped_jobs(&self) -> Result<Vec<StoppedJob>, StoreError> {
        self.up("stopped_jobs")?.stopped_jobs().await
    }

    async fn replay(&self, job: JobId) -> Result<(), StoreError> {
        self.up("replay")?.replay(job).await
    }

    async fn discard(&self, job: JobId) -> Result<(), StoreError> {
        self.up("discard")?.discard(job).await
    }

    async fn resume(&self, tenant: &TenantId, target: &TargetName) -> Result<u64, StoreError> {
        self.up("resume")?.resume(tenant, target).await
    }

    async fn sweep(&self, keep: Duration) -> Result<u64, StoreError> {
        self.up("sweep")?.sweep(keep).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.up("snapshot")?.snapshot().await
    }
}

#[async_trait]
impl LinkStore for Flaky {
    async fn commit_outcome(&self, outcome: Outcome) -> Result<(), StoreError> {
        self.up("commit_outcome")?.commit_outcome(outcome).await
    }

    async fn is_linked(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
        except: Option<ContactId>,
    ) -> Result<bool, StoreError> {
        self.up("is_linked")?
            .is_linked(tenant, target, remote, except)
            .await
    }

    async fn links(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        self.up("links")?.links(contact).await
    }
}

#[async_trait]
impl StrictStore for Flaky {
    async fn begin(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
        lease: Duration,
    ) -> Result<Begun, StoreError> {
        self.up("begin")?
            .begin(tenant, contact, targets, lease)
            .await
    }

    async fn renew_operation(&self, held: Held, lease: Duration) -> Result<(), StoreError> {
        self.up("renew_operation")?
            .renew_operation(held, lease)
            .await
    }

    async fn expect_create(
        &self,
        held: Held,
        target: &TargetName,
        undo: Undo,
    ) -> Result<(), StoreError> {
        self.up("expect_create")?
            .expect_create(held, target, undo)
            .await
    }

    async fn note_created(
        &self,
        held: Held,
        target: &TargetName,
        remote: &RemoteId,
    ) -> Result<(), StoreError> {
        self.up("note_created")?
            .note_created(held, target, remote)
            .await
    }

    async fn note_unclear(
        &self,
        held: Held,
        target: &TargetName,
        settle: Duration,
    ) -> Result<(), StoreError> {
        self.up("note_unclear")?
            .note_unclear(held, target, settle)
            .await
    }

    async fn withdraw_create(&self, held: Held, target: &TargetName) -> Result<(), StoreError> {
        self.up("withdraw_create")?
            .withdraw_create(held, target)
            .await
    }

    async fn confirm(
        &self,
        held: Held,
        created: &[Link],
        found: &[Link],
    ) -> Result<(), StoreError> {
        self.up("confirm")?.confirm(held, created, found).await
    }

    async fn finish(&self, held: Held) -> Result<bool, StoreError> {
        self.up("finish")?.finish(held).await
    }

    async fn abandon(&self, held: Held, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        self.up("abandon")?.abandon(held, lease).await
    }
}

fn crm(world: &World, call: &'static str, times: u32) -> CrmHook {
    let store = Flaky::of(world, call, times);
    CrmHook::new(store, StaticDirectory::new().on("fake"))
        .target(world.vendor.clone())
        .region(Region::US)
}

/// Lets a worker whose store is well see to what is left.
async fn see_to_it(world: &World) {
    let worker = world.start();
    pass(Duration::from_mins(15)).await;
    worker.idle().await;
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_hiccup_in_any_call_is_not_noticed(
    #[values("renew_operation", "note_created", "confirm", "finish", "abandon")] call: &'static str,
    #[values(true, false)] inserts: bool,
) {
    let world = World::new();
    let insert = async |ticket: Ticket| {
        pass(Duration::from_mins(5)).await;
        ticket.confirm().await?;
        if inserts {
            Ok(())
        } else {
            Err(StoreError::NoSuchJob)
        }
    };
    let result = crm(&world, call, 1).create(&ann(), insert).await;
    assert_eq!(result.is_ok(), inserts);
    assert_eq!(world.vendor.records().len(), usize::from(inserts));
    see_to_it(&world).await;
    assert_eq!(world.vendor.records().len(), usize::from(inserts));
    assert_eq!(world.store.contact_count(), usize::from(inserts));
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_leaves_both_sides_alike(
    #[values(
        "begin",
        "expect_create",
        "note_created",
        "note_unclear",
        "withdraw_create",
        "abandon"
    )]
    call: &'static str,
    #[values(
        Fault::Pass,
        Fault::LostAnswer,
        Fault::LostRequest,
        Fault::Lands(Duration::from_secs(25)),
        Fault::Fail(contact_sync::ErrorClass::InvalidData)
    )]
    fault: Fault,
) {
    let world = World::new();
    world.vendor.fault(Op::Create, fault);
    let row = Row::default();
    let result = create(&crm(&world, call, ALWAYS), &ann(), &row).await;
    assert_eq!(result.is_ok(), row.is_there());
    see_to_it(&world).await;
    assert_eq!(world.vendor.records().len(), usize::from(row.is_there()));
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_cannot_be_confirmed_is_told_from_one_that_did_not_run() {
    let world = World::new();
    let hook = crm(&world, "confirm", ALWAYS);
    let insert = async |_: Ticket| Ok::<_, StoreError>(());
    let error = hook.create(&ann(), insert).await.unwrap_err();
    assert!(matches!(error, StrictError::Unconfirmed(_)), "{error:?}");
    see_to_it(&world).await;
    assert_eq!(world.vendor.records().len(), 0);
}

/// A create that waits its turn for longer than the lease can be renewed: by then it is a worker's to undo.
#[tokio::test(start_paused = true)]
async fn nothing_is_created_once_the_operation_may_be_over() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Slow(Duration::from_mins(3)));
    let worker = world.start();
    let hook = crm(&world, "renew_operation", ALWAYS);
    let row = Row::default();
    let error = create(&hook, &ann(), &row).await.unwrap_err();
    assert!(matches!(error, StrictError::Store(_)), "{error:?}");
    pass(Duration::from_mins(10)).await;
    worker.idle().await;
    assert!(!row.is_there());
    assert_eq!(world.vendor.records().len(), 0);
}

/// The same on the main road: the second worker is the one that creates.
#[tokio::test(start_paused = true)]
async fn nothing_is_created_once_the_job_may_be_anothers() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Slow(Duration::from_secs(61)));
    world.hook.on_signup(ann()).await.unwrap();
    let cut_off = Worker::new(Flaky::of(&world, "renew", ALWAYS))
        .target(world.vendor.clone())
        .start();
    pass(Duration::from_secs(5)).await;
    let other = world.start();
    other.idle().await;
    pass(Duration::from_mins(5)).await;
    drop(cut_off);
    assert_eq!(world.vendor.records().len(), 1);
}

/// An undo waits its turn behind another vendor's. Meanwhile a worker has done it, and a signup has come after.
#[tokio::test(start_paused = true)]
async fn an_undo_that_has_become_a_workers_is_left_to_it() {
    let world = World::new();
    let second = Arc::new(Vendor::named("second"));
    let directory = StaticDirectory::new().on("fake").on("second");
    let hook = CrmHook::new(world.store.clone(), directory)
        .target(world.vendor.clone())
        .target(second.clone())
        .region(Region::US);
    second.fault(Op::Delete, Fault::Slow(Duration::from_mins(3)));
    let store = world.store.clone();
    let watch = async {
        pass(Duration::from_mins(2)).await;
        // Its lease is over: the claim hands it to a worker, who is through before the slow one is.
        store
            .claim(ClaimRequest::new(0, Duration::from_mins(1)))
            .await
            .unwrap();
        world.hook.on_signup(ann()).await.unwrap();
        let worker = world.start();
        pass(Duration::from_secs(30)).await;
        assert_eq!(world.vendor.records().len(), 1);
        worker
    };
    let signup = ann();
    let failing = async |_: Ticket| Err::<(), _>("disk full");
    let (result, worker) = tokio::join!(hook.create(&signup, failing), watch);
    result.unwrap_err();
    worker.idle().await;
    assert_eq!(world.vendor.count(Op::Delete), 1, "once, and by the worker");
    assert_eq!(world.vendor.records().len(), 1);
}

/// What was skipped for want of a client stays skipped, and stands in the receipt once.
#[tokio::test(start_paused = true)]
async fn a_late_confirmation_queues_what_was_there_and_nothing_else() {
    let world = World::new();
    let second = Arc::new(Vendor::named("second"));
    second.script([Fault::NoClient(
        contact_sync::ClientUnavailable::NotConfigured,
    )]);
    let directory = StaticDirectory::new().on("fake").on("second");
    let hook = CrmHook::new(world.store.clone(), directory)
        .target(world.vendor.clone())
        .target(second);
    let store = world.store.clone();
    let insert = async |_: Ticket| {
        tokio::time::advance(Duration::from_mins(3)).await;
        store
            .claim(ClaimRequest::new(0, Duration::from_mins(1)))
            .await?;
        Ok::<_, StoreError>(())
    };
    let ((), receipt) = hook.create(&ann(), insert).await.unwrap();
    let reasons: Vec<_> = receipt
        .targets
        .iter()
        .map(|line| (line.target.as_str(), line.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            ("fake", Some(Reason::Queued)),
            ("second", Some(Reason::NotConfigured))
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_does_not_write_what_it_has_read() {
    let world = World::new();
    let off = StaticDirectory::new().off("fake", SkipReason::Disabled);
    let hook = SignupHook::new(world.store.clone(), off);
    let id = hook.on_signup(ann()).await.unwrap().contact;
    let store = Flaky::of(&world, "nothing", 0);
    let moved = Signup::new().email("lee@example.com");
    let moved = Contact::new(&TenantId::default(), &moved, None);
    *store.meanwhile.lock().unwrap() = Some(moved);
    let reconciler = Reconciler::new(store, StaticDirectory::new().on("fake")).include_skipped();
    assert_eq!(reconciler.run().await.unwrap().missing.len(), 1);
    let contact = world.store.contact(id).unwrap();
    assert_eq!(contact.email().unwrap().normalized(), "lee@example.com");
    world.work().await;
    assert_eq!(world.vendor.records()[0].email, "lee@example.com");
}

#[tokio::test(start_paused = true)]
async fn a_planner_that_panics_costs_nobody_a_delivery() {
    let world = World::new();
    let store = Flaky::of(&world, "planner", ALWAYS);
    let intake = SignupHook::new(store, StaticDirectory::new());
    let worker = world.worker().intake(intake).start();
    world.hook.on_signup(ann()).await.unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
}
