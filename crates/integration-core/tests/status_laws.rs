//! What holds after any sequence of events, with a clock that jumps.

#![cfg(feature = "status")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use chrono::{DateTime, TimeDelta, Utc};
use integration_core::status::{
    CredentialsVersion, Effect, Event, Health, Ignored, IllegalTransition, Policy, State, Status,
    Threshold, next_check,
};
use proptest::prelude::*;

/// An event whose credentials are counted from the newest there are.
#[derive(Clone, Debug)]
struct Drawn {
    kind: u8,
    credentials: i64,
    pause_minutes: Option<i64>,
    clock_minutes: i64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let age = prop_oneof![8 => Just(0_i64), 2 => Just(-1_i64), 1 => Just(1_i64)];
    let clock = prop_oneof![9 => 0_i64..600, 1 => -100_000_i64..100_000];
    (
        0_u8..14,
        age,
        proptest::option::of(-100_i64..100_000),
        clock,
    )
        .prop_map(|(kind, credentials, pause_minutes, clock_minutes)| Drawn {
            kind,
            credentials,
            pause_minutes,
            clock_minutes,
        })
}

impl Drawn {
    fn event(&self, state: &State, now: DateTime<Utc>) -> Event {
        let newest = i64::try_from(state.credentials.0).unwrap();
        let number = newest.saturating_add(self.credentials).max(0);
        let used = CredentialsVersion(number.unsigned_abs());
        let message = "said so".to_owned();
        let paused_until = self
            .pause_minutes
            .map(|minutes| now + TimeDelta::minutes(minutes));
        match self.kind {
            0 | 1 => Event::CredentialsSaved {
                version: used.next(),
                by: None,
            },
            2 => Event::TestPassed { used, message },
            3 => Event::TestFailed {
                used,
                message,
                auth_refused: self.pause_minutes.is_some(),
            },
            4 => Event::CallSucceeded { used },
            5 => Event::AuthRefused { used, message },
            6 | 7 => Event::CallFailed {
                used,
                message,
                paused_until,
            },
            8 => Event::RateLimited { used, paused_until },
            9 => Event::Disabled { by: None },
            10 => Event::EnableRequested { by: None },
            12 => Event::CredentialsUnreadable { used, message },
            11 if self.pause_minutes.is_some() => Event::Uninstalled,
            11 => Event::Revoked,
            _ => Event::ReauthNotified,
        }
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn run(policy: Policy, drawn: &[Drawn]) -> Result<Vec<State>, TestCaseError> {
    let mut now = start();
    let mut state = State::new();
    let mut all = vec![state.clone()];
    for one in drawn {
        now += TimeDelta::minutes(one.clock_minutes);
        let event = one.event(&state, now);
        match policy.transition(&state, event.clone(), now) {
            Err(IllegalTransition {
                status,
                event: named,
                ..
            }) => {
                prop_assert_eq!((status, named), (state.status, event.name()));
            }
            Ok(change) => {
                check(&state, &event, &change)?;
                state = change.state;
            }
        }
        all.push(state.clone());
        for health in [Health::Probe, Health::Passive] {
            let next = next_check(&state, health, None, now, 0.5);
            if state.status == Status::Disconnected {
                prop_assert_eq!(next, None);
            }
        }
    }
    Ok(all)
}

fn check(
    before: &State,
    event: &Event,
    change: &integration_core::status::Change,
) -> Result<(), TestCaseError> {
    let next = &change.state;
    let changed = next != before;
    prop_assert_eq!(changed, change.ignored.is_none());
    prop_assert_eq!(next.version, before.version + u64::from(changed));
    if !changed {
        prop_assert!(change.history.is_none());
    }
    if let Some(entry) = &change.history {
        prop_assert_eq!(entry.version, next.version);
        prop_assert_eq!(entry.to, next.status);
    }
    prop_assert!(before.status == next.status || change.history.is_some());

    if event.used().is_some_and(|used| used < before.credentials) {
        prop_assert!(!changed && change.effects.is_empty());
        prop_assert_eq!(change.ignored, Some(Ignored::OlderCredentials));
    }
    prop_assert_eq!(next.error_message.is_some(), next.status == Status::Error);
    prop_assert_eq!(next.needs_reauth, next.refused.is_some());
    if next.needs_reauth {
        prop_assert!(matches!(next.status, Status::Error | Status::Disconnected));
        prop_assert_eq!(next.refused, Some(next.credentials));
    }
    if before.needs_reauth && !next.needs_reauth {
        prop_assert!(next.credentials > before.credentials);
    }
    if next.status == Status::Active {
        prop_assert!(next.last_sync_at.is_some() && next.reason.is_none());
        prop_assert!(!next.enable_pending && next.has_credentials);
    }
    if next.status == Status::Disconnected {
        prop_assert_eq!(next.is_active, next.enable_pending);
    }
    prop_assert!(next.is_active || !next.enable_pending);
    if next.status == Status::Error && before.status != Status::Error {
        prop_assert_eq!(next.last_sync_at, before.last_sync_at);
    }
    prop_assert_eq!(next.consecutive_failures == 0, next.failing_since.is_none());
    if matches!(event, Event::RateLimited { .. }) {
        prop_assert_eq!(next.status, before.status);
        prop_assert_eq!(next.consecutive_failures, before.consecutive_failures);
    }
    prop_assert_eq!(
        change.has(Effect::ParkJobs),
        before.runs_jobs() && !next.runs_jobs()
    );
    prop_assert_eq!(
        change.has(Effect::ResumeJobs),
        !before.runs_jobs() && next.runs_jobs()
    );
    prop_assert_eq!(
        change.has(Effect::DeleteCredentials),
        before.has_credentials && !next.has_credentials
            || matches!(event, Event::Uninstalled | Event::Revoked)
                && before.status != Status::Disconnected
    );
    Ok(())
}

proptest! {
    #[test]
    fn what_holds_after_any_event(
        drawn in prop::collection::vec(drawn(), 0..60),
        immediate in any::<bool>(),
    ) {
        let threshold = if immediate { Threshold::Immediate } else { Threshold::default() };
        let policy = Policy::new(threshold);
        let states = run(policy, &drawn)?;
        prop_assert_eq!(run(policy, &drawn)?, states, "the same events lead to the same states");
    }

    #[test]
    fn a_state_survives_being_stored(drawn in prop::collection::vec(drawn(), 0..40)) {
        for state in run(Policy::default(), &drawn)? {
            let json = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
        }
    }
}
