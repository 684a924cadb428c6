//! The plans, and the months they are counted by.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};

/// What the account has bought: how many calls a month.
///
/// From the vendor's help page. Whether the month is that of the calendar or of the bill, and whether refused calls
/// count, is not known; this crate counts by the calendar unless told otherwise, and counts every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuotaPlan {
    /// 80 calls.
    FreeTrial,
    /// 400 calls.
    Start,
    /// 2,000 calls.
    Thrive,
    /// 20,000 calls.
    Pinnacle,
    /// So many calls, by agreement or because others spend from the same account.
    Custom(u64),
    /// Calls are counted and never refused by the count; the vendor's own refusal still ends the month.
    Uncounted,
}

impl QuotaPlan {
    /// How many calls a month; `None` for [`Uncounted`](Self::Uncounted).
    pub const fn calls(self) -> Option<u64> {
        match self {
            Self::FreeTrial => Some(80),
            Self::Start => Some(400),
            Self::Thrive => Some(2_000),
            Self::Pinnacle => Some(20_000),
            Self::Custom(calls) => Some(calls),
            Self::Uncounted => None,
        }
    }

    /// Reads a plan's name, or a number of calls: `free_trial`, `start`, `thrive`, `pinnacle`, `uncounted`, `1500`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "free_trial" | "free-trial" | "trial" => Some(Self::FreeTrial),
            "start" => Some(Self::Start),
            "thrive" => Some(Self::Thrive),
            "pinnacle" => Some(Self::Pinnacle),
            "uncounted" => Some(Self::Uncounted),
            number => number.parse().ok().map(Self::Custom),
        }
    }
}

/// One credential's month: what a count belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct QuotaPeriod {
    /// Which credential: a fingerprint of the public id.
    pub credential: String,
    /// The first day of the month, in UTC.
    pub starts: NaiveDate,
}

impl QuotaPeriod {
    /// Names a month.
    pub fn new(credential: impl Into<String>, starts: NaiveDate) -> Self {
        Self {
            credential: credential.into(),
            starts,
        }
    }
}

/// The month that `now` is in, and the moment it ends. `reset_day` is the day of the month on which a new one begins;
/// in a month that is too short, its last day.
pub(super) fn month(now: DateTime<Utc>, reset_day: u32) -> (NaiveDate, DateTime<Utc>) {
    let today = now.date_naive();
    let this = turn(today.year(), today.month(), reset_day);
    let (starts, ends) = if today < this {
        let before = previous(today);
        (turn(before.year(), before.month(), reset_day), this)
    } else {
        let after = next(today);
        (this, turn(after.year(), after.month(), reset_day))
    };
    (starts, ends.and_time(NaiveTime::MIN).and_utc())
}

/// The day a new month begins on in this calendar month.
fn turn(year: i32, month: u32, reset_day: u32) -> NaiveDate {
    let days = [reset_day.clamp(1, 31), 30, 29, 28];
    days.into_iter()
        .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
        .unwrap_or_default()
}

/// Some day of the next calendar month.
fn next(day: NaiveDate) -> NaiveDate {
    let first = turn(day.year(), day.month(), 1);
    first.checked_add_days(Days::new(31)).unwrap_or(day)
}

/// The last day of the previous calendar month.
fn previous(day: NaiveDate) -> NaiveDate {
    let first = turn(day.year(), day.month(), 1);
    first.checked_sub_days(Days::new(1)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-11-21T12:00:00Z", 1, "2026-11-01", "2026-12-01T00:00:00Z")]
    #[case("2026-11-30T23:59:59Z", 1, "2026-11-01", "2026-12-01T00:00:00Z")]
    #[case("2026-12-01T00:00:00Z", 1, "2026-12-01", "2027-01-01T00:00:00Z")]
    #[case("2026-11-14T12:00:00Z", 15, "2026-10-15", "2026-11-15T00:00:00Z")]
    #[case("2026-11-15T00:00:00Z", 15, "2026-11-15", "2026-12-15T00:00:00Z")]
    #[case("2026-02-27T00:00:00Z", 31, "2026-01-31", "2026-02-28T00:00:00Z")]
    #[case("2026-02-28T00:00:00Z", 31, "2026-02-28", "2026-03-31T00:00:00Z")]
    #[case("2028-02-29T00:00:00Z", 30, "2028-02-29", "2028-03-30T00:00:00Z")]
    #[case("2026-01-05T00:00:00Z", 10, "2025-12-10", "2026-01-10T00:00:00Z")]
    #[case("2026-11-21T12:00:00Z", 0, "2026-11-01", "2026-12-01T00:00:00Z")]
    #[case("2026-11-21T12:00:00Z", 99, "2026-10-31", "2026-11-30T00:00:00Z")]
    fn a_month_begins_on_its_day(
        #[case] now: &str,
        #[case] day: u32,
        #[case] starts: &str,
        #[case] ends: &str,
    ) {
        let (from, to) = month(now.parse().unwrap(), day);
        assert_eq!(from.to_string(), starts);
        assert_eq!(to, ends.parse::<DateTime<Utc>>().unwrap());
    }

    proptest! {
        #[test]
        fn now_is_always_in_its_month(seconds in 0i64..4_000_000_000, day in any::<u32>()) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let (starts, ends) = month(now, day);
            prop_assert!(starts <= now.date_naive() && now < ends);
            prop_assert!((ends.date_naive() - starts).num_days() <= 31);
        }
    }

    #[rstest]
    #[case("thrive", Some(QuotaPlan::Thrive))]
    #[case(" Free-Trial ", Some(QuotaPlan::FreeTrial))]
    #[case("1500", Some(QuotaPlan::Custom(1_500)))]
    #[case("-1", None)]
    #[case("gold", None)]
    #[case("", None)]
    fn a_plan_has_a_name(#[case] name: &str, #[case] plan: Option<QuotaPlan>) {
        assert_eq!(QuotaPlan::from_name(name), plan);
    }
}
