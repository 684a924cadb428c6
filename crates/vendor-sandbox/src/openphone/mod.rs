//! OpenPhone, now called Quo: API v1 for contacts, contact custom fields, phone numbers,
//! messages, users and webhooks, and the deliveries that these cause.

mod calls;
mod check;
mod contact;
mod contact_body;
mod contact_store;
mod contacts;
mod control;
mod directory;
mod error;
mod events;
mod ids;
mod message_store;
mod messages;
mod operations;
mod page;
mod registration;
mod state;
mod webhooks;
mod workspace;

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

pub use calls::CallEnd;
pub use messages::MessagingBlock;
pub use operations::{
    CREATE_CALL_SUMMARY_WEBHOOK, CREATE_CALL_TRANSCRIPT_WEBHOOK, CREATE_CALL_WEBHOOK,
    CREATE_CONTACT, CREATE_MESSAGE_WEBHOOK, DELETE_CONTACT, DELETE_WEBHOOK, GET_CONTACT,
    GET_MESSAGE, GET_PHONE_NUMBER, GET_USER, GET_WEBHOOK, LIST_CONTACTS, LIST_CUSTOM_FIELDS,
    LIST_MESSAGES, LIST_PHONE_NUMBERS, LIST_USERS, LIST_WEBHOOKS, OPERATIONS, SEND_MESSAGE,
    UPDATE_CONTACT,
};
pub use registration::{Webhook, WebhookFormat};
pub use workspace::CustomFieldKind;

use crate::error::SandboxError;
use crate::exchange::{Call, Outcome, Reply, Routed};
use crate::limit::Standing;
use crate::openphone::check::{Issues, Text};
use crate::openphone::error::{ApiError, Area, gateway};
use crate::openphone::state::State;
use crate::operation::Operation;
use crate::sandbox::{Builder, Sandbox};
use crate::shared::lock;
use crate::vendor::{ControlOutcome, ControlRequest, Problem, Refusal, Vendor};

/// Ten requests per second and key, as the vendor documents.
const REQUESTS_PER_SECOND: u32 = 10;
const UNKNOWN_ROUTE: &str = include_str!("unknown_route.html");
const BAD_GATEWAY: &str = include_str!("bad_gateway.html");

type Act = fn(&mut State, &Call<'_>) -> Result<Outcome, ApiError>;

/// The simulated vendor; see [`Sandbox::openphone`].
pub struct OpenPhone {
    state: Mutex<State>,
}

/// How this vendor behaves where the facts leave a choice; set through
/// [`Builder`], see [`Sandbox::openphone`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    unique_external_ids: bool,
    patch_keeps_reference: bool,
    refuse_unknown_query: bool,
    custom_fields: Vec<(String, String, CustomFieldKind)>,
}

impl Sandbox<OpenPhone> {
    /// Sets up OpenPhone (Quo).
    pub fn openphone() -> Builder<Options> {
        Builder::new(
            REQUESTS_PER_SECOND,
            Duration::from_secs(1),
            Options::default(),
        )
    }

    /// Returns the key of `openphone-signature`, in base64, as the app shows it: that of the
    /// webhooks set up through the control handle. One that is created over the API has its own.
    pub fn webhook_key(&self) -> String {
        self.vendor().state().legacy_key_text()
    }

    /// Returns the secret of the dated webhooks, `whsec_` and base64.
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

impl Builder<Options> {
    /// Refuses a second contact with the same external id with the opaque 409, which was seen
    /// live although the documentation says that external ids need not be unique. Off by
    /// default.
    pub fn unique_external_ids(mut self, on: bool) -> Self {
        self.vendor_mut().unique_external_ids = on;
        self
    }

    /// Lets an update that leaves out `externalId` and `source` keep them. By default it wipes
    /// them, as one integration reported: the behaviour that a caller must survive.
    pub fn patch_keeps_reference(mut self, on: bool) -> Self {
        self.vendor_mut().patch_keeps_reference = on;
        self
    }

    /// Refuses query names that an operation does not have. By default they are ignored; which
    /// of the two the vendor does is not known.
    pub fn refuse_unknown_query(mut self, on: bool) -> Self {
        self.vendor_mut().refuse_unknown_query = on;
        self
    }

    /// Adds the definition of a custom field, in place of one with the same key.
    pub fn custom_field(
        mut self,
        name: impl Into<String>,
        key: impl Into<String>,
        kind: CustomFieldKind,
    ) -> Self {
        self.vendor_mut()
            .custom_fields
            .push((name.into(), key.into(), kind));
        self
    }

    /// Opens the port and serves on the current Tokio runtime until the sandbox is dropped.
    ///
    /// # Errors
    ///
    /// [`SandboxError::PortInUse`] or [`SandboxError::Listen`] when the port cannot be had,
    /// [`SandboxError::UnusableApiKey`] when the key could not stand in a header.
    pub async fn start(self) -> Result<Sandbox<OpenPhone>, SandboxError> {
        self.start_as(|options, rng| OpenPhone {
            state: Mutex::new(State::new(options, rng)),
        })
        .await
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

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn route(&self, method: &Method, path: &str) -> Routed {
        operations::route(method, path)
    }

    fn presented_key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        // The key stands there as it is: with `Bearer ` before it, it is another key.
        headers
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes)
            .filter(|key| !key.is_empty())
    }

