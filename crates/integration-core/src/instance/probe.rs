//! What a connection test found: in words for a person, as an event for the state, as an entry for the log.

use std::time::Duration;

use connector_http::{Error, ErrorKind};

use super::draft::Draft;
use super::{ConnectionTest, IntegrationError, TestReport};
use crate::http::{CallResult, pause_until, plain, status_signal};
use crate::status::{CredentialsVersion, Event, Ignored, LastTest};
use crate::store::{IntegrationLog, LogStatus};

/// What came of a test, before it is stored.
pub(super) struct Probe {
    pub(super) test: ConnectionTest,
    pub(super) took: Option<Duration>,
    pub(super) signal: CallResult,
    account_id: Option<String>,
    http_status: Option<u16>,
    request_id: Option<String>,
}

impl Probe {
    fn new(test: ConnectionTest, signal: CallResult) -> Self {
        Self {
            test,
            took: None,
            signal,
            account_id: None,
            http_status: None,
            request_id: None,
        }
    }

    pub(super) fn passed(report: TestReport) -> Self {
        let test = ConnectionTest::passed(report.message, report.data);
        Self {
            account_id: report.account_id,
            ..Self::new(test, CallResult::Works)
        }
    }

    pub(super) fn failed(vendor: &str, error: &Error) -> Self {
        let test = ConnectionTest::failed(sentence(vendor, error));
        let signal = match (status_signal(error), error.kind()) {
            // What answered may not be the vendor at all: no worse than no answer.
            (CallResult::SaysNothing, kind)
                if !matches!(
                    kind,
                    ErrorKind::Config | ErrorKind::Encode | ErrorKind::Store
                ) =>
            {
                CallResult::Failed {
                    message: test.message.clone(),
                    retry_after: None,
                }
            }
            (signal, _) => signal,
        };
        Self {
            http_status: error.status(),
            request_id: error.request_id().and_then(plain),
            ..Self::new(test, signal)
        }
    }

    pub(super) fn cut_off(vendor: &str, after: Duration) -> Self {
        let seconds = after.as_secs_f64().ceil();
        let message = format!("{vendor} did not answer within {seconds} seconds.");
        let signal = CallResult::Failed {
            message: message.clone(),
            retry_after: None,
        };
        Self::new(ConnectionTest::failed(message), signal)
    }

    /// The credentials are good, and yet it cannot run, for now.
    pub(super) fn without_webhooks(self, reason: String) -> Self {
        let signal = CallResult::Failed {
            message: reason.clone(),
            retry_after: None,
        };
        Self {
            took: self.took,
            ..Self::new(ConnectionTest::failed(reason), signal)
        }
    }

    /// Lets the result happen to a row. Returns why it did not count, if it did not.
    ///
    /// A test that a person asked for has passed or failed. One that nobody asked for is a call like any other: that a
    /// vendor does not answer once must not stop a tenant's jobs.
    pub(super) fn apply(
        &self,
        draft: &mut Draft<'_>,
        used: CredentialsVersion,
        by_hand: bool,
    ) -> Result<Option<Ignored>, IntegrationError> {
        let message = self.test.message.clone();
        let event = match &self.signal {
            _ if self.test.success => Event::TestPassed { used, message },
            CallResult::RateLimited { retry_after } => Event::RateLimited {
                used,
                paused_until: pause_until(draft.now, *retry_after),
            },
            CallResult::Failed { retry_after, .. } if !by_hand => Event::CallFailed {
                used,
                message,
                paused_until: pause_until(draft.now, *retry_after),
            },
            signal => Event::TestFailed {
                used,
                message,
                auth_refused: matches!(signal, CallResult::AuthRefused { .. }),
            },
        };
        let ignored = draft.apply(event)?;
        if ignored != Some(Ignored::OlderCredentials) {
            self.record(draft);
        }
        Ok(ignored)
    }

    /// It is the last test, whether or not it moved anything.
    pub(super) fn record(&self, draft: &mut Draft<'_>) {
        let (at, test) = (draft.now, &self.test);
        draft.row.state.last_test = Some(LastTest::new(at, test.success, test.message.clone()));
        draft.row.last_test_data.clone_from(&test.data);
        if self.account_id.is_some() {
            draft.row.external_account_id.clone_from(&self.account_id);
        }
    }

    pub(super) fn describe(&self, entry: &mut IntegrationLog) {
        if !self.test.success {
            entry.status = LogStatus::Failed;
            entry.error_message = Some(self.test.message.clone());
        }
        entry.duration = self.took;
        entry.http_status = self.http_status;
        entry.request_id.clone_from(&self.request_id);
    }
}

/// Puts an error into a sentence for the person who filled in the form.
pub(super) fn sentence(vendor: &str, error: &Error) -> String {
    let code = match error.status() {
        Some(status) => format!(" (status {status})"),
        None => String::new(),
    };
    match error.kind() {
        ErrorKind::Auth => format!("{vendor} refused the credentials. Check them, and try again."),
        ErrorKind::ReauthorizationRequired => {
            format!("{vendor} wants the account to be connected again.")
        }
        ErrorKind::Permission => {
            format!("{vendor} accepted the credentials, but does not permit this with them.")
        }
        ErrorKind::Connect => format!("{vendor} could not be reached. Try again later."),
        ErrorKind::Timeout => format!("{vendor} did not answer in time. Try again later."),
        ErrorKind::RateLimited => match error.retry_after() {
            Some(wait) => {
                let seconds = wait.as_secs().max(1);
                format!("{vendor} has had too many calls. Try again in {seconds} seconds.")
            }
            None => format!("{vendor} has had too many calls. Try again in a moment."),
        },
        ErrorKind::QuotaSpent => format!("The quota of the account at {vendor} is spent."),
        ErrorKind::Server => format!("{vendor} is out of order{code}. Try again later."),
        ErrorKind::Decode => format!("{vendor} gave an answer that cannot be read{code}."),
        ErrorKind::NotFound => {
            format!("{vendor} does not have what the connection needs{code}. Check the address.")
        }
        ErrorKind::Config => match error.message() {
            Some(reason) => format!("The config cannot be used: {reason}."),
            None => "The config cannot be used.".to_owned(),
        },
        // What it is, the log says: it is about the host's own machine.
        ErrorKind::Store => {
            "Nothing was sent: a record that is kept here cannot be used. Whoever runs this has to look."
                .to_owned()
        }
        _ => format!("{vendor} refused the test{code}."),
    }
}

#[cfg(test)]
mod tests {
    use connector_http::Delivery;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::config(ErrorKind::Config)]
    #[case::encode(ErrorKind::Encode)]
    #[case::store(ErrorKind::Store)]
    fn what_fails_on_this_side_says_nothing_of_the_vendor(#[case] kind: ErrorKind) {
        let (sent, place) = (Delivery::NotSent, "/srv/quota.json");
        let error = Error::of_client(kind, "acme", "me.get", sent, place);
        let probe = Probe::failed("Acme", &error);
        assert_eq!(probe.signal, CallResult::SaysNothing);
        assert!(!probe.test.success);
        let shows = probe.test.message.contains(place);
        assert_eq!(shows, kind == ErrorKind::Config, "{}", probe.test.message);
    }
}
