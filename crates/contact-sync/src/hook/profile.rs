//! What comes after a signup: a profile that changes, a profile that goes, and the vendors' ids of it.

use std::fmt;

use super::{NotAccepted, SignupHook};
use crate::contact::{Contact, ContactKey, Signup};
use crate::ids::{ContactId, TenantId};
use crate::links::Links;
use crate::receipt::Receipt;
use crate::store::{Erased, StoreError};
use connector_http::Lane;

/// Names a contact that was accepted before, by whatever the host still has of it.
///
/// ```
/// use contact_sync::{ContactRef, Signup};
///
/// // The host's own id of the user, as it was given with the signup.
/// let by_id = ContactRef::host_id("17").tenant("acme");
/// // The signup as it was, where the host gave no id.
/// let by_signup = ContactRef::from(Signup::new().tenant("acme").email("ann@example.com"));
/// # drop((by_id, by_signup));
/// ```
#[derive(Clone)]
pub struct ContactRef {
    tenant: Option<TenantId>,
    who: Who,
}

#[derive(Clone)]
enum Who {
    Contact(ContactId),
    Key(ContactKey),
    Signup(Box<Signup>),
}

impl ContactRef {
    /// Names a contact by the host's own id of the user.
    pub fn host_id(id: impl AsRef<str>) -> Self {
        Self::new(Who::Key(ContactKey::Host(id.as_ref().trim().to_owned())))
    }

    fn new(who: Who) -> Self {
        Self { tenant: None, who }
    }

    /// Sets the host's customer to whom the contact belongs. Without it, it is the one of the old signup, or the
    /// default.
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }
}

impl From<ContactId> for ContactRef {
    /// Names a contact by our own id, as the receipt has it.
    fn from(id: ContactId) -> Self {
        Self::new(Who::Contact(id))
    }
}

impl From<&Receipt> for ContactRef {
    fn from(receipt: &Receipt) -> Self {
        receipt.contact.into()
    }
}

impl From<ContactKey> for ContactRef {
    /// Names a contact by the key that it was accepted under.
    fn from(key: ContactKey) -> Self {
        Self::new(Who::Key(key))
    }
}

impl From<&str> for ContactRef {
    /// Names a contact by the host's own id of the user.
    fn from(id: &str) -> Self {
        Self::host_id(id)
    }
}

impl From<String> for ContactRef {
    /// Names a contact by the host's own id of the user.
    fn from(id: String) -> Self {
        Self::host_id(id)
    }
}

impl From<Signup> for ContactRef {
    /// Names a contact by its signup as it was: whatever has the same key.
    fn from(signup: Signup) -> Self {
        Self::new(Who::Signup(Box::new(signup)))
    }
}

impl fmt::Debug for ContactRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ContactRef");
        shown.field("tenant", &self.tenant);
        match &self.who {
            Who::Contact(id) => shown.field("contact", id),
            Who::Key(key) => shown.field("key", key),
            Who::Signup(signup) => shown.field("signup", signup),
        };
        shown.finish()
    }
}

impl SignupHook {
    /// Takes a change of a person who signed up before, and returns at once; the worker brings it to the vendors that
    /// are switched on. `who` is the contact's own id, the host's id of the user, or the signup as it was; it belongs
    /// to the tenant of the new data. `None` when there is no such contact, or it was erased: whoever is new goes
    /// through [`on_signup`](Self::on_signup).
    ///
    /// What the new data says replaces what was known, and what it leaves blank changes nothing. The contact keeps its
    /// key: with a host that gives no ids, it is still found by its *first* e-mail address afterwards, so such a host
    /// keeps the id that the receipt had.
    ///
    /// # Errors
    ///
    /// Only when the store cannot read or write. Nothing was changed then, and the host decides.
    pub async fn on_profile_updated(
        &self,
        who: impl Into<ContactRef>,
        signup: Signup,
    ) -> Result<Option<Receipt>, NotAccepted> {
        let plan = self.plan(&signup);
        let mut who = who.into();
        who.tenant = Some(plan.tenant.clone());
        let Some((tenant, id)) = self.resolve(who).await? else {
            return Ok(None);
        };
        let jobs = plan.jobs(Lane::Bulk);
        let amended = self.store.amend(&tenant, id, &plan.contact, &jobs).await?;
        Ok(amended.map(|accepted| plan.receipt(accepted)))
    }

    /// Erases a person who signed up before: what waits for the vendors is dropped, the worker deletes the records
    /// that we have created for them, and nothing of the person is left in the store when that is done. A record that
    /// was there before us stays. `None` when there is no such contact, or nothing of it any more.
    ///
    /// A target that cannot delete leaves a stopped job, for a person to see to.
    ///
    /// # Errors
    ///
    /// Only when the store cannot read or write. Nothing was erased then.
    pub async fn on_profile_deleted(
        &self,
        who: impl Into<ContactRef>,
    ) -> Result<Option<Erased>, StoreError> {
        let Some((tenant, id)) = self.resolve(who.into()).await? else {
            return Ok(None);
        };
        let erased = self.store.erase(&tenant, id).await?;
        if let Some(erased) = &erased {
            tracing::info!(%tenant, contact = %id, queued = erased.queued.len(), "contact erased");
        }
        Ok(erased)
    }

    /// Returns what the vendors call a person who signed up before; empty where there is no such contact.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub async fn links(&self, who: impl Into<ContactRef>) -> Result<Links, StoreError> {
        let Some((tenant, id)) = self.resolve(who.into()).await? else {
            return Ok(Links::default());
        };
        if self.store.stored(&tenant, id).await?.is_none() {
            return Ok(Links::default());
        }
        let states = self.store.deliveries(id).await?.into_iter();
        Ok(states
            .filter_map(|state| Some((state.target, state.remote?)))
            .collect())
    }

    async fn resolve(&self, who: ContactRef) -> Result<Option<(TenantId, ContactId)>, StoreError> {
        let (tenant, key) = match who.who {
            Who::Contact(id) => return Ok(Some((who.tenant.unwrap_or_default(), id))),
            Who::Key(key) => (who.tenant.unwrap_or_default(), key),
            Who::Signup(signup) => {
                let tenant = who.tenant.unwrap_or_else(|| signup.tenant.clone());
                let contact = Contact::new(&tenant, &signup, self.region);
                (tenant, contact.key().clone())
            }
        };
        let found = self.store.find(&tenant, &key).await?;
        Ok(found.map(|id| (tenant, id)))
    }
}
