//! The rules by which calls are admitted.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use connector_http::{Lane, Refusal};
use tokio::time::Instant;

use super::plan::{QuotaPeriod, QuotaPlan, month};
use super::store::{
    MemoryQuota, QuotaCorrection, QuotaStore, QuotaStoreError, QuotaStoreErrorKind, QuotaUse, Taken,
};

const SOFT_PERCENT: u8 = 80;
const RESERVE_PERCENT: u64 = 10;
/// When to ask again after a store failed.
const STORE_PAUSE: Duration = Duration::from_mins(1);
/// How long calls pause after a 429 that is not the API's own word and names no time.
const PARK: Duration = Duration::from_hours(1);
const LONGEST_PARK: Duration = Duration::from_hours(24);

/// Counts the calls of each credential's month and refuses those that would spend too much of it.
///
/// Cheap to clone; clones are the same ledger. Give one to every client of the account. Without one a client counts in
/// memory and refuses nothing until the vendor does.
///
/// - Every attempt is counted before it is sent, retries included.
/// - The last tenth of the plan is kept for calls of [`Lane::Interactive`]; those of [`Lane::Bulk`] (every list, and
///   what the caller marks so) are refused first.
/// - Beyond the soft limit, four fifths unless set, a warning is logged once and [`QuotaStatus`] says so.
/// - A 429 of the API marks the month as spent. It is not asked again until the month turns or somebody
///   [lifts](Self::lift_spent) the mark, having bought a larger plan. A 429 that names a time, or that is a page of
///   something in front of the API, pauses calls for that time, a day at most, or for an hour.
///
/// - An attempt that never left this machine, for want of a connection, a permit or time, is given back. Where that is in
///   doubt, as after a call that was dropped, it stays counted.
/// - Without its record the ledger admits nothing: [`Store`](connector_http::ErrorKind::Store), with the file or table in
///   the error, and retryable unless somebody has to mend it first.
///
/// The error of a refusal is [`QuotaSpent`](connector_http::ErrorKind::QuotaSpent) with
/// [`Delivery::NotSent`](connector_http::Delivery::NotSent) and the time until the month turns in `retry_after`.
///
/// ```
/// use suitedash_client::{Client, FileQuota, QuotaLedger, QuotaPlan};
///
/// let ledger = QuotaLedger::new(QuotaPlan::Start)
///     .reserve(20)
///     .reset_day(15) // if the vendor counts from the day of the bill
///     .store(FileQuota::new("/var/lib/forms/suitedash-quota.json"));
/// let client = Client::builder().dummy_credentials().quota(ledger).build()?;
/// # drop(client);
/// # Ok::<(), suitedash_client::Error>(())
/// ```
#[derive(Clone)]
pub struct QuotaLedger {
    rules: Rules,
    store: Arc<dyn QuotaStore>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    plan: QuotaPlan,
    soft_percent: u8,
    reserve: Option<u64>,
    reset_day: u32,
}

/// What is not worth a place in the store.
#[derive(Default)]
struct Memory {
    parked: HashMap<String, Instant>,
    warned: HashMap<String, QuotaPeriod>,
    /// Months marked as spent, for when the store cannot be written.
    spent: HashMap<String, QuotaPeriod>,
}

impl QuotaLedger {
    /// Starts a ledger that counts in memory.
    pub fn new(plan: QuotaPlan) -> Self {
        Self {
            rules: Rules {
                plan,
                soft_percent: SOFT_PERCENT,
                reserve: None,
                reset_day: 1,
            },
            store: Arc::new(MemoryQuota::new()),
            memory: Arc::default(),
        }
    }

    /// Makes the same ledger for another plan: with the same store, and the same memory of what the vendor refused.
    #[must_use]
    pub fn for_plan(&self, plan: QuotaPlan) -> Self {
        let mut same = self.clone();
        same.rules.plan = plan;
        same
    }

