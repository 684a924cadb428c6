use chrono::{DateTime, Utc};

use super::CredentialsVersion;
use crate::ids::Actor;

/// What happened to an integration.
///
/// `used` is the version of the credentials that a result was obtained with. Messages are sentences for a person and
/// hold neither secrets nor personal data: they are stored and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new set of credentials was saved.
    CredentialsSaved {
        /// Its version, which is higher than that of every set before: [`CredentialsVersion::next`].
        version: CredentialsVersion,
        /// Who saved it.
        by: Option<Actor>,
    },
    /// A connection test passed.
    TestPassed {
        /// With which credentials.
        used: CredentialsVersion,
        /// What it found.
        message: String,
    },
    /// A connection test failed.
    TestFailed {
        /// With which credentials.
        used: CredentialsVersion,
        /// Why.
        message: String,
        /// The vendor refused the credentials themselves, after one refresh where there is one.
        auth_refused: bool,
    },
    /// The stored credentials could not be opened, so nothing was asked of the vendor.
    CredentialsUnreadable {
        /// Which credentials.
        used: CredentialsVersion,
        /// Why, and what helps.
        message: String,
    },
    /// A call succeeded, or was answered in a way that shows that the connection works.
    CallSucceeded {
        /// With which credentials.
        used: CredentialsVersion,
    },
    /// The vendor refused the credentials of a call: a 401 after one refresh, or `invalid_grant`.
    AuthRefused {
        /// Which credentials.
        used: CredentialsVersion,
        /// What was refused.
        message: String,
    },
    /// A call failed for a reason that may pass: a timeout, a lost connection, a 5xx.
    CallFailed {
        /// With which credentials.
        used: CredentialsVersion,
        /// Why.
        message: String,
        /// Until when the vendor wants no call, if it said so.
        paused_until: Option<DateTime<Utc>>,
    },
    /// The vendor, or our own pacing, said that there were too many calls. It never leads to error.
    RateLimited {
        /// With which credentials.
        used: CredentialsVersion,
        /// Until when no call is wanted, if that was said.
        paused_until: Option<DateTime<Utc>>,
    },
    /// A person switched it off.
    Disabled {
        /// Who.
        by: Option<Actor>,
    },
    /// A person wants it on.
    EnableRequested {
        /// Who.
        by: Option<Actor>,
    },
    /// The vendor says that its app was uninstalled.
    Uninstalled,
    /// The vendor says that access was revoked.
    Revoked,
    /// Somebody was told that the account has to be connected again.
    ReauthNotified,
}

impl Event {
    /// Returns its name, as it stands in the history: `credentials_saved`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CredentialsSaved { .. } => "credentials_saved",
            Self::TestPassed { .. } => "test_passed",
            Self::TestFailed { .. } => "test_failed",
            Self::CredentialsUnreadable { .. } => "credentials_unreadable",
            Self::CallSucceeded { .. } => "call_succeeded",
            Self::AuthRefused { .. } => "auth_refused",
            Self::CallFailed { .. } => "call_failed",
            Self::RateLimited { .. } => "rate_limited",
            Self::Disabled { .. } => "disabled",
            Self::EnableRequested { .. } => "enable_requested",
            Self::Uninstalled => "uninstalled",
            Self::Revoked => "revoked",
            Self::ReauthNotified => "reauth_notified",
        }
    }

    /// Returns which credentials it is a result of, if it is one.
    pub fn used(&self) -> Option<CredentialsVersion> {
        match self {
            Self::TestPassed { used, .. }
            | Self::TestFailed { used, .. }
            | Self::CredentialsUnreadable { used, .. }
            | Self::CallSucceeded { used }
            | Self::AuthRefused { used, .. }
            | Self::CallFailed { used, .. }
            | Self::RateLimited { used, .. } => Some(*used),
            Self::CredentialsSaved { .. }
            | Self::Disabled { .. }
            | Self::EnableRequested { .. }
            | Self::Uninstalled
            | Self::Revoked
            | Self::ReauthNotified => None,
        }
    }

    /// Returns who did it, if it was a person who is known.
    pub fn by(&self) -> Option<&Actor> {
        match self {
            Self::CredentialsSaved { by, .. }
            | Self::Disabled { by }
            | Self::EnableRequested { by } => by.as_ref(),
            _ => None,
        }
    }
}
