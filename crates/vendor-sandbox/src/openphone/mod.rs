//! OpenPhone, now called Quo: every operation of API v1 and of the dated API, and the deliveries
//! that they and what happens at the vendor cause.

mod call;
mod call_content;
mod call_events;
mod call_life;
mod call_store;
mod calls;
mod check;
mod contact;
mod contact_body;
mod contact_store;
mod contacts;
mod control;
mod control_http;
mod conversations;
pub mod dated;
mod directory;
mod error;
mod events;
mod ids;
mod ledger;
mod media;
mod message_store;
mod messages;
mod new_call;
mod object;
mod operations;
mod options;
mod page;
mod refusal;
mod registration;
mod state;
mod synthetic;
mod task_events;
mod task_store;
mod tasks;
mod text_rule;
mod thread_store;
mod webhooks;
mod workspace;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use call::CallEnd;
pub use message_store::Direction;
pub use messages::{MessagingBlock, TextFailure};
pub use new_call::NewCall;
pub use operations::{
    ASSIGN_TASK, CHANGE_TASK_DUE_DATE, COMPLETE_TASK, CREATE_CALL_SUMMARY_WEBHOOK,
    CREATE_CALL_TRANSCRIPT_WEBHOOK, CREATE_CALL_WEBHOOK, CREATE_CONTACT, CREATE_MESSAGE_WEBHOOK,
    CREATE_TASK, DELETE_CONTACT, DELETE_TASK, DELETE_WEBHOOK, DOWNLOAD_MEDIA, GET_CALL,
    GET_CALL_SUMMARY, GET_CALL_TRANSCRIPT, GET_CALL_VOICEMAIL, GET_CONTACT, GET_MESSAGE,
    GET_PHONE_NUMBER, GET_TASK, GET_USER, GET_WEBHOOK, LINK_TASK_TO_CONVERSATION,
    LIST_CALL_RECORDINGS, LIST_CALLS, LIST_CONTACTS, LIST_CONVERSATIONS, LIST_CUSTOM_FIELDS,
    LIST_MESSAGES, LIST_PHONE_NUMBERS, LIST_TASKS, LIST_USERS, LIST_WEBHOOKS,
    MARK_CONVERSATION_AS_DONE, MARK_CONVERSATION_AS_OPEN, MARK_CONVERSATION_AS_READ, OPERATIONS,
    REMOVE_TASK_DUE_DATE, REOPEN_TASK, SEND_MESSAGE, UNASSIGN_TASK, UNLINK_TASK_FROM_CONVERSATION,
    UPDATE_CONTACT, UPDATE_TASK,
};
pub use options::Options;
pub use registration::{Webhook, WebhookFormat};
pub use state::Plan;
pub use workspace::CustomFieldKind;

use crate::clock;
use crate::exchange::{Call, Outcome, Reply, Routed};
use crate::limit::Standing;
use crate::openphone::check::{Issues, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::operations::Entry;
use crate::openphone::state::{State, Step};
use crate::operation::Operation;
use crate::route::route;
use crate::sandbox::{Builder, Sandbox};
use crate::shared::lock;
use crate::vendor::{ControlOutcome, ControlRequest, Problem, Refusal, Vendor};
use crate::webhook::Delivery;

/// Ten requests per second and key, as the vendor documents.
const REQUESTS_PER_SECOND: u32 = 10;

/// The simulated vendor; see [`Sandbox::openphone`].
pub struct OpenPhone {
    state: Mutex<State>,
}

impl Sandbox<OpenPhone> {
    /// Sets up OpenPhone (Quo).
    pub fn openphone() -> Builder<Options> {
        Builder::new(
            Some(REQUESTS_PER_SECOND),
            Duration::from_secs(1),
            Options::default(),
        )
    }

    /// Returns the key of `openphone-signature`, in base64, as the app shows it: that of the
    /// webhooks set up through the control handle. One that is created over the API has its own.
    pub fn webhook_key(&self) -> String {
        self.vendor().state().legacy_key_text()
    }

    /// Returns the secret of the dated webhooks, `whsec_` and base64: that of the webhooks set up
    /// through the control handle. One that is created over the API has its own.
    pub fn webhook_secret(&self) -> String {
        self.vendor().state().dated_key_text()
    }

    /// Returns the first of the workspace's numbers, which every user may send from.
    pub fn phone_number(&self) -> &'static str {
        self.vendor()
            .state()
            .workspace
            .phone_numbers
            .first()
            .map_or("", |phone| phone.number)
    }

    /// Returns the id of [`phone_number`](Self::phone_number).
    pub fn phone_number_id(&self) -> String {
        let state = self.vendor().state();
        state
            .workspace
            .phone_numbers
            .first()
            .map(|phone| phone.id.clone())
            .unwrap_or_default()
    }
}

