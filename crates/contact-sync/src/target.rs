//! The port to a vendor: what a target must be able to do, and the plan that never creates twice.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_http::{Lane, Timer};
use serde::{Deserialize, Serialize};

use crate::contact::{Contact, ExternalKey, Field};
use crate::failure::{ClientUnavailable, ErrorClass, TargetError};
use crate::ids::{RemoteId, TenantId};

/// A vendor that contacts are sent to.
///
/// A target has the five small calls and, made of them, [`deliver`](Self::deliver). It asks a [`ClientProvider`] for
/// its client and never sees a credential. Its errors carry an [`ErrorClass`]; no error, log line or `Debug` of it
/// shows a field of a contact.
#[async_trait]
pub trait Target: Send + Sync {
    /// Returns the name that jobs, links and receipts carry, such as `openphone`.
    fn name(&self) -> &'static str;

    /// Tells how dear a call is.
    fn budget(&self) -> CallBudget {
        CallBudget::Plenty
    }

    /// Tells whether a record can be deleted again. The strict road needs it.
    fn can_delete(&self) -> bool;

    /// Returns how long a new record can stay invisible to [`find`](Self::find). Zero means that one look suffices.
    fn search_lag(&self) -> Duration;

    /// Returns how long an unanswered request can still take effect: the vendor's own time-out.
    fn settle_time(&self) -> Duration;

    /// Returns what of a contact has no place at the vendor, or is not fit for it.
    fn unmapped(&self, contact: &Contact) -> Vec<Unmapped>;

    /// Returns the same for one tenant, where a tenant's own [`FieldMap`](crate::FieldMap) counts too.
    async fn unmapped_for(&self, context: &Context<'_>, contact: &Contact) -> Vec<Unmapped> {
        let _ = context;
        self.unmapped(contact)
    }

    /// Looks for records of a person, as far as the vendor can be searched; each record once.
    ///
    /// # Errors
    ///
    /// A classified error; a look-up never fails as [`ErrorClass::Ambiguous`].
    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError>;

    /// Creates a record, under the person's key.
    ///
    /// # Errors
    ///
    /// A classified error: [`ErrorClass::Ambiguous`] whenever a record may exist now,
    /// [`ErrorClass::Conflict`] when the vendor says that one exists already.
    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError>;

    /// Writes what is different about a person; writes nothing if nothing is.
    ///
    /// # Errors
    ///
    /// A classified error.
    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError>;

    /// Deletes a record; one that is gone already counts as deleted.
    ///
    /// # Errors
    ///
    /// A classified error.
    async fn delete(&self, context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError>;

    /// Brings a person to the vendor, once.
    ///
    /// The plan of the trait: update the known record; else look, and update the one that is there; else create. After
    /// an ambiguous result, or when the vendor says that the record exists, it looks again. It never creates twice in
    /// one call: what is still unclear then is for the next attempt, which begins with a look. Targets whose calls are
    /// scarce may have a cheaper plan that is as safe.
    ///
    /// # Errors
    ///
    /// A classified error; [`ErrorClass::Conflict`] when several records could be meant.
    async fn deliver(
        &self,
        context: &Context<'_>,
        delivery: &Delivery,
    ) -> Result<Delivered, TargetError> {
        deliver_once(self, context, delivery).await
    }
}

async fn deliver_once<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    delivery: &Delivery,
) -> Result<Delivered, TargetError> {
    let person = delivery.person();
    match &delivery.known {
        Known::One(remote) => {
            return Ok(match target.update(context, remote, &person).await? {
                Updated::Changed => Delivered::done(remote.clone(), Action::Updated),
                Updated::Unchanged => Delivered::done(remote.clone(), Action::Unchanged),
                Updated::Gone => Delivered::Gone(remote.clone()),
            });
        }
        Known::Several(_) => return Err(TargetError::new(ErrorClass::Conflict)),
        Known::Nobody => {}
    }
    if let Some(hit) = look(target, context, &person).await? {
        let adopted = adopt(target, context, &person, hit.remote).await?;
        // An earlier attempt has created it without hearing so: to the outside, this is that create.
        return Ok(match adopted {
            Delivered::Done { remote, .. } if delivery.uncertain && delivery.aliases.is_empty() => {
                Delivered::done(remote, Action::Created)
            }
            adopted => adopted,
        });
    }
    let failure = match target.create(context, &person).await {
        Ok(remote) => return Ok(Delivered::done(remote, Action::Created)),
        Err(failure) => failure,
    };
    match failure.class() {
        ErrorClass::Ambiguous => match look(target, context, &person).await {
            Ok(Some(hit)) => Ok(Delivered::done(hit.remote, Action::Created)),
            // Nothing there yet, or the look failed too: what matters is that a record may exist.
            Ok(None) | Err(_) => Err(failure),
        },
        ErrorClass::Conflict => match look(target, context, &person).await? {
            Some(hit) => adopt(target, context, &person, hit.remote).await,
            None => Err(failure),
        },
        _ => Err(failure),
    }
}

async fn adopt<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    person: &Person<'_>,
    remote: RemoteId,
) -> Result<Delivered, TargetError> {
    match target.update(context, &remote, person).await? {
        Updated::Changed => Ok(Delivered::done(remote, Action::Updated)),
        Updated::Unchanged => Ok(Delivered::done(remote, Action::Unchanged)),
        // Deleted between the look and the write: look again, later.
        Updated::Gone => Err(TargetError::new(ErrorClass::Transient)),
    }
}

/// Looks for the one record of a person: twice where a new record can be invisible for a while.
///
/// # Errors
///
/// The target's own, and [`ErrorClass::Conflict`] when there are several.
pub(crate) async fn look<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    person: &Person<'_>,
) -> Result<Option<Hit>, TargetError> {
    let mut hits = target.find(context, person).await?;
    if hits.is_empty() && !target.search_lag().is_zero() {
        context.timer.sleep(target.search_lag()).await;
        hits = target.find(context, person).await?;
    }
    let first = hits.pop();
    if hits.is_empty() {
        Ok(first)
    } else {
        Err(TargetError::new(ErrorClass::Conflict))
    }
}

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

/// Hands out ready-made clients, so that no target ever sees a credential.
#[async_trait]
pub trait ClientProvider<C>: Send + Sync {
    /// Returns the tenant's client.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    async fn client(&self, tenant: &TenantId) -> Result<C, ClientUnavailable>;
}

/// One client for every tenant: for hosts with one account.
///
/// Tenants that share an account share its external ids too: a user id of the host that two of them have is one record
/// there. Such a host makes its [`Signup::host_id`](crate::Signup::host_id)s unique over all tenants.
#[derive(Clone, Debug)]
pub struct SharedClient<C>(C);

impl<C> SharedClient<C> {
    /// Makes a provider of this client.
    pub fn new(client: C) -> Self {
        Self(client)
    }
}

#[async_trait]
impl<C: Clone + Send + Sync> ClientProvider<C> for SharedClient<C> {
    async fn client(&self, _tenant: &TenantId) -> Result<C, ClientUnavailable> {
        Ok(self.0.clone())
    }
}
