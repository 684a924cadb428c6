//! The promise of the strict road: whatever fails, in the end the vendor has exactly whom the host has.

use std::collections::BTreeSet;
use std::time::Duration;

use contact_sync::{
    CrmHook, ErrorClass, JobStore, Region, Signup, StaticDirectory, StoreError, Ticket,
};
use proptest::prelude::*;

use super::strict::pass;
use super::vendor::{Fault, Vendor, World};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::Pass),
        2 => Just(Fault::LostAnswer),
        2 => Just(Fault::LostRequest),
        2 => (0_u64..29).prop_map(|secs| Fault::Lands(Duration::from_secs(secs))),
        1 => Just(Fault::Hang),
        1 => Just(Fault::HangAfter),
        1 => (0_u64..29).prop_map(|secs| Fault::HangLands(Duration::from_secs(secs))),
        1 => Just(Fault::Fail(ErrorClass::Transient)),
        1 => Just(Fault::Fail(ErrorClass::RateLimited)),
        1 => Just(Fault::Fail(ErrorClass::Auth)),
        1 => Just(Fault::Fail(ErrorClass::InvalidData)),
    ]
}

/// What happens to a person, as far as the host is concerned.
#[derive(Copy, Clone, Debug)]
enum Step {
    Signup,
    /// A strict create whose insert goes well, confirming by itself or not.
    Insert {
        confirms: bool,
    },
    /// One whose insert fails, after confirming or without.
    Fail {
        confirmed: bool,
    },
    /// One whose future is dropped in the insert.
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Signup),
        any::<bool>().prop_map(|confirms| Step::Insert { confirms }),
        any::<bool>().prop_map(|confirmed| Step::Fail { confirmed }),
        Just(Step::Drop),
    ]
}

fn person(number: usize, host_id: Option<u32>) -> Signup {
    let signup = Signup::new()
        .name(["Ann Lee", "Robert Ray"][number])
        .email(format!("person{number}@example.com"));
    match host_id {
        Some(id) => signup.host_id(format!("{number}-{id}")),
        None => signup,
    }
}

/// Does one step; tells whether the host has the person afterwards.
async fn act(world: &World, crm: &CrmHook, signup: &Signup, step: Step) -> bool {
    let insert = async |ticket: Ticket| match step {
        Step::Insert { confirms: true } => ticket.confirm().await,
        Step::Insert { confirms: false } | Step::Signup => Ok(()),
        Step::Fail { confirmed } => {
            if confirmed {
                ticket.confirm().await?;
            }
            Err(StoreError::unavailable("disk full"))
        }
        Step::Drop => std::future::pending().await,
    };
    if matches!(step, Step::Signup) {
        return world.hook.on_signup(signup.clone()).await.is_ok();
    }
    tokio::select! {
        result = crm.create(signup, insert) => result.is_ok(),
        () = pass(Duration::from_secs(15)) => false,
    }
}

async fn run(
    steps: Vec<(usize, Option<u32>, Step, u64)>,
    faults: Vec<Fault>,
    lag: u64,
) -> (usize, usize) {
    let world = World::with(Vendor::new().lagging(lag));
    world.vendor.script(faults);
    let crm = CrmHook::new(world.store.clone(), StaticDirectory::new().on("fake"))
        .target(world.vendor.clone())
        .region(Region::US);
    let worker = world.start();
    let mut host = BTreeSet::new();
    for (number, host_id, step, gap) in steps {
        if act(&world, &crm, &person(number, host_id), step).await {
            host.insert(number);
        }
        pass(Duration::from_secs(gap)).await;
    }
    pass(Duration::from_mins(10)).await;
    world.vendor.heal();
    worker.shutdown(Duration::from_secs(1)).await;
    for _ in 0..10 {
        world.work().await;
        for job in world.store.stopped_jobs().await.unwrap() {
            world.store.replay(job.job).await.unwrap();
        }
    }
    (world.vendor.records().len(), host.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_vendor_has_whom_the_host_has(
        steps in prop::collection::vec(
            (0_usize..2, prop::option::of(0_u32..2), step(), prop::sample::select(vec![0_u64, 1, 40, 100])),
            1..8,
        ),
        faults in prop::collection::vec(fault(), 0..20),
        lag in prop::sample::select(vec![0_u64, 0, 2]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (records, people) = runtime.block_on(run(steps, faults, lag));
        prop_assert_eq!(records, people);
    }
}
