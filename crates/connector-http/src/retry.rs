//! Whether to try again, and how long to wait first. Pure: no clock, no randomness, no I/O.

use std::time::Duration;

use crate::endpoint::Idempotency;
use crate::error::{Delivery, Throttle};

pub(crate) const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// How often, how long and how patiently a call is tried. The defaults are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The ceiling of the first wait; it doubles with every failure. 250 ms.
    pub base: Duration,
    /// The ceiling of all waits that the vendor did not ask for. 20 s.
    pub cap: Duration,
    /// How many requests one call may make. 4.
    pub max_attempts: u32,
    /// How long one call may take, waits included. 60 s.
    pub deadline: Duration,
    /// How long one request may take, its answer's body included. 15 s.
    pub attempt_timeout: Duration,
    /// How long a wait the vendor asks for is waited out inside the call; a longer one ends the call at once with
    /// [`Error::retry_after`](crate::Error::retry_after) set. 60 s.
    pub max_server_wait: Duration,
}

impl RetryPolicy {
    /// Makes the default policy.
    pub const fn new() -> Self {
        Self {
            base: Duration::from_millis(250),
            cap: Duration::from_secs(20),
            max_attempts: 4,
            deadline: Duration::from_mins(1),
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            max_server_wait: Duration::from_mins(1),
        }
    }

    /// Sets the ceiling of the first wait.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the ceiling of all waits that the vendor did not ask for.
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets how many requests one call may make. Zero is read as one.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets how long one call may take, waits included.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long one request may take.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets how long a wait the vendor asks for is waited out inside the call.
    pub const fn max_server_wait(mut self, wait: Duration) -> Self {
        self.max_server_wait = wait;
        self
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// What one attempt came to, as far as a retry is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No byte left.
    NotSent,
    /// Refused for pace.
    Throttled(Throttle),
    /// Answered with a status that is no success.
    Status {
        status: u16,
        retry_after: bool,
        refuses_with_503: bool,
    },
    /// It left, and no complete answer came back.
    Lost,
    /// Nothing that repeating could change.
    Final,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Try again, if attempts, quota and time allow.
    Retry,
    /// Ask for a different token; with one, try again, once per call.
    Reauthenticate,
    /// Give up.
    Stop,
}

/// The retry table of the README. `told` is what the vendor's decoder says happened: it can only forbid.
pub(crate) fn decide(
    idempotency: Idempotency,
    outcome: Outcome,
    told: Option<Delivery>,
) -> Decision {
    let repeatable = match idempotency {
        Idempotency::Idempotent | Idempotency::WithKey { .. } => true,
        Idempotency::NotIdempotent => false,
    };
    let retry = match outcome {
        Outcome::Status { status: 401, .. } => return Decision::Reauthenticate,
        Outcome::NotSent
        | Outcome::Throttled(Throttle::Backoff)
        | Outcome::Status {
            status: 503,
            retry_after: true,
            refuses_with_503: true,
        } => true,
        Outcome::Lost
        | Outcome::Status {
            status: 408 | 500 | 502 | 503 | 504,
            ..
        } => repeatable,
        Outcome::Throttled(Throttle::Stop) | Outcome::Final | Outcome::Status { .. } => false,
    };
    let forbidden = match told {
        Some(Delivery::Succeeded) => true,
        Some(Delivery::Unknown) => !repeatable,
        Some(Delivery::Rejected | Delivery::NotSent) | None => false,
    };
    if retry && !forbidden {
        Decision::Retry
    } else {
        Decision::Stop
    }
}

/// Two random numbers, drawn outside so that this module stays pure. Each is a fraction of 2³².
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    pub(crate) spread: u32,
    pub(crate) jitter: u32,
}

/// The next wait would be longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// How long to wait after the `failures`-th failure: full jitter, or what the vendor asks for and up to a tenth
/// more, if that is within `max_server_wait` and `left` before the deadline.
pub(crate) fn wait(
    policy: &RetryPolicy,
    failures: u32,
    asked: Option<Duration>,
    left: Option<Duration>,
    dice: Dice,
) -> Result<Duration, TooLong> {
    let in_time = |wait: Duration| left.is_none_or(|left| wait < left);
    let back_off = fraction(ceiling(policy, failures), dice.spread);
    let Some(asked) = asked else {
        return if in_time(back_off) {
            Ok(back_off)
        } else {
            Err(TooLong)
        };
    };
    if asked > policy.max_server_wait {
        return Err(TooLong);
    }
    let longer = back_off.max(asked);
    let most = policy.max_server_wait.max(longer);
    let jittered = longer
        .saturating_add(fraction(longer / 10, dice.jitter))
        .min(most);
    // Close to the deadline, what the vendor asks for still counts; our own courtesy on top does not.
    [jittered, longer, asked]
        .into_iter()
        .find(|wait| in_time(*wait))
        .ok_or(TooLong)
}

/// The upper end of the back-off after this many failures.
pub(crate) fn ceiling(policy: &RetryPolicy, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    policy.base.saturating_mul(1 << doublings).min(policy.cap)
}

