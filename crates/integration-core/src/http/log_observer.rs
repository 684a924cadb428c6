use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Attempt, AttemptOutcome, Body, CallOutcome, Delivery, Error, Observer};
use serde_json::{Map, Value};

use super::call_result::{CallResult, signal_of};
use super::log_context;
use super::log_writer::LogWriter;
use super::redact::redact;
use crate::ids::{IntegrationId, LogId, TenantId};
use crate::store::{IntegrationLog, LogStatus, LogStore, StoreError};

type OnResult = Arc<dyn Fn(CallResult) + Send + Sync>;

/// Writes one [`IntegrationLog`] for every call of the client it is given to, and tells what the call says about the
/// connection.
///
/// An entry names the operation, how often it was tried, the last answer's status and request id, how long it took,
/// and what the error's `Display` says, never the vendor's own message. What was sent and what came back is
/// [redacted](redact) (of a body over 16 KiB, the length is all). It is about the thing that
/// [`log_context::related`] names around the call. A call that is dropped while a request is under way is
/// written as failed, since nobody knows whether it arrived.
///
/// Make one for each client, so that it is of one integration and one set of credentials.
///
/// ```
/// use std::sync::Arc;
/// use connector_http::{Observer, TokioTimer};
/// use integration_core::TenantId;
/// use integration_core::http::{LogObserver, LogWriter, LogWriterOptions};
/// use integration_core::store::LogStore;
///
/// # fn example(store: Arc<dyn LogStore>) {
/// let writer = LogWriter::start(store, Arc::new(TokioTimer), LogWriterOptions::default());
/// let observer: Arc<dyn Observer> = Arc::new(
///     LogObserver::new(writer, TenantId::from("acme"), "openphone")
///         .on_result(|result| println!("{result:?}")),
/// );
/// # }
/// ```
#[derive(Clone)]
pub struct LogObserver {
    writer: LogWriter,
    tenant: TenantId,
    integration: Option<IntegrationId>,
    provider: Arc<str>,
    attempts_too: bool,
    on_result: Option<OnResult>,
}

impl LogObserver {
    /// Makes an observer of calls of this tenant to this vendor.
    pub fn new(writer: LogWriter, tenant: TenantId, provider: impl Into<Arc<str>>) -> Self {
        Self {
            writer,
            tenant,
            integration: None,
            provider: provider.into(),
            attempts_too: false,
            on_result: None,
        }
    }

    /// Names the integration, once it is saved.
    pub fn integration(mut self, id: IntegrationId) -> Self {
        self.integration = Some(id);
        self
    }

    /// Writes an entry for every attempt, too: its action is that of the call with `.attempt` appended.
    pub fn attempts_too(mut self) -> Self {
        self.attempts_too = true;
        self
    }

    /// Is told what each call says about the connection, also when it says nothing. It is called inline, before the
    /// caller has the result: it must only take note and return.
    pub fn on_result(mut self, tell: impl Fn(CallResult) + Send + Sync + 'static) -> Self {
        self.on_result = Some(Arc::new(tell));
        self
    }

    fn entry(&self, action: String, took: Duration, error: Option<&Error>) -> IntegrationLog {
        let status = if error.is_none() {
            LogStatus::Success
        } else {
            LogStatus::Failed
        };
        let now = self.writer.timer().utc_now();
        let mut entry = IntegrationLog::new(
            LogId::generate(),
            self.tenant.clone(),
            &*self.provider,
            action,
            status,
            before(now, took),
        );
        entry.integration = self.integration;
        entry.duration = Some(took);
        entry.error_message = error.map(Error::to_string);
        if let Some(related) = log_context::current() {
            entry.related_type = Some(related.kind);
            entry.related_id = Some(related.id);
        }
        entry
    }
}

