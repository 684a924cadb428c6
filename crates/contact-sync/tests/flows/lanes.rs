//! A signup that somebody waits for goes before the backlog.

use std::time::Duration;

use connector_http::Lane;
use contact_sync::{JobStore, Signup};
use tokio::time::Instant;

use super::vendor::{World, ann};

async fn backlog(world: &World, people: u32) {
    for id in 0..people {
        let signup = Signup::new().host_id(id.to_string()).name("Ann Lee");
        world.hook.on_signup(signup).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_signup_passes_the_backlog() {
    let world = World::new();
    backlog(&world, 500).await;
    let worker = world.worker().concurrency(4).start();
    tokio::task::yield_now().await;
    let start = Instant::now();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_mins(5))
        .await
        .unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    assert_eq!(
        start.elapsed(),
        Duration::from_millis(40),
        "two calls, and no wait for a place"
    );
    assert!(world.vendor.lanes().contains(&Lane::Interactive));
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 501);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_queued_contact_makes_it_urgent() {
    let world = World::new();
    backlog(&world, 100).await;
    world.hook.on_signup(ann()).await.unwrap();
    let _worker = world.worker().concurrency(1).start();
    let start = Instant::now();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_mins(5))
        .await
        .unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    assert!(
        start.elapsed() <= Duration::from_millis(120),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_counts() {
    let world = World::new();
    backlog(&world, 3).await;
    tokio::time::advance(Duration::from_secs(2)).await;
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!(
        (snapshot.ready, snapshot.live(), snapshot.oldest_ms),
        (3, 3, 2000)
    );
    world.work().await;
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!((snapshot.done, snapshot.live()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_large_backlog_is_worked_through() {
    let world = World::new();
    backlog(&world, 3_000).await;
    world.worker().concurrency(64).start().idle().await;
    assert_eq!(world.vendor.records().len(), 3_000);
}