fn fraction(whole: Duration, of_two_to_the_32: u32) -> Duration {
    let nanos = whole.as_nanos().saturating_mul(of_two_to_the_32.into()) >> 32;
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
    Duration::new(seconds, rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const IDEMPOTENT: Idempotency = Idempotency::Idempotent;
    const KEYED: Idempotency = Idempotency::WithKey { header: "k" };
    const NOT: Idempotency = Idempotency::NotIdempotent;
    const ALL: [Idempotency; 3] = [IDEMPOTENT, KEYED, NOT];

    fn status(status: u16, retry_after: bool, refuses_with_503: bool) -> Outcome {
        Outcome::Status {
            status,
            retry_after,
            refuses_with_503,
        }
    }

    use Decision::{Reauthenticate, Retry, Stop};

    #[rstest]
    #[case(Outcome::NotSent, [Retry, Retry, Retry])]
    #[case(Outcome::Throttled(Throttle::Backoff), [Retry, Retry, Retry])]
    #[case(Outcome::Throttled(Throttle::Stop), [Stop, Stop, Stop])]
    #[case(status(503, true, false), [Retry, Retry, Stop])]
    #[case(status(503, true, true), [Retry, Retry, Retry])]
    #[case(status(503, false, true), [Retry, Retry, Stop])]
    #[case(status(503, false, false), [Retry, Retry, Stop])]
    #[case(status(408, false, false), [Retry, Retry, Stop])]
    #[case(status(500, false, false), [Retry, Retry, Stop])]
    #[case(status(502, false, false), [Retry, Retry, Stop])]
    #[case(status(504, true, true), [Retry, Retry, Stop])]
    #[case(Outcome::Lost, [Retry, Retry, Stop])]
    #[case(status(401, false, false), [Reauthenticate, Reauthenticate, Reauthenticate])]
    #[case(status(400, false, false), [Stop, Stop, Stop])]
    #[case(status(403, false, false), [Stop, Stop, Stop])]
    #[case(status(404, false, false), [Stop, Stop, Stop])]
    #[case(status(409, false, false), [Stop, Stop, Stop])]
    #[case(status(422, true, true), [Stop, Stop, Stop])]
    #[case(status(301, false, false), [Stop, Stop, Stop])]
    #[case(status(307, false, false), [Stop, Stop, Stop])]
    #[case(status(501, false, false), [Stop, Stop, Stop])]
    #[case(status(520, false, false), [Stop, Stop, Stop])]
    #[case(Outcome::Final, [Stop, Stop, Stop])]
    fn the_table(#[case] outcome: Outcome, #[case] expected: [Decision; 3]) {
        assert_eq!(ALL.map(|class| decide(class, outcome, None)), expected);
    }

    #[rstest]
    #[case(Delivery::Succeeded, [Stop, Stop, Stop])]
    #[case(Delivery::Unknown, [Retry, Retry, Stop])]
    #[case(Delivery::Rejected, [Retry, Retry, Retry])]
    #[case(Delivery::NotSent, [Retry, Retry, Retry])]
    fn the_decoders_word_can_forbid(#[case] told: Delivery, #[case] expected: [Decision; 3]) {
        let throttled = Outcome::Throttled(Throttle::Backoff);
        assert_eq!(
            ALL.map(|class| decide(class, throttled, Some(told))),
            expected
        );
    }

    #[test]
    fn the_decoders_word_never_allows() {
        for told in [Delivery::NotSent, Delivery::Rejected] {
            assert_eq!(decide(NOT, status(500, false, false), Some(told)), Stop);
            assert_eq!(decide(NOT, Outcome::Lost, Some(told)), Stop);
        }
    }

    #[test]
    fn the_back_off_doubles_up_to_its_cap() {
        let policy = RetryPolicy::new();
        let ceilings = [1, 2, 3, 7, 8, 40, u32::MAX].map(|n| ceiling(&policy, n).as_millis());
        assert_eq!(ceilings, [250, 500, 1000, 16_000, 20_000, 20_000, 20_000]);
    }

    #[test]
    fn a_wait_too_long_is_not_begun() {
        let policy = RetryPolicy::new();
        let dice = Dice {
            spread: 0,
            jitter: u32::MAX,
        };
        let seconds = Duration::from_secs;
        let wait = |asked, left| wait(&policy, 1, Some(seconds(asked)), left, dice);
        assert_eq!(wait(61, None), Err(TooLong));
        assert_eq!(wait(60, None), Ok(seconds(60)));
        assert_eq!(wait(30, Some(seconds(30))), Err(TooLong));
        // The jitter gives way to the deadline.
        assert_eq!(wait(30, Some(seconds(31))), Ok(seconds(30)));
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (0_u64..200_000).prop_map(Duration::from_millis),
            any::<u64>().prop_map(Duration::from_secs),
        ]
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Lost),
            Just(Outcome::Final),
            (100_u16..600, any::<bool>()).prop_map(|(code, after)| status(code, after, false)),
        ]
    }

    proptest! {
        #[test]
        fn a_wait_never_passes_its_caps(
            base in duration(), cap in duration(), most in duration(), failures in any::<u32>(),
            asked in prop::option::of(duration()), left in prop::option::of(duration()),
            spread in any::<u32>(), jitter in any::<u32>(),
        ) {
            let policy = RetryPolicy::new().base(base).cap(cap).max_server_wait(most);
            if let Ok(wait) = wait(&policy, failures, asked, left, Dice { spread, jitter }) {
                let most = if asked.is_some() { cap.max(most) } else { cap };
                prop_assert!(wait <= most);
                prop_assert!(left.is_none_or(|left| wait < left));
                prop_assert!(asked.is_none_or(|asked| wait >= asked));
            }
        }

        #[test]
        fn what_is_not_idempotent_is_never_sent_again_after_sending(outcome in outcome(), told in any::<bool>()) {
            let told = told.then_some(Delivery::Unknown);
            prop_assert_ne!(decide(NOT, outcome, told), Retry);
        }
    }
}
