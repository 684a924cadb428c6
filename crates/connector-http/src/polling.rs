//! Asking again until an answer is final: for what a vendor makes after it has answered.

use std::time::Duration;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Delivery, Error, ErrorKind};

const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long before the deadline it is asked for the last time.
const LAST_LOOK: Duration = Duration::from_secs(1);

impl Client {
    /// Asks until the answer is final, but not past `deadline` from now.
    ///
    /// `ask` makes the call; it is given the time it may take. `pending` says of an answer that is not final what it
    /// shows, in a word that is safe to log, and `None` of one that is. Between two calls passes twice the time of the
    /// pause before, from two seconds to half a minute and up to a tenth more, or what the vendor asks for. The last
    /// call is made a second before the deadline. A call that fails for a passing reason
    /// ([`Error::is_retryable`]) counts as an answer that is not final.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Timeout`] when the last answer was not final; its text says what it showed. If the last call
    ///   failed, its error.
    /// - The error of a call that asking again does not help.
    pub async fn poll_until<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        mut ask: impl FnMut(Duration) -> Call<T> + Send,
        pending: impl Fn(&T) -> Option<&'static str> + Send,
    ) -> Result<T, Error> {
        let timer = &*self.inner.timer;
        let end = timer.now().checked_add(deadline);
        let left = || match end {
            Some(end) => end.saturating_duration_since(timer.now()),
            None => Duration::MAX,
        };
        let mut pause = FIRST_PAUSE;
        let mut looks: u32 = 0;
        loop {
            looks = looks.saturating_add(1);
            let error = match ask(left().min(self.inner.policy.deadline)).await {
                Ok(value) => match pending(&value) {
                    None => return Ok(value),
                    Some(seen) => self.unfinished(operation, looks, seen),
                },
                Err(error) if error.is_retryable() => error,
                Err(error) => return Err(error),
            };
            let left = left();
            let jitter = pause.mul_f64(fastrand::f64() / 10.0);
            let courteous = pause.saturating_add(jitter);
            let asked = error.retry_after().unwrap_or_default();
            let last = left.saturating_sub(LAST_LOOK);
            if last.is_zero() || asked > last {
                return Err(error);
            }
            timer.sleep(courteous.max(asked).min(last)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    fn unfinished(&self, operation: &'static str, looks: u32, seen: &'static str) -> Error {
        let times = if looks == 1 { "look" } else { "looks" };
        // The vendor answered, and nothing was changed.
        Error::new(
            ErrorKind::Timeout,
            self.vendor(),
            operation,
            Delivery::Rejected,
        )
        .with_own_message(format!("after {looks} {times} it was still {seen}"))
        .with_attempts(looks)
        .with_retryable(true)
    }
}
