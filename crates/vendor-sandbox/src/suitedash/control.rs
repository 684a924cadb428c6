//! What the control handle offers for this vendor alone.

use chrono::DateTime;
use serde_json::Value;

use crate::clock;
use crate::control::Control;
use crate::error::SandboxError;
use crate::suitedash::attributes::{Field, RecordKind};
use crate::suitedash::body::Body;
use crate::suitedash::contacts::Origin;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::state::State;
use crate::suitedash::webhooks::{self, WebhookEvent};
use crate::suitedash::world::{Subscription, WelcomeMail, World};
use crate::suitedash::{
    Options, RoleInUpdate, SuiteDash, companies, company, contact, contacts, project, projects,
};

impl Control<SuiteDash> {
    /// Returns every contact as the API would show it, in the order of creation.
    ///
    /// With a million synthetic contacts this is a long list; [`contact_count`] is not.
    ///
    /// [`contact_count`]: Self::contact_count
    pub fn contacts(&self) -> Vec<Value> {
        every_contact(&self.vendor.state().account)
    }

    /// Returns one contact, by its UID or e-mail, as the API would show it.
    pub fn contact(&self, identifier: &str) -> Option<Value> {
        let world = &self.vendor.state().account;
        contact::view(world, world.contact(identifier)?)
    }

    /// Returns how many contacts there are.
    pub fn contact_count(&self) -> u64 {
        self.vendor.state().account.contacts.len()
    }

    /// Adds one contact and returns its UID, without a request and without a welcome mail.
    ///
    /// The record has the shape of the body of create, and may have a `created` in RFC 3339.
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidSeed`] when the record breaks the vendor's rules.
    pub fn seed_contact(&self, record: &Value) -> Result<String, SandboxError> {
        seed_contact(&mut self.vendor.state(), record)
    }

    /// Adds `count` synthetic contacts, each with a name, a number, a tag and the e-mail
    /// `synthetic.N@example.com`, where N is its place among all contacts, counted from 1.
    ///
    /// They are computed when they are read, so a million of them costs no memory; one that is
    /// changed takes its place in memory from then on.
    pub fn seed_contacts(&self, count: u64) {
        self.vendor.state().account.contacts.add_synthetic(count);
    }

    /// Changes a contact, as somebody does in the app while a client is at work. The record has the
    /// shape of the body of update, and changes what it names.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Unknown`] when there is none with this UID or e-mail, and
    /// [`SandboxError::InvalidSeed`] when the record breaks the vendor's rules.
    pub fn edit_contact(&self, identifier: &str, record: &Value) -> Result<(), SandboxError> {
        edit_contact(&mut self.vendor.state(), identifier, record)
    }

    /// Takes a contact away, as somebody does in the app; the API cannot. Says whether it was
    /// there.
    pub fn delete_contact(&self, identifier: &str) -> bool {
        delete_contact(&mut self.vendor.state(), identifier)
    }

    /// Returns every company as the API would show it, idle ones included.
    pub fn companies(&self) -> Vec<Value> {
        every_company(&self.vendor.state().account)
    }

    /// Adds one company, of the shape of the body of create, and returns its UID.
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidSeed`] when the record breaks the vendor's rules.
    pub fn seed_company(&self, record: &Value) -> Result<String, SandboxError> {
        seed_company(&mut self.vendor.state(), record)
    }

    /// Adds `count` synthetic companies, `Synthetic N Ltd` by name.
    pub fn seed_companies(&self, count: u64) {
        self.vendor.state().account.companies.add_synthetic(count);
    }

    /// Makes a company idle, which lists leave out, or wakes it.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Unknown`] when there is none with this UID or name.
    pub fn set_company_idle(&self, identifier: &str, idle: bool) -> Result<(), SandboxError> {
        set_company_idle(&mut self.vendor.state(), identifier, idle)
    }

    /// Returns every project as the API would show it.
    pub fn projects(&self) -> Vec<Value> {
        every_project(&self.vendor.state().account)
    }

    /// Adds one project, of the shape of the body of update, and returns its UID. It may name its
    /// `client` as `{"uid": …}`. The API creates none.
    ///
    /// # Errors
    ///
    /// [`SandboxError::InvalidSeed`] when the record breaks the vendor's rules.
    pub fn seed_project(&self, record: &Value) -> Result<String, SandboxError> {
        seed_project(&mut self.vendor.state(), record)
    }

    /// Adds `count` synthetic projects, `Synthetic project N` by name.
    pub fn seed_projects(&self, count: u64) {
        self.vendor.state().account.projects.add_synthetic(count);
    }

    /// Defines a custom field, as people do in the app, in place of one with the same UID.
    pub fn define_custom_field(&self, of: RecordKind, uid: &str, name: &str) {
        define(&mut self.vendor.state(), of, uid, name);
    }

    /// Returns the portal invitations that were mailed, oldest first.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::suitedash().start().await?;
    /// // … let forms create their leads …
    /// assert!(sandbox.control().welcome_mails().is_empty(), "no stranger was mailed");
    /// # Ok(())
    /// # }
    /// ```
    pub fn welcome_mails(&self) -> Vec<WelcomeMail> {
        self.vendor.state().account.welcome_mails.clone()
    }

    /// Returns who was subscribed to which marketing audience.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.vendor.state().account.subscriptions.clone()
    }

    /// Returns how many calls of this month count.
    pub fn calls_used(&self) -> u64 {
        self.vendor.state().quota.used()
    }

    /// Changes how many calls a month has, as when somebody buys a larger plan; `None` lifts the
    /// limit. What was used stays used.
    pub fn set_monthly_quota(&self, calls: Option<u64>) {
        self.vendor.state().quota.set(calls);
    }

    /// Lets the next month begin, in which no call was made.
    pub fn next_month(&self) {
        self.vendor.state().quota.next_month();
    }

    /// Sends a webhook that tells of a project, or of a contact where the event is one of billing:
    /// `about` is its UID. The URL is the receiver's own, with its secret, as people set it up in
    /// the app. It is sent once and not signed.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use serde_json::json;
    /// use vendor_sandbox::Sandbox;
    /// use vendor_sandbox::suitedash::WebhookEvent;
    ///
    /// let sandbox = Sandbox::suitedash().start().await?;
    /// let control = sandbox.control();
    /// let project = control.seed_project(&json!({ "name": "Onboarding" }))?;
    /// let url = "http://127.0.0.1:9/hooks/secret-of-the-receiver";
    /// control.send_webhook(url, WebhookEvent::ProjectUpdated, &project)?;
    /// control.webhooks_settled().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotLoopback`] unless the URL is `http` to a loopback address, and
    /// [`SandboxError::Unknown`] when there is no such project or contact.
    pub fn send_webhook(
        &self,
        url: &str,
        event: WebhookEvent,
        about: &str,
    ) -> Result<(), SandboxError> {
        let delivery = {
            let mut state = self.vendor.state();
            let payload = webhooks::payload(&state.account, event, about)?;
            webhooks::delivery(&mut state, url, event, about, &payload)?
        };
        self.shared.dispatcher.send(vec![delivery]);
        Ok(())
    }

    /// Sends a webhook with a payload of one's own: little of the vendor's is known.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotLoopback`] unless the URL is `http` to a loopback address.
    pub fn send_webhook_with(
        &self,
        url: &str,
        event: WebhookEvent,
        payload: &Value,
    ) -> Result<(), SandboxError> {
        let delivery = webhooks::delivery(&mut self.vendor.state(), url, event, "", payload)?;
        self.shared.dispatcher.send(vec![delivery]);
        Ok(())
    }

    /// Forgets contacts, companies, projects, welcome mails, subscriptions and the log of requests.
    /// Keys, custom fields, limits, faults and the calls of the month stay.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

