//! When a failed job runs again: one pure decision.

use std::time::Duration;

use crate::failure::{ErrorClass, TargetError};

/// How failed jobs are tried again. The defaults are those of the crate's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The back-off after the first failure: 2 seconds.
    pub base: Duration,
    /// The longest back-off: 1 hour.
    pub cap: Duration,
    /// The age at which a failing job becomes a dead letter: 72 hours. By age and not by count, so that a long outage
    /// of a vendor loses nothing.
    pub max_age: Duration,
    /// The longest wait that is granted to a vendor who asks for one: 24 hours.
    pub max_server_wait: Duration,
    /// The wait after a refusal for too many calls, where the vendor names none: 5 seconds.
    pub rate_limit_pause: Duration,
    /// The wait where only a person or the calendar can help, credentials and quotas: 15 minutes.
    pub park_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(2),
            cap: Duration::from_hours(1),
            max_age: Duration::from_hours(72),
            max_server_wait: Duration::from_hours(24),
            rate_limit_pause: Duration::from_secs(5),
            park_pause: Duration::from_mins(15),
        }
    }
}

impl RetryPolicy {
    /// Makes the default policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the back-off after the first failure.
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest back-off.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the age at which a failing job becomes a dead letter.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the wait after a refusal for too many calls, where the vendor names none.
    pub fn rate_limit_pause(mut self, pause: Duration) -> Self {
        self.rate_limit_pause = pause;
        self
    }

    /// Sets the wait where only a person or the calendar can help.
    pub fn park_pause(mut self, pause: Duration) -> Self {
        self.park_pause = pause;
        self
    }

    /// Decides what becomes of a job.
    ///
    /// `settle` is the target's time after which an unanswered request can no longer take effect, and `roll` a random
    /// number from 0 up to 1 that spreads the waits.
    pub(crate) fn decide(
        &self,
        error: &TargetError,
        attempt: &Attempt,
        settle: Duration,
        roll: f64,
    ) -> Next {
        let asked = error.wait().map(|wait| self.granted(wait, roll));
        match error.class() {
            ErrorClass::InvalidData => Next::Dead,
            ErrorClass::Conflict | ErrorClass::Unkept => Next::Review,
            ErrorClass::Transient | ErrorClass::Ambiguous | ErrorClass::RateLimited
                if attempt.age >= self.max_age =>
            {
                Next::Dead
            }
            ErrorClass::RateLimited => {
                Next::Snooze(asked.unwrap_or_else(|| self.pause(self.rate_limit_pause, roll)))
            }
            ErrorClass::QuotaSpent
            | ErrorClass::Auth
            | ErrorClass::Unavailable
            | ErrorClass::AwaitsImport => {
                Next::Park(asked.unwrap_or_else(|| self.pause(self.park_pause, roll)))
            }
            ErrorClass::Transient | ErrorClass::Ambiguous => {
                let wait = asked.unwrap_or_else(|| self.back_off(attempt.number, roll));
                Next::Retry(if error.is_still_running() {
                    wait.max(settle)
                } else {
                    wait
                })
            }
        }
    }

    /// Full jitter: anything from nothing to the exponential bound.
    fn back_off(&self, attempt: u32, roll: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(32);
        let bound = self
            .base
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.cap);
        bound.mul_f64(roll.clamp(0.0, 1.0))
    }

    /// What the vendor asks for, up to a tenth more so that not everybody comes back at once, and never for ever.
    fn granted(&self, wait: Duration, roll: f64) -> Duration {
        let wait = wait.min(self.max_server_wait);
        wait + wait.mul_f64(roll.clamp(0.0, 1.0) / 10.0)
    }

    fn pause(&self, pause: Duration, roll: f64) -> Duration {
        pause
            .min(self.max_server_wait)
            .mul_f64(0.5 + roll.clamp(0.0, 1.0) / 2.0)
    }
}

/// Where a job stands when it fails.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Attempt {
    /// 1 for the first.
    pub(crate) number: u32,
    /// Since it was accepted, less the time it was parked.
    pub(crate) age: Duration,
}