    /// Sets where the count is kept. In memory by default, which a restart forgets.
    #[must_use]
    pub fn store(mut self, store: impl QuotaStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Sets where the count is kept, shared with others.
    #[must_use]
    pub fn shared_store(mut self, store: Arc<dyn QuotaStore>) -> Self {
        self.store = store;
        self
    }

    /// Sets how much of the plan may be spent before a warning is logged, in percent. 80 by default.
    #[must_use]
    pub fn soft_limit(mut self, percent: u8) -> Self {
        self.rules.soft_percent = percent.min(100);
        self
    }

    /// Sets how many calls are kept for interactive use. A tenth of the plan by default.
    #[must_use]
    pub fn reserve(mut self, calls: u64) -> Self {
        self.rules.reserve = Some(calls);
        self
    }

    /// Sets the day on which a new month begins, in UTC: 1 by default; the last day where a month is too short.
    #[must_use]
    pub fn reset_day(mut self, day: u32) -> Self {
        self.rules.reset_day = day;
        self
    }

    /// Reads how a credential stands at `now`. No call is made.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn status(
        &self,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<QuotaStatus, QuotaStoreError> {
        let (period, resets_at) = self.period(credential, now);
        let mut state = self.store.read(&period).await?;
        state.spent_by_vendor |= self.remembers_spent(&period);
        Ok(self.rules.status(state, resets_at))
    }

    /// Sets the count of the current month to what the account's own page shows: for calls made elsewhere.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn set_used(
        &self,
        credential: &str,
        now: DateTime<Utc>,
        used: u64,
    ) -> Result<(), QuotaStoreError> {
        let (period, _) = self.period(credential, now);
        let correction = QuotaCorrection::Used(used);
        self.store.correct(&period, correction).await
    }

    /// Lifts the mark that the vendor called the month spent, and any pause: after somebody bought a larger plan.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn lift_spent(
        &self,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<(), QuotaStoreError> {
        let (period, _) = self.period(credential, now);
        let correction = QuotaCorrection::Spent(false);
        self.store.correct(&period, correction).await?;
        let mut memory = self.lock();
        memory.spent.remove(credential);
        memory.parked.remove(credential);
        Ok(())
    }

    /// Counts one call, or says why not.
    pub(super) async fn admit(
        &self,
        credential: &str,
        lane: Lane,
        now: DateTime<Utc>,
        at: Instant,
    ) -> Result<(), Refusal> {
        let (period, resets_at) = self.period(credential, now);
        let until_reset = (resets_at - now).to_std().unwrap_or_default();
        if self.remembers_spent(&period) {
            return Err(Self::spent(resets_at, until_reset));
        }
        if let Some(left) = self.parked_for(credential, at) {
            let reason = "the vendor refused for pace or quota; calls pause";
            return Err(Refusal::quota_spent().retry_after(left).because(reason));
        }
        let taken = self.store.take(&period, self.rules.ceiling(lane)).await;
        match taken.map_err(|error| unkept(&error))? {
            Taken::Counted(state) => {
                self.warn_once(&period, state);
                Ok(())
            }
            Taken::Refused(state) if state.spent_by_vendor => {
                Err(Self::spent(resets_at, until_reset))
            }
            Taken::Refused(state) => {
                let limit = self.rules.plan.calls().unwrap_or(u64::MAX);
                let used = state.used;
                let day = resets_at.date_naive();
                let reason = if used < limit {
                    format!(
                        "{used} of {limit} calls are used and the rest is kept for interactive use until {day}"
                    )
                } else {
                    format!("{used} of {limit} calls are used; the month turns on {day}")
                };
                Err(Refusal::quota_spent()
                    .retry_after(until_reset)
                    .because(reason))
            }
        }
    }

    /// Marks the month as spent, or pauses: the vendor answered 429. `own_word` is whether the API itself said so.
    pub(super) async fn refused(
        &self,
        credential: &str,
        asked: Option<Duration>,
        own_word: bool,
        now: DateTime<Utc>,
        at: Instant,
    ) {
        // No time at all is none: taken at its word, each further call would ask the vendor again.
        let asked = asked.filter(|wait| !wait.is_zero());
        if asked.is_some() || !own_word {
            let wait = asked.unwrap_or(PARK).min(LONGEST_PARK);
            if let Some(until) = at.checked_add(wait) {
                let mut memory = self.lock();
                let parked = memory.parked.entry(credential.to_owned()).or_insert(until);
                // Answers to calls at once come in any order.
                *parked = until.max(*parked);
            }
            return;
        }
        let (period, resets_at) = self.period(credential, now);
        self.lock()
            .spent
            .insert(credential.to_owned(), period.clone());
        tracing::warn!(
            target: "suitedash_client",
            resets_at = %resets_at,
            "the vendor says the month's calls are spent"
        );
        let mark = QuotaCorrection::Spent(true);
        match self.store.correct(&period, mark).await {
            // From here on the store says so, to every process, and until any of them lifts the mark.
            Ok(()) => {
                self.lock().spent.remove(credential);
            }
            // This process remembers; another one learns it with one call.
            Err(error) => {
                tracing::warn!(target: "suitedash_client", %error, "a spent month was not recorded");
            }
        }
    }

