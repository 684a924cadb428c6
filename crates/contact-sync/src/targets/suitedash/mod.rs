//! SuiteDash, through its Secure API or through files that a person imports.
//!
//! **API mode.** Calls are sold by the month, so the plan is the cheapest that is safe, and not the usual one:
//!
//! - A new contact takes **one call**: it is created at once, without a look. A refusal that may mean "duplicate" is
//!   settled by a look-up by e-mail, and what is different is written. Tags are added to, notes are appended once, a role
//!   is never changed, and nobody is invited to the portal unless the [`Settings`] say so.
//! - After a creation whose answer was lost the e-mail is looked up before anything else. **A lead without an e-mail
//!   address has nothing to be looked up by: after a lost answer it is never sent again**, and waits for a person.
//! - A known contact takes one call where nothing is different, and two where something is. The same again within an
//!   hour, in the same process, takes none.
//! - The e-mail address of what is found is compared with the one asked for. An answer about somebody else leads to
//!   review, and nothing is written.
//! - Contacts are found by e-mail and by nothing else. Whether a new one can be found at once is not published; the
//!   search lag is taken for zero, and the vendor's own refusal of duplicates stands behind that.
//! - How long the vendor goes on with a request that nobody waits for is not published: 60 seconds are assumed.
//! - A spent month parks the jobs until it turns, for a day at a time at most
//!   ([`RetryPolicy::max_server_wait`](crate::RetryPolicy)); the client's ledger refuses them without a call meanwhile.
//!
//! **Import mode.** Nothing is called. A contact waits as [`AwaitsImport`](crate::ErrorClass::AwaitsImport), which its
//! receipt says, until [`SuiteDashExports`] has put it into a file and somebody has marked that file as imported. Then
//! the link is set, with a made-up id that names the export: there is no other. Waiting jobs are woken by the mark, and
//! look by themselves every few hours ([`check_imports_every`](SuiteDashTarget::check_imports_every)). Who has changed since waits for another
//! export; who signs up again with the same does not.
//!
//! **Field maps.** The vendor's fields are those of
//! [`CONTACT_FIELDS`](suitedash_client::connection::CONTACT_FIELDS): `first_name`, `last_name`, `name_prefix`, `email`,
//! `home_email`, `work_email`, `phone`, `home_phone`, `work_phone`, `shop_phone`, `company`, `title`, `website`,
//! `address_line_1`, `address_line_2`, `city`, `state`, `country`, `zip`, `background_info`, `tags` (several, with commas
//! between them, besides those that are there) and `source`, in place of the setting. `custom:…` is a field of the
//! account's own by its uid or, failing that, its label, and takes text. The first contact that needs one takes **a call
//! more, and one a day after that**, to read which there are; one that was made since is known when the connection is
//! tested, or a day later. In import mode each has a column of its own name. What goes to `background_info` follows the
//! setting [`messages`](Settings::messages). A value that does not fit its field is left out and reported.
//!
//! In neither mode can a contact be deleted: the strict road refuses this target unless it may
//! [leave and flag](crate::CrmHook::leave_and_flag), and has no use for it in import mode, where nothing is created while
//! somebody waits.

mod api;
mod exports;
mod failure;
mod import;
mod record;
mod seen;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use suitedash_client::connection::Connection;
#[doc(no_inline)]
pub use suitedash_client::connection::Settings;

pub use self::exports::{ExportsError, SuiteDashExports};
use self::record::{Filled, PLACES, To};
use self::seen::Seen;
pub use self::settings::SettingsProvider;
use crate::contact::Contact;
use crate::failure::{ClientUnavailable, ErrorClass, TargetError};
use crate::ids::{RemoteId, TargetName, TenantId};
use crate::mapping::{FieldMap, Mapped, Mappings, StaticMappings};
use crate::target::{
    CallBudget, ClientProvider, Context, Delivered, Delivery, Hit, Person, Target, Unmapped,
    Updated,
};

/// The vendor's name.
const NAME: &str = "suitedash";

/// The vendor's own time-out is not published; servers in front of such applications give up after a minute.
const SETTLE_TIME: Duration = Duration::from_mins(1);

const IMPORT_CHECK: Duration = Duration::from_hours(6);

/// Brings contacts to SuiteDash.
///
/// ```
/// # fn example() -> Result<(), suitedash_client::Error> {
/// use std::sync::Arc;
///
/// use contact_sync::SharedClient;
/// use contact_sync::targets::suitedash::{Settings, SuiteDashTarget};
/// use suitedash_client::Client;
/// use suitedash_client::connection::Connection;
///
/// let client = Client::builder().public_id("00000000-0000-4000-8000-000000000001").secret_key("…").build();
/// # let client = Client::builder().dummy_credentials().build();
/// let connection = Connection::from(client?);
/// let target = SuiteDashTarget::new(SharedClient::new(connection)).settings(Settings::new().source("website"));
/// # drop(Arc::new(target));
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone)]
pub struct SuiteDashTarget {
    connections: Arc<dyn ClientProvider<Connection>>,
    settings: Arc<dyn SettingsProvider>,
    mappings: Arc<dyn Mappings>,
    settle_time: Duration,
    import_check: Duration,
    seen: Arc<Seen>,
}

impl SuiteDashTarget {
    /// Makes a target that asks `connections` for the tenant's connection.
    pub fn new(connections: impl ClientProvider<Connection> + 'static) -> Self {
        Self {
            connections: Arc::new(connections),
            settings: Arc::new(Settings::new()),
            mappings: Arc::new(StaticMappings::new()),
            settle_time: SETTLE_TIME,
            import_check: IMPORT_CHECK,
            seen: Arc::default(),
        }
    }

