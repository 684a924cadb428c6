//! The strict road when the caller vanishes in the middle, or is too late.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{
    ClaimRequest, CrmHook, JobStore, MemoryStore, Reason, SignupHook, StaticDirectory, StoreError,
    StrictError, Ticket, Worker,
};
use rstest::rstest;

use super::strict::{Row, create, crm, links, pass};
use super::vendor::{Fault, Op, Vendor, World, ann};

#[rstest]
#[case::in_the_look(Op::Find, Fault::Hang)]
#[case::before_the_create(Op::Create, Fault::Hang)]
#[case::after_the_create(Op::Create, Fault::HangAfter)]
#[case::while_the_create_is_under_way(Op::Create, Fault::HangLands(Duration::from_secs(25)))]
#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_in_a_call_is_undone(
    #[case] op: Op,
    #[case] fault: Fault,
    #[values(0, 3)] lag: u64,
) {
    let world = World::with(Vendor::new().lagging(lag));
    world.vendor.fault(op, fault);
    let row = Row::default();
    let hook = crm(&world);
    let signup = ann();
    tokio::select! {
        _ = create(&hook, &signup, &row) => panic!("it hangs"),
        () = pass(Duration::from_secs(10)) => {}
    }
    assert!(!row.is_there());
    let worker = world.start();
    pass(Duration::from_mins(5)).await;
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_in_the_insert_is_undone() {
    let world = World::new();
    let hook = crm(&world);
    let stuck = async |_: Ticket| std::future::pending::<Result<(), StoreError>>().await;
    let signup = ann();
    let result = tokio::select! {
        result = hook.create(&signup, stuck) => Some(result),
        () = pass(Duration::from_mins(5)) => None,
    };
    assert!(result.is_none());
    assert_eq!(
        world.vendor.records().len(),
        1,
        "a slow insert keeps its records"
    );
    let worker = world.start();
    pass(Duration::from_mins(2)).await;
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_insert_is_undone() {
    let world = World::new();
    let hook = crm(&world);
    let panicking = tokio::spawn(async move {
        let insert = async |_: Ticket| -> Result<(), StoreError> { panic!("a bug of the host") };
        hook.create(&ann(), insert).await.map(|_| ())
    });
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(world.vendor.records().len(), 1);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_target_is_undone() {
    let world = World::new();
    world.vendor.fault(Op::Create, Fault::Panic);
    let hook = crm(&world);
    let panicking =
        tokio::spawn(async move { create(&hook, &ann(), &Row::default()).await.map(|_| ()) });
    assert!(panicking.await.unwrap_err().is_panic());
    world.work().await;
    assert_eq!(world.vendor.records().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_stays_though_the_future_is_dropped() {
    let world = World::new();
    let hook = crm(&world);
    let insert = async |ticket: Ticket| {
        ticket.confirm().await?;
        std::future::pending::<Result<(), StoreError>>().await
    };
    let signup = ann();
    tokio::select! {
        _ = hook.create(&signup, insert) => panic!("it hangs"),
        () = pass(Duration::from_secs(10)) => {}
    }
    let worker = world.start();
    pass(Duration::from_mins(5)).await;
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.count(Op::Delete), 0);
    // And the person is free for the next one.
    create(&hook, &ann(), &Row::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_that_comes_too_late_is_refused() {
    let world = World::new();
    let hook = crm(&world).lease(Duration::from_mins(1));
    let worker = world.start();
    let store = world.store.clone();
    let insert = async |ticket: Ticket| {
        // The process is suspended past its lease: no renewal runs, and a worker undoes the create.
        tokio::time::advance(Duration::from_mins(3)).await;
        JobStore::claim(store.as_ref(), ClaimRequest::new(0, Duration::from_mins(1)))
            .await
            .unwrap();
        ticket.confirm().await
    };
    let error = hook.create(&ann(), insert).await.unwrap_err();
    assert!(matches!(error, StrictError::Insert(StoreError::LeaseLost)));
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_has_its_row_gets_the_vendors_record_again() {
    let world = World::new();
    let hook = crm(&world);
    let worker = world.start();
    let store = world.store.clone();
    let insert = async |_: Ticket| {
        tokio::time::advance(Duration::from_mins(3)).await;
        JobStore::claim(store.as_ref(), ClaimRequest::new(0, Duration::from_mins(1)))
            .await
            .unwrap();
        Ok::<_, StoreError>(())
    };
    let ((), receipt) = hook.create(&ann(), insert).await.unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Queued));
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(links(&world.store, receipt.contact).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_of_another_process_undoes_for_a_hook_that_is_gone() {
    let store = Arc::new(MemoryStore::new());
    let vendor = Arc::new(Vendor::new());
    let hook =
        CrmHook::new(store.clone(), StaticDirectory::new().on("fake")).target(vendor.clone());
    let handle = tokio::spawn(async move {
        hook.create(&ann(), async |_: Ticket| {
            std::future::pending::<Result<(), StoreError>>().await
        })
        .await
        .map(|_| ())
    });
    pass(Duration::from_secs(1)).await;
    handle.abort();
    let _ = handle.await;
    Worker::new(store.clone())
        .target(vendor.clone())
        .start()
        .idle()
        .await;
    assert_eq!(vendor.records().len(), 0);
    // The signup hook on the same store goes on as if nothing had been.
    let signup = SignupHook::new(store.clone(), StaticDirectory::new().on("fake"));
    signup.on_signup(ann()).await.unwrap();
    Worker::new(store)
        .target(vendor.clone())
        .start()
        .idle()
        .await;
    assert_eq!(vendor.records().len(), 1);
}
