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
//! In neither mode can a contact be deleted: the strict road refuses this target unless it may
//! [leave and flag](crate::CrmHook::leave_and_flag), and has no use for it in import mode, where nothing is created while
//! somebody waits.

mod api;
mod exports;
mod failure;
mod import;
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
use self::seen::Seen;
pub use self::settings::SettingsProvider;
use crate::contact::{Contact, Field};
use crate::failure::{ClientUnavailable, ErrorClass, TargetError};
use crate::ids::{RemoteId, TenantId};
use crate::mapping::{FieldMap, Places};
use crate::target::{
    CallBudget, ClientProvider, Context, Delivered, Delivery, Hit, Person, Target, Unmapped,
    Updated,
};

/// The vendor's name.
const NAME: &str = "suitedash";

/// Where everything goes. What has another name in a file has the same meaning.
const PLACES: Places = Places::new(
    &[
        (Field::FirstName, Ok("first_name")),
        (Field::LastName, Ok("last_name")),
        (Field::Email, Ok("email")),
        (Field::Phone, Ok("phone")),
        (
            Field::PhoneExtension,
            Err("phone numbers have no extension there"),
        ),
        (Field::Company, Ok("company")),
        (Field::Notes, Ok("background_info")),
    ],
    &[],
);

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

    /// In import mode there is nobody to be found.
    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        match self.connection(context.tenant).await? {
            Connection::Api(client) => api::find(&client, context, person).await,
            _ => Ok(Vec::new()),
        }
    }

    /// One call; after a refusal that may mean "duplicate", a look-up tells the two apart.
    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        let client = self.client(context).await?;
        let settings = self.settings_of(context.tenant).await?;
        api::create(&client, &settings, context, person).await
    }

    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        let client = self.client(context).await?;
        let settings = self.settings_of(context.tenant).await?;
        api::update(&client, &settings, context, remote, person.contact).await
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
        match self.connection(context.tenant).await? {
            Connection::Api(client) => {
                api::deliver(&client, &settings, &self.seen, context, delivery).await
            }
            Connection::Import(place) => import::deliver(&place, self.import_check, delivery).await,
            _ => Err(TargetError::unavailable(ClientUnavailable::NotConfigured)),
        }
    }
}
