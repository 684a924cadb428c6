//! How times are written for the vendor.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// The vendor's form of a time.
pub(crate) fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The same, in a body.
pub(crate) fn serialize<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&instant(*time))
}

/// The same for a time that is skipped when it is absent.
#[expect(clippy::ref_option, reason = "serde hands over the field")]
pub(crate) fn serialize_opt<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, to),
        None => to.serialize_none(),
    }
}
