//! The only module that reads a clock or waits.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};
use tokio::time::Instant;

/// Reads the wall clock, to the millisecond that the vendors write: it stamps what the vendor
/// creates and signs.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub(crate) fn utc_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Reads the clock of the runtime, which tests can pause and move; the rate limit counts by it.
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Waits on the clock of the runtime.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that waits: latency, hangs, redelivery"
)]
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Waits until a moment of the clock of the runtime.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that waits: what is still to happen"
)]
pub(crate) async fn sleep_until(moment: Instant) {
    tokio::time::sleep_until(moment).await;
}

/// Writes a time the way the vendors do: ISO 8601, UTC, milliseconds.
pub(crate) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
