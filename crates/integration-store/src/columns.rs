//! What stands in the columns, the same on both databases.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// An identifier as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) Uuid);

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

/// A time as it is stored: cut to microseconds, and within the years 1 to 9999, so that it sorts as text. PostgreSQL
/// writes earlier ones into JSON as those before Christ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        let edge = |year, month, day| {
            NaiveDate::from_ymd_opt(year, month, day)
                .map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc())
        };
        let at = at.trunc_subsecs(6);
        let at = edge(1, 1, 1).map_or(at, |first| at.max(first));
        Self(edge(9999, 12, 31).map_or(at, |last| at.min(last)))
    }
}

/// Returns the number a counter is stored as. The columns are signed; every value comes back as it was.
pub(crate) fn counter(value: u64) -> i64 {
    value.cast_signed()
}

/// Returns the milliseconds of a duration.
#[cfg(feature = "core")]
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the word that an enum is written as.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Returns how long a lease lasts: at most a hundred years, which every database can add to a time.
pub(crate) fn lease_ttl(ttl: Duration) -> chrono::TimeDelta {
    let longest = chrono::TimeDelta::days(36_500);
    chrono::TimeDelta::from_std(ttl).map_or(longest, |ttl| ttl.min(longest))
}
