//! What an answer's headers say about pace.
//!
//! They come from outside and may be anything: arithmetic is checked, absurd values are capped or ignored, and a
//! date is only ever compared with the answer's own `Date`, never with this machine's clock.
#![deny(clippy::arithmetic_side_effects)]

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// The longest wait anybody may ask for: a month, since some quotas are monthly. What is longer is cut to it.
pub(crate) const LONGEST: Duration = Duration::from_hours(31 * 24);

/// Windows longer than this are quotas of a day or a month: they can be spent, but they are no pace.
const LONGEST_PACED_WINDOW: Duration = Duration::from_mins(1);

static RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
static RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Reads a vendor's own pace headers, beside the standard ones the engine reads by itself.
pub trait RateHints: Send + Sync + 'static {
    /// Reads what this answer says about pace. Asked for every answer.
    fn hints(&self, status: u16, headers: &HeaderMap) -> Hints;
}

/// What an answer says about pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hints {
    /// How long to wait before the next request.
    pub retry_after: Option<Duration>,
    /// How many requests are left in the current window.
    pub remaining: Option<u64>,
    /// How long until the current window ends.
    pub reset: Option<Duration>,
    /// How many requests a window allows.
    pub quota: Option<u64>,
    /// How long a window is.
    pub window: Option<Duration>,
}

impl Hints {
    /// Makes hints that say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long to wait.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.min(LONGEST));
        self
    }

    /// Sets how many requests are left until the window ends.
    pub fn remaining(mut self, left: u64, reset: Duration) -> Self {
        self.remaining = Some(left);
        self.reset = Some(reset.min(LONGEST));
        self
    }

    /// Sets how many requests a window of this length allows.
    pub fn quota(mut self, quota: u64, window: Duration) -> Self {
        self.quota = Some(quota);
        self.window = Some(window);
        self
    }

    /// Reads `Retry-After` and the IETF `ratelimit` fields, in their structured form
    /// (`"per-second"; r=9; t=1`) and the earlier ones (`limit=10, remaining=9, reset=1`, or a header each).
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut hints = Self {
            retry_after: retry_after(headers),
            ..Self::default()
        };
        let mut fields = headers.get_all(&RATELIMIT).iter().peekable();
        if fields.peek().is_some() {
            for value in fields.chain(headers.get_all(&RATELIMIT_POLICY)) {
                hints.read_fields(value.as_bytes());
            }
        } else if let Some(left) = first_number(headers, &RATELIMIT_REMAINING) {
            let reset = first_number(headers, &RATELIMIT_RESET);
            hints.take_remaining(left, reset.and_then(seconds));
            for value in headers.get_all(&RATELIMIT_LIMIT) {
                hints.read_fields(value.as_bytes());
            }
        }
        hints
    }

    /// Returns the stricter of the two in every respect: the longest wait, the emptiest window, the slowest pace.
    pub fn and(mut self, other: Self) -> Self {
        self.retry_after = self.retry_after.max(other.retry_after);
        if let Some(left) = other.remaining {
            self.take_remaining(left, other.reset);
        }
        if let (Some(quota), Some(window)) = (other.quota, other.window) {
            self.take_quota(quota, window);
        }
        self
    }

    /// Returns how long nobody should send anything, if the window is empty.
    pub(crate) fn cool_down(&self) -> Option<Duration> {
        (self.remaining == Some(0)).then_some(self.reset).flatten()
    }

    /// One header line: several policies separated by commas, each with its parameters after semicolons; or, in the
    /// earlier form, parameters separated by commas.
    fn read_fields(&mut self, line: &[u8]) {
        let mut scan = Scan(line);
        let mut old = Fields::default();
        loop {
            let head = scan.word();
            let mut fields = Fields::default();
            if scan.take(b'=') {
                old.read(head, scan.word());
            } else {
                fields.quota = number(head);
            }
            while scan.take(b';') {
                let key = scan.word();
                if scan.take(b'=') {
                    fields.read(key, scan.word());
                }
            }
            self.take(&fields);
            if !scan.next_item() {
                break;
            }
        }
        self.take(&old);
    }

    fn take(&mut self, fields: &Fields) {
        if let Some(left) = fields.remaining {
            self.take_remaining(left, fields.reset.and_then(seconds));
        }
        if let (Some(quota), Some(window)) = (fields.quota, fields.window.and_then(seconds)) {
            self.take_quota(quota, window);
        }
    }

    fn take_remaining(&mut self, left: u64, reset: Option<Duration>) {
        match self.remaining {
            Some(known) if known < left => {}
            Some(known) if known == left => self.reset = self.reset.max(reset),
            _ => {
                self.remaining = Some(left);
                self.reset = reset;
            }
        }
    }

    fn take_quota(&mut self, quota: u64, window: Duration) {
        if quota == 0 || window.is_zero() || window > LONGEST_PACED_WINDOW {
            return;
        }
        let slower = match (self.quota, self.window) {
            (Some(known), Some(known_window)) => {
                let ours = u128::from(known).saturating_mul(window.as_nanos());
                let theirs = u128::from(quota).saturating_mul(known_window.as_nanos());
                theirs < ours
            }
            _ => true,
        };
        if slower {
            self.quota = Some(quota);
            self.window = Some(window);
        }
    }
}

