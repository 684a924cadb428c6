//! The turnstile on paused time: who goes when, who gives up when, and what a dropped waiter leaves behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Bucket, Lane, Patience, Rate, Refused, SharedLimits};
use crate::clock::{Timer as _, TokioTimer};
use crate::endpoint::RateClass;
use crate::hints::Hints;

const SECOND: Duration = Duration::from_secs(1);

fn patient() -> Patience {
    Patience {
        deadline: None,
        max_queue_wait: Duration::from_hours(1),
        max_server_wait: Duration::from_mins(1),
    }
}

fn until(start: Instant, seconds: u64) -> Patience {
    Patience {
        deadline: Some(start + SECOND * u32::try_from(seconds).unwrap()),
        ..patient()
    }
}

fn paced(rate: Rate) -> Arc<Bucket> {
    let bucket = Arc::new(Bucket::default());
    bucket.seed(rate);
    bucket
}

async fn enter(bucket: &Bucket, lane: Lane, patience: Patience) -> Result<(), Refused> {
    if bucket.try_enter(TokioTimer.now(), lane) {
        return Ok(());
    }
    bucket.enter(&TokioTimer, lane, patience).await
}

/// Lets every other task run until it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Who went, and how many milliseconds after the start.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<(String, u128)>>>);

impl Order {
    fn note(&self, name: &str, start: Instant) {
        let at = start.elapsed().as_millis();
        self.0.lock().unwrap().push((name.to_owned(), at));
    }

    fn names(&self) -> Vec<String> {
        let order = self.0.lock().unwrap();
        order.iter().map(|(name, _)| name.clone()).collect()
    }

    fn times(&self) -> Vec<u128> {
        self.0.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_spaced_evenly_after_the_burst() {
    let bucket = paced(Rate::per_second(8));
    let start = Instant::now();
    let order = Order::default();
    for _ in 0..6 {
        enter(&bucket, Lane::Interactive, patient()).await.unwrap();
        order.note("", start);
    }
    assert_eq!(order.times(), [0, 0, 125, 250, 375, 500]);
}

#[tokio::test(start_paused = true)]
async fn no_window_sees_more_than_the_rate_and_the_burst() {
    let bucket = paced(Rate::per_second(8));
    let start = Instant::now();
    let order = Order::default();
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (bucket, order) = (Arc::clone(&bucket), order.clone());
        tasks.spawn(async move {
            enter(&bucket, Lane::Bulk, patient()).await.unwrap();
            order.note("", start);
        });
    }
    tasks.join_all().await;
    let times = order.times();
    assert_eq!(times.len(), 100);
    for window in times.windows(11) {
        assert!(window[10] - window[0] >= 1000, "{window:?}");
    }
    // And nothing is wasted: 98 intervals of 125 ms after the burst of two.
    assert_eq!(times.last(), Some(&12_250));
}

#[tokio::test(start_paused = true)]
async fn interactive_goes_before_bulk_and_each_lane_in_order() {
    let bucket = paced(Rate::per_second(1).burst(1));
    let start = Instant::now();
    let order = Order::default();
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    let mut tasks = JoinSet::new();
    for (name, lane) in [
        ("bulk 1", Lane::Bulk),
        ("bulk 2", Lane::Bulk),
        ("interactive 1", Lane::Interactive),
        ("interactive 2", Lane::Interactive),
    ] {
        let (bucket, order) = (Arc::clone(&bucket), order.clone());
        tasks.spawn(async move {
            enter(&bucket, lane, patient()).await.unwrap();
            order.note(name, start);
        });
        settle().await;
    }
    tasks.join_all().await;
    assert_eq!(
        order.names(),
        ["interactive 1", "interactive 2", "bulk 1", "bulk 2"]
    );
    assert_eq!(order.times(), [1000, 2000, 3000, 4000]);
}

#[tokio::test(start_paused = true)]
async fn a_free_permit_is_not_taken_past_the_line() {
    let bucket = paced(Rate::per_second(1).burst(1));
    enter(&bucket, Lane::Bulk, patient()).await.unwrap();
    let waiting = tokio::spawn({
        let bucket = Arc::clone(&bucket);
        async move { enter(&bucket, Lane::Bulk, patient()).await }
    });
    settle().await;
    assert_eq!(bucket.waiting(), 1);
    let later = TokioTimer.now() + SECOND * 5;
    assert!(
        !bucket.try_enter(later, Lane::Bulk),
        "somebody is before us"
    );
    assert!(bucket.try_enter(later, Lane::Interactive), "but not here");
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_the_deadline_is_refused_at_once() {
    let bucket = paced(Rate::per_second(1).burst(1));
    let start = Instant::now();
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move { enter(&bucket, Lane::Interactive, patient()).await });
    }
    settle().await;
    // The next permit is a second away and four wait for theirs before us.
    let refused = enter(&bucket, Lane::Interactive, until(start, 3)).await;
    assert_eq!(refused, Err(Refused { wait: SECOND * 5 }));
    assert_eq!(start.elapsed(), Duration::ZERO);
    let short = Patience {
        max_queue_wait: SECOND,
        ..patient()
    };
    let refused = enter(&bucket, Lane::Interactive, short).await;
    assert_eq!(refused, Err(Refused { wait: SECOND * 5 }));
    assert_eq!(bucket.waiting(), 4);
    for done in tasks.join_all().await {
        done.unwrap();
    }
    assert_eq!(start.elapsed(), SECOND * 4);
}

