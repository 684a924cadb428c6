//! Where the count is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::plan::QuotaPeriod;

/// How many months of a credential are kept.
const MONTHS: usize = 3;

/// Keeps the counts of months.
///
/// Three small operations, each of which is one statement of SQL. An implementation shared by several processes makes
/// them count together; then [`take`](Self::take) must be atomic. When it returns, the call it counts must be as
/// durable as the store ever makes it: it has not been sent yet, so that a crash leaves the count ahead of the truth
/// and never behind.
#[async_trait::async_trait]
pub trait QuotaStore: Send + Sync + 'static {
    /// Reads the count of a month; nothing counted yet is zero.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    async fn read(&self, period: &QuotaPeriod) -> Result<QuotaUse, QuotaStoreError>;

    /// Counts one call more if fewer than `ceiling` were counted and the month is not marked as spent.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written. The call is then not made.
    async fn take(&self, period: &QuotaPeriod, ceiling: u64) -> Result<Taken, QuotaStoreError>;

    /// Takes back one call that was counted and never left this machine. One that counts nothing stays nothing.
    ///
    /// Without it, which is the default, such calls stay counted.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written. The call then stays counted.
    async fn give_back(&self, period: &QuotaPeriod) -> Result<(), QuotaStoreError> {
        let _ = period;
        Ok(())
    }

    /// Changes the count by hand, or the mark.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    async fn correct(
        &self,
        period: &QuotaPeriod,
        correction: QuotaCorrection,
    ) -> Result<(), QuotaStoreError>;
}

/// What is known of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaUse {
    /// How many calls were counted.
    pub used: u64,
    /// Whether the vendor has said that the month is spent.
    pub spent_by_vendor: bool,
}

impl QuotaUse {
    /// Names a state.
    pub const fn new(used: u64, spent_by_vendor: bool) -> Self {
        Self {
            used,
            spent_by_vendor,
        }
    }

    /// Counts one more, if it may.
    pub(super) fn take(&mut self, ceiling: u64) -> Taken {
        if self.spent_by_vendor || self.used >= ceiling {
            return Taken::Refused(*self);
        }
        self.used = self.used.saturating_add(1);
        Taken::Counted(*self)
    }

    /// Counts one less.
    pub(super) fn give_back(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    pub(super) fn correct(&mut self, correction: QuotaCorrection) {
        match correction {
            QuotaCorrection::Used(used) => self.used = used,
            QuotaCorrection::Spent(spent) => self.spent_by_vendor = spent,
        }
    }
}

/// What became of [`QuotaStore::take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Taken {
    /// One call more is counted; this is the state after it.
    Counted(QuotaUse),
    /// Nothing was counted; this is the state.
    Refused(QuotaUse),
}

/// A change of [`QuotaStore::correct`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaCorrection {
    /// Sets the count, to what the account's own page shows.
    Used(u64),
    /// Sets or lifts the mark that the vendor called the month spent.
    Spent(bool),
}

/// Why a count could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.words())]
pub struct QuotaStoreError {
    kind: QuotaStoreErrorKind,
    place: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure a [`QuotaStoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaStoreErrorKind {
    /// It could not be reached this time: a lost connection, a full disk.
    Unavailable,
    /// What is there is no count. Somebody has to look: starting from zero would spend the month twice.
    Corrupt,
}

impl QuotaStoreErrorKind {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Unavailable => "the record of the quota cannot be reached",
            Self::Corrupt => "the record of the quota cannot be understood",
        }
    }
}

impl QuotaStoreError {
    /// Makes an error of this kind.
    pub fn new(kind: QuotaStoreErrorKind) -> Self {
        Self {
            kind,
            place: None,
            source: None,
        }
    }

    /// Says which record it is: a file's path, a table's name. It is shown; it must hold no secret.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds what caused it. Its texts must hold no secret.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what kind of failure it is.
    pub fn kind(&self) -> QuotaStoreErrorKind {
        self.kind
    }

    /// Returns which record it is, where the store has said so.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn words(&self) -> String {
        let words = self.kind.words();
        let place = self.place.as_deref();
        place.map_or_else(|| words.to_owned(), |place| format!("{words}: {place}"))
    }
}

/// The counts of some months, pruned to the latest of each credential.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Months(pub(super) BTreeMap<QuotaPeriod, QuotaUse>);

impl Months {
    pub(super) fn read(&self, period: &QuotaPeriod) -> QuotaUse {
        self.0.get(period).copied().unwrap_or_default()
    }

    pub(super) fn change<T>(
        &mut self,
        period: &QuotaPeriod,
        change: impl FnOnce(&mut QuotaUse) -> T,
    ) -> T {
        let result = change(self.0.entry(period.clone()).or_default());
        let of_this = |it: &&QuotaPeriod| it.credential == period.credential;
        let months: Vec<_> = self.0.keys().filter(of_this).cloned().collect();
        // The one just changed is kept whatever the clock says.
        for old in months.iter().rev().skip(MONTHS).filter(|it| *it != period) {
            self.0.remove(old);
        }
        result
    }
}

/// Counts in memory: **a restart forgets**. For tests, and for programs that run once.
#[derive(Default)]
pub struct MemoryQuota(Mutex<Months>);

impl MemoryQuota {
    /// Starts with nothing counted.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for MemoryQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQuota").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl QuotaStore for MemoryQuota {
    async fn read(&self, period: &QuotaPeriod) -> Result<QuotaUse, QuotaStoreError> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .read(period))
    }

    async fn take(&self, period: &QuotaPeriod, ceiling: u64) -> Result<Taken, QuotaStoreError> {
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(months.change(period, |month| month.take(ceiling)))
    }

    async fn give_back(&self, period: &QuotaPeriod) -> Result<(), QuotaStoreError> {
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        months.change(period, QuotaUse::give_back);
        Ok(())
    }

    async fn correct(
        &self,
        period: &QuotaPeriod,
        correction: QuotaCorrection,
    ) -> Result<(), QuotaStoreError> {
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        months.change(period, |month| month.correct(correction));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;

    #[test]
    fn only_the_latest_months_are_kept_and_the_one_in_use() {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let month = |n: u64| QuotaPeriod::new("a", first + Days::new(31 * n));
        let mut months = Months::default();
        for n in 0..6 {
            months.change(&month(n), |it| it.take(9));
        }
        months.change(&QuotaPeriod::new("b", first), |it| it.take(9));
        assert_eq!(months.0.len(), MONTHS + 1);
        // A clock set back counts where it stands.
        months.change(&month(0), |it| it.take(9));
        assert_eq!(months.read(&month(0)).used, 1);
        assert_eq!(months.read(&month(5)).used, 1);
    }

    #[test]
    fn a_ceiling_is_never_passed() {
        let mut month = QuotaUse::default();
        for used in 1..=3 {
            assert_eq!(month.take(3), Taken::Counted(QuotaUse::new(used, false)));
        }
        assert_eq!(month.take(3), Taken::Refused(QuotaUse::new(3, false)));
        month.correct(QuotaCorrection::Spent(true));
        assert_eq!(month.take(9), Taken::Refused(QuotaUse::new(3, true)));
        month.correct(QuotaCorrection::Spent(false));
        month.correct(QuotaCorrection::Used(0));
        assert_eq!(month.take(9), Taken::Counted(QuotaUse::new(1, false)));
        month.give_back();
        month.give_back();
        assert_eq!(month, QuotaUse::new(0, false));
    }
}
