//! What the control handle and `/_sandbox/` offer for this vendor alone.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::control::Control;
use crate::control_http::read;
use crate::error::SandboxError;
use crate::openphone::calls::{self, CallEnd};
use crate::openphone::contact_body::Origin;
use crate::openphone::messages::{self, MessagingBlock};
use crate::openphone::registration::{Registration, Webhook, WebhookFormat};
use crate::openphone::state::State;
use crate::openphone::workspace::{CustomFieldKind, Definition};
use crate::openphone::{OpenPhone, contacts};
use crate::vendor::{ControlOutcome, ControlRequest, Problem};
use crate::webhook::{Recipient, Target};

impl Control<OpenPhone> {
    /// Returns every contact as the API would show it, in the order of creation.
    ///
    /// With a million synthetic contacts this is a long list; [`contact_count`] is not.
    ///
    /// [`contact_count`]: Self::contact_count
    pub fn contacts(&self) -> Vec<Value> {
        contacts::snapshot(&self.vendor.state())
    }

    /// Returns one contact as the API would show it.
    pub fn contact(&self, id: &str) -> Option<Value> {
        let state = self.vendor.state();
        contacts::one(&state, state.contacts.place(id)?)
    }

    /// Returns how many contacts there are.
    pub fn contact_count(&self) -> u64 {
        self.vendor.state().contacts.len()
    }

    /// Adds one contact and returns its id, without a request and without a webhook.
    ///
    /// The record has the shape of the body of create, and may hold what only the app can make,
    /// such as a reserved `source` or none.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use serde_json::json;
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// let id = sandbox.control().seed(&json!({
    ///     "externalId": "crm-1",
    ///     "source": "csv",
    ///     "defaultFields": { "firstName": "Ada", "phoneNumbers": [{ "name": "work", "value": "+12025550143" }] },
    /// }))?;
    /// assert!(sandbox.control().contact(&id).is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidSeed`] when the record breaks the vendor's rules.
    pub fn seed(&self, record: &Value) -> Result<String, SandboxError> {
        let mut state = self.vendor.state();
        seed(&mut state, record).map_err(|reason| SandboxError::InvalidSeed { reason })
    }

    /// Adds `count` synthetic contacts, each with a name, an e-mail, a number and the external
    /// id `synthetic-N`, where N is its place among all contacts, counted from 1.
    ///
    /// They are computed when they are read, so a million of them costs no memory; one that is
    /// changed or deleted takes its place in memory from then on. Beyond 2^39 places, which is
    /// more than their ids can number, no further ones are added.
    pub fn seed_contacts(&self, count: u64) {
        self.vendor.state().contacts.add_synthetic(count);
    }

