//! One account's pace in one rate class.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::lanes::Lanes;
use super::{Lane, Rate};
use crate::clock::Timer;
use crate::hints::Hints;

/// The pace, the cool-down, and those who wait for them.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The pace it was seeded with; the vendor's headers may lower it and never raise it above this.
    seed: Option<Rate>,
    pace: Option<Pace>,
    /// The quota and window the vendor told last.
    told: Option<(u64, Duration)>,
    /// The vendor's current window, as its answers let it be known.
    seen: Option<Seen>,
    /// Nobody goes before this.
    cool_until: Option<Instant>,
    lanes: Lanes,
}

/// By how much less than what they say vendors can mean, who count in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// A window of the vendor's.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When the first answer within it came: it is over no later than its length after that.
    since: Instant,
    /// How many requests were left in it.
    left: u64,
}

/// How long a caller is willing to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The end of the call.
    pub(crate) deadline: Option<Instant>,
    /// The longest time in the queue.
    pub(crate) max_queue_wait: Duration,
    /// The longest cool-down that is waited out.
    pub(crate) max_server_wait: Duration,
}

/// The wait would be longer than the caller's patience: this long, as far as can be foreseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) wait: Duration,
}

/// What one look at the bucket gives.
enum Look {
    Go,
    Wait(Duration),
    Refuse(Duration),
}

impl Bucket {
    pub(crate) fn seed(&self, rate: Rate) {
        let mut state = self.lock();
        if slower(Some(rate), state.seed) {
            state.seed = Some(rate);
            state.pace = Pace::new(rate);
            // To be heeded again against the new seed.
            state.told = None;
        }
    }

    /// Takes a permit if one is free and nobody waits who goes first. Allocates nothing.
    pub(crate) fn try_enter(&self, now: Instant, lane: Lane) -> bool {
        let mut state = self.lock();
        !state.lanes.busy_for(lane) && state.take(now).is_ok()
    }

    /// Waits for a permit.
    pub(crate) async fn enter(
        &self,
        timer: &dyn Timer,
        lane: Lane,
        patience: Patience,
    ) -> Result<(), Refused> {
        let joined = timer.now();
        let (id, call) = self.lock().lanes.join(lane);
        let place = Place {
            bucket: self,
            lane,
            id,
        };
        let queue_end = joined.checked_add(patience.max_queue_wait);
        let latest = earlier(patience.deadline, queue_end);
        loop {
            let now = timer.now();
            let wait = match place.look(now, latest, patience.max_server_wait) {
                Look::Go => return Ok(()),
                Look::Refuse(wait) => return Err(Refused { wait }),
                Look::Wait(wait) => wait,
            };
            let mut sleep = timer.sleep(wait);
            let mut called = pin!(call.notified());
            poll_fn(|cx| {
                if called.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                sleep.as_mut().poll(cx)
            })
            .await;
        }
    }

    /// Takes to heart what an answer said about pace: an empty window, or a quota below ours.
    pub(crate) fn heed(&self, hints: &Hints, timer: &dyn Timer) {
        let now = timer.now();
        let seen = self.lock().see(hints, now);
        if let Some(wait) = hints.cool_down() {
            self.cool_down(wait.min(seen.unwrap_or(wait)), now);
        }
        let (Some(quota), Some(window)) = (hints.quota, hints.window) else {
            return;
        };
        let mut state = self.lock();
        // Vendors repeat themselves with every answer.
        if state.told != Some((quota, window)) {
            state.told = Some((quota, window));
            let told = Rate::per(u32::try_from(quota).unwrap_or(u32::MAX), window);
            state.follow(told, timer.now());
        }
    }

    /// Lets nobody go for `wait`. A cool-down is never shortened.
    pub(crate) fn cool_down(&self, wait: Duration, now: Instant) {
        let mut state = self.lock();
        let until = now.checked_add(wait);
        if until > state.cool_until {
            state.cool_until = until;
            state.lanes.call_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be left half done by a panic: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().lanes.len()
    }
}

impl State {
    /// Takes a permit, or says how long until there is one.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let cooling = self.cooling(now);
        if !cooling.is_zero() {
            return Err(cooling);
        }
        self.pace.as_mut().map_or(Ok(()), |pace| pace.take(now))
    }

    /// Takes note of the vendor's window; says within what time it ends, where that is known better than by the whole
    /// seconds of the answer. A pace that just fits the window would lose most of the next one to them.
    ///
    /// The answer's own time is shortened by less than a second, which is what rounding up adds to it: an answer of a
    /// window that others have begun to empty can be taken for one of the window before.
    fn see(&mut self, hints: &Hints, now: Instant) -> Option<Duration> {
        let (left, window) = (hints.remaining?, hints.window?);
        let before = self
            .seen
            .filter(|seen| left <= seen.left && now.saturating_duration_since(seen.since) < window);
        let since = before.map_or(now, |seen| seen.since);
        self.seen = Some(Seen { since, left });
        let rest = window.saturating_sub(now.saturating_duration_since(since));
        // A longer wait than a whole window is no matter of whole seconds.
        let told = hints.reset.filter(|told| *told <= window)?;
        Some(rest.max(told.saturating_sub(ROUNDING)))
    }

