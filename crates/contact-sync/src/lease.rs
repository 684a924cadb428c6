//! How long a job or an operation is certainly its holder's, and what is done with that time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use connector_http::Timer;
use tokio::time::Instant;

use crate::store::StoreError;
use crate::target::Target;

/// Below this, a lease is over before the work under it has begun.
const SHORTEST: Duration = Duration::from_secs(1);

/// How often a write is offered to a store that does not answer.
const WRITE_TRIES: u32 = 4;

/// A lease as its holder sees it: by its own clock, and ending so early that a request which is on its way by then
/// has settled before anybody else begins.
#[derive(Debug)]
pub(crate) struct Hold {
    lease: Duration,
    settle: Duration,
    until: Mutex<Instant>,
}

impl Hold {
    /// Takes note of a lease that was asked for at `asked`; when it was answered does not count.
    pub(crate) fn new(asked: Instant, lease: Duration, settle: Duration) -> Self {
        Self {
            lease,
            settle,
            until: Mutex::new(asked + lease.saturating_sub(settle)),
        }
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, asked: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) =
            asked + self.lease.saturating_sub(self.settle);
    }

    /// Does work under the lease and renews it meanwhile.
    ///
    /// The work goes no step further once the lease may be another's: not after a renewal that came too late or was
    /// refused, and not in a process that was suspended and wakes up in the middle of it.
    ///
    /// # Errors
    ///
    /// What ended the lease. A request may be on its way.
    pub(crate) async fn work<T, R: Future<Output = Result<(), StoreError>>>(
        &self,
        timer: &dyn Timer,
        renew: impl Fn() -> R,
        work: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        let held = poll_fn(|context| {
            if timer.now() < self.until() {
                work.as_mut().poll(context).map(Ok)
            } else {
                Poll::Ready(Err(StoreError::LeaseLost))
            }
        });
        tokio::select! {
            biased;
            lost = self.keep(timer, renew) => Err(lost),
            result = held => result,
        }
    }

    /// Renews the lease in good time; ends when it is lost, or may be. It can be called again after the latter.
    pub(crate) async fn keep<R: Future<Output = Result<(), StoreError>>>(
        &self,
        timer: &dyn Timer,
        renew: impl Fn() -> R,
    ) -> StoreError {
        let rest = (self.lease / 3).min(self.lease.saturating_sub(self.settle) / 2);
        let mut nap = rest;
        loop {
            timer.sleep(nap).await;
            let asked = timer.now();
            let left = self.until().saturating_duration_since(asked);
            let renewed = tokio::select! {
                biased;
                renewed = renew() => renewed,
                () = timer.sleep(left.max(SHORTEST)) => {
                    Err(StoreError::unavailable("a lease was not renewed in time"))
                }
            };
            match renewed {
                Ok(()) => {
                    self.extend(asked);
                    nap = rest;
                }
                Err(StoreError::Unavailable(_)) if timer.now() < self.until() => {
                    let left = self.until().saturating_duration_since(timer.now());
                    nap = left.min(rest / 4);
                }
                Err(lost) => return lost,
            }
        }
    }
}

/// Offers a write to the store, a few times if it does not answer.
pub(crate) async fn insist<T, W: Future<Output = Result<T, StoreError>>>(
    timer: &dyn Timer,
    write: impl Fn() -> W,
) -> Result<T, StoreError> {
    let mut wait = Duration::from_millis(100);
    let mut tries = 1;
    loop {
        match write().await {
            Err(StoreError::Unavailable(_)) if tries < WRITE_TRIES => {
                timer.sleep(wait).await;
                wait *= 4;
                tries += 1;
            }
            result => return result,
        }
    }
}

/// Returns how long an unanswered request to any of these targets can still take effect.
pub(crate) fn longest_settle<'a>(targets: impl Iterator<Item = &'a Arc<dyn Target>>) -> Duration {
    targets
        .map(|target| target.settle_time())
        .max()
        .unwrap_or_default()
}

/// Lengthens a lease until nothing that a crashed holder has sent can still take effect when it is over. The last
/// renewal may be a third of the lease older than the crash.
pub(crate) fn safe_lease<'a>(
    lease: Duration,
    targets: impl Iterator<Item = &'a Arc<dyn Target>>,
) -> Duration {
    lease.max(longest_settle(targets) * 3 / 2).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use connector_http::TokioTimer;

    use super::*;

    const LEASE: Duration = Duration::from_mins(1);
    const SETTLE: Duration = Duration::from_secs(30);

    fn hold() -> Hold {
        Hold::new(TokioTimer.now(), LEASE, SETTLE)
    }

    /// Work that takes two steps, and what it has come to.
    async fn steps(wait: Duration, done: &Cell<u32>) {
        done.set(1);
        TokioTimer.sleep(wait).await;
        done.set(2);
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_is_done_under_a_lease_that_is_renewed() {
        let done = Cell::new(0);
        let work = steps(Duration::from_mins(10), &done);
        let result = hold().work(&TokioTimer, async || Ok(()), work).await;
        assert_eq!((result.is_ok(), done.get()), (true, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_in_time_for_its_requests_to_settle() {
        let (done, start) = (Cell::new(0), TokioTimer.now());
        let refuse = async || Err(StoreError::unavailable("down"));
        let work = steps(Duration::from_mins(10), &done);
        let lost = hold().work(&TokioTimer, refuse, work).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))));
        assert_eq!(start.elapsed(), LEASE.checked_sub(SETTLE).unwrap());
        assert_eq!(done.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_ends_it_too() {
        let (done, start) = (Cell::new(0), TokioTimer.now());
        let work = steps(Duration::from_mins(10), &done);
        let lost = hold().work(&TokioTimer, std::future::pending, work).await;
        assert!(lost.is_err());
        assert_eq!(
            (start.elapsed(), done.get()),
            (LEASE.checked_sub(SETTLE).unwrap(), 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_wakes_up_too_late_takes_no_further_step() {
        let done = Cell::new(0);
        let work = async {
            done.set(1);
            // Suspended: the clock has gone on, and nothing else has run.
            tokio::time::advance(LEASE).await;
            done.set(2);
        };
        let lost = hold().work(&TokioTimer, std::future::pending, work).await;
        assert_eq!((lost.is_err(), done.get()), (true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hiccup_ends_nothing() {
        let (done, tries) = (Cell::new(0), Cell::new(0));
        let renew = async || {
            tries.set(tries.get() + 1);
            if tries.get() % 2 == 1 {
                Err(StoreError::unavailable("hiccup"))
            } else {
                Ok(())
            }
        };
        let work = steps(Duration::from_mins(10), &done);
        hold().work(&TokioTimer, renew, work).await.unwrap();
        assert_eq!(done.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_offered_a_few_times_and_no_more() {
        let tries = Cell::new(0);
        let write = async || {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::unavailable("down"))
        };
        insist(&TokioTimer, write).await.unwrap_err();
        assert_eq!(tries.get(), WRITE_TRIES);
        tries.set(0);
        let lost = async || {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::LeaseLost)
        };
        insist(&TokioTimer, lost).await.unwrap_err();
        assert_eq!(tries.get(), 1);
    }

    #[test]
    fn no_lease_is_shorter_than_what_is_under_it() {
        assert_eq!(safe_lease(Duration::ZERO, std::iter::empty()), SHORTEST);
    }
}
