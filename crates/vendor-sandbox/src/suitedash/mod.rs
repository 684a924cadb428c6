//! SuiteDash: every operation of the Secure API, the monthly quota that they spend, and the
//! webhooks that people set up in the app.

mod address;
mod attributes;
mod body;
mod companies;
mod company;
mod contact;
mod contacts;
mod control;
mod control_http;
mod marketing;
mod operations;
mod options;
mod page;
mod profile;
mod project;
mod projects;
mod quota;
mod refusal;
mod rules;
mod sample;
mod state;
mod store;
mod webhooks;
mod world;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::Method;
use http::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use attributes::RecordKind;
pub use operations::{
    CREATE_COMPANY, CREATE_CONTACT, GET_COMPANY, GET_COMPANY_META, GET_CONTACT, GET_CONTACT_META,
    GET_PROJECT, GET_PROJECT_META, LIST_COMPANIES, LIST_CONTACTS, LIST_PROJECTS, LIST_WORLDS,
    OPERATIONS, SUBSCRIBE, UPDATE_COMPANY, UPDATE_CONTACT, UPDATE_PROJECT,
};
pub use options::{Options, RoleInUpdate};
pub use webhooks::WebhookEvent;
pub use world::{Subscription, WelcomeMail};

use crate::exchange::{Call, Outcome, Reply, Routed};
use crate::limit::Standing;
use crate::operation::Operation;
use crate::route::route;
use crate::sandbox::{Builder, Sandbox};
use crate::shared::lock;
use crate::suitedash::state::State;
use crate::vendor::{ControlOutcome, ControlRequest, Problem, Refusal, Vendor};
use crate::webhook::Delivery;

/// The public id of the vendor's published dummy pair, which opens a sample world for reading.
pub const DUMMY_PUBLIC_ID: &str = "00000000-0000-0000-0000-000000000000";
/// The secret key of the vendor's published dummy pair.
pub const DUMMY_SECRET_KEY: &str = "DummySecretKey";

/// Where the API stands, below the address of the app or of a portal.
const BASE_PATH: &str = "/secure-api";
const PUBLIC_ID: &str = "x-public-id";
const SECRET_KEY: &str = "x-secret-key";

/// The simulated vendor; see [`Sandbox::suitedash`].
pub struct SuiteDash {
    public_id: String,
    state: Mutex<State>,
}

impl Sandbox<SuiteDash> {
    /// Sets up SuiteDash.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use serde_json::json;
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::suitedash().monthly_quota(400).start().await?;
    /// println!("{} {} {}", sandbox.api_url(), sandbox.public_id(), sandbox.secret_key());
    /// let control = sandbox.control();
    /// control.seed_contact(&json!({ "role": "Client", "first_name": "Ada", "last_name": "Adler",
    ///     "email": "ada@example.com" }))?;
    /// // … run a client against it …
    /// assert!(control.welcome_mails().is_empty());
    /// println!("{} calls of the month are spent", control.calls_used());
    /// # Ok(())
    /// # }
    /// ```
    pub fn suitedash() -> Builder<Options> {
        // Calls are limited by the month; a limit by the second is not documented.
        Builder::new(None, Duration::from_secs(1), Options::default())
    }

    /// Returns the address of the API, which ends in `/secure-api`.
    pub fn api_url(&self) -> String {
        format!("{}{BASE_PATH}", self.base_url())
    }

    /// Returns what goes into `X-Public-ID`.
    pub fn public_id(&self) -> &str {
        &self.vendor().public_id
    }

    /// Returns what goes into `X-Secret-Key`: the [`api_key`](Self::api_key) that the sandbox
    /// started with. An account may have several of them.
    pub fn secret_key(&self) -> &str {
        self.api_key()
    }
}

impl SuiteDash {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for SuiteDash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SuiteDash").finish_non_exhaustive()
    }
}

impl Vendor for SuiteDash {
    fn name(&self) -> &'static str {
        "suitedash"
    }

    fn operations(&self) -> Vec<Operation> {
        OPERATIONS.to_vec()
    }

    fn route(&self, method: &Method, path: &str, _headers: &HeaderMap) -> Routed {
        if !path.starts_with(BASE_PATH) {
            return Routed::Refused(Refusal::NoPage);
        }
        // Web servers do not let a slash hide in a segment, unless they are told to.
        let hides_slash = path.to_ascii_lowercase().contains("%2f");
        if hides_slash && !self.state().rules.options.encoded_slashes {
            return Routed::Refused(Refusal::NoPage);
        }
        match route(OPERATIONS.iter(), method, path) {
            Routed::Nowhere if has_other_method(path) => Routed::Refused(Refusal::WrongMethod),
            routed => routed,
        }
    }

    fn is_public(&self, operation: Operation, headers: &HeaderMap) -> bool {
        is_dummy(headers) && operation.method() == "GET"
    }

    fn presented_key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        let public_id = header(headers, PUBLIC_ID)?;
        let secret_key = header(headers, SECRET_KEY)?;
        // An empty key is never a good one.
        let own = public_id == self.public_id.as_bytes();
        Some(if own { secret_key } else { b"" })
    }

    fn spend(&self) -> bool {
        self.state().quota.spend()
    }

    fn answer(&self, call: &Call<'_>) -> Outcome {
        let Some(act) = operations::act(call.operation) else {
            return self.refuse(Refusal::UnknownRoute, None).into();
        };
        let mut state = self.state();
        let State {
            rules,
            account,
            sample,
            quota,
            ..
        } = &mut *state;
        let dummy = is_dummy(call.headers);
        let world = if dummy { sample } else { account };
        match act(world, rules, call) {
            Ok(reply) => {
                if !dummy {
                    quota.succeeded();
                }
                reply.into()
            }
            Err(refused) => refused.reply(rules).into(),
        }
    }

    fn refuse(&self, refusal: Refusal, _operation: Option<Operation>) -> Reply {
        let state = self.state();
        refusal::refuse(refusal, &state.rules, state.quota.of_month())
    }

    fn limit_headers(&self, _standing: Standing, _headers: &mut HeaderMap) {
        // None is known of.
    }

    fn control(&self, request: &ControlRequest<'_>) -> Option<Result<ControlOutcome, Problem>> {
        control_http::answer(&mut self.state(), request)
    }

    fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.state().wake)
    }

    fn next_due(&self) -> Option<Instant> {
        None
    }

    fn run_due(&self, _until: Instant, _send: &dyn Fn(Vec<Delivery>)) {
        // Nothing happens here that nobody called for.
    }

    fn is_expecting(&self) -> bool {
        false
    }

    fn reset(&self) {
        self.state().reset();
    }

    fn describe(&self) -> Value {
        control_http::describe(&self.state(), &self.public_id)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers
        .get(name)
        .map(HeaderValue::as_bytes)
        .filter(|value| !value.is_empty())
}

/// Says whether a request comes with the published dummy pair.
fn is_dummy(headers: &HeaderMap) -> bool {
    header(headers, PUBLIC_ID) == Some(DUMMY_PUBLIC_ID.as_bytes())
        && header(headers, SECRET_KEY) == Some(DUMMY_SECRET_KEY.as_bytes())
}

/// Says whether a path is one of the API, with whatever method.
fn has_other_method(path: &str) -> bool {
    [Method::GET, Method::POST, Method::PUT]
        .iter()
        .any(|method| !matches!(route(OPERATIONS.iter(), method, path), Routed::Nowhere))
}
