//! OpenPhone (now Quo), API v1.
//!
//! What the vendor can and cannot do decides the plan:
//!
//! - Contacts are found by external id and by nothing else. Every record is created under the contact's own key, and
//!   looked for under it before every create and after every unclear one. A person whom somebody typed in by hand at
//!   the vendor is not recognised.
//! - The filter is exact and sees a new record at once: the search lag is zero.
//! - There is no idempotency key, and an update replaces whole lists: changes are read, merged and written.
//! - There is no place for notes or for the extension of a phone number; both are reported as unmapped, unless the
//!   tenant's [`FieldMap`] names one.
//!
//! In a field map the vendor's fields are `first_name`, `last_name`, `company`, `role`, `emails`, `phone_numbers`,
//! `source_url`, and `source`, which new records alone are given. `custom:…` is a custom field by its key or, failing
//! that, its name; the workspace's definitions say what kind of value it takes, and are asked for at most once a
//! minute.

mod failure;
mod record;
mod request;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openphone_client::{Client, Contact as Record, ContactId, ErrorKind, NewContact};
use thiserror::Error;

use self::failure::{Step, classify};
use self::record::{CustomFields, Filled, PLACES};
use self::request::{changes, new_contact};
use crate::contact::{Contact, ExternalKey};
use crate::failure::TargetError;
use crate::ids::{RemoteId, TargetName};
use crate::mapping::{FieldMap, Mappings, Place, StaticMappings};
use crate::target::{ClientProvider, Context, Hit, Person, Target, Unmapped, Updated};

/// The vendor's limit for external ids (API v1, `externalId`: 1 to 75 characters).
const MAX_EXTERNAL_ID: usize = 75;

/// The gateway in front of the API gives up on its own servers after 30 seconds; so do we on what we sent there.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// Brings contacts to OpenPhone.
///
/// ```
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use contact_sync::SharedClient;
/// use contact_sync::targets::openphone::OpenPhoneTarget;
///
/// let client = openphone_client::Client::builder().api_key("0123456789abcdef0123456789abcdef").build()?;
/// let target = Arc::new(OpenPhoneTarget::new(SharedClient::new(client)).source("signup-form")?);
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone)]
pub struct OpenPhoneTarget {
    clients: Arc<dyn ClientProvider<Client>>,
    mappings: Arc<dyn Mappings>,
    custom_fields: Arc<CustomFields>,
    source: String,
    prefix: String,
    settle_time: Duration,
}

impl OpenPhoneTarget {
    /// Makes a target that asks `clients` for the tenant's client.
    pub fn new(clients: impl ClientProvider<Client> + 'static) -> Self {
        Self {
            clients: Arc::new(clients),
            mappings: Arc::new(StaticMappings::new()),
            custom_fields: Arc::default(),
            source: "contact-sync".to_owned(),
            prefix: String::new(),
            settle_time: SETTLE_TIME,
        }
    }

    /// Sets where new records say that they come from: 1 to 72 characters, and none of the vendor's reserved sources
    /// (`openphone…`, `csv…`, `device`, `zapier`, `google-people`, `other`). By default `contact-sync`.
    ///
    /// # Errors
    ///
    /// [`RefusedSource`] for any other: the vendor would refuse every contact for it, one by one.
    pub fn source(mut self, source: impl Into<String>) -> Result<Self, RefusedSource> {
        let source = source.into();
        if !NewContact::takes_source(&source) {
            return Err(RefusedSource(source));
        }
        self.source = source;
        Ok(self)
    }

    /// Puts something before every key, for a workspace where another system uses external ids like the host's.
    /// Changing it later makes every record that has no link a stranger.
    pub fn external_id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets who knows the tenants' field maps. By default there are none.
    pub fn mappings(mut self, mappings: impl Mappings + 'static) -> Self {
        self.mappings = Arc::new(mappings);
        self
    }

    /// Sets how long a request that was not answered may still take effect: 30 seconds, the gateway's own limit.
    /// Less only where the other side is known to give up sooner.
    pub fn settle_after(mut self, time: Duration) -> Self {
        self.settle_time = time;
        self
    }

    async fn client(&self, context: &Context<'_>) -> Result<Client, TargetError> {
        self.clients
            .client(context.tenant)
            .await
            .map_err(TargetError::unavailable)
    }

