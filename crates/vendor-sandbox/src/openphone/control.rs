//! What the control handle offers for this vendor alone.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock;
use crate::control::Control;
use crate::error::SandboxError;
use crate::openphone::call::CallEnd;
use crate::openphone::contact_body::Origin;
use crate::openphone::messages::{self, MessagingBlock, TextFailure};
use crate::openphone::new_call::NewCall;
use crate::openphone::registration::{Registration, Webhook, WebhookFormat};
use crate::openphone::state::{Plan, State};
use crate::openphone::workspace::{CustomFieldKind, Definition};
use crate::openphone::{OpenPhone, call_life, contacts, media};
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

    /// Returns every text as API v1 would show it, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        let state = self.vendor.state();
        state
            .messages
            .ledger
            .places(0)
            .filter_map(|place| Some(json!(state.message(place)?.view())))
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
            let (place, deliveries) =
                messages::receive(&mut state, from, to, text, clock::utc_now())
                    .map_err(|reason| SandboxError::InvalidText { reason })?;
            (
                json!(state.message(place).map(|message| json!(message.view()))),
                deliveries,
            )
        };
        self.shared.dispatcher.send(deliveries);
        Ok(message)
    }

    /// Lets a call come in at one of the workspace's numbers, given as number or id, that ends now,
    /// and returns its id: [`place_call`](Self::place_call) with everything else as usual.
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
    /// [`SandboxError::InvalidCall`] when `to` is not a number of the workspace, `from` is
    /// empty, or a call that comes in cannot end so.
    pub fn place_inbound_call(
        &self,
        from: &str,
        to: &str,
        end: CallEnd,
    ) -> Result<String, SandboxError> {
        self.place_call(&NewCall::incoming(from, to).end(end))
    }

    /// Lets a call happen and returns its id. Webhooks hear of its ringing, answer and end; after
    /// a while ([`call_processing`](crate::Builder::call_processing)) its recording or voicemail is
    /// there, and after as long again its transcript and summary, and they hear of those.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    /// use vendor_sandbox::openphone::NewCall;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// let control = sandbox.control();
    /// let call = NewCall::outgoing(sandbox.phone_number(), "+12025550143").summarised(false);
    /// let id = control.place_call(&call)?;
    /// control.webhooks_settled().await; // Its transcript is there now.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidCall`] when its number is not one of the workspace, the other side
    /// is empty, or a call of its direction cannot end so.
    pub fn place_call(&self, call: &NewCall) -> Result<String, SandboxError> {
        let (id, deliveries) = call_life::place(&mut self.vendor.state(), call, clock::utc_now())
            .map_err(|reason| SandboxError::InvalidCall { reason })?;
        self.shared.dispatcher.send(deliveries);
        Ok(id)
    }

    /// Lets everything happen at once that is still ahead of calls: those that go on end, and what
    /// is processed is done.
    pub fn finish_calls(&self) {
        let mut state = self.vendor.state();
        let deliveries = state.finish_calls(clock::utc_now());
        // With the state locked, so that nobody sees calls that are done before their webhooks.
        self.shared.dispatcher.send(deliveries);
        drop(state);
        self.shared.ticked.notify_waiters();
    }

    /// Returns one call as API v1 would show it.
    pub fn call(&self, id: &str) -> Option<Value> {
        let state = self.vendor.state();
        let call = state.call(state.calls.ledger.place(id)?)?;
        Some(json!(call.view()))
    }

    /// Returns how many calls there are.
    pub fn call_count(&self) -> u64 {
        self.vendor.state().calls.ledger.len()
    }

    /// Returns how many texts there are.
    pub fn message_count(&self) -> u64 {
        self.vendor.state().messages.ledger.len()
    }

    /// Returns the bytes of a call's recording, whether it is there already or not; `None` when
    /// there is no such call.
    pub fn recording(&self, call_id: &str) -> Option<Bytes> {
        let state = self.vendor.state();
        let call = state.call(state.calls.ledger.place(call_id)?)?;
        Some(media::sound(&call))
    }

    /// Makes the address of every recording and voicemail that was given out so far worthless.
    pub fn expire_recording_urls(&self) {
        let mut state = self.vendor.state();
        state.media_key = state.ids.key_bytes();
    }

    /// Adds `count` synthetic calls of the past, dealt out in turn over all numbers of the workspace
    /// and over `people` others. Like synthetic contacts they are computed when they are read;
    /// only the threads, one for each number and person, take memory. There are 80,000 people in
    /// all; each seeding takes new ones.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// sandbox.control().seed_calls(100_000, 500);
    /// assert_eq!(sandbox.control().call_count(), 100_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn seed_calls(&self, count: u64, people: u64) {
        self.vendor.state().add_synthetic_calls(count, people);
    }

    /// Adds `count` synthetic texts of the past, dealt out like those of
    /// [`seed_calls`](Self::seed_calls).
    pub fn seed_messages(&self, count: u64, people: u64) {
        self.vendor.state().add_synthetic_messages(count, people);
    }

    /// Lets the next text that is sent fail; called several times, the next several.
    pub fn fail_next_text(&self, failure: TextFailure) {
        self.vendor.state().next_failures.push_back(failure);
    }

    /// Changes what the workspace pays for.
    pub fn set_plan(&self, plan: Plan) {
        self.vendor.state().plan = plan;
    }

    /// Refuses to open more tasks than this with 402; `None`, which it starts with, takes any.
    pub fn set_open_task_limit(&self, limit: Option<usize>) {
        self.vendor.state().open_task_limit = limit;
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

    /// Forgets contacts, texts, calls, tasks, the webhooks that were created over the API, and the
    /// log of requests. Users, numbers, keys, limits, faults and the webhooks that were set up through
    /// this handle stay.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

pub(super) fn seed(state: &mut State, record: &Value) -> Result<String, String> {
    contacts::make(state, Some(record), Origin::Seed, clock::utc_now())
        .map(|place| state.contacts.id(place))
        .map_err(|error| error.summary())
}

pub(super) fn register(
    state: &mut State,
    url: &str,
    format: WebhookFormat,
) -> Result<Webhook, SandboxError> {
    let recipient = Recipient::Loopback(Arc::new(Target::parse(url)?));
    let registration = match format {
        WebhookFormat::V4 => {
            let key = Arc::clone(&state.legacy_key);
            Registration::v4(recipient, key, None, &mut state.ids)
        }
        WebhookFormat::Dated => Registration::dated(
            recipient,
            Arc::clone(&state.dated_key),
            None,
            &mut state.ids,
        ),
    };
    let webhook = registration.webhook.clone();
    state.webhooks.push(registration);
    Ok(webhook)
}

pub(super) fn remove(state: &mut State, id: &str) -> bool {
    let before = state.webhooks.len();
    state
        .webhooks
        .retain(|registration| registration.webhook.id != id);
    state.webhooks.len() < before
}

pub(super) fn define(state: &mut State, name: &str, key: &str, kind: CustomFieldKind) {
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
