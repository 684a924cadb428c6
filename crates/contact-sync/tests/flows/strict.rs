//! The strict road: a failure at each step, and both sides alike after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contact_sync::{
    ClaimRequest, ClientUnavailable, ContactId, CrmHook, ErrorClass, JobStore, LinkStore,
    MemoryStore, Reason, Receipt, Region, Signup, SignupHook, SkipReason, StaticDirectory,
    StoreError, StrictError, StrictStore, Ticket,
};
use rstest::rstest;
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Op, Vendor, World, ann, bob, key_of};

#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
pub(crate) async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

pub(crate) fn crm(world: &World) -> CrmHook {
    let directory = StaticDirectory::new().on("fake");
    CrmHook::new(world.store.clone(), directory)
        .target(world.vendor.clone())
        .region(Region::US)
}

/// The host's table: whether its row is there.
#[derive(Clone, Default)]
pub(crate) struct Row(Arc<AtomicBool>);

impl Row {
    pub(crate) fn insert(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) async fn create(
    crm: &CrmHook,
    signup: &Signup,
    row: &Row,
) -> Result<Receipt, StrictError<StoreError>> {
    let insert = async |ticket: Ticket| {
        row.insert();
        ticket.confirm().await
    };
    crm.create(signup, insert)
        .await
        .map(|((), receipt)| receipt)
}

pub(crate) async fn links(store: &MemoryStore, contact: ContactId) -> usize {
    store.links(contact).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn both_sides_have_the_contact() {
    let world = World::new();
    let row = Row::default();
    let receipt = create(&crm(&world), &ann(), &row).await.unwrap();
    assert!(row.is_there());
    let line = receipt.target("fake").unwrap();
    assert!(line.integrated);
    assert_eq!(line.contact_id.as_ref().unwrap().as_str(), "1");
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create]);
    assert_eq!(links(&world.store, receipt.contact).await, 1);
    assert_eq!(
        world.store.snapshot().await.unwrap().live(),
        0,
        "nothing is left to undo"
    );
    assert_eq!(world.store.contact_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_ticket_names_the_vendors_records() {
    let world = World::new();
    let insert = async |ticket: Ticket| {
        assert_eq!(ticket.remote_id("fake").unwrap().as_str(), "1");
        assert_eq!(ticket.remote_id("other"), None);
        Ok::<_, StoreError>(ticket.contact())
    };
    let (contact, receipt) = crm(&world).create(&ann(), insert).await.unwrap();
    assert_eq!(contact, receipt.contact);
    assert_eq!(
        links(&world.store, contact).await,
        1,
        "an insert that went well is confirmed for the host"
    );
}

#[rstest]
#[case(Op::Find, ErrorClass::Transient)]
#[case(Op::Find, ErrorClass::RateLimited)]
#[case(Op::Find, ErrorClass::Auth)]
#[case(Op::Create, ErrorClass::Transient)]
#[case(Op::Create, ErrorClass::RateLimited)]
#[case(Op::Create, ErrorClass::QuotaSpent)]
#[case(Op::Create, ErrorClass::Auth)]
#[case(Op::Create, ErrorClass::InvalidData)]
#[case(Op::Create, ErrorClass::Conflict)]
#[tokio::test(start_paused = true)]
async fn a_vendors_error_aborts_before_the_insert(#[case] op: Op, #[case] class: ErrorClass) {
    let world = World::new();
    world.vendor.fault(op, Fault::Fail(class));
    let row = Row::default();
    let error = create(&crm(&world), &ann(), &row).await.unwrap_err();
    let StrictError::Vendor { target, error } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((target.as_str(), error.class()), ("fake", class));
    assert!(!row.is_there());
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.vendor.count(Op::Delete), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
    assert_eq!(world.store.contact_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_fails_takes_the_record_with_it() {
    let world = World::new();
    let hook = crm(&world);
    let failing = async |_: Ticket| Err::<(), _>("disk full");
    let error = hook.create(&ann(), failing).await.unwrap_err();
    assert_eq!(error.into_insert(), Some("disk full"));
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create, Op::Delete]);
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
    assert_eq!(world.store.contact_count(), 0);

    // And nothing stands in the way of another try.
    create(&hook, &ann(), &Row::default()).await.unwrap();
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_fails_after_confirming_is_undone_too() {
    let world = World::new();
    let failing = async |ticket: Ticket| {
        ticket.confirm().await.unwrap();
        Err::<(), _>("the commit failed")
    };
    crm(&world).create(&ann(), failing).await.unwrap_err();
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.store.contact_count(), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
    // No trace of it misleads a later signup.
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.count(Op::Create), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_merely_found_stays() {
    let world = World::new();
    world
        .vendor
        .plant(&key_of(&ann()), chrono::TimeDelta::days(1));
    let failing = async |_: Ticket| Err::<(), _>("disk full");
    crm(&world).create(&ann(), failing).await.unwrap_err();
    assert_eq!(
        world.vendor.calls(),
        [Op::Find],
        "not deleted, and not even changed"
    );
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_found_is_brought_up_to_date_after_the_insert() {
    let world = World::new();
    world
        .vendor
        .plant(&key_of(&ann()), chrono::TimeDelta::days(1));
    let receipt = create(&crm(&world), &ann(), &Row::default()).await.unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    assert_eq!(world.vendor.records()[0].name, "");
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Ann Lee");
}

#[tokio::test(start_paused = true)]
async fn a_person_we_have_a_link_to_is_not_created_again() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    // Another id of the host, the same address.
    let receipt = create(&crm(&world), &ann().host_id("7"), &Row::default())
        .await
        .unwrap();
    assert_eq!(
        receipt
            .target("fake")
            .unwrap()
            .contact_id
            .as_ref()
            .unwrap()
            .as_str(),
        "1"
    );
    let failing = async |_: Ticket| Err::<(), _>("disk full");
    crm(&world)
        .create(&ann().host_id("8"), failing)
        .await
        .unwrap_err();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.count(Op::Delete), 0);
    // The links of the others have survived the failed one.
    world.hook.on_signup(ann().host_id("9")).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[rstest]
#[case::lost_answer(Fault::LostAnswer, true)]
#[case::lost_request(Fault::LostRequest, false)]
#[case::lands_at_once(Fault::Lands(Duration::ZERO), true)]
#[case::lands_late(Fault::Lands(Duration::from_secs(20)), false)]
#[tokio::test(start_paused = true)]
async fn an_unclear_create_is_looked_up_before_it_is_decided(
    #[case] fault: Fault,
    #[case] succeeds: bool,
    #[values(0, 3)] lag: u64,
) {
    let world = World::with(Vendor::new().lagging(lag));
    world.vendor.fault(Op::Create, fault);
    let row = Row::default();
    let result = create(&crm(&world), &ann(), &row).await;
    assert_eq!((result.is_ok(), row.is_there()), (succeeds, succeeds));
    // What lands after all is taken back by a worker.
    let worker = world.start();
    pass(Duration::from_mins(5)).await;
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), usize::from(succeeds));
}

#[tokio::test(start_paused = true)]
async fn another_try_takes_over_what_the_first_left_unclear() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_secs(5)));
    let hook = crm(&world);
    create(&hook, &ann(), &Row::default()).await.unwrap_err();
    pass(Duration::from_secs(31)).await;
    // The first one's record has landed, and its undo waits for a worker. The second one must not lose the record to it.
    let receipt = create(&hook, &ann(), &Row::default()).await.unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    let worker = world.start();
    pass(Duration::from_mins(5)).await;
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.count(Op::Delete), 0);

    // Both were ours: erased, nothing of it stays.
    let erased = world.hook.on_profile_deleted(receipt.contact).await;
    assert_eq!(erased.unwrap().unwrap().queued, ["fake"]);
    worker.idle().await;
    assert_eq!(world.vendor.records(), []);
}