    fn external_id(&self, key: &ExternalKey) -> String {
        if self.prefix.is_empty() {
            return key.fitting(MAX_EXTERNAL_ID);
        }
        let prefixed = ExternalKey::from(format!("{}{}", self.prefix, key.as_str()));
        prefixed.fitting(MAX_EXTERNAL_ID)
    }

    /// What of a contact goes where, as the tenant wants it.
    async fn record(
        &self,
        context: &Context<'_>,
        client: &Client,
        contact: &Contact,
    ) -> Result<Filled, TargetError> {
        let name = TargetName::from(self.name());
        let map = self.mappings.mapping(context.tenant, &name).await;
        let mapped = map
            .map_err(TargetError::unavailable)?
            .apply(contact, &PLACES);
        let mut names = mapped.values.iter().filter_map(|value| match &value.place {
            Place::Custom(name) => Some(name.as_str()),
            Place::Field(_) => None,
        });
        let definitions = if names.next().is_some() {
            let wanted = mapped.values.iter().map(|value| &value.place);
            self.custom_fields
                .definitions(context, client, wanted)
                .await
                .map_err(|error| classify(Step::Read, error))?
        } else {
            Arc::default()
        };
        Ok(Filled::new(mapped, &definitions))
    }
}

/// A source that the vendor takes with no contact.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "OpenPhone takes no contact with the source `{0}`: 1 to 72 characters, and none of its own sources"
)]
pub struct RefusedSource(String);

impl fmt::Debug for OpenPhoneTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenPhoneTarget")
            .field("source", &self.source)
            .field("settle_time", &self.settle_time)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Target for OpenPhoneTarget {
    fn name(&self) -> &'static str {
        "openphone"
    }

    fn can_delete(&self) -> bool {
        true
    }

    fn search_lag(&self) -> Duration {
        Duration::ZERO
    }

    fn settle_time(&self) -> Duration {
        self.settle_time
    }

    fn unmapped(&self, contact: &Contact) -> Vec<Unmapped> {
        FieldMap::new().apply(contact, &PLACES).unmapped
    }

    async fn unmapped_for(&self, context: &Context<'_>, contact: &Contact) -> Vec<Unmapped> {
        let record = async {
            let client = self.client(context).await?;
            self.record(context, &client, contact).await
        };
        // Asked for after the contact was delivered: no reason to fail that.
        record
            .await
            .map_or_else(|_| self.unmapped(contact), |record| record.unmapped)
    }

    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        let client = self.client(context).await?;
        let mut seen = HashSet::new();
        let mut hits = Vec::new();
        for key in std::iter::once(person.key).chain(person.aliases) {
            let call = client
                .contacts()
                .find_by_external_id(&self.external_id(key))
                .lane(context.lane);
            let records = call.await.map_err(|error| classify(Step::Read, error))?;
            hits.extend(
                records
                    .iter()
                    .filter(|record| seen.insert(record.id.clone()))
                    .map(hit),
            );
        }
        Ok(hits)
    }

    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        let client = self.client(context).await?;
        let record = self.record(context, &client, person.contact).await?;
        let call = client
            .contacts()
            .create(&new_contact(
                self.external_id(person.key),
                &self.source,
                record,
            ))
            .lane(context.lane);
        let record = call.await.map_err(|error| classify(Step::Create, error))?;
        Ok(RemoteId::from(record.id.as_str()))
    }

    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        let client = self.client(context).await?;
        let id = ContactId::from(remote.as_str());
        let record = self.record(context, &client, person.contact).await?;
        let merge = client
            .contacts()
            .update_merged(&id, &changes(record))
            .lane(context.lane);
        match merge.await {
            Ok(merged) if merged.changed.is_empty() => Ok(Updated::Unchanged),
            Ok(_) => Ok(Updated::Changed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Updated::Gone),
            Err(error) => Err(classify(Step::Update, error)),
        }
    }

    async fn delete(&self, context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
        let client = self.client(context).await?;
        let call = client
            .contacts()
            .delete(&ContactId::from(remote.as_str()))
            .lane(context.lane);
        match call.await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(classify(Step::Delete, error)),
        }
    }
}

