//! The only place that sleeps or reads a clock.
//!
//! Waits are measured on the monotonic clock alone, so that a wall clock that jumps can neither stretch nor
//! shorten one. Tests pause the clock (`tokio::time::pause`) or inject their own [`Timer`].

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// A clock to read and to wait on.
#[async_trait::async_trait]
pub trait Timer: Send + Sync + fmt::Debug + 'static {
    /// Reads the monotonic clock.
    fn now(&self) -> Instant;

    /// Reads the wall clock. It may jump; never compute a wait from it.
    fn utc_now(&self) -> DateTime<Utc>;

    /// Waits for `duration` of monotonic time.
    async fn sleep(&self, duration: Duration);
}

/// The [`Timer`] of a Tokio runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

#[async_trait::async_trait]
impl Timer for TokioTimer {
    #[inline]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everyone else has to ask"
    )]
    fn utc_now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the sleep everyone else has to ask for"
    )]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// What is returned instead of an output when the time was up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

/// Waits for `future`, but not past `deadline`. A future that is ready at once costs no timer.
pub(crate) async fn within<F: Future>(
    timer: &dyn Timer,
    deadline: Option<Instant>,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    if let Poll::Ready(output) = first {
        return Ok(output);
    }
    let Some(deadline) = deadline else {
        return Ok(future.await);
    };
    let left = deadline.saturating_duration_since(timer.now());
    let mut sleep = timer.sleep(left);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_at_once_passes_even_a_deadline_that_is_over() {
        let timer = TokioTimer;
        let over = Some(timer.now());
        assert_eq!(within(&timer, over, async { 1 }).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_the_deadline_and_not_before() {
        let timer = TokioTimer;
        let start = timer.now();
        let deadline = Some(start + Duration::from_secs(3));
        let never = std::future::pending::<()>();
        assert_eq!(within(&timer, deadline, never).await, Err(Elapsed));
        assert_eq!(timer.now() - start, Duration::from_secs(3));

        let soon = timer.sleep(Duration::from_secs(1));
        let deadline = Some(timer.now() + Duration::from_secs(2));
        assert_eq!(within(&timer, deadline, soon).await, Ok(()));
        assert_eq!(timer.now() - start, Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_it_waits_as_long_as_it_takes() {
        let timer = TokioTimer;
        let long = timer.sleep(Duration::from_hours(24));
        assert_eq!(within(&timer, None, long).await, Ok(()));
    }
}