impl Observer for LogObserver {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let cancelled = matches!(attempt.outcome, AttemptOutcome::Cancelled);
        if !self.attempts_too && !cancelled {
            return;
        }
        let error = match attempt.outcome {
            AttemptOutcome::Failed(error) => Some(error),
            _ => None,
        };
        let mut action = attempt.operation.to_owned();
        if self.attempts_too {
            action.push_str(".attempt");
        }
        let mut entry = self.entry(action, attempt.duration, error);
        entry.http_status = attempt.status;
        entry.request_id = attempt.request_id.and_then(plain);
        entry.response = Some(response("attempt", attempt.number, error));
        if cancelled {
            entry.status = LogStatus::Failed;
            entry.error_message = Some(format!(
                "{} {}: given up by the caller (outcome unknown)",
                attempt.vendor, attempt.operation
            ));
        }
        self.writer.write(entry);
    }

    fn on_call(&self, outcome: &CallOutcome<'_>) {
        let operation = outcome.operation.to_owned();
        let mut entry = self.entry(operation, outcome.duration, outcome.error);
        entry.http_status = outcome.status;
        entry.request_id = outcome.request_id.and_then(plain);
        entry.payload = outcome.sent.map(shown);
        entry.response = Some(response("attempts", outcome.attempts, outcome.error));
        if let (Some(Value::Object(response)), Some(body)) = (&mut entry.response, outcome.received)
        {
            response.insert("body".to_owned(), shown(body));
        }
        self.writer.write(entry);
        if let Some(tell) = &self.on_result {
            tell(signal_of(outcome));
        }
    }
}

impl fmt::Debug for LogObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogObserver")
            .field("tenant", &self.tenant)
            .field("integration", &self.integration)
            .field("provider", &self.provider)
            .field("attempts_too", &self.attempts_too)
            .finish_non_exhaustive()
    }
}

/// Deletes entries that were made more than `older_than` before `now`, a thousand at a time so that the table is never
/// locked for long. Returns how many. Run it once a day, say; it may be stopped at any time.
///
/// # Errors
///
/// When the store cannot write; what was deleted until then stays deleted.
pub async fn sweep_logs(
    store: &dyn LogStore,
    older_than: Duration,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    const BATCH: u32 = 1000;
    let before = before(now, older_than);
    let mut deleted = 0_u64;
    loop {
        let batch = store.delete_logs(before, BATCH).await?;
        deleted = deleted.saturating_add(batch);
        if batch < u64::from(BATCH) {
            return Ok(deleted);
        }
    }
}

fn before(now: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(span)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// A body larger than this is a page of a list or a file: reading it again would cost more than it tells.
const MAX_BODY: usize = 16 * 1024;

/// A body as the log keeps it: redacted, or its length alone.
fn shown(body: Body<'_>) -> Value {
    match body.parse(MAX_BODY) {
        Some(value) => redact(&value),
        None => format!("<{} bytes>", body.size()).into(),
    }
}

/// What came of it, in numbers and fixed words, and the shape of an error's body.
fn response(count: &str, number: u32, error: Option<&Error>) -> Value {
    let mut shown = Map::new();
    shown.insert(count.to_owned(), number.into());
    if let Some(error) = error {
        let delivery = match error.delivery() {
            Delivery::NotSent => "not_sent",
            Delivery::Rejected => "rejected",
            Delivery::Unknown => "unknown",
            Delivery::Succeeded => "succeeded",
        };
        shown.insert("delivery".to_owned(), delivery.into());
        if let Some(wait) = error.retry_after() {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            shown.insert("retry_after_ms".to_owned(), wait.into());
        }
        if let Some(shape) = error.body_snippet() {
            shown.insert("body".to_owned(), shape.into());
        }
    }
    Value::Object(shown)
}

/// A request id that looks like one: short, printable, without spaces, and neither an address nor a number to call.
pub(crate) fn plain(id: &str) -> Option<String> {
    let fits = !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
    let of_a_person = id.starts_with('+') || id.contains('@');
    (fits && !of_a_person).then(|| id.to_owned())
}
