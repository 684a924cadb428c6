use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Change, CredentialsVersion, Effect, Event, HistoryEntry, Ignored, Illegal, IllegalTransition,
    LastTest, ReasonCode, State, Status,
};

/// How many failed calls lead to error.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Threshold {
    /// The first one does.
    Immediate,
    /// So many in a row do, once they have gone on for so long: a burst is not an outage, and one dropped packet must
    /// not stop a tenant's synchronisation.
    Tolerant {
        /// At least so many.
        failures: u32,
        /// From the first to the last at least so long.
        over: Duration,
    },
}

impl Default for Threshold {
    /// Five failures over 15 minutes.
    fn default() -> Self {
        Self::Tolerant {
            failures: 5,
            over: Duration::from_mins(15),
        }
    }
}

/// What a host may choose about the transitions.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How many failed calls lead to error.
    pub threshold: Threshold,
}

impl Policy {
    /// Makes a policy with this threshold.
    pub fn new(threshold: Threshold) -> Self {
        Self { threshold }
    }

    /// Computes what comes of an event, by this policy. See the [table](super).
    ///
    /// `now` may be earlier than times in the state: a clock that was set back delays, and breaks nothing.
    ///
    /// # Errors
    ///
    /// When the event cannot happen in this state: whoever reports it is mistaken or has an old state.
    pub fn transition(
        &self,
        state: &State,
        event: Event,
        now: DateTime<Utc>,
    ) -> Result<Change, IllegalTransition> {
        let name = event.name();
        let illegal = |why| Err(IllegalTransition::new(state.status, name, why));
        if let Some(used) = event.used() {
            if used > state.credentials {
                return illegal(Illegal::UnknownCredentials);
            }
            if used < state.credentials {
                return Ok(ignored(state, Ignored::OlderCredentials));
            }
            if used == CredentialsVersion::default() {
                return illegal(Illegal::NoCredentials);
            }
        }
        let by = event.by().cloned();
        let mut step = Step {
            before: state,
            next: state.clone(),
            now,
            message: None,
            effects: Vec::new(),
        };
        let outcome = match event {
            Event::CredentialsSaved { version, .. } => {
                if version <= state.credentials {
                    return illegal(Illegal::NotNewer);
                }
                step.saved(version);
                Ok(())
            }
            Event::TestPassed { message, .. } => step.passed(Some(message)),
            Event::CallSucceeded { .. } => step.passed(None),
            Event::TestFailed {
                message,
                auth_refused,
                ..
            } => step.test_failed(message, auth_refused),
            Event::CredentialsUnreadable { message, .. } => step.unreadable(message),
            Event::AuthRefused { message, .. } => step.refused(message),
            Event::CallFailed {
                message,
                paused_until,
                ..
            } => step.call_failed(message, paused_until, self.threshold),
            Event::RateLimited { paused_until, .. } => step.rate_limited(paused_until),
            Event::Disabled { .. } => {
                step.disabled();
                Ok(())
            }
            Event::EnableRequested { .. } => {
                if !state.has_credentials {
                    return illegal(Illegal::NoCredentials);
                }
                step.enable();
                Ok(())
            }
            Event::Uninstalled => step.taken_away(
                ReasonCode::Uninstalled,
                "The vendor says that its app was uninstalled.",
            ),
            Event::Revoked => step.taken_away(
                ReasonCode::Revoked,
                "The vendor says that access was revoked.",
            ),
            Event::ReauthNotified => step.notified(),
        };
        Ok(match outcome {
            Err(reason) => ignored(state, reason),
            Ok(()) => step.change(name, by),
        })
    }
}

/// Computes what comes of an event, by the default [`Policy`]. See the [table](super).
///
/// # Errors
///
/// When the event cannot happen in this state: whoever reports it is mistaken or has an old state.
pub fn transition(
    state: &State,
    event: Event,
    now: DateTime<Utc>,
) -> Result<Change, IllegalTransition> {
    Policy::default().transition(state, event, now)
}

/// A success moves [`State::last_sync_at`] only if it is older than this, so that a busy integration is not written
/// with every call.
const SYNC_GRAIN: TimeDelta = TimeDelta::minutes(1);

/// No vendor's word, and no clock that was set back, pauses calls for longer: a month's quota is the longest there is.
const LONGEST_PAUSE: TimeDelta = TimeDelta::days(31);

pub(super) fn at_most_the_longest_pause(until: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(LONGEST_PAUSE)
        .map_or(until, |longest| until.min(longest))
}