#[tokio::test(start_paused = true)]
async fn bulk_overtaken_again_and_again_gives_up_at_its_own_end() {
    let bucket = paced(Rate::per_second(1).burst(1));
    let start = Instant::now();
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    let mut tasks = JoinSet::new();
    let bulk = tokio::spawn({
        let bucket = Arc::clone(&bucket);
        async move { enter(&bucket, Lane::Bulk, until(start, 5)).await }
    });
    for _ in 0..10 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move { enter(&bucket, Lane::Interactive, patient()).await });
        settle().await;
    }
    let refused = bulk.await.unwrap().unwrap_err();
    assert!(start.elapsed() <= SECOND * 5, "{:?}", start.elapsed());
    assert!(refused.wait > SECOND, "{refused:?}");
    tasks.join_all().await;
    assert_eq!(bucket.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cool_down_holds_everybody_back_and_is_never_shortened() {
    let bucket = Arc::new(Bucket::default());
    let start = Instant::now();
    bucket.cool_down(SECOND * 7, start);
    bucket.cool_down(SECOND * 2, start);
    let mut tasks = JoinSet::new();
    for lane in [Lane::Bulk, Lane::Interactive, Lane::Interactive] {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move {
            enter(&bucket, lane, patient()).await.unwrap();
            start.elapsed()
        });
    }
    assert_eq!(tasks.join_all().await, [SECOND * 7; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_cool_down_reaches_those_who_wait_already() {
    let bucket = paced(Rate::per_second(1).burst(1));
    let start = Instant::now();
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    let mut tasks = JoinSet::new();
    for deadline in [5, 100] {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move {
            let result = enter(&bucket, Lane::Interactive, until(start, deadline)).await;
            (deadline, result, start.elapsed())
        });
    }
    settle().await;
    bucket.cool_down(SECOND * 30, start);
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(deadline, ..)| *deadline);
    // The impatient one learns at once that it is hopeless, the patient one waits the pause out.
    let wait = SECOND * 30;
    assert_eq!(done[0], (5, Err(Refused { wait }), Duration::ZERO));
    assert_eq!(done[1], (100, Ok(()), wait));
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_max_server_wait_is_not_waited_out() {
    let bucket = Bucket::default();
    bucket.cool_down(SECOND * 61, Instant::now());
    let refused = enter(&bucket, Lane::Interactive, patient()).await;
    assert_eq!(refused, Err(Refused { wait: SECOND * 61 }));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_waiter_passes_its_turn_on() {
    // At the head, in the middle, at the end: whoever gives up, the others go in time and in order.
    for dropped in 0..3 {
        let bucket = paced(Rate::per_second(1).burst(1));
        let start = Instant::now();
        let order = Order::default();
        enter(&bucket, Lane::Interactive, patient()).await.unwrap();
        let mut tasks = Vec::new();
        for name in ["0", "1", "2"] {
            let (bucket, order) = (Arc::clone(&bucket), order.clone());
            tasks.push(tokio::spawn(async move {
                enter(&bucket, Lane::Interactive, patient()).await.unwrap();
                order.note(name, start);
            }));
            settle().await;
        }
        tasks.remove(dropped).abort();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(order.times(), [1000, 2000], "dropped {dropped}");
        assert!(order.names().is_sorted());
        assert_eq!(bucket.waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_vendors_lower_quota_rules_and_the_seed_returns() {
    let bucket = paced(Rate::per_second(10));
    let told = |quota| Hints::new().quota(quota, SECOND);
    let pace = async |bucket: &Bucket| {
        enter(bucket, Lane::Interactive, patient()).await.unwrap();
        let before = Instant::now();
        for _ in 0..4 {
            enter(bucket, Lane::Interactive, patient()).await.unwrap();
        }
        before.elapsed() / 4
    };
    bucket.heed(&told(2), &TokioTimer);
    assert_eq!(pace(&bucket).await, Duration::from_millis(500));
    // Said again it changes nothing, above all it does not let another burst through.
    bucket.heed(&told(2), &TokioTimer);
    assert_eq!(pace(&bucket).await, Duration::from_millis(500));
    // A higher quota than ours gives ours back and no more.
    bucket.heed(&told(1000), &TokioTimer);
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    assert_eq!(pace(&bucket).await, Duration::from_millis(100));
}

/// What a vendor says that allows ten requests per second, and rounds the rest of the second up.
fn of_ten(left: u64) -> Hints {
    Hints::new().remaining(left, SECOND).quota(10, SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_pace_that_just_fits_the_window_loses_nothing_to_its_end() {
    let bucket = paced(Rate::per_second(10).burst(1));
    let start = Instant::now();
    for request in 0..100 {
        enter(&bucket, Lane::Bulk, patient()).await.unwrap();
        bucket.heed(&of_ten(9 - request % 10), &TokioTimer);
    }
    assert_eq!(start.elapsed(), Duration::from_millis(9_900));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_others_have_emptied_is_waited_out() {
    let bucket = Bucket::default();
    let start = Instant::now();
    let sleep_until = async |millis| {
        let at = start + Duration::from_millis(millis);
        TokioTimer
            .sleep(at.saturating_duration_since(TokioTimer.now()))
            .await;
    };
    bucket.heed(&of_ten(7), &TokioTimer);
    sleep_until(300).await;
    bucket.heed(&of_ten(0), &TokioTimer);
    enter(&bucket, Lane::Bulk, patient()).await.unwrap();
    assert_eq!(
        start.elapsed(),
        SECOND,
        "no later than a window after it was first seen"
    );
    // The first that is seen of the next one is that it is empty: when it began, nobody knows.
    sleep_until(1_200).await;
    bucket.heed(&of_ten(0), &TokioTimer);
    enter(&bucket, Lane::Bulk, patient()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(2_200));
    // More is left than before: another window.
    bucket.heed(&of_ten(3), &TokioTimer);
    sleep_until(2_700).await;
    bucket.heed(&of_ten(0), &TokioTimer);
    enter(&bucket, Lane::Bulk, patient()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(3_200));
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_says_is_shortened_by_its_rounding_alone() {
    let bucket = Bucket::default();
    let minute = Duration::from_mins(1);
    let of_ten = |left, reset| Hints::new().remaining(left, reset).quota(10, minute);
    let start = Instant::now();
    bucket.heed(&of_ten(3, 10 * SECOND), &TokioTimer);
    TokioTimer.sleep(20 * SECOND).await;
    // Another window, which others have emptied; it looks like the rest of the one before.
    bucket.heed(&of_ten(0, 50 * SECOND), &TokioTimer);
    enter(&bucket, Lane::Bulk, patient()).await.unwrap();
    assert_eq!(start.elapsed(), 69 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_empty_window_pauses_until_it_ends() {
    let bucket = Bucket::default();
    let start = Instant::now();
    bucket.heed(&Hints::new().remaining(3, SECOND * 9), &TokioTimer);
    assert!(bucket.try_enter(start, Lane::Bulk), "some are left");
    bucket.heed(&Hints::new().remaining(0, SECOND * 4), &TokioTimer);
    enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    assert_eq!(start.elapsed(), SECOND * 4);
}

#[tokio::test(start_paused = true)]
async fn the_slower_of_two_seeds_counts() {
    let bucket = paced(Rate::per_second(10).burst(1));
    bucket.seed(Rate::per_second(1).burst(1));
    bucket.seed(Rate::per_second(5).burst(1));
    let start = Instant::now();
    for _ in 0..3 {
        enter(&bucket, Lane::Interactive, patient()).await.unwrap();
    }
    assert_eq!(start.elapsed(), SECOND * 2);
}

#[test]
fn an_account_and_a_class_have_one_bucket() {
    let limits = SharedLimits::new();
    let clone = limits.clone();
    let seven: Arc<str> = "seven".into();
    let class = RateClass::new("default");
    let one = limits.bucket("acme", Some(&seven), RateClass::DEFAULT, None);
    let same = clone.bucket("acme", Some(&"seven".into()), class, None);
    assert!(Arc::ptr_eq(&one, &same));
    for other in [
        limits.bucket("acme", None, RateClass::DEFAULT, None),
        limits.bucket("acme", Some(&seven), RateClass::new("heavy"), None),
        limits.bucket("other", Some(&seven), RateClass::DEFAULT, None),
    ] {
        assert!(!Arc::ptr_eq(&one, &other));
    }
}

#[test]
fn a_pace_that_cannot_be_kept_has_no_interval() {
    assert_eq!(Rate::per_second(0).interval(), None);
    assert_eq!(Rate::per(3, Duration::ZERO).interval(), None);
    let hundred_per_ten = Rate::per(100, SECOND * 10);
    assert_eq!(hundred_per_ten.interval(), Some(SECOND / 10));
}

#[test]
fn limits_outlive_the_runtime_they_were_used_on() {
    let bucket = paced(Rate::per_second(1_000).burst(1));
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            // One is left waiting when its runtime goes down.
            let stuck = Arc::clone(&bucket);
            tokio::spawn(async move {
                stuck.cool_down(Duration::from_millis(1), Instant::now());
                enter(&stuck, Lane::Interactive, patient()).await
            });
            tokio::task::yield_now().await;
        });
        drop(runtime);
        assert_eq!(bucket.waiting(), 0);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime
        .block_on(enter(&bucket, Lane::Interactive, patient()))
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, goes and gives up: nobody waits past the end it set, nobody is left in line, and no window
    /// sees more than the pace allows.
    #[test]
    fn nobody_waits_past_the_end(
        arrivals in prop::collection::vec(
            (0_u64..3_000, any::<bool>(), 1_u64..4_000, prop::option::of(0_u64..2_000)), 1..30,
        ),
        pauses in prop::collection::vec((0_u64..3_000, 0_u64..2_000), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let millis = Duration::from_millis;
        let (went, left_waiting) = runtime.block_on(async {
            let bucket = paced(Rate::per_second(10));
            let start = Instant::now();
            let mut tasks = JoinSet::new();
            for (at, bulk, patience, gives_up) in arrivals {
                let bucket = Arc::clone(&bucket);
                tasks.spawn(async move {
                    TokioTimer.sleep(millis(at)).await;
                    let lane = if bulk { Lane::Bulk } else { Lane::Interactive };
                    let end = Instant::now() + millis(patience);
                    let patience = Patience { deadline: Some(end), ..patient() };
                    let entering = enter(&bucket, lane, patience);
                    let result = match gives_up {
                        Some(after) => tokio::time::timeout(millis(after), entering).await.ok(),
                        None => Some(entering.await),
                    };
                    assert!(Instant::now() <= end || gives_up.is_some(), "waited past the end");
                    (result == Some(Ok(()))).then(|| start.elapsed().as_millis())
                });
            }
            for (at, pause) in pauses {
                let bucket = Arc::clone(&bucket);
                tasks.spawn(async move {
                    TokioTimer.sleep(millis(at)).await;
                    bucket.cool_down(millis(pause), Instant::now());
                    None
                });
            }
            let mut went: Vec<u128> = tasks.join_all().await.into_iter().flatten().collect();
            went.sort_unstable();
            (went, bucket.waiting())
        });
        prop_assert_eq!(left_waiting, 0);
        for window in went.windows(12) {
            prop_assert!(window[11] - window[0] >= 1_000 - 1, "{:?}", window);
        }
    }
}
