//! What a target is given, and what it answers.

use chrono::{DateTime, Utc};
use connector_http::{Lane, Timer};
use serde::{Deserialize, Serialize};

use crate::contact::{Contact, ExternalKey, Field};
use crate::ids::{RemoteId, TenantId};

/// How dear a vendor's calls are.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallBudget {
    /// Paced, but not counted: reading before writing costs nothing but time.
    Plenty,
    /// Counted per month: the cheapest safe plan is the right one, and nothing is probed.
    Scarce,
}

/// On whose behalf a target is called, and how urgently.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// Whether somebody waits for the answer.
    pub lane: Lane,
    /// The clock to wait on.
    pub timer: &'a dyn Timer,
}

impl<'a> Context<'a> {
    /// Makes a context.
    pub fn new(tenant: &'a TenantId, lane: Lane, timer: &'a dyn Timer) -> Self {
        Self {
            tenant,
            lane,
            timer,
        }
    }
}

/// A person, and the keys under which the vendor may know them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Person<'a> {
    /// The contact.
    pub contact: &'a Contact,
    /// The contact's own key: what a new record is created under.
    pub key: &'a ExternalKey,
    /// Keys of other contacts that are the same person and whose creation was never confirmed.
    pub aliases: &'a [ExternalKey],
}

impl<'a> Person<'a> {
    /// Makes a person with no other key than their own.
    pub fn new(contact: &'a Contact, key: &'a ExternalKey) -> Self {
        Self {
            contact,
            key,
            aliases: &[],
        }
    }
}

/// A person to be brought to a vendor, with what we know of them there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The contact.
    pub contact: Contact,
    /// The version of the contact; it grows with every signup of the person.
    pub revision: u64,
    /// The contact's own key.
    pub key: ExternalKey,
    /// Keys of other contacts that are the same person and whose creation was never confirmed.
    pub aliases: Vec<ExternalKey>,
    /// The vendor's record, where we have a link.
    pub known: Known,
    /// Whether an earlier attempt may have created a record.
    pub uncertain: bool,
}

impl Delivery {
    /// Makes a delivery of a contact that nobody knows yet.
    pub fn new(contact: Contact, revision: u64, key: ExternalKey) -> Self {
        Self {
            contact,
            revision,
            key,
            aliases: Vec::new(),
            known: Known::Nobody,
            uncertain: false,
        }
    }

    /// Returns the person.
    pub fn person(&self) -> Person<'_> {
        Person {
            contact: &self.contact,
            key: &self.key,
            aliases: &self.aliases,
        }
    }
}

/// Which record of the vendor belongs to a contact, as far as our own links tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// None that we know of.
    Nobody,
    /// This one: the contact's own link, or that of another contact of the same person.
    One(RemoteId),
    /// Several: a person has to choose.
    Several(Vec<RemoteId>),
}

/// What a delivery came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivered {
    /// The vendor has the contact.
    Done {
        /// Under this id.
        remote: RemoteId,
        /// What had to be done for it.
        action: Action,
    },
    /// The record that we had a link to was deleted at the vendor.
    Gone(RemoteId),
}

impl Delivered {
    /// Says that the vendor has the contact.
    pub fn done(remote: RemoteId, action: Action) -> Self {
        Self::Done { remote, action }
    }
}

/// What was done to bring a contact to a vendor.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// A record was created.
    Created,
    /// A record was there and was changed.
    Updated,
    /// A record was there and said the same.
    Unchanged,
}

/// What an update came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Updated {
    /// Something was written.
    Changed,
    /// Nothing was different.
    Unchanged,
    /// There is no such record.
    Gone,
}

/// A record that a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// Its id.
    pub remote: RemoteId,
    /// When it was created, by the vendor's clock.
    pub created_at: Option<DateTime<Utc>>,
}

impl Hit {
    /// Makes a hit.
    pub fn new(remote: impl Into<RemoteId>, created_at: Option<DateTime<Utc>>) -> Self {
        Self {
            remote: remote.into(),
            created_at,
        }
    }
}

/// A field that did not reach the vendor although it had a value, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unmapped {
    /// The field.
    pub field: Field,
    /// The attribute's name, for an attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it has no place. Never the value.
    pub reason: &'static str,
}

impl Unmapped {
    /// Makes a report of one field.
    pub fn new(field: Field, reason: &'static str) -> Self {
        Self {
            field,
            name: None,
            reason,
        }
    }

    /// Makes a report of one attribute.
    pub fn attribute(name: impl Into<String>, reason: &'static str) -> Self {
        Self {
            field: Field::Attribute,
            name: Some(name.into()),
            reason,
        }
    }
}
