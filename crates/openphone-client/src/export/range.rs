//! From when to when.

use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// From when to when something was made: the beginning is part of it, the end is not.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use openphone_client::ExportRange;
///
/// let march: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
/// let april: DateTime<Utc> = "2026-04-01T00:00:00Z".parse()?;
/// assert!(ExportRange::from(march..april).contains(march));
/// assert!(!ExportRange::from(march..april).contains(april));
/// assert!(ExportRange::from(..).contains(march));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportRange {
    /// The first moment; from the very beginning if there is none.
    pub from: Option<DateTime<Utc>>,
    /// The first moment after it; without an end if there is none.
    pub until: Option<DateTime<Utc>>,
}

impl ExportRange {
    /// Takes everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Tells whether a moment lies in the range.
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if from >= until)
    }

    /// The vendor's filters for it, a millisecond wider at each end: whether they include their
    /// limits is not documented, and they are written in milliseconds.
    pub(crate) fn filters(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let little = TimeDelta::milliseconds(1);
        (
            self.from.and_then(|from| from.checked_sub_signed(little)),
            self.until
                .and_then(|until| until.checked_add_signed(little)),
        )
    }
}

impl From<Range<DateTime<Utc>>> for ExportRange {
    fn from(range: Range<DateTime<Utc>>) -> Self {
        Self {
            from: Some(range.start),
            until: Some(range.end),
        }
    }
}

impl From<RangeFrom<DateTime<Utc>>> for ExportRange {
    fn from(range: RangeFrom<DateTime<Utc>>) -> Self {
        Self {
            from: Some(range.start),
            until: None,
        }
    }
}

impl From<RangeTo<DateTime<Utc>>> for ExportRange {
    fn from(range: RangeTo<DateTime<Utc>>) -> Self {
        Self {
            from: None,
            until: Some(range.end),
        }
    }
}

impl From<RangeFull> for ExportRange {
    fn from(_: RangeFull) -> Self {
        Self::all()
    }
}
