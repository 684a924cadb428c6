//! When a delivery was signed, and whether that is now.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How far the time of signing may lie from now, into the past and into the future alike.
///
/// Five minutes unless told otherwise, as Standard Webhooks recommends. It bounds how long a recorded delivery can be
/// replayed; within it, the replay id tells duplicates.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Tolerance(Duration);

impl Tolerance {
    /// Five minutes.
    pub const DEFAULT: Self = Self(Duration::from_mins(5));

    /// Allows this much, both ways.
    pub const fn new(tolerance: Duration) -> Self {
        Self(tolerance)
    }

    /// Returns how much is allowed.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Says whether `signed` is close enough to `now`. The bound itself still is.
    pub fn allows(self, signed: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let bound = TimeDelta::from_std(self.0).unwrap_or(TimeDelta::MAX);
        now.signed_duration_since(signed).abs() <= bound
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Duration> for Tolerance {
    fn from(tolerance: Duration) -> Self {
        Self(tolerance)
    }
}

/// Reads a non-negative whole number in its only text: ASCII digits, no sign, no blanks, no leading zero.
///
/// ```
/// # use integration_core::webhook::canonical_decimal;
/// assert_eq!(canonical_decimal(b"1649367553"), Some(1_649_367_553));
/// assert_eq!(canonical_decimal(b"01649367553"), None);
/// assert_eq!(canonical_decimal(b"+1649367553"), None);
/// ```
pub fn canonical_decimal(text: &[u8]) -> Option<i64> {
    match text {
        [] | [b'0', _, ..] => None,
        digits => digits.iter().try_fold(0_i64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| i64::from(digit & 0x0f))?;
            number.checked_mul(10)?.checked_add(digit)
        }),
    }
}

/// Reads a time given as canonical Unix seconds.
pub fn unix_seconds(text: &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(canonical_decimal(text)?, 0)
}

/// Reads a time given as canonical Unix milliseconds.
pub fn unix_millis(text: &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(canonical_decimal(text)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[rstest]
    #[case::same(0, true)]
    #[case::oldest(-300, true)]
    #[case::too_old(-301, false)]
    #[case::newest(300, true)]
    #[case::too_new(301, false)]
    fn tolerance_holds_both_ways(#[case] offset: i64, #[case] allowed: bool) {
        let now = 1_700_000_000;
        assert_eq!(
            Tolerance::DEFAULT.allows(at(now + offset), at(now)),
            allowed
        );
    }

    #[test]
    fn tolerance_counts_fractions() {
        let now = at(1_700_000_300) + TimeDelta::milliseconds(1);
        assert!(!Tolerance::DEFAULT.allows(at(1_700_000_000), now));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let unlimited = Tolerance::new(Duration::MAX);
        let (past, future) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(unlimited.allows(past, future) && unlimited.allows(future, past));
        assert!(!Tolerance::DEFAULT.allows(past, future));
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
    #[case("9223372036854775808")]
    #[case("99999999999999999999999999")]
    fn other_texts_are_no_numbers(#[case] text: &str) {
        assert_eq!(canonical_decimal(text.as_bytes()), None);
    }

    #[test]
    fn numbers_beyond_the_calendar_are_no_times() {
        assert_eq!(canonical_decimal(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(unix_seconds(b"9223372036854775807"), None);
        assert_eq!(unix_millis(b"9223372036854775807"), None);
        assert_eq!(unix_seconds(b"0"), unix_millis(b"0"));
        assert_eq!(unix_seconds(b"1700000000"), unix_millis(b"1700000000000"));
    }

    proptest! {
        #[test]
        fn only_the_canonical_text_is_read(text: Vec<u8>) {
            if let Some(number) = canonical_decimal(&text) {
                prop_assert_eq!(number.to_string().into_bytes(), text);
            }
        }

        #[test]
        fn every_canonical_text_is_read(number in 0..=i64::MAX) {
            prop_assert_eq!(canonical_decimal(number.to_string().as_bytes()), Some(number));
        }
    }
}