#[derive(Default)]
struct Fields {
    quota: Option<u64>,
    window: Option<u64>,
    remaining: Option<u64>,
    reset: Option<u64>,
}

impl Fields {
    fn read(&mut self, key: &[u8], value: &[u8]) {
        let place = match key {
            b"q" | b"limit" => &mut self.quota,
            b"w" => &mut self.window,
            b"r" | b"remaining" => &mut self.remaining,
            b"t" | b"reset" => &mut self.reset,
            _ => return,
        };
        if let Some(value) = number(value) {
            *place = Some(value);
        }
    }
}

/// What is left to read of a header line.
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    /// Reads up to the next separator outside quotes, without the blanks around. A quoted string is one word, with
    /// its quotes.
    fn word(&mut self) -> &'a [u8] {
        let (mut quoted, mut escaped) = (false, false);
        let end = self.0.iter().position(|&byte| {
            if escaped {
                escaped = false;
            } else if quoted {
                escaped = byte == b'\\';
                quoted = byte != b'"';
            } else if byte == b'"' {
                quoted = true;
            } else {
                return matches!(byte, b',' | b';' | b'=');
            }
            false
        });
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word.trim_ascii()
    }

    /// Passes this separator if it comes next.
    fn take(&mut self, separator: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == separator => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes whatever is left of an item, and the comma after it. False at the end of the line.
    fn next_item(&mut self) -> bool {
        while !self.0.is_empty() {
            if self.take(b',') {
                return true;
            }
            if !self.take(b';') && !self.take(b'=') {
                self.word();
            }
        }
        false
    }
}

/// Reads `Retry-After` in both forms of RFC 9110, and in tenths of seconds as some gateways send it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let mut longest = None;
    for value in headers.get_all(RETRY_AFTER) {
        let Ok(text) = value.to_str() else { continue };
        let text = text.trim();
        let wait = delay(text).or_else(|| until(text, headers));
        longest = longest.max(wait);
    }
    longest
}

fn delay(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let started = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    // More digits than fit mean longer than the longest.
    let seconds = whole.parse().unwrap_or(u64::MAX).saturating_add(started);
    Some(Duration::from_secs(seconds).min(LONGEST))
}

/// The wait until a date. Without the answer's own `Date` to compare it with, a date says nothing.
fn until(text: &str, headers: &HeaderMap) -> Option<Duration> {
    let then = httpdate::parse_http_date(text).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let wait = then.duration_since(now).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST))
}

/// Seconds until a reset. A point in time since 1970, as some send it here, is no number of seconds to wait.
fn seconds(count: u64) -> Option<Duration> {
    let wait = Duration::from_secs(count);
    (wait <= LONGEST).then_some(wait)
}