/// What becomes of a failed job.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Run again after the wait.
    Retry(Duration),
    /// Run again after the wait, and do not count this attempt.
    Snooze(Duration),
    /// As snooze, and the wait does not count towards its age.
    Park(Duration),
    /// Wait for a person.
    Review,
    /// Give up, keep for replay.
    Dead,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn decide(error: &TargetError, number: u32, age: Duration, roll: f64) -> Next {
        RetryPolicy::new().decide(error, &Attempt { number, age }, SETTLE, roll)
    }

    #[rstest]
    #[case(ErrorClass::Transient, Next::Retry(secs(2)))]
    #[case(ErrorClass::Ambiguous, Next::Retry(secs(2)))]
    #[case(ErrorClass::RateLimited, Next::Snooze(secs(5)))]
    #[case(ErrorClass::QuotaSpent, Next::Park(secs(900)))]
    #[case(ErrorClass::Auth, Next::Park(secs(900)))]
    #[case(ErrorClass::Unavailable, Next::Park(secs(900)))]
    #[case(ErrorClass::InvalidData, Next::Dead)]
    #[case(ErrorClass::Conflict, Next::Review)]
    #[case(ErrorClass::Unkept, Next::Review)]
    fn each_class_at_first(#[case] class: ErrorClass, #[case] next: Next) {
        assert_eq!(
            decide(&TargetError::new(class), 1, Duration::ZERO, 1.0),
            next
        );
    }

    #[rstest]
    #[case(ErrorClass::Transient, true)]
    #[case(ErrorClass::Ambiguous, true)]
    #[case(ErrorClass::RateLimited, true)]
    #[case(ErrorClass::QuotaSpent, false)]
    #[case(ErrorClass::Auth, false)]
    #[case(ErrorClass::Unavailable, false)]
    fn old_age(#[case] class: ErrorClass, #[case] dies: bool) {
        let error = TargetError::new(class);
        assert_eq!(decide(&error, 60, secs(72 * 3600), 0.5) == Next::Dead, dies);
        assert_ne!(decide(&error, 60, secs(72 * 3600 - 1), 0.5), Next::Dead);
    }

    #[rstest]
    #[case(1, 2)]
    #[case(2, 4)]
    #[case(5, 32)]
    #[case(12, 3600)]
    #[case(u32::MAX, 3600)]
    fn the_bound_doubles_up_to_an_hour(#[case] attempt: u32, #[case] bound: u64) {
        let error = TargetError::new(ErrorClass::Transient);
        assert_eq!(
            decide(&error, attempt, Duration::ZERO, 1.0),
            Next::Retry(secs(bound))
        );
        assert_eq!(
            decide(&error, attempt, Duration::ZERO, 0.0),
            Next::Retry(Duration::ZERO)
        );
    }

    #[test]
    fn the_vendor_is_asked_first() {
        let asked = |class| TargetError::new(class).retry_after(secs(100));
        assert_eq!(
            decide(&asked(ErrorClass::Transient), 1, Duration::ZERO, 0.0),
            Next::Retry(secs(100))
        );
        assert_eq!(
            decide(&asked(ErrorClass::RateLimited), 1, Duration::ZERO, 1.0),
            Next::Snooze(secs(110))
        );
        let never = TargetError::new(ErrorClass::RateLimited).retry_after(Duration::MAX);
        assert_eq!(
            decide(&never, 1, Duration::ZERO, 0.0),
            Next::Snooze(secs(24 * 3600))
        );
    }

    #[test]
    fn a_request_that_may_still_run_is_waited_for() {
        let error = TargetError::new(ErrorClass::Ambiguous).still_running();
        assert_eq!(decide(&error, 1, Duration::ZERO, 0.0), Next::Retry(SETTLE));
    }

    proptest! {
        #[test]
        fn no_wait_passes_its_cap(attempt in any::<u32>(), roll in any::<f64>(), wait in any::<Option<u64>>()) {
            let mut error = TargetError::new(ErrorClass::Transient);
            if let Some(wait) = wait {
                error = error.retry_after(Duration::from_secs(wait));
            }
            if let Next::Retry(after) = decide(&error, attempt, Duration::ZERO, roll) {
                let cap = if wait.is_some() { secs(24 * 3600).mul_f64(1.1) } else { secs(3600) };
                prop_assert!(after <= cap);
            }
        }
    }
}