    fn answer(&self, call: &Call<'_>) -> Outcome {
        let act: Act = match call.operation {
            CREATE_CONTACT => contacts::create,
            LIST_CONTACTS => contacts::list,
            GET_CONTACT => contacts::get,
            UPDATE_CONTACT => contacts::update,
            DELETE_CONTACT => contacts::delete,
            LIST_CUSTOM_FIELDS => directory::list_custom_fields,
            LIST_PHONE_NUMBERS => directory::list_phone_numbers,
            GET_PHONE_NUMBER => directory::get_phone_number,
            SEND_MESSAGE => messages::send,
            LIST_MESSAGES => messages::list,
            GET_MESSAGE => messages::get,
            LIST_USERS => directory::list_users,
            GET_USER => directory::get_user,
            LIST_WEBHOOKS => webhooks::list,
            GET_WEBHOOK => webhooks::get,
            DELETE_WEBHOOK => webhooks::delete,
            CREATE_MESSAGE_WEBHOOK => webhooks::create_for_messages,
            CREATE_CALL_WEBHOOK => webhooks::create_for_calls,
            CREATE_CALL_SUMMARY_WEBHOOK => webhooks::create_for_summaries,
            CREATE_CALL_TRANSCRIPT_WEBHOOK => webhooks::create_for_transcripts,
            _ => return self.refuse(Refusal::UnknownRoute).into(),
        };
        let mut state = self.state();
        match act(&mut state, call) {
            Ok(outcome) => outcome,
            Err(error) => error.reply(&mut state.ids).into(),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Reply {
        let ids = &mut self.state().ids;
        let unauthorized =
            |message, ids| gateway(StatusCode::UNAUTHORIZED, message, "Unauthorized", ids);
        match refusal {
            Refusal::UnknownRoute => Reply::html(StatusCode::NOT_FOUND, UNKNOWN_ROUTE),
            Refusal::MissingKey => unauthorized("Missing authorization header", ids),
            Refusal::WrongKey => unauthorized("Unauthorized", ids),
            // No body of a live 429 is known: this is the gateway's shape for its other answers.
            Refusal::TooManyRequests => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                gateway(status, "API rate limit exceeded", "TooManyRequests", ids)
            }
            Refusal::BodyTooLarge => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                gateway(
                    status,
                    "Request size limit exceeded",
                    "PayloadTooLarge",
                    ids,
                )
            }
            Refusal::UnreadableId(operation) => {
                let message = "Failed to decode the id in the path".to_owned();
                ApiError::refused(area(operation), message).reply(ids)
            }
            Refusal::ServerError(operation, StatusCode::INTERNAL_SERVER_ERROR) => {
                ApiError::server(area(operation)).reply(ids)
            }
            Refusal::ServerError(_, status) => {
                let (message, key) = match status {
                    StatusCode::BAD_GATEWAY => ("Bad gateway", "BadGateway"),
                    StatusCode::SERVICE_UNAVAILABLE => {
                        ("Service unavailable", "ServiceUnavailable")
                    }
                    StatusCode::GATEWAY_TIMEOUT => ("Gateway timeout", "GatewayTimeout"),
                    _ => ("Unknown", "Unknown"),
                };
                gateway(status, message, key, ids)
            }
            Refusal::HtmlErrorPage => Reply::html(StatusCode::BAD_GATEWAY, BAD_GATEWAY),
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
        control::answer(&mut self.state(), request)
    }

    fn reset(&self) {
        self.state().reset();
    }

    fn describe(&self) -> Value {
        control::describe(&self.state())
    }
}

/// The area whose error codes an operation uses.
fn area(operation: Operation) -> Area {
    match operation {
        SEND_MESSAGE | LIST_MESSAGES | GET_MESSAGE => Area::Messages,
        LIST_PHONE_NUMBERS | GET_PHONE_NUMBER => Area::PhoneNumbers,
        LIST_CUSTOM_FIELDS => Area::CustomFields,
        LIST_USERS | GET_USER => Area::Users,
        LIST_WEBHOOKS
        | GET_WEBHOOK
        | DELETE_WEBHOOK
        | CREATE_MESSAGE_WEBHOOK
        | CREATE_CALL_WEBHOOK
        | CREATE_CALL_SUMMARY_WEBHOOK
        | CREATE_CALL_TRANSCRIPT_WEBHOOK => Area::Webhooks,
        _ => Area::Contacts,
    }
}

/// Checks the id in a path against the form its operation declares.
fn path_id(id: &str, name: &str, rule: Text, area: Area) -> Result<(), ApiError> {
    let mut issues = Issues::default();
    issues.text(&format!("/{name}"), Some(&Value::from(id)), rule);
    issues.or(area)
}
