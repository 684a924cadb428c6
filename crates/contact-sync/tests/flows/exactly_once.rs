//! The promise itself: whatever fails, in whatever order, after healing each person is one record.

use std::collections::BTreeSet;
use std::time::Duration;

use contact_sync::{ErrorClass, JobStore, Signup};
use proptest::prelude::*;
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Vendor, World};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::Pass),
        2 => Just(Fault::LostAnswer),
        2 => Just(Fault::LostRequest),
        2 => (0_u64..29).prop_map(|secs| Fault::Lands(Duration::from_secs(secs))),
        1 => Just(Fault::Hang),
        1 => Just(Fault::HangAfter),
        1 => (0_u64..29).prop_map(|secs| Fault::HangLands(Duration::from_secs(secs))),
        1 => Just(Fault::Fail(ErrorClass::Transient)),
        1 => Just(Fault::Fail(ErrorClass::Auth)),
        1 => Just(Fault::Later(ErrorClass::RateLimited, Duration::from_secs(7))),
        1 => Just(Fault::Fail(ErrorClass::QuotaSpent)),
    ]
}

/// People with one to three signups each: with ids of the host or without, under the same address or number.
fn signup() -> impl Strategy<Value = (usize, Signup)> {
    (0_usize..4, prop::option::of(0_u32..3), any::<bool>()).prop_map(
        |(person, host_id, with_phone)| {
            let mut signup = Signup::new()
                .name(["Ann Lee", "Robert Ray", "Zoë Müller", "Ida Quist"][person])
                .email(format!("person{person}@example.com"));
            if let Some(id) = host_id {
                signup = signup.host_id(format!("{person}-{id}"));
            }
            if with_phone {
                // Two of them share a telephone.
                signup = signup.phone(
                    [
                        "202 555 0143",
                        "202 555 0143",
                        "202 555 0199",
                        "202 555 0111",
                    ][person],
                );
            }
            (person, signup)
        },
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

async fn run(
    signups: Vec<(usize, Signup)>,
    faults: Vec<Fault>,
    lag: u64,
    crashes: Vec<u64>,
    gap: u64,
) -> (usize, BTreeSet<usize>) {
    let world = World::with(Vendor::new().lagging(lag));
    world.vendor.script(faults);
    let mut worker = world.worker().concurrency(3).start();
    let mut crashes = crashes.into_iter();
    let mut people = BTreeSet::new();
    for (person, signup) in signups {
        people.insert(person);
        world.hook.on_signup(signup).await.unwrap();
        pass(Duration::from_millis(gap)).await;
        if let Some(after) = crashes.next() {
            pass(Duration::from_secs(after)).await;
            worker = if after % 2 == 0 {
                drop(worker);
                world.worker().concurrency(3).start()
            } else {
                worker.shutdown(Duration::from_secs(1)).await;
                world.worker().concurrency(3).start()
            };
        }
    }
    pass(Duration::from_mins(10)).await;
    world.vendor.heal();
    // A hanging call is not healed by the vendor: whoever hangs is stopped.
    worker.shutdown(Duration::from_secs(1)).await;
    for _ in 0..10 {
        world.work().await;
        let stopped = world.store.stopped_jobs().await.unwrap();
        if stopped.is_empty() {
            break;
        }
        // Crashed too often: the one-call replay.
        for job in stopped {
            world.store.replay(job.job).await.unwrap();
        }
    }
    (world.vendor.records().len(), people)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_healing_each_person_is_one_record(
        signups in prop::collection::vec(signup(), 1..10),
        faults in prop::collection::vec(fault(), 0..30),
        lag in prop::sample::select(vec![0_u64, 0, 2]),
        crashes in prop::collection::vec(0_u64..40, 0..4),
        gap in prop::sample::select(vec![0_u64, 15, 30, 5_000]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (records, people) = runtime.block_on(run(signups, faults, lag, crashes, gap));
        prop_assert_eq!(records, people.len());
    }
}
