//! When an integration is looked after next, and what is done then.

#![cfg(feature = "status")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use chrono::{DateTime, TimeDelta, Utc};
use integration_core::status::{
    DueCheck, Health, ReasonCode, State, Status, due_check, next_check,
};
use proptest::prelude::*;
use rstest::rstest;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn state(status: Status) -> State {
    let mut state = State::new();
    state.status = status;
    state.has_credentials = true;
    state.is_active = status != Status::Disconnected;
    state
}

/// Minutes from now to the next check, in the middle of its spread.
fn minutes(state: &State, health: Health) -> Option<i64> {
    let next = next_check(state, health, None, now(), 0.5)?;
    Some((next - now()).num_minutes())
}

#[rstest]
#[case(0, 5)]
#[case(1, 15)]
#[case(2, 60)]
#[case(3, 360)]
#[case(u32::MAX, 360)]
fn error_backs_off(#[case] failed: u32, #[case] expected: i64) {
    for status in [Status::Error, Status::Pending] {
        let mut state = state(status);
        state.failed_checks = failed;
        assert_eq!(minutes(&state, Health::Probe), Some(expected));
    }
}

#[rstest]
#[case::it_just_worked(Some(ago(0)), 360)]
#[case::pushed_on_from_the_last_success(Some(ago(60)), 300)]
#[case::but_never_at_once(Some(ago(359)), 5)]
#[case::long_ago(Some(ago(361)), 360)]
#[case::never(None, 360)]
#[case::before_the_clock_was_set_back(Some(ago(-600)), 360)]
fn active_is_left_alone_after_a_success(
    #[case] last: Option<DateTime<Utc>>,
    #[case] expected: i64,
) {
    let mut state = state(Status::Active);
    state.last_sync_at = last;
    assert_eq!(minutes(&state, Health::Probe), Some(expected));
    state.last_sync_at = Some(ago(10_000));
    let next = next_check(&state, Health::Probe, last, now(), 0.5).unwrap();
    assert_eq!((next - now()).num_minutes(), expected);
}

#[test]
fn disconnected_and_passive_ones_are_never_called() {
    assert_eq!(minutes(&state(Status::Disconnected), Health::Probe), None);
    for status in [Status::Active, Status::Error, Status::Disconnected] {
        let state = state(status);
        assert_eq!(minutes(&state, Health::Passive), None);
        assert_eq!(
            due_check(&state, Health::Passive, None, now()),
            DueCheck::Nothing
        );
    }
    let mut unwanted = state(Status::Pending);
    unwanted.is_active = false;
    assert_eq!(minutes(&unwanted, Health::Probe), None);
}

#[rstest]
#[case(Health::Probe)]
#[case(Health::Passive)]
fn one_whose_credentials_do_not_open_is_looked_at_again(#[case] health: Health) {
    let mut state = state(Status::Error);
    state.reason = Some(ReasonCode::CredentialsUnreadable);
    state.failed_checks = 1;
    assert_eq!(minutes(&state, health), Some(15));
    assert_eq!(due_check(&state, health, None, now()), DueCheck::Probe);
}

#[rstest]
#[case(Health::Probe)]
#[case(Health::Passive)]
fn a_refused_one_is_not_called_and_told_of_once_a_day(#[case] health: Health) {
    let mut state = state(Status::Error);
    state.needs_reauth = true;
    assert_eq!(minutes(&state, health), Some(0));
    assert_eq!(due_check(&state, health, None, now()), DueCheck::Notify);
    for notified in [0, 1, 23 * 60 + 59] {
        state.reauth_notified_at = Some(ago(notified));
        assert_eq!(due_check(&state, health, None, now()), DueCheck::Nothing);
        let next = next_check(&state, health, None, now(), 0.0).unwrap();
        assert_eq!((next - now()).num_minutes(), 24 * 60 - notified);
    }
    state.reauth_notified_at = Some(ago(24 * 60));
    assert_eq!(due_check(&state, health, None, now()), DueCheck::Notify);
    state.reauth_notified_at = Some(ago(-600));
    let next = next_check(&state, health, None, now(), 1.0).unwrap();
    assert_eq!((next - now()).num_minutes(), 28 * 60 + 48);
    state.status = Status::Disconnected;
    assert_eq!(minutes(&state, health), None);
    assert_eq!(due_check(&state, health, None, now()), DueCheck::Nothing);
}

#[rstest]
#[case(state(Status::Pending), DueCheck::Test)]
#[case(state(Status::Error), DueCheck::Probe)]
#[case(state(Status::Active), DueCheck::Probe)]
#[case(state(Status::Disconnected), DueCheck::Nothing)]
fn what_is_done_then(#[case] mut state: State, #[case] expected: DueCheck) {
    assert_eq!(due_check(&state, Health::Probe, None, now()), expected);
    state.paused_until = Some(ago(-30));
    assert_eq!(
        due_check(&state, Health::Probe, None, now()),
        DueCheck::Nothing
    );
    let next = next_check(&state, Health::Probe, None, now(), 0.5);
    assert!(next.is_none_or(|next| next >= now() + TimeDelta::minutes(30)));
}

#[test]
fn a_recent_success_saves_the_call() {
    let state = state(Status::Active);
    let checked = |last| due_check(&state, Health::Probe, last, now());
    assert_eq!(checked(Some(ago(359))), DueCheck::Nothing);
    assert_eq!(checked(Some(ago(360))), DueCheck::Probe);
}

proptest! {
    #[test]
    fn the_spread_is_a_fifth_and_no_time_is_in_the_past(
        failed in 0_u32..9,
        random in prop_oneof![0.0_f64..=1.0, Just(f64::NAN), Just(f64::INFINITY), -9.0_f64..9.0],
        last in proptest::option::of(-1_000_i64..1_000),
        active in any::<bool>(),
    ) {
        let mut state = state(if active { Status::Active } else { Status::Error });
        state.failed_checks = failed;
        state.last_sync_at = last.map(ago);
        let middle = next_check(&state, Health::Probe, None, now(), 0.5).unwrap() - now();
        let next = next_check(&state, Health::Probe, None, now(), random).unwrap() - now();
        prop_assert!(next >= TimeDelta::minutes(4));
        if !active {
            prop_assert!(next * 10 >= middle * 8 && next * 10 <= middle * 12);
        }
        let latest = next_check(&state, Health::Probe, None, DateTime::<Utc>::MAX_UTC, random);
        prop_assert!(latest.is_some());
    }
}