    /// Sets what becomes of contacts: [`Settings`] for all tenants, or a provider that knows those of each.
    pub fn settings(mut self, settings: impl SettingsProvider + 'static) -> Self {
        self.settings = Arc::new(settings);
        self
    }

    /// Sets who knows the tenants' field maps. By default there are none.
    pub fn mappings(mut self, mappings: impl Mappings + 'static) -> Self {
        self.mappings = Arc::new(mappings);
        self
    }

    /// Sets how long a request that was not answered may still take effect: 60 seconds by default. Less only where the
    /// other side is known to give up sooner.
    pub fn settle_after(mut self, time: Duration) -> Self {
        self.settle_time = time;
        self
    }

    /// Sets how often a contact that waits for an import looks whether there was one: every 6 hours. A mark wakes it
    /// at once; this is for one that was made while the store did not answer. Each look is an attempt in the log.
    pub fn check_imports_every(mut self, interval: Duration) -> Self {
        self.import_check = interval;
        self
    }

    async fn connection(&self, tenant: &TenantId) -> Result<Connection, TargetError> {
        let connection = self.connections.client(tenant).await;
        connection.map_err(TargetError::unavailable)
    }

    async fn settings_of(&self, tenant: &TenantId) -> Result<Settings, TargetError> {
        let settings = self.settings.settings(tenant).await;
        settings.map_err(TargetError::unavailable)
    }

    async fn map(&self, tenant: &TenantId) -> Result<Arc<FieldMap>, ClientUnavailable> {
        self.mappings.mapping(tenant, &TargetName::from(NAME)).await
    }

    /// What of a contact goes where, as the tenant wants it.
    async fn mapped(&self, tenant: &TenantId, contact: &Contact) -> Result<Mapped, TargetError> {
        let map = self.map(tenant).await.map_err(TargetError::unavailable)?;
        Ok(map.apply(contact, &PLACES))
    }

    /// What a contact is at the vendor, in either mode.
    async fn filled(
        &self,
        context: &Context<'_>,
        contact: &Contact,
    ) -> Result<Filled, TargetError> {
        let settings = self.settings_of(context.tenant).await?;
        let mapped = self.mapped(context.tenant, contact).await?;
        match self.connection(context.tenant).await? {
            Connection::Api(client) => api::fill(&client, &settings, context, mapped).await,
            _ => Ok(Filled::new(mapped, To::File, &settings)),
        }
    }

    /// The client; in import mode, why there is nothing to be called.
    async fn client(&self, context: &Context<'_>) -> Result<suitedash_client::Client, TargetError> {
        match self.connection(context.tenant).await? {
            Connection::Api(client) => Ok(client),
            _ => Err(TargetError::new(ErrorClass::AwaitsImport)),
        }
    }
}

impl fmt::Debug for SuiteDashTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiteDashTarget")
            .field("settle_time", &self.settle_time)
            .field("import_check", &self.import_check)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Target for SuiteDashTarget {
    fn name(&self) -> &'static str {
        NAME
    }

    fn budget(&self) -> CallBudget {
        CallBudget::Scarce
    }

    fn can_delete(&self) -> bool {
        false
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
        // Asked for after the contact was delivered: no reason to fail that.
        let filled = self.filled(context, contact).await;
        filled.map_or_else(|_| self.unmapped(contact), |filled| filled.unmapped)
    }

    /// In import mode there is nobody to be found.
    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        let Connection::Api(client) = self.connection(context.tenant).await? else {
            return Ok(Vec::new());
        };
        let settings = self.settings_of(context.tenant).await?;
        let mapped = self.mapped(context.tenant, person.contact).await?;
        // Nobody is found by a field of the account's own: which there are is not asked for.
        let filled = Filled::new(mapped, To::Api(None), &settings);
        api::find(&client, context, filled.email()).await
    }

    /// One call; after a refusal that may mean "duplicate", a look-up tells the two apart.
    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        let client = self.client(context).await?;
        let settings = self.settings_of(context.tenant).await?;
        let mapped = self.mapped(context.tenant, person.contact).await?;
        let filled = api::fill(&client, &settings, context, mapped).await?;
        api::create(&client, &settings, context, &filled.into_input(&settings)).await
    }

    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        let client = self.client(context).await?;
        let settings = self.settings_of(context.tenant).await?;
        let mapped = self.mapped(context.tenant, person.contact).await?;
        let filled = api::fill(&client, &settings, context, mapped).await?;
        let wanted = filled.into_input(&settings);
        api::update(&client, &settings, context, remote, &wanted).await
    }

    /// Always refused: the API has no way to delete a contact, and a file even less.
    async fn delete(&self, _context: &Context<'_>, _remote: &RemoteId) -> Result<(), TargetError> {
        Err(TargetError::new(ErrorClass::Conflict))
    }

    async fn deliver(
        &self,
        context: &Context<'_>,
        delivery: &Delivery,
    ) -> Result<Delivered, TargetError> {
        let settings = self.settings_of(context.tenant).await?;
        let mapped = self.mapped(context.tenant, &delivery.contact).await?;
        match self.connection(context.tenant).await? {
            Connection::Api(client) => {
                api::deliver(&client, &settings, &self.seen, context, delivery, mapped).await
            }
            Connection::Import(place) => {
                import::deliver(&place, self.import_check, delivery, &mapped).await
            }
            _ => Err(TargetError::unavailable(ClientUnavailable::NotConfigured)),
        }
    }
}