    /// Takes back a call that was counted and never left.
    pub(super) async fn unsent(&self, credential: &str, now: DateTime<Utc>) {
        let (period, _) = self.period(credential, now);
        let begun = period.starts.and_time(NaiveTime::MIN).and_utc();
        // It may have been counted before the month turned: in doubt it stays.
        if now - begun < TimeDelta::hours(1) {
            return;
        }
        if let Err(error) = self.store.give_back(&period).await {
            tracing::warn!(target: "suitedash_client", %error, "a call that was not made stays counted");
        }
    }

    fn period(&self, credential: &str, now: DateTime<Utc>) -> (QuotaPeriod, DateTime<Utc>) {
        let (starts, ends) = month(now, self.rules.reset_day);
        (QuotaPeriod::new(credential, starts), ends)
    }

    fn spent(resets_at: DateTime<Utc>, left: Duration) -> Refusal {
        let day = resets_at.date_naive();
        let reason = format!("the vendor says the month is spent; it turns on {day}");
        Refusal::quota_spent().retry_after(left).because(reason)
    }

    fn remembers_spent(&self, period: &QuotaPeriod) -> bool {
        self.lock().spent.get(&period.credential) == Some(period)
    }

    fn parked_for(&self, credential: &str, at: Instant) -> Option<Duration> {
        let mut memory = self.lock();
        let until = memory.parked.get(credential).copied()?;
        let left = until.saturating_duration_since(at);
        if left.is_zero() {
            memory.parked.remove(credential);
            return None;
        }
        Some(left)
    }

    fn warn_once(&self, period: &QuotaPeriod, state: QuotaUse) {
        if !self.rules.is_over_soft_limit(state.used) {
            return;
        }
        let mut memory = self.lock();
        let warned = memory
            .warned
            .insert(period.credential.clone(), period.clone());
        if warned.as_ref() != Some(period) {
            let (used, limit) = (state.used, self.rules.plan.calls());
            tracing::warn!(target: "suitedash_client", used, limit, "the month's calls run low");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    fn reserve(&self) -> u64 {
        let limit = self.plan.calls().unwrap_or_default();
        let tenth = limit.saturating_mul(RESERVE_PERCENT) / 100;
        self.reserve.unwrap_or(tenth).min(limit)
    }

    /// How many calls may be counted in all before this lane is refused.
    fn ceiling(&self, lane: Lane) -> u64 {
        match (self.plan.calls(), lane) {
            (None, _) => u64::MAX,
            (Some(limit), Lane::Interactive) => limit,
            (Some(limit), _) => limit.saturating_sub(self.reserve()),
        }
    }

    fn is_over_soft_limit(&self, used: u64) -> bool {
        self.plan.calls().is_some_and(|limit| {
            used.saturating_mul(100) > limit.saturating_mul(u64::from(self.soft_percent))
        })
    }

    fn status(&self, state: QuotaUse, resets_at: DateTime<Utc>) -> QuotaStatus {
        let left = |ceiling: u64| ceiling.saturating_sub(state.used);
        let remaining = self.plan.calls().map(left);
        QuotaStatus {
            used: state.used,
            limit: self.plan.calls(),
            remaining: if state.spent_by_vendor {
                Some(0)
            } else {
                remaining
            },
            reserve: self.reserve(),
            over_soft_limit: self.is_over_soft_limit(state.used),
            spent_by_vendor: state.spent_by_vendor,
            resets_at,
        }
    }
}

impl fmt::Debug for QuotaLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuotaLedger")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// How a month stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaStatus {
    /// How many calls were counted. It may be ahead of the truth by calls that were dropped, or that a crash ended,
    /// before they left this machine. [`Client::set_quota_used`](crate::Client::set_quota_used) puts it right.
    pub used: u64,
    /// How many the plan has; `None` when calls are only counted.
    pub limit: Option<u64>,
    /// How many are left for interactive use; `None` when calls are only counted.
    pub remaining: Option<u64>,
    /// How many of those bulk work may not touch.
    pub reserve: u64,
    /// Whether more than the soft limit was spent.
    pub over_soft_limit: bool,
    /// Whether the vendor has said that the month is spent.
    pub spent_by_vendor: bool,
    /// When the month turns, by this ledger's reckoning.
    pub resets_at: DateTime<Utc>,
}

/// Without a count no call is made: it could be the one too many.
fn unkept(error: &QuotaStoreError) -> Refusal {
    tracing::warn!(target: "suitedash_client", %error, "no call is made without a count");
    let refusal = Refusal::unrecorded();
    match error.kind() {
        QuotaStoreErrorKind::Unavailable => refusal.retry_after(STORE_PAUSE).because(format!(
            "{error}; calls go on once it can be read and written"
        )),
        QuotaStoreErrorKind::Corrupt => refusal.because(format!(
            "{error}; mend it, or move it away and set what was used"
        )),
    }
}