impl OpenPhone {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for OpenPhone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenPhone").finish_non_exhaustive()
    }
}

impl Vendor for OpenPhone {
    fn name(&self) -> &'static str {
        "openphone"
    }

    fn operations(&self) -> Vec<Operation> {
        entries().map(|entry| entry.operation).collect()
    }

    fn route(&self, method: &Method, path: &str, headers: &HeaderMap) -> Routed {
        if path.starts_with("/v1/") {
            return route(OPERATIONS.iter(), method, path);
        }
        if path.starts_with("/media/") {
            return route([DOWNLOAD_MEDIA].iter(), method, path);
        }
        match route(dated::OPERATIONS.iter(), method, path) {
            Routed::To { operation, .. } | Routed::BadId(operation)
                if !dated::asks_for_it(headers) =>
            {
                Routed::WrongVersion(operation)
            }
            routed => routed,
        }
    }

    fn is_public(&self, operation: Operation, _headers: &HeaderMap) -> bool {
        operation == DOWNLOAD_MEDIA
    }

    fn presented_key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        // The key stands there as it is: with `Bearer ` before it, it is another key.
        headers
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes)
            .filter(|key| !key.is_empty())
    }

    fn answer(&self, call: &Call<'_>) -> Outcome {
        let Some(entry) = entry(call.operation) else {
            return self.refuse(Refusal::UnknownRoute, None).into();
        };
        let mut state = self.state();
        match (entry.act)(&mut state, call) {
            Ok(outcome) => outcome,
            Err(error) if is_dated(call.operation) => error.dated_reply(&mut state.ids).into(),
            Err(error) => error.reply(&mut state.ids).into(),
        }
    }

    fn refuse(&self, refusal: Refusal, operation: Option<Operation>) -> Reply {
        let entry = operation.and_then(entry);
        let area = entry.map_or(Area::Contacts, |entry| entry.area);
        let ids = &mut self.state().ids;
        if operation.is_some_and(is_dated) {
            dated::refuse(refusal, area, ids)
        } else {
            refusal::refuse(refusal, area, ids)
        }
    }

    fn limit_headers(&self, standing: Standing, headers: &mut HeaderMap) {
        let Standing {
            quota,
            remaining,
            reset,
            window,
            ..
        } = standing;
        let mut insert = |name: &'static str, value: String| {
            // Digits and ASCII marks always make a header value.
            if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        insert(
            "ratelimit",
            format!("\"per-second\"; r={remaining}; t={reset}"),
        );
        insert(
            "ratelimit-policy",
            format!("\"per-second\"; q={quota}; w={window}"),
        );
    }

    fn control(&self, request: &ControlRequest<'_>) -> Option<Result<ControlOutcome, Problem>> {
        control_http::answer(&mut self.state(), request)
    }

    fn wake(&self) -> Arc<Notify> {
        self.state().timeline.wake()
    }

    fn next_due(&self) -> Option<Instant> {
        self.state().timeline.next_due()
    }

    fn run_due(&self, until: Instant, send: &dyn Fn(Vec<Delivery>)) {
        let mut state = self.state();
        while let Some(step) = state.timeline.take_due(until) {
            send(state.happen(step, clock::utc_now()));
        }
    }

    fn is_expecting(&self) -> bool {
        self.state().timeline.any(Step::is_of_a_call)
    }

    fn reset(&self) {
        self.state().reset();
    }

    fn describe(&self) -> Value {
        control_http::describe(&self.state())
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    let tables = operations::TABLE.iter().chain(operations::MEDIA);
    tables.chain(dated::TABLE)
}

/// Says whether an operation is one of the dated API, whose paths have no prefix.
fn is_dated(operation: Operation) -> bool {
    let path = operation.template();
    !path.starts_with("/v1/") && operation != DOWNLOAD_MEDIA
}

fn entry(operation: Operation) -> Option<&'static Entry> {
    entries().find(|entry| entry.operation == operation)
}

/// Checks the id in a path against the form its operation declares.
fn path_id(id: &str, name: &str, rule: Text, area: Area) -> Result<(), ApiError> {
    let mut issues = Issues::default();
    issues.text(&format!("/{name}"), Some(&Value::from(id)), rule);
    issues.or(area)
}
