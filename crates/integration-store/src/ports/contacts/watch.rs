//! What a process knows of the time and of its own leases, so that a clock that jumps does no harm.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contact_sync::{Held, JobId, LeaseToken, OperationId};
use tokio::time::Instant;

/// A clock that is put right by less has not jumped.
const JUMP: TimeDelta = TimeDelta::seconds(5);

/// How often the queue is mended.
const MEND: Duration = Duration::from_mins(1);

/// In so many bytes there are not enough rows for a plan to matter.
const FEW: i64 = 64 * 1024;

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
    leases: Leases<JobId>,
    operations: Leases<OperationId>,
    /// The bytes of the tables, when they had the fewest.
    smallest: Option<i64>,
}

/// What is leased to this process, and until when by its own clock.
#[derive(Debug)]
struct Leases<K>(HashMap<K, (LeaseToken, Instant)>);

impl<K> Default for Leases<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Leases<K> {
    fn add(&mut self, what: K, token: LeaseToken, until: Instant) {
        self.0.insert(what, (token, until));
    }

    /// It may be under another lease of this process by now.
    fn end(&mut self, what: K, token: LeaseToken) {
        if self.0.get(&what).is_some_and(|(held, _)| *held == token) {
            self.0.remove(&what);
        }
    }

    fn forget_old(&mut self, at: Instant) {
        self.0.retain(|_, (_, until)| *until > at);
    }

    fn left(&self, at: Instant) -> Vec<(K, LeaseToken, Duration)> {
        let leases = self.0.iter();
        leases
            .map(|(what, (token, until))| (*what, *token, until.saturating_duration_since(at)))
            .filter(|(_, _, left)| !left.is_zero())
            .collect()
    }
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
            seen.leases.forget_old(at);
            seen.operations.forget_old(at);
        }
        due
    }

    /// Takes note of how many bytes the tables of the queue have, and tells whether they have grown much since they
    /// were smallest.
    pub(super) fn grows(&self, size: i64) -> bool {
        let mut seen = self.seen();
        let smallest = seen.smallest.unwrap_or(size).min(size);
        let grows = size > smallest.saturating_mul(2).saturating_add(FEW);
        seen.smallest = Some(if grows { size } else { smallest });
        grows
    }

    pub(super) fn leased(&self, job: JobId, token: LeaseToken, until: Instant) {
        self.seen().leases.add(job, token, until);
    }

    pub(super) fn ended(&self, job: JobId, token: LeaseToken) {
        self.seen().leases.end(job, token);
    }

    /// Takes note of a strict create that goes on, or whose lease was renewed.
    pub(super) fn begun(&self, held: Held, until: Instant) {
        let mut seen = self.seen();
        seen.operations.add(held.operation, held.token, until);
    }

    pub(super) fn over(&self, held: Held) {
        self.seen().operations.end(held.operation, held.token);
    }

    /// Returns the leases of jobs that hold by the clock of this process, and for how long.
    pub(super) fn leases(&self, at: Instant) -> Vec<(JobId, LeaseToken, Duration)> {
        self.seen().leases.left(at)
    }

    /// Returns the same of strict creates.
    pub(super) fn operations(&self, at: Instant) -> Vec<(OperationId, LeaseToken, Duration)> {
        self.seen().operations.left(at)
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

    #[rstest]
    #[case::rests(&[0, 0], &[false, false])]
    #[case::few_rows(&[0, FEW], &[false, false])]
    #[case::grows(&[0, FEW + 1, FEW + 1], &[false, true, false])]
    #[case::doubles(&[9 * FEW, 18 * FEW, 20 * FEW, 40 * FEW, 42 * FEW], &[false, false, true, false, true])]
    #[case::comes_back(&[9 * FEW, 0, 9 * FEW], &[false, false, true])]
    fn a_queue_grows(#[case] sizes: &[i64], #[case] grows: &[bool]) {
        let watch = Watch::default();
        let told: Vec<_> = sizes.iter().map(|size| watch.grows(*size)).collect();
        assert_eq!(told, grows);
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
        let held = Held::new(OperationId::generate(), token);
        watch.begun(held, at + Duration::from_secs(2));
        watch.begun(held, at + Duration::from_secs(4));
        let left = (held.operation, token, Duration::from_secs(1));
        assert_eq!(watch.operations(at + Duration::from_secs(3)), [left]);
        watch.over(held);
        assert_eq!(watch.operations(at), []);
    }
}
