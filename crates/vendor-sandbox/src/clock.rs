//! The only module that reads a clock or waits.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::time::Instant;

/// Reads the wall clock: it stamps what the vendor creates and signs.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub(crate) fn utc_now() -> DateTime<Utc> {
    Utc::now()
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

/// Writes a time the way the vendors do: ISO 8601, UTC, milliseconds.
pub(crate) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