pub(super) fn every_contact(world: &World) -> Vec<Value> {
    let places = world.contacts.places(0);
    places
        .filter_map(|place| contact::view(world, place))
        .collect()
}

pub(super) fn every_company(world: &World) -> Vec<Value> {
    let places = world.companies.places(0);
    places
        .filter_map(|place| company::view(world, place))
        .collect()
}

pub(super) fn every_project(world: &World) -> Vec<Value> {
    let places = world.projects.places(0);
    places
        .filter_map(|place| project::view(world, place))
        .collect()
}

pub(super) fn seed_contact(state: &mut State, record: &Value) -> Result<String, SandboxError> {
    let place = seed(state, record, contacts::make)?;
    Ok(state.account.contacts.uid(place))
}

pub(super) fn seed_company(state: &mut State, record: &Value) -> Result<String, SandboxError> {
    let place = seed(state, record, companies::make)?;
    Ok(state.account.companies.uid(place))
}

pub(super) fn seed_project(state: &mut State, record: &Value) -> Result<String, SandboxError> {
    let place = seed(state, record, projects::make)?;
    Ok(state.account.projects.uid(place))
}

pub(super) fn edit_contact(
    state: &mut State,
    identifier: &str,
    record: &Value,
) -> Result<(), SandboxError> {
    let State { account, rules, .. } = state;
    let unknown = SandboxError::Unknown { what: "contact" };
    let place = account.contact(identifier).ok_or(unknown)?;
    // People are not bound by what the API makes of an update.
    let rules = Rules {
        options: Options {
            partial_updates: true,
            role_in_update: RoleInUpdate::Applied,
            ..rules.options.clone()
        },
        origin: String::new(),
    };
    Body::of(record.clone())
        .and_then(|body| contacts::change(account, &rules, place, body, clock::utc_now()))
        .map_err(|refused| SandboxError::InvalidSeed {
            reason: refused.summary(),
        })
}

pub(super) fn delete_contact(state: &mut State, identifier: &str) -> bool {
    let world = &mut state.account;
    let place = world.contact(identifier);
    place.is_some_and(|place| world.remove_contact(place))
}

pub(super) fn set_company_idle(
    state: &mut State,
    identifier: &str,
    idle: bool,
) -> Result<(), SandboxError> {
    let world = &mut state.account;
    let unknown = SandboxError::Unknown { what: "company" };
    let place = world.company(identifier).ok_or(unknown)?;
    if let Some(mut company) = world.companies.copy(place) {
        company.idle = idle;
        world.companies.put(place, company);
    }
    Ok(())
}

pub(super) fn define(state: &mut State, of: RecordKind, uid: &str, name: &str) {
    state.account.fields.define(Field {
        of,
        uid: uid.to_owned(),
        name: name.to_owned(),
    });
}

type Make = fn(&mut World, &Rules, Body, Origin) -> Result<u64, Refused>;

fn seed(state: &mut State, record: &Value, make: Make) -> Result<u64, SandboxError> {
    let invalid = |reason| SandboxError::InvalidSeed { reason };
    let mut body = Body::of(record.clone()).map_err(|refused| invalid(refused.summary()))?;
    let created = match body.take("created") {
        None => clock::utc_now(),
        Some(text) => text
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| time.to_utc())
            .ok_or_else(|| invalid("created: is not a date-time".to_owned()))?,
    };
    let State { account, rules, .. } = state;
    make(account, rules, body, Origin::Seed(created)).map_err(|refused| invalid(refused.summary()))
}