    /// Returns every text as the API would show it, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        let state = self.vendor.state();
        state
            .messages
            .iter()
            .map(|message| json!(message.view()))
            .collect()
    }

    /// Lets a text arrive at one of the workspace's numbers, given as number or id, and returns
    /// it as the API would show it. Registered webhooks hear of it.
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidText`] when `to` is not a number of the workspace or `from` is
    /// empty.
    pub fn place_inbound_text(
        &self,
        from: &str,
        to: &str,
        text: &str,
    ) -> Result<Value, SandboxError> {
        let (message, deliveries) = {
            let mut state = self.vendor.state();
            let (id, deliveries) = messages::receive(&mut state, from, to, text, clock::utc_now())
                .map_err(|reason| SandboxError::InvalidText { reason })?;
            (
                json!(state.messages.get(&id).map(|message| message.view())),
                deliveries,
            )
        };
        self.shared.dispatcher.send(deliveries);
        Ok(message)
    }

    /// Lets a call come in at one of the workspace's numbers, given as number or id, that ends now,
    /// and returns its id. Webhooks of payload `v4` hear of its ringing, of its end and, once it
    /// was answered, of its recording, summary and transcript.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    /// use vendor_sandbox::openphone::CallEnd;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// let control = sandbox.control();
    /// control.place_inbound_call("+12025550143", sandbox.phone_number(), CallEnd::Missed)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidCall`] when `to` is not a number of the workspace or `from` is
    /// empty.
    pub fn place_inbound_call(
        &self,
        from: &str,
        to: &str,
        end: CallEnd,
    ) -> Result<String, SandboxError> {
        let (id, deliveries) =
            calls::receive(&mut self.vendor.state(), from, to, end, clock::utc_now())
                .map_err(|reason| SandboxError::InvalidCall { reason })?;
        self.shared.dispatcher.send(deliveries);
        Ok(id)
    }

    /// Sends webhooks to this URL from now on: everything that its generation tells, signed with
    /// the sandbox's own key. The API does not show it. The same URL may be registered twice, and
    /// then hears everything twice, as at the vendor.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotLoopback`] unless the URL is `http` to a loopback address.
    pub fn register_webhook(
        &self,
        url: &str,
        format: WebhookFormat,
    ) -> Result<Webhook, SandboxError> {
        register(&mut self.vendor.state(), url, format)
    }

    /// Ends a webhook's deliveries; one that was created over the API is deleted, as when somebody
    /// does so in the app.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Unknown`] when there is none with this id.
    pub fn remove_webhook(&self, id: &str) -> Result<(), SandboxError> {
        if remove(&mut self.vendor.state(), id) {
            Ok(())
        } else {
            Err(SandboxError::Unknown { what: "webhook" })
        }
    }

    /// Returns the registered webhooks, those created over the API included, in the order in which
    /// they were registered.
    pub fn webhooks(&self) -> Vec<Webhook> {
        let state = self.vendor.state();
        state
            .webhooks
            .iter()
            .map(|registration| registration.webhook.clone())
            .collect()
    }

    /// Defines a custom field, as people do in the app; a definition with the same key is
    /// replaced by name and keeps its place.
    pub fn add_custom_field(&self, name: &str, key: &str, kind: CustomFieldKind) {
        define(&mut self.vendor.state(), name, key, kind);
    }

    /// Makes every text fail for a reason that lies with the workspace; `None` ends it.
    pub fn set_messaging_block(&self, block: Option<MessagingBlock>) {
        self.vendor.state().messaging_block = block;
    }

    /// Forgets contacts, texts, the webhooks that were created over the API, and the log of
    /// requests. Users, numbers, keys, limits, faults and the webhooks that were set up through
    /// this handle stay.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

fn seed(state: &mut State, record: &Value) -> Result<String, String> {
    contacts::make(state, Some(record), Origin::Seed, clock::utc_now())
        .map(|place| state.contacts.id(place))
        .map_err(|error| error.summary())
}

fn register(state: &mut State, url: &str, format: WebhookFormat) -> Result<Webhook, SandboxError> {
    let recipient = Recipient::Loopback(Arc::new(Target::parse(url)?));
    let registration = match format {
        WebhookFormat::V4 => {
            let key = Arc::clone(&state.legacy_key);
            Registration::v4(recipient, key, None, &mut state.ids)
        }
        WebhookFormat::Dated => {
            Registration::dated(recipient, Arc::clone(&state.dated_key), &mut state.ids)
        }
    };
    let webhook = registration.webhook.clone();
    state.webhooks.push(registration);
    Ok(webhook)
}

fn remove(state: &mut State, id: &str) -> bool {
    let before = state.webhooks.len();
    state
        .webhooks
        .retain(|registration| registration.webhook.id != id);
    state.webhooks.len() < before
}

