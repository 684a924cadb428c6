//! What a process knows of the time and of its own leases, so that a clock that jumps does no harm.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contact_sync::{JobId, LeaseToken};
use tokio::time::Instant;

/// A clock that is put right by less has not jumped.
const JUMP: TimeDelta = TimeDelta::seconds(5);

/// How often the queue is mended.
const MEND: Duration = Duration::from_mins(1);

/// How far a database's clock has moved against the process's own since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    None,
    Back,
    Forward,
}

/// Watches the database's clock, and keeps the leases that this process has.
#[derive(Debug, Default)]
pub(in super::super) struct Watch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    last: Option<(DateTime<Utc>, Instant)>,
    mended: Option<Instant>,
    leases: HashMap<JobId, (LeaseToken, Instant)>,
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the database's time with what should have passed.
    pub(super) fn look(&self, now: DateTime<Utc>, at: Instant) -> Jump {
        let mut seen = self.seen();
        let Some((then, since)) = seen.last.replace((now, at)) else {
            return Jump::None;
        };
        let passed = at.saturating_duration_since(since);
        let expected = then + TimeDelta::from_std(passed).unwrap_or_default();
        if now - then < -JUMP {
            Jump::Back
        } else if now - expected > JUMP {
            Jump::Forward
        } else {
            Jump::None
        }
    }

    /// Tells whether it is time to look for what nobody else would mend; then the next time is a while ahead.
    pub(super) fn is_time_to_mend(&self, at: Instant) -> bool {
        let mut seen = self.seen();
        let due = seen
            .mended
            .is_none_or(|mended| at.saturating_duration_since(mended) >= MEND);
        if due {
            seen.mended = Some(at);
            seen.leases.retain(|_, (_, until)| *until > at);
        }
        due
    }

    pub(super) fn leased(&self, job: JobId, token: LeaseToken, until: Instant) {
        self.seen().leases.insert(job, (token, until));
    }

    pub(super) fn ended(&self, job: JobId, token: LeaseToken) {
        let mut seen = self.seen();
        // The job may be under another lease of this process by now.
        if seen
            .leases
            .get(&job)
            .is_some_and(|(held, _)| *held == token)
        {
            seen.leases.remove(&job);
        }
    }

    /// Returns the leases that hold by the clock of this process, and for how long.
    pub(super) fn leases(&self, at: Instant) -> Vec<(JobId, LeaseToken, Duration)> {
        let seen = self.seen();
        let leases = seen.leases.iter();
        leases
            .map(|(job, (token, until))| (*job, *token, until.saturating_duration_since(at)))
            .filter(|(_, _, left)| !left.is_zero())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::steady(10, 10, Jump::None)]
    #[case::slow(10, 7, Jump::None)]
    #[case::put_right(10, 6, Jump::None)]
    #[case::back(10, -3_590, Jump::Back)]
    #[case::forward(10, 3_610, Jump::Forward)]
    #[case::both_stood_still_and_went_on(3_610, 3_610, Jump::None)]
    fn a_jump_is_seen(#[case] own: u64, #[case] database: i64, #[case] jump: Jump) {
        let watch = Watch::default();
        let (now, at) = (DateTime::UNIX_EPOCH, Instant::now());
        assert_eq!(watch.look(now, at), Jump::None);
        let later = at + Duration::from_secs(own);
        assert_eq!(watch.look(now + TimeDelta::seconds(database), later), jump);
        // It is seen once.
        let next = now + TimeDelta::seconds(database + 1);
        assert_eq!(watch.look(next, later + Duration::from_secs(1)), Jump::None);
    }

    #[test]
    fn leases_are_kept_as_long_as_they_hold() {
        let (watch, at) = (Watch::default(), Instant::now());
        let (one, other) = (JobId::generate(), JobId::generate());
        let token = LeaseToken::generate();
        watch.leased(one, token, at + Duration::from_secs(2));
        watch.leased(other, token, at + Duration::from_secs(9));
        watch.ended(other, token);
        watch.ended(one, LeaseToken::generate());
        assert_eq!(watch.leases(at), [(one, token, Duration::from_secs(2))]);
        assert_eq!(watch.leases(at + Duration::from_secs(2)), []);
    }
}