#[tokio::test(start_paused = true)]
async fn nobody_creates_while_an_earlier_create_may_still_land() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_secs(25)));
    let hook = crm(&world);
    create(&hook, &ann(), &Row::default()).await.unwrap_err();
    // Under the same key, and as the same person under another one.
    for signup in [ann(), ann().host_id("7")] {
        let again = create(&hook, &signup, &Row::default()).await;
        assert!(matches!(again, Err(StrictError::Busy)));
    }
    world.hook.on_signup(ann().host_id("8")).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);

    // The main road's unclear create is as good a reason.
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_secs(25)));
    world.hook.on_signup(bob()).await.unwrap();
    let worker = world.start();
    pass(Duration::from_secs(1)).await;
    let strict = create(&hook, &bob(), &Row::default()).await;
    assert!(matches!(strict, Err(StrictError::Busy)));
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_try_that_fails_takes_the_first_ones_record_with_it() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_secs(5)));
    let hook = crm(&world);
    create(&hook, &ann(), &Row::default()).await.unwrap_err();
    pass(Duration::from_secs(31)).await;
    hook.create(&ann(), async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
}

#[rstest]
#[case(Fault::Fail(ErrorClass::Transient))]
#[case(Fault::Fail(ErrorClass::Auth))]
#[case(Fault::LostAnswer)]
#[case(Fault::LostRequest)]
#[case(Fault::Later(ErrorClass::RateLimited, Duration::from_secs(90)))]
#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_stays_queued(#[case] fault: Fault) {
    let world = World::new();
    for _ in 0..3 {
        world.vendor.fault(Op::Delete, fault);
    }
    let failing = async |_: Ticket| Err::<(), _>("disk full");
    crm(&world).create(&ann(), failing).await.unwrap_err();
    assert_eq!(world.store.snapshot().await.unwrap().live(), 1);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_several_targets_a_later_failure_undoes_the_earlier_ones() {
    let world = World::new();
    let second = Arc::new(Vendor::named("second"));
    let directory = StaticDirectory::new().on("fake").on("second");
    let hook = CrmHook::new(world.store.clone(), directory)
        .target(world.vendor.clone())
        .target(second.clone());
    second.fault(Op::Create, Fault::Fail(ErrorClass::InvalidData));
    let row = Row::default();
    let error = create(&hook, &ann(), &row).await.unwrap_err();
    assert_eq!(error.to_string(), "second did not take the contact");
    assert!(!row.is_there());
    assert_eq!(
        (world.vendor.records().len(), second.records().len()),
        (0, 0)
    );
    assert_eq!(world.vendor.count(Op::Delete), 1);

    hook.create(&ann(), async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(
        (world.vendor.records().len(), second.records().len()),
        (0, 0)
    );

    let receipt = create(&hook, &ann(), &row).await.unwrap();
    assert_eq!(
        receipt
            .targets
            .iter()
            .filter(|line| line.integrated)
            .count(),
        2
    );
    assert_eq!(
        (world.vendor.records().len(), second.records().len()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_delete_is_refused_before_any_call() {
    let world = World::with(Vendor::new().without_delete());
    let row = Row::default();
    let error = create(&crm(&world), &ann(), &row).await.unwrap_err();
    assert!(matches!(error, StrictError::CannotUndo { .. }));
    assert_eq!(world.vendor.calls(), []);
    assert!(!row.is_there());
}

#[tokio::test(start_paused = true)]
async fn or_what_it_leaves_is_flagged() {
    let world = World::with(Vendor::new().without_delete());
    let hook = crm(&world).leave_and_flag();
    hook.create(&ann(), async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(world.vendor.records().len(), 1);
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert!(
        stopped.len() == 1 && stopped[0].review && stopped[0].kind == contact_sync::JobKind::Undo
    );
    assert_eq!(world.vendor.count(Op::Delete), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_off_is_skipped_and_the_insert_runs() {
    let world = World::new();
    let directory = StaticDirectory::new().off("fake", SkipReason::Disabled);
    let hook = CrmHook::new(world.store.clone(), directory).target(world.vendor.clone());
    let row = Row::default();
    let receipt = create(&hook, &ann(), &row).await.unwrap();
    assert!(row.is_there());
    assert_eq!(receipt.targets[0].skipped(), Some(SkipReason::Disabled));
    assert_eq!(world.vendor.calls(), []);

    // The directory does not know yet what the provider of clients knows.
    world
        .vendor
        .script([Fault::NoClient(ClientUnavailable::NotConfigured)]);
    let receipt = create(&crm(&world), &bob(), &row).await.unwrap();
    assert_eq!(receipt.targets[0].reason, Some(Reason::NotConfigured));
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.store.contact_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_the_hook_does_not_have_is_an_error() {
    let world = World::new();
    let hook = CrmHook::new(world.store.clone(), StaticDirectory::new().on("elsewhere"));
    let error = create(&hook, &ann(), &Row::default()).await.unwrap_err();
    assert!(matches!(error, StrictError::NoSuchTarget { .. }));
}

#[tokio::test(start_paused = true)]
async fn two_at_once_for_one_person_make_one_record() {
    let world = World::new();
    let hook = crm(&world);
    let (one, other) = (ann().host_id("1"), ann().host_id("2"));
    let (row, other_row) = (Row::default(), Row::default());
    let (first, second) =
        tokio::join!(create(&hook, &one, &row), create(&hook, &other, &other_row));
    assert_eq!(first.unwrap().targets, second.unwrap().targets);
    assert_eq!(world.vendor.count(Op::Create), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_is_worked_on_too_long_is_busy() {
    let world = World::new();
    let hook = crm(&world).patience(Duration::from_secs(3));
    let slow = async |_: Ticket| {
        pass(Duration::from_secs(10)).await;
        Ok::<_, StoreError>(())
    };
    let other = async {
        pass(Duration::from_secs(1)).await;
        create(&hook, &ann(), &Row::default()).await
    };
    let signup = ann();
    let (first, second) = tokio::join!(hook.create(&signup, slow), other);
    first.unwrap();
    assert!(matches!(second, Err(StrictError::Busy)));
}

#[tokio::test(start_paused = true)]
async fn the_two_roads_do_not_cross() {
    let world = World::new();
    let hook = crm(&world);
    let worker = world.start();
    // A signup of the same person, under another key, comes in while the insert runs, which then fails.
    let insert = async |_: Ticket| {
        world.hook.on_signup(ann().host_id("7")).await.unwrap();
        world.hook.on_signup(ann()).await.unwrap();
        pass(Duration::from_secs(10)).await;
        Err::<(), _>("disk full")
    };
    hook.create(&ann(), insert).await.unwrap_err();
    worker.idle().await;
    assert_eq!(
        world.vendor.records().len(),
        1,
        "the signup was accepted, the strict create was not"
    );
    assert_eq!(world.vendor.count(Op::Delete), 1);
    assert_eq!(world.store.contact_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_signup_survives_a_strict_create_that_is_taken_back() {
    let world = World::new();
    let hook = crm(&world);
    let insert = async |ticket: Ticket| {
        ticket.confirm().await.unwrap();
        world.hook.on_signup(ann().name("Anna Lee")).await.unwrap();
        Err::<(), _>("the commit failed")
    };
    hook.create(&ann(), insert).await.unwrap_err();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Anna Lee");
}

#[tokio::test(start_paused = true)]
async fn an_undo_spares_what_is_older_than_the_operation() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_hours(1000)));
    let hook = crm(&world);
    create(&hook, &ann(), &Row::default()).await.unwrap_err();
    // A record under the same key turns up that was there before, invisible: not ours.
    world
        .vendor
        .plant(&key_of(&ann()), chrono::TimeDelta::days(1));
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert!(
        stopped.len() == 1 && stopped[0].review,
        "or a clock is wrong: nothing is left in silence"
    );
}

#[tokio::test(start_paused = true)]
async fn another_try_takes_over_nothing_that_is_older_than_the_first() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_hours(1000)));
    let hook = crm(&world);
    create(&hook, &ann(), &Row::default()).await.unwrap_err();
    pass(Duration::from_secs(31)).await;
    world
        .vendor
        .plant(&key_of(&ann()), chrono::TimeDelta::days(1));
    hook.create(&ann(), async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(world.vendor.count(Op::Delete), 0);
    assert_eq!(world.vendor.records().len(), 1);

    // One whose insert goes well has found it.
    create(&hook, &ann(), &Row::default()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Ann Lee");
}

#[tokio::test(start_paused = true)]
async fn what_earlier_signups_have_said_reaches_the_record_too() {
    let world = World::new();
    let off = StaticDirectory::new().off("fake", SkipReason::NotConfigured);
    let hook = SignupHook::new(world.store.clone(), off).region(Region::US);
    hook.on_signup(ann()).await.unwrap();
    let email_only = Signup::new().name("Ann Lee").email("ann@example.com");
    create(&crm(&world), &email_only, &Row::default())
        .await
        .unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].phone, "+12025550143");
}

/// What a store does that writes the confirmation inside the host's transaction, whose end is the host's alone.
async fn join(store: &MemoryStore, ticket: &Ticket, commits: bool) {
    let confirmation = ticket.confirmation();
    confirmation.mark_joined();
    if commits {
        let written = store.confirm(
            confirmation.held,
            &confirmation.created,
            &confirmation.found,
        );
        written.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_in_a_transaction_counts_once_that_is_committed() {
    let world = World::new();
    let store = world.store.clone();
    let insert = async |ticket: Ticket| {
        join(&store, &ticket, true).await;
        Ok::<_, StoreError>(())
    };
    let ((), receipt) = crm(&world).create(&ann(), insert).await.unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(links(&world.store, receipt.contact).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_in_a_transaction_that_is_rolled_back_is_none() {
    let world = World::new();
    let store = world.store.clone();
    let insert = async |ticket: Ticket| {
        join(&store, &ticket, false).await;
        Ok::<_, StoreError>(())
    };
    let error = crm(&world).create(&ann(), insert).await.unwrap_err();
    assert!(matches!(error, StrictError::RolledBack), "{error:?}");
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create, Op::Delete]);
    assert_eq!(world.store.contact_count(), 0);
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
}

/// The operation is ended by the end of its lease before the hook asks what became of it.
#[rstest]
#[tokio::test(start_paused = true)]
async fn what_a_transaction_left_is_told_after_the_lease_too(
    #[values(true, false)] commits: bool,
    #[values(true, false)] is_found: bool,
) {
    let world = World::new();
    if is_found {
        world.hook.on_signup(ann()).await.unwrap();
        world.work().await;
    }
    let store = world.store.clone();
    let insert = async |ticket: Ticket| {
        join(&store, &ticket, commits).await;
        tokio::time::advance(Duration::from_mins(3)).await;
        let nothing = ClaimRequest::new(0, Duration::from_mins(1));
        store.claim(nothing).await.unwrap();
        Ok::<_, StoreError>(())
    };
    let created = crm(&world).create(&ann(), insert).await;
    match created {
        Ok(((), receipt)) => assert!(commits && receipt.target("fake").unwrap().integrated),
        Err(error) => assert!(!commits && matches!(error, StrictError::RolledBack)),
    }
    world.work().await;
    let records = usize::from(commits || is_found);
    assert_eq!(world.vendor.records().len(), records);
}

#[tokio::test(start_paused = true)]
async fn the_future_can_be_spawned() {
    let world = World::new();
    let hook = crm(&world);
    let task = tokio::spawn(async move {
        let mut transaction = String::new();
        let insert = async |ticket: Ticket| {
            transaction.push_str("row");
            ticket.confirm().await?;
            Ok::<_, StoreError>(transaction.len())
        };
        hook.create(&ann(), insert).await.map(|(length, _)| length)
    });
    assert_eq!(task.await.unwrap().unwrap(), 3);
}