fn define(state: &mut State, name: &str, key: &str, kind: CustomFieldKind) {
    let definition = Definition {
        name: name.to_owned(),
        key: key.to_owned(),
        r#type: kind,
    };
    let definitions = &mut state.workspace.custom_fields;
    match definitions.iter_mut().find(|known| known.key == key) {
        Some(known) => *known = definition,
        None => definitions.push(definition),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSpec {
    #[serde(default)]
    synthetic: u64,
    #[serde(default)]
    contacts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextSpec {
    from: String,
    to: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallSpec {
    from: String,
    to: String,
    end: CallEnd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSpec {
    url: String,
    format: WebhookFormat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    name: String,
    key: String,
    r#type: CustomFieldKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockSpec {
    block: Option<MessagingBlock>,
}

/// Answers this vendor's part of `/_sandbox/`.
pub(super) fn answer(
    state: &mut State,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, Problem>> {
    let body = &request.body;
    let outcome = match (request.method.as_str(), request.path) {
        ("GET", ["contacts"]) => Ok(ControlOutcome::ok(
            json!({ "contacts": contacts::snapshot(state) }),
        )),
        ("GET", ["contacts", id]) => state
            .contacts
            .place(id)
            .and_then(|place| contacts::one(state, place))
            .map(ControlOutcome::ok)
            .ok_or_else(|| Problem::missing("contact", id)),
        ("POST", ["contacts"]) => read::<SeedSpec>(body).and_then(|spec| {
            let mut ids = Vec::with_capacity(spec.contacts.len());
            for record in &spec.contacts {
                ids.push(seed(state, record)?);
            }
            state.contacts.add_synthetic(spec.synthetic);
            let count = state.contacts.len();
            Ok(ControlOutcome::created(
                json!({ "ids": ids, "count": count }),
            ))
        }),
        ("GET", ["messages"]) => {
            let messages: Vec<_> = state
                .messages
                .iter()
                .map(|message| message.view())
                .collect();
            Ok(ControlOutcome::ok(json!({ "messages": messages })))
        }
        ("POST", ["inbound-texts"]) => read::<TextSpec>(body).and_then(|spec| {
            let now = clock::utc_now();
            let (id, deliveries) = messages::receive(state, &spec.from, &spec.to, &spec.text, now)?;
            let message = json!(state.messages.get(&id).map(|message| message.view()));
            Ok(ControlOutcome {
                deliveries,
                ..ControlOutcome::created(message)
            })
        }),
        ("POST", ["inbound-calls"]) => read::<CallSpec>(body).and_then(|spec| {
            let now = clock::utc_now();
            let (id, deliveries) = calls::receive(state, &spec.from, &spec.to, spec.end, now)?;
            Ok(ControlOutcome {
                deliveries,
                ..ControlOutcome::created(json!({ "id": id }))
            })
        }),
        ("GET", ["webhooks"]) => {
            let webhooks: Vec<_> = state.webhooks.iter().map(|entry| &entry.webhook).collect();
            Ok(ControlOutcome::ok(json!({ "webhooks": webhooks })))
        }
        ("POST", ["webhooks"]) => read::<WebhookSpec>(body).and_then(|spec| {
            let webhook = register(state, &spec.url, spec.format)?;
            Ok(ControlOutcome::created(json!(webhook)))
        }),
        ("DELETE", ["webhooks", id]) => {
            if remove(state, id) {
                Ok(ControlOutcome::ok(json!({ "removed": true })))
            } else {
                Err(Problem::missing("webhook", id))
            }
        }
        ("POST", ["custom-fields"]) => read::<FieldSpec>(body).map(|spec| {
            define(state, &spec.name, &spec.key, spec.r#type);
            ControlOutcome::created(json!({ "custom_fields": state.workspace.custom_fields }))
        }),
        ("PUT", ["messaging-block"]) => read::<BlockSpec>(body).map(|spec| {
            state.messaging_block = spec.block;
            ControlOutcome::ok(json!({ "block": spec.block }))
        }),
        _ => return None,
    };
    Some(outcome)
}

/// What `GET /_sandbox/` tells about this vendor.
pub(super) fn describe(state: &State) -> Value {
    let numbers: Vec<_> = state
        .workspace
        .phone_numbers
        .iter()
        .map(|phone| json!({ "id": phone.id, "number": phone.number, "name": phone.name }))
        .collect();
    json!({
        "webhook_key": state.legacy_key_text(),
        "webhook_secret": state.dated_key_text(),
        "phone_numbers": numbers,
        "contacts": state.contacts.len(),
        "messages": state.messages.len(),
        "webhooks": state.webhooks.len(),
    })
}