fn ignored(state: &State, reason: Ignored) -> Change {
    Change {
        state: state.clone(),
        history: None,
        effects: Vec::new(),
        ignored: Some(reason),
    }
}

/// One step under way.
struct Step<'a> {
    before: &'a State,
    next: State,
    now: DateTime<Utc>,
    /// What the history says in words.
    message: Option<String>,
    effects: Vec<Effect>,
}

type Outcome = Result<(), Ignored>;

impl Step<'_> {
    fn saved(&mut self, version: CredentialsVersion) {
        let before = self.before;
        let next = &mut self.next;
        next.credentials = version;
        next.has_credentials = true;
        next.needs_reauth = false;
        next.refused = None;
        next.reauth_notified_at = None;
        next.paused_until = None;
        next.consecutive_failures = 0;
        next.failing_since = None;
        next.failed_checks = 0;
        if before.status != Status::Disconnected {
            next.status = Status::Pending;
            next.reason = None;
            next.error_message = None;
        }
        if before.status == Status::Active {
            self.effects.push(Effect::ServeOld);
        }
        let was_tested = matches!(before.status, Status::Active | Status::Error);
        if was_tested || before.is_active {
            self.effects.push(Effect::TestDue);
        }
    }

    fn passed(&mut self, test: Option<String>) -> Outcome {
        self.heed_disconnection()?;
        let before = self.before;
        if before.needs_reauth {
            return Err(Ignored::NeedsReauth);
        }
        let now = self.now;
        let next = &mut self.next;
        let entering = before.status != Status::Active;
        let failed_before = before.consecutive_failures > 0;
        let old_news = before
            .last_sync_at
            .is_none_or(|last| last > now || now.signed_duration_since(last) >= SYNC_GRAIN);
        if entering || failed_before || old_news || test.is_some() {
            next.last_sync_at = Some(now);
        }
        if before.paused_at(now).is_none() {
            next.paused_until = None;
        }
        next.status = Status::Active;
        next.enable_pending = false;
        next.reason = None;
        next.error_message = None;
        next.consecutive_failures = 0;
        next.failing_since = None;
        next.failed_checks = 0;
        if let Some(message) = test {
            self.message = Some(message.clone());
            next.last_test = Some(LastTest::new(now, true, message));
        }
        if entering {
            self.effects.push(Effect::PromoteCredentials);
        }
        Ok(())
    }

    fn test_failed(&mut self, message: String, auth_refused: bool) -> Outcome {
        self.heed_disconnection()?;
        self.next.last_test = Some(LastTest::new(self.now, false, message.clone()));
        if auth_refused {
            self.needs_reauth();
        }
        let reason = if auth_refused {
            ReasonCode::AuthRefused
        } else {
            ReasonCode::TestFailed
        };
        self.fail(reason, message);
        Ok(())
    }

    /// No test was made, so the last one stays as it is.
    fn unreadable(&mut self, message: String) -> Outcome {
        self.heed_disconnection()?;
        self.fail(ReasonCode::CredentialsUnreadable, message);
        Ok(())
    }

    fn refused(&mut self, message: String) -> Outcome {
        if self.before.status == Status::Disconnected {
            return Err(Ignored::Disconnected);
        }
        self.needs_reauth();
        self.fail(ReasonCode::AuthRefused, message);
        Ok(())
    }

    fn call_failed(
        &mut self,
        message: String,
        until: Option<DateTime<Utc>>,
        threshold: Threshold,
    ) -> Outcome {
        if self.before.status == Status::Disconnected {
            return Err(Ignored::Disconnected);
        }
        self.pause(until);
        let now = self.now;
        let next = &mut self.next;
        // A first failure that lies ahead was noted before the clock was set back: it counts from now.
        let since = next.failing_since.map_or(now, |since| since.min(now));
        next.failing_since = Some(since);
        next.consecutive_failures = next.consecutive_failures.saturating_add(1);
        if next.status != Status::Active {
            next.failed_checks = next.failed_checks.saturating_add(1);
            return Ok(());
        }
        let enough = match threshold {
            Threshold::Immediate => true,
            Threshold::Tolerant { failures, over } => {
                let lasted = now.signed_duration_since(since).to_std();
                next.consecutive_failures >= failures && lasted.is_ok_and(|lasted| lasted >= over)
            }
        };
        if enough {
            self.fail(ReasonCode::CallsFailing, message);
        }
        Ok(())
    }

    fn rate_limited(&mut self, until: Option<DateTime<Utc>>) -> Outcome {
        if self.before.status == Status::Disconnected {
            return Err(Ignored::Disconnected);
        }
        self.pause(until);
        Ok(())
    }

    fn disabled(&mut self) {
        let next = &mut self.next;
        next.is_active = false;
        next.enable_pending = false;
        if next.status != Status::Disconnected {
            next.status = Status::Disconnected;
            next.reason = Some(ReasonCode::DisabledByHand);
            next.error_message = None;
        }
    }

    fn enable(&mut self) {
        let next = &mut self.next;
        next.is_active = true;
        if next.status != Status::Active {
            next.enable_pending = true;
            self.effects.push(Effect::TestDue);
        }
    }

    fn taken_away(&mut self, reason: ReasonCode, message: &str) -> Outcome {
        if self.before.status == Status::Disconnected {
            return Err(Ignored::NothingNew);
        }
        let next = &mut self.next;
        next.status = Status::Disconnected;
        next.is_active = false;
        next.enable_pending = false;
        next.has_credentials = false;
        next.reason = Some(reason);
        next.error_message = None;
        next.paused_until = None;
        self.message = Some(message.to_owned());
        self.effects.push(Effect::RemoveWebhooks);
        self.effects.push(Effect::DeleteCredentials);
        Ok(())
    }

    fn notified(&mut self) -> Outcome {
        if !self.before.needs_reauth {
            return Err(Ignored::NothingNew);
        }
        self.next.reauth_notified_at = Some(self.now);
        Ok(())
    }

    /// The result of a test, or a success, counts for a disconnected integration only if somebody waits for it.
    fn heed_disconnection(&self) -> Outcome {
        let unasked = self.before.status == Status::Disconnected && !self.before.enable_pending;
        if unasked {
            Err(Ignored::Disconnected)
        } else {
            Ok(())
        }
    }

    fn needs_reauth(&mut self) {
        self.next.needs_reauth = true;
        self.next.refused = Some(self.next.credentials);
    }

    /// Enters error, or stays there.
    fn fail(&mut self, reason: ReasonCode, message: String) {
        let before = self.before;
        let next = &mut self.next;
        next.enable_pending = false;
        if before.status == Status::Error {
            next.failed_checks = next.failed_checks.saturating_add(1);
        } else {
            next.failed_checks = 0;
        }
        next.status = Status::Error;
        self.message = Some(message.clone());
        // That a person has to act is what that person should read, whatever fails after it.
        let says_more = reason == ReasonCode::AuthRefused || !before.needs_reauth;
        if says_more || before.status != Status::Error {
            next.error_message = Some(message);
            next.reason = Some(if before.needs_reauth {
                ReasonCode::AuthRefused
            } else {
                reason
            });
        }
    }

    /// The longest of several pauses holds.
    fn pause(&mut self, until: Option<DateTime<Utc>>) {
        let now = self.now;
        let asked = until.map(|until| at_most_the_longest_pause(until, now));
        let asked = asked.filter(|until| *until > now);
        self.next.paused_until = self.before.paused_at(now).max(asked);
    }

    fn change(mut self, event: &'static str, by: Option<crate::ids::Actor>) -> Change {
        let (before, next) = (self.before, &mut self.next);
        if before.runs_jobs() && !next.runs_jobs() {
            self.effects.push(Effect::ParkJobs);
        }
        if !before.runs_jobs() && next.runs_jobs() {
            self.effects.push(Effect::ResumeJobs);
            self.effects.push(Effect::EnsureWebhooks);
        }
        if *next == *before {
            return Change {
                state: self.next,
                history: None,
                effects: self.effects,
                ignored: Some(Ignored::NothingNew),
            };
        }
        next.version = before.version.saturating_add(1);
        let notable = before.version == 0
            || before.status != next.status
            || before.is_active != next.is_active
            || before.enable_pending != next.enable_pending
            || before.needs_reauth != next.needs_reauth
            || before.credentials != next.credentials;
        let history = notable.then(|| HistoryEntry {
            at: self.now,
            from: (before.version > 0).then_some(before.status),
            to: next.status,
            event: event.to_owned(),
            reason: next.reason.clone(),
            message: self.message,
            actor: by,
            version: next.version,
        });
        Change {
            state: self.next,
            history,
            effects: self.effects,
            ignored: None,
        }
    }
}
