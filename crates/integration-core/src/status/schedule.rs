use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{ReasonCode, State, Status};

/// How the health of an instance is found out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// By a connection test now and then.
    Probe,
    /// By the calls that are made anyway: where calls are scarce, none is spent on asking.
    Passive,
}

/// What to do when the time of a check has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DueCheck {
    /// Test the connection: its credentials were saved, and the test that was due then did not come to its end.
    Test,
    /// Make one cheap call, and report what comes of it as what comes of any other call.
    Probe,
    /// Tell somebody that the account has to be connected again, and report [`Event::ReauthNotified`]. Make no call.
    ///
    /// [`Event::ReauthNotified`]: super::Event::ReauthNotified
    Notify,
    /// Do nothing but compute the [next check](next_check).
    Nothing,
}

/// Says when to look after an integration next; none for never.
///
/// An active one is left alone for six hours from its last success, then called every six hours. One in error is
/// called after 5 minutes, 15 minutes, an hour, and every six hours from then on; so is a pending one whose test
/// did not come to its end. One that has to be connected again is never called; somebody is told at once and then at
/// most once a day. A disconnected one is left alone, and so is one whose health is [passive](Health::Passive), but
/// for the notice, the first test, and one whose stored credentials could not be opened: looking whether they open
/// again costs no call. Where the calls of such a one kept failing, the next call that somebody wants anyway is let
/// through after the same waits, and finds out.
///
/// `random` is between 0 and 1 and moves the time by up to a fifth either way (of a notice: later only), so that
/// integrations that began together do not go on together. `last_success` is the last one known, where that is
/// later than [`State::last_sync_at`].
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use integration_core::status::{Health, State, Status, next_check};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = DateTime::from_timestamp(1_780_000_000, 0).ok_or("out of range")?;
/// let mut state = State::new();
/// state.status = Status::Error;
/// let next = next_check(&state, Health::Probe, None, now, 0.5);
/// assert_eq!(next, Some(now + TimeDelta::minutes(5)));
/// # Ok(()) }
/// ```
pub fn next_check(
    state: &State,
    health: Health,
    last_success: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    random: f64,
) -> Option<DateTime<Utc>> {
    if let Some(next) = next_notice(state, now, random) {
        return Some(next);
    }
    if state.needs_reauth {
        return None;
    }
    let next = match (state.status, health) {
        (Status::Error, Health::Passive) if unreadable(state) => {
            after(now, back_off(state.failed_checks), random)
        }
        (Status::Disconnected, _) | (Status::Active | Status::Error, Health::Passive) => {
            return None;
        }
        (Status::Pending, _) if !wanted(state) => return None,
        (Status::Pending, _) | (Status::Error, Health::Probe) => {
            after(now, back_off(state.failed_checks), random)
        }
        (Status::Active, Health::Probe) => match recent_success(state, last_success, now) {
            Some(last) => {
                // Never at once: a check that fails leaves the last success where it was.
                let soonest = after(now, FIRST, random);
                after(last, INTERVAL, random).max(soonest)
            }
            None => after(now, INTERVAL, random),
        },
    };
    Some(state.paused_at(now).map_or(next, |until| next.max(until)))
}

/// Says what to do with an integration whose check is due.
///
/// The state is to be read afresh: much may have happened since the check was planned.
pub fn due_check(
    state: &State,
    health: Health,
    last_success: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> DueCheck {
    if next_notice(state, now, 0.0).is_some_and(|due| due <= now) {
        return DueCheck::Notify;
    }
    if state.needs_reauth || state.paused_at(now).is_some() {
        return DueCheck::Nothing;
    }
    match (state.status, health) {
        (Status::Pending, _) if wanted(state) => DueCheck::Test,
        (Status::Error, Health::Probe) => DueCheck::Probe,
        (Status::Error, Health::Passive) if unreadable(state) => DueCheck::Probe,
        (Status::Active, Health::Probe) if recent_success(state, last_success, now).is_none() => {
            DueCheck::Probe
        }
        _ => DueCheck::Nothing,
    }
}

/// Says until when a [passive](Health::Passive) integration that is in error because its calls kept failing is left
/// alone: 5 minutes, 15 minutes, an hour, and six hours from then on. None where that is not so.
///
/// Nothing is spent on asking how it is, so the next call that somebody wants anyway has to find out: it is let through
/// when this time is over ([`lets_one_try`]).
#[cfg(feature = "integrations")]
pub(crate) fn pause_after_failure(
    state: &State,
    health: Health,
    now: DateTime<Utc>,
    random: f64,
) -> Option<DateTime<Utc>> {
    lets_one_try(state, health).then(|| after(now, back_off(state.failed_checks), random))
}

/// Tells whether a call may find out whether an integration in error works again.
#[cfg(feature = "integrations")]
pub(crate) fn lets_one_try(state: &State, health: Health) -> bool {
    health == Health::Passive
        && state.status == Status::Error
        && !state.needs_reauth
        && state.reason == Some(ReasonCode::CallsFailing)
}

const FIRST: Duration = Duration::from_mins(5);
const INTERVAL: Duration = Duration::from_hours(6);
const DAY: TimeDelta = TimeDelta::days(1);

fn wanted(state: &State) -> bool {
    state.has_credentials && (state.is_active || state.enable_pending)
}

fn unreadable(state: &State) -> bool {
    state.reason == Some(ReasonCode::CredentialsUnreadable)
}

fn back_off(failed: u32) -> Duration {
    match failed {
        0 => FIRST,
        1 => Duration::from_mins(15),
        2 => Duration::from_hours(1),
        _ => INTERVAL,
    }
}

/// When to say next that the account has to be connected again.
fn next_notice(state: &State, now: DateTime<Utc>, random: f64) -> Option<DateTime<Utc>> {
    if !state.needs_reauth || state.status != Status::Error {
        return None;
    }
    let Some(last) = state.reauth_notified_at else {
        return Some(now);
    };
    // A notice that lies ahead was given before the clock was set back.
    let later = Duration::from_hours(24).mul_f64(0.2 * fraction(random));
    let earliest = plus(last.min(now), DAY);
    Some(plus(earliest, TimeDelta::from_std(later).unwrap_or(DAY)))
}

/// The last success, if it is less than six hours ago. One that lies ahead counts as one of now.
fn recent_success(
    state: &State,
    last_success: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let last = state.last_sync_at.max(last_success)?.min(now);
    let age = now.signed_duration_since(last).to_std().ok()?;
    (age < INTERVAL).then_some(last)
}

/// `wait` after `start`, up to a fifth sooner or later.
fn after(start: DateTime<Utc>, wait: Duration, random: f64) -> DateTime<Utc> {
    let wait = wait.mul_f64(0.4_f64.mul_add(fraction(random), 0.8));
    plus(start, TimeDelta::from_std(wait).unwrap_or(DAY))
}

fn fraction(random: f64) -> f64 {
    if random.is_finite() {
        random.clamp(0.0, 1.0)
    } else {
        0.5
    }
}

fn plus(start: DateTime<Utc>, wait: TimeDelta) -> DateTime<Utc> {
    start
        .checked_add_signed(wait)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