    fn cooling(&self, now: Instant) -> Duration {
        self.cool_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How long somebody with so many ahead waits at least.
    fn at_least(&self, ahead: usize, now: Instant) -> Duration {
        let cooling = self.cooling(now);
        let Some(pace) = &self.pace else {
            return cooling;
        };
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        // After a pause as many as a burst holds may go together; the others follow one by one.
        let apart = ahead.saturating_sub(pace.rate.bursts().saturating_sub(1));
        let after_pause = cooling.saturating_add(pace.interval.saturating_mul(apart));
        // Without a pause everybody follows the next permit one by one.
        let in_turn = pace.next_permit.map_or(Duration::ZERO, |next| {
            let first = next.saturating_duration_since(now);
            first.saturating_add(pace.interval.saturating_mul(ahead))
        });
        after_pause.max(in_turn)
    }

    /// Follows the vendor's quota where it is below the seed, and back up to the seed where it is not.
    fn follow(&mut self, told: Rate, now: Instant) {
        let Some(seed) = self.seed else { return };
        let target = if slower(Some(told), Some(seed)) {
            told.burst(1)
        } else {
            seed
        };
        let current = self.pace.as_ref().map(|pace| pace.rate);
        if current == Some(target) {
            return;
        }
        let Some(pace) = Pace::new(target) else {
            return;
        };
        // A fresh bucket is full; what it would let through at once has just been sent.
        let rest = now.checked_add(pace.interval);
        self.cool_until = self.cool_until.max(rest);
        self.pace = Some(pace);
        self.lanes.call_all();
    }
}

/// A place in the line. Dropped in whatever way, it is given up and the next is called.
struct Place<'a> {
    bucket: &'a Bucket,
    lane: Lane,
    id: u64,
}

impl Place<'_> {
    fn look(&self, now: Instant, latest: Option<Instant>, max_server_wait: Duration) -> Look {
        let mut state = self.bucket.lock();
        let left = latest.map(|latest| latest.saturating_duration_since(now));
        let passes = |wait: Duration| left.is_some_and(|left| wait >= left);
        let ahead = state.lanes.ahead_of(self.lane, self.id);
        let foreseen = if ahead == 0 {
            match state.take(now) {
                Ok(()) => return Look::Go,
                Err(wait) => wait,
            }
        } else {
            state.at_least(ahead, now)
        };
        if passes(foreseen) || state.cooling(now) > max_server_wait {
            return Look::Refuse(foreseen);
        }
        if ahead == 0 {
            Look::Wait(foreseen)
        } else {
            // Only the first one times the pace; the others wait to be called, or for their own end.
            Look::Wait(left.unwrap_or(Duration::MAX))
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.bucket.lock().lanes.leave(self.lane, self.id);
    }
}

/// A rate kept by governor, on a clock that stands still while the bucket is looked at.
#[derive(Debug)]
struct Pace {
    rate: Rate,
    interval: Duration,
    clock: HeldClock,
    limiter: RateLimiter<NotKeyed, InMemoryState, HeldClock, NoOpMiddleware<Duration>>,
    epoch: Option<Instant>,
    /// When the next permit is free, while none is.
    next_permit: Option<Instant>,
}

impl Pace {
    fn new(rate: Rate) -> Option<Self> {
        let interval = rate.interval()?;
        let burst = std::num::NonZeroU32::new(rate.bursts())?;
        let quota = Quota::with_period(interval)?.allow_burst(burst);
        let clock = HeldClock::default();
        Some(Self {
            rate,
            interval,
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            epoch: None,
            next_permit: None,
        })
    }

    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let epoch = *self.epoch.get_or_insert(now);
        let elapsed = now.saturating_duration_since(epoch);
        let elapsed = self.clock.advance(elapsed);
        let wait = self.limiter.check().err();
        let wait = wait.map(|not_until| not_until.wait_time_from(elapsed));
        self.next_permit = wait.and_then(|wait| now.checked_add(wait));
        wait.map_or(Ok(()), Err)
    }
}

/// A clock that shows the time it was last told: the caller's, taken once per look.
#[derive(Clone, Debug, Default)]
struct HeldClock(Arc<AtomicU64>);

impl HeldClock {
    /// Moves on to `elapsed`, never back: two threads may look in another order than they read the time.
    fn advance(&self, elapsed: Duration) -> Duration {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let before = self.0.fetch_max(nanos, Ordering::Relaxed);
        Duration::from_nanos(before.max(nanos))
    }
}

impl Clock for HeldClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Whether `a` is a pace and slower than `b`, where no pace is the fastest.
fn slower(a: Option<Rate>, b: Option<Rate>) -> bool {
    let interval = |rate: Option<Rate>| rate.and_then(Rate::interval);
    interval(a) > interval(b)
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
