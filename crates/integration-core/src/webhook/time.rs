//! When a delivery was signed, and whether that is now.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How far the time of signing may lie from now, into the past and into the future alike.
///
/// Five minutes unless told otherwise, as Standard Webhooks recommends. It bounds how long a recorded delivery can be
/// replayed; within it, the replay id tells duplicates. It counts milliseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    millis: u64,
}

impl Tolerance {
    /// Five minutes.
    pub const DEFAULT: Self = Self { millis: 300_000 };

    /// Allows this much, both ways.
    pub fn new(tolerance: Duration) -> Self {
        // No two times of the calendar lie further apart than that.
        Self {
            millis: tolerance.as_millis().try_into().unwrap_or(u64::MAX),
        }
    }

    /// Says whether a delivery was signed close enough to `now`. At the bound itself it still was.
    #[inline]
    pub fn allows(self, signed: Timestamp, now: DateTime<Utc>) -> bool {
        now.timestamp_millis().abs_diff(signed.millis) <= self.millis
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Duration> for Tolerance {
    fn from(tolerance: Duration) -> Self {
        Self::new(tolerance)
    }
}

/// A time as a header gives it.
///
/// Only whole numbers in their one canonical text are read: what is signed is the text, so two texts for one time would
/// be two signatures for one delivery.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    millis: i64,
}

impl Timestamp {
    /// Reads Unix seconds.
    ///
    /// ```
    /// # use integration_core::webhook::Timestamp;
    /// let time = Timestamp::from_seconds(b"1649367553");
    /// assert_eq!(time, Timestamp::from_millis(b"1649367553000"));
    /// assert_eq!(Timestamp::from_seconds(b"01649367553"), None);
    /// assert_eq!(Timestamp::from_seconds(b"+1649367553"), None);
    /// ```
    #[inline]
    pub fn from_seconds(text: &[u8]) -> Option<Self> {
        let millis = canonical_decimal(text)?.checked_mul(1000)?;
        (millis <= MAX_MILLIS).then_some(Self { millis })
    }

    /// Reads Unix milliseconds.
    #[inline]
    pub fn from_millis(text: &[u8]) -> Option<Self> {
        let millis = canonical_decimal(text)?;
        (millis <= MAX_MILLIS).then_some(Self { millis })
    }

    /// Returns the time; `None` only for one that the calendar does not hold, and none such is read.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.millis)
    }
}

/// The end of the calendar.
const MAX_MILLIS: i64 = DateTime::<Utc>::MAX_UTC.timestamp_millis();

/// Milliseconds are what is kept.
impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self {
            millis: time.timestamp_millis(),
        }
    }
}

/// Reads a non-negative whole number in its only text: ASCII digits, no sign, no blanks, no leading zero.
///
/// Of at most 18 digits, so that nothing can overflow.
#[inline]
fn canonical_decimal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 || (text.len() > 1 && text.starts_with(b"0")) {
        return None;
    }
    let mut number = 0_i64;
    for digit in text {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number
            .wrapping_mul(10)
            .wrapping_add(i64::from(digit & 0x0f));
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[rstest]
    #[case::same(0, true)]
    #[case::oldest(-300_000, true)]
    #[case::too_old(-300_001, false)]
    #[case::newest(300_000, true)]
    #[case::too_new(300_001, false)]
    fn tolerance_holds_both_ways(#[case] offset: i64, #[case] allowed: bool) {
        let now = at(1_700_000_000);
        let signed = Timestamp::from(now + TimeDelta::milliseconds(offset));
        assert_eq!(Tolerance::DEFAULT.allows(signed, now), allowed);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let unlimited = Tolerance::new(Duration::MAX);
        let (past, future) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(unlimited.allows(past.into(), future) && unlimited.allows(future.into(), past));
        assert!(!Tolerance::DEFAULT.allows(past.into(), future));
        assert_eq!(Tolerance::new(Duration::from_mins(5)), Tolerance::default());
    }

    #[rstest]
    #[case("")]
    #[case("-1")]
    #[case("+1")]
    #[case("00")]
    #[case("01")]
    #[case(" 1")]
    #[case("1 ")]
    #[case("1.0")]
    #[case("1e3")]
    #[case("0x1")]
    #[case("١")]
    #[case("1000000000000000000")]
    #[case("9223372036854775807")]
    #[case("9223372036854775808")]
    #[case("99999999999999999999999999")]
    fn other_texts_are_no_times(#[case] text: &str) {
        assert_eq!(Timestamp::from_seconds(text.as_bytes()), None);
        assert_eq!(Timestamp::from_millis(text.as_bytes()), None);
    }

    #[test]
    fn every_time_that_is_read_is_in_the_calendar() {
        let last = DateTime::<Utc>::MAX_UTC.timestamp();
        let read = |seconds: i64| Timestamp::from_seconds(seconds.to_string().as_bytes());
        assert_eq!(read(last).unwrap().to_utc(), Some(at(last)));
        assert_eq!(read(last + 1), None);
        assert_eq!(read(0), Timestamp::from_millis(b"0"));
        assert_eq!(
            Timestamp::from_millis(b"1700000000123")
                .unwrap()
                .to_utc()
                .unwrap()
                .timestamp_subsec_millis(),
            123
        );
    }

    proptest! {
        #[test]
        fn only_the_canonical_text_is_read(text in "[0-9+-]{0,20}") {
            if let Some(number) = canonical_decimal(text.as_bytes()) {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn no_bytes_panic(text: Vec<u8>) {
            let _ = (Timestamp::from_seconds(&text), Timestamp::from_millis(&text));
        }

        #[test]
        fn every_canonical_text_is_read(number in 0..1_000_000_000_000_000_000_i64) {
            prop_assert_eq!(canonical_decimal(number.to_string().as_bytes()), Some(number));
        }
    }
}