fn first_number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    number(headers.get(name)?.as_bytes().trim_ascii())
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    const DAY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[rstest]
    #[case("0", Some(0))]
    #[case(" 12 ", Some(12))]
    #[case("1.0", Some(1))]
    #[case("1.2", Some(2))]
    #[case("99999999999999999999999999", Some(LONGEST.as_secs()))]
    #[case("-3", None)]
    #[case("1e3", None)]
    #[case(".5", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn seconds_to_wait(#[case] text: &str, #[case] expected: Option<u64>) {
        let hints = Hints::from_headers(&headers(&[("retry-after", text)]));
        assert_eq!(hints.retry_after, expected.map(Duration::from_secs));
    }

    #[rstest]
    #[case("Sun, 06 Nov 1994 08:50:07 GMT", Some(30))]
    #[case("Sunday, 06-Nov-94 08:50:07 GMT", Some(30))]
    #[case("Sun Nov  6 08:50:07 1994", Some(30))]
    #[case("Sun, 06 Nov 1994 08:49:00 GMT", Some(0))]
    #[case("Sat, 06 Nov 2094 08:49:37 GMT", Some(LONGEST.as_secs()))]
    #[case("Sun, 99 Nov 1994 08:49:37 GMT", None)]
    fn a_date_counts_from_the_answers_own_date(#[case] text: &str, #[case] expected: Option<u64>) {
        let hints = Hints::from_headers(&headers(&[("date", DAY), ("retry-after", text)]));
        assert_eq!(hints.retry_after, expected.map(Duration::from_secs));
        let alone = Hints::from_headers(&headers(&[("retry-after", text)]));
        assert_eq!(alone.retry_after, None);
    }

    #[test]
    fn the_longest_of_several_waits_counts() {
        let mut several = headers(&[("retry-after", "3")]);
        several.append(RETRY_AFTER, HeaderValue::from_static("7"));
        several.append(RETRY_AFTER, HeaderValue::from_static("x"));
        assert_eq!(
            Hints::from_headers(&several).retry_after,
            Some(Duration::from_secs(7))
        );
    }

    fn hints(left: Option<(u64, Option<u64>)>, quota: Option<(u64, u64)>) -> Hints {
        Hints {
            retry_after: None,
            remaining: left.map(|left| left.0),
            reset: left.and_then(|left| left.1).map(Duration::from_secs),
            quota: quota.map(|quota| quota.0),
            window: quota.map(|quota| Duration::from_secs(quota.1)),
        }
    }

    #[rstest]
    // As OpenPhone sends it.
    #[case(r#""per-second"; r=9; t=1"#, r#""per-second"; q=10; w=1"#, hints(Some((9, Some(1))), Some((10, 1))))]
    #[case(r#""a";r=0;t=30"#, "", hints(Some((0, Some(30))), None))]
    // The emptiest window counts, and of two empty ones the one that stays empty longer.
    #[case(r#""s";r=4;t=1, "day";r=0;t=900"#, "", hints(Some((0, Some(900))), None))]
    #[case(r#""s";r=0;t=1, "day";r=0;t=900"#, "", hints(Some((0, Some(900))), None))]
    // The slowest pace counts; a day is a quota and no pace.
    #[case("", r#""s";q=10;w=1, "m";q=60;w=60, "d";q=5;w=86400"#, hints(None, Some((60, 60))))]
    // Earlier drafts.
    #[case("limit=10, remaining=0, reset=5", "10;w=1", hints(Some((0, Some(5))), Some((10, 1))))]
    #[case("limit=10, remaining=3", "", hints(Some((3, None)), None))]
    // Separators inside a quoted name.
    #[case(r#""a,b;r=0;\"x";r=2;t=1"#, "", hints(Some((2, Some(1))), None))]
    // Garbage says nothing.
    #[case("", "", hints(None, None))]
    #[case(r#""open;r=0;t=1"#, ";;;,,==", hints(None, None))]
    #[case("r", r#""x";q=0;w=1"#, hints(None, None))]
    #[case(r#""x";r=-1;t=1"#, r#""x";q=10;w=0"#, hints(None, None))]
    #[case(r#""x";r=99999999999999999999"#, r#""x";q=1.5;w=1"#, hints(None, None))]
    // A point in time instead of seconds.
    #[case(r#""x";r=0;t=1893456000"#, "", hints(Some((0, None)), None))]
    fn the_ietf_fields(#[case] ratelimit: &str, #[case] policy: &str, #[case] expected: Hints) {
        let read = Hints::from_headers(&headers(&[
            ("ratelimit", ratelimit),
            ("ratelimit-policy", policy),
        ]));
        assert_eq!(read, expected);
    }

    #[test]
    fn the_oldest_draft_has_a_header_each() {
        let read = Hints::from_headers(&headers(&[
            ("ratelimit-limit", "10, 10;w=1"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "7"),
        ]));
        assert_eq!(read, hints(Some((0, Some(7))), Some((10, 1))));
    }

    #[test]
    fn only_an_empty_window_cools_down() {
        let five = Duration::from_secs(5);
        assert_eq!(Hints::new().remaining(0, five).cool_down(), Some(five));
        assert_eq!(Hints::new().remaining(1, five).cool_down(), None);
        assert_eq!(Hints::new().cool_down(), None);
    }

    #[test]
    fn two_readings_give_the_stricter() {
        let second = Duration::from_secs(1);
        let vendor = Hints::new()
            .retry_after(second)
            .remaining(0, second * 9)
            .quota(5, second);
        let standard = Hints::new()
            .retry_after(second * 3)
            .remaining(4, second)
            .quota(10, second);
        let both = Hints::new()
            .retry_after(second * 3)
            .remaining(0, second * 9)
            .quota(5, second);
        assert_eq!(vendor.and(standard), both);
        assert_eq!(standard.and(vendor), both);
    }

    proptest! {
        #[test]
        fn no_header_panics_or_asks_for_more_than_the_longest(
            after in "[ -~]{0,30}", limit in "[ -~]{0,60}", policy in "[ -~]{0,60}", date in "[ -~]{0,30}",
        ) {
            let read = Hints::from_headers(&headers(&[
                ("retry-after", &after), ("ratelimit", &limit), ("ratelimit-policy", &policy), ("date", &date),
            ]));
            prop_assert!(read.retry_after.is_none_or(|wait| wait <= LONGEST));
            prop_assert!(read.reset.is_none_or(|wait| wait <= LONGEST));
        }
    }
}
