use std::time::Duration;

use connector_http::{CallOutcome, Error, ErrorKind};

/// What a call says about the connection it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallResult {
    /// The connection works: the call succeeded, or the vendor let us in and refused this one request.
    Works,
    /// The vendor does not accept the credentials, after one refresh where there is one, or will give none.
    AuthRefused {
        /// The error in a line that is safe to store: what its `Display` says.
        message: String,
    },
    /// It failed for a reason that may pass.
    Failed {
        /// The error in a line that is safe to store: what its `Display` says.
        message: String,
        /// How long the vendor wants no call, if it said so.
        retry_after: Option<Duration>,
    },
    /// There were too many calls, by the vendor's word or our own pacing, or a quota is spent.
    RateLimited {
        /// How long no call is wanted, if that was said.
        retry_after: Option<Duration>,
    },
    /// Nothing: it was never sent through our own fault, or what answered may not be the vendor at all.
    SaysNothing,
}

/// Says what an error means for the status of the integration that the call belongs to.
///
/// | Error | Result |
/// |---|---|
/// | refused credentials (401), reconnect demanded, credentials that cannot be used | [`AuthRefused`](CallResult::AuthRefused) |
/// | a token that could not be fetched this time | [`Failed`](CallResult::Failed) |
/// | timeout, 408, no connection, connection lost, 5xx | [`Failed`](CallResult::Failed) |
/// | 429, our own pacing, a spent quota | [`RateLimited`](CallResult::RateLimited) |
/// | any other 4xx; a success that says it failed | [`Works`](CallResult::Works) |
/// | never sent through our own fault, or for want of a record that is kept here; an unreadable answer; a redirect; a download | [`SaysNothing`](CallResult::SaysNothing) |
pub fn status_signal(error: &Error) -> CallResult {
    let failed = || CallResult::Failed {
        message: error.to_string(),
        retry_after: error.retry_after(),
    };
    // A storage that refuses or fails is neither the vendor's API nor the account.
    if error.is_elsewhere() {
        return CallResult::SaysNothing;
    }
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::QuotaSpent => CallResult::RateLimited {
            retry_after: error.retry_after(),
        },
        // What can be repeated is a token that was not to be had this time; a refusal is not repeated.
        ErrorKind::Auth if error.is_retryable() => failed(),
        ErrorKind::Auth | ErrorKind::ReauthorizationRequired => CallResult::AuthRefused {
            message: error.to_string(),
        },
        ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Server => failed(),
        ErrorKind::Encode | ErrorKind::Config | ErrorKind::Store | ErrorKind::Decode => {
            CallResult::SaysNothing
        }
        // The vendor's decoder may have named the kind: the status says whether the vendor is well.
        _ => match error.status() {
            Some(200..=299 | 400..=499) => CallResult::Works,
            Some(500..) => failed(),
            _ => CallResult::SaysNothing,
        },
    }
}

/// Says what an outcome means for the status, success included: see [`status_signal`].
pub(super) fn signal_of(outcome: &CallOutcome<'_>) -> CallResult {
    match outcome.error {
        Some(error) => status_signal(error),
        // What a storage gives away says nothing of the credentials, which were not sent there.
        None if outcome.elsewhere => CallResult::SaysNothing,
        None => CallResult::Works,
    }
}

#[cfg(feature = "status")]
pub(super) mod event {
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::CallResult;
    use crate::status::{CredentialsVersion, Event};

    /// Returns until when no call is wanted. The status machine says how long a pause can be.
    pub(crate) fn pause_until(now: DateTime<Utc>, wait: Option<Duration>) -> Option<DateTime<Utc>> {
        let wait = TimeDelta::from_std(wait?).unwrap_or(TimeDelta::MAX);
        let until = now.checked_add_signed(wait);
        Some(until.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    impl CallResult {
        /// Makes the event for the status machine; none if it says nothing. `used` are the credentials that the
        /// client was built with.
        pub fn into_event(self, used: CredentialsVersion, now: DateTime<Utc>) -> Option<Event> {
            let until = |wait| pause_until(now, wait);
            match self {
                Self::Works => Some(Event::CallSucceeded { used }),
                Self::AuthRefused { message } => Some(Event::AuthRefused { used, message }),
                Self::Failed {
                    message,
                    retry_after,
                } => Some(Event::CallFailed {
                    used,
                    message,
                    paused_until: until(retry_after),
                }),
                Self::RateLimited { retry_after } => Some(Event::RateLimited {
                    used,
                    paused_until: until(retry_after),
                }),
                Self::SaysNothing => None,
            }
        }
    }
}