fn hit(record: &Record) -> Hit {
    Hit::new(record.id.as_str(), Some(record.created_at))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::contact::{Field, Region, Signup};
    use crate::ids::{ContactId as OurId, TenantId};
    use crate::target::SharedClient;

    fn target() -> OpenPhoneTarget {
        let client = Client::builder()
            .api_key("0123456789abcdef0123456789abcdef")
            .build()
            .unwrap();
        OpenPhoneTarget::new(SharedClient::new(client))
    }

    fn new_contact(target: &OpenPhoneTarget, signup: &Signup) -> serde_json::Value {
        let contact = Contact::new(&TenantId::default(), signup, Some(Region::US));
        let key = contact.key().external(OurId::generate());
        let mapped = FieldMap::new().apply(&contact, &PLACES);
        let record = Filled::new(mapped, &[]);
        let new = request::new_contact(target.external_id(&key), &target.source, record);
        serde_json::to_value(new).unwrap()
    }

    #[test]
    fn a_contact_is_mapped_under_its_key() {
        let signup = Signup::new()
            .host_id("user-17")
            .name("Ann Lee")
            .email("Ann@Example.com")
            .phone("(202) 555-0143 x7")
            .company("Lee Ltd")
            .notes("hello");
        let expected = serde_json::json!({
            "defaultFields": {
                "firstName": "Ann", "lastName": "Lee", "company": "Lee Ltd",
                "emails": [{"name": "email", "value": "ann@example.com"}],
                "phoneNumbers": [{"name": "phone", "value": "+12025550143"}],
            },
            "externalId": "user-17",
            "source": "contact-sync",
        });
        assert_eq!(new_contact(&target(), &signup), expected);

        let contact = Contact::new(&TenantId::default(), &signup, Some(Region::US));
        let unmapped: Vec<Field> = target()
            .unmapped(&contact)
            .iter()
            .map(|u| u.field)
            .collect();
        assert_eq!(unmapped, [Field::PhoneExtension, Field::Notes]);
    }

    #[test]
    fn what_is_not_fit_is_left_out_and_reported() {
        let signup = Signup::new()
            .host_id("user-17")
            .last_name("Lee")
            .email("ann@")
            .phone("call me");
        let expected = serde_json::json!({
            "defaultFields": {"firstName": null, "lastName": "Lee"},
            "externalId": "user-17",
            "source": "contact-sync",
        });
        assert_eq!(new_contact(&target(), &signup), expected);
        let contact = Contact::new(&TenantId::default(), &signup, Some(Region::US));
        let unmapped: Vec<Field> = target()
            .unmapped(&contact)
            .iter()
            .map(|u| u.field)
            .collect();
        assert_eq!(unmapped, [Field::Email, Field::Phone]);
    }

    #[rstest]
    #[case("openphone", false)]
    #[case("openphone-app", false)]
    #[case("csv", false)]
    #[case("CSV upload", false)]
    #[case("device", false)]
    #[case("zapier", false)]
    #[case("google-people", false)]
    #[case("other", false)]
    #[case("", false)]
    #[case(&"x".repeat(73), false)]
    #[case(&"x".repeat(72), true)]
    #[case("others", true)]
    fn a_source_that_every_contact_would_fail_for_is_refused_before_the_first(
        #[case] source: &str,
        #[case] is_taken: bool,
    ) {
        let made = target().source(source);
        assert_eq!(made.is_ok(), is_taken, "{made:?}");
        assert!(NewContact::takes_source(&target().source));
    }

    #[test]
    fn keys_fit_and_can_be_prefixed() {
        let long = Signup::new().host_id("x".repeat(200));
        let id = new_contact(&target(), &long)["externalId"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(id.len(), 36);
        let prefixed = target().external_id_prefix("acme:").source("form").unwrap();
        let new = new_contact(&prefixed, &Signup::new().host_id("17"));
        assert_eq!(
            (new["externalId"].as_str(), new["source"].as_str()),
            (Some("acme:17"), Some("form"))
        );
        // A prefix makes a key longer, and what no longer fits is hashed with it.
        let id = new_contact(&prefixed, &Signup::new().host_id("x".repeat(75)));
        assert_eq!(id["externalId"].as_str().unwrap().len(), 36);
    }
}
