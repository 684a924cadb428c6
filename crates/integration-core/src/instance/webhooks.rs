//! Where a vendor's webhooks arrive, and what the vendor has registered for it.

use std::mem;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::connection::to_its_end;
use super::draft::Draft;
use super::enable::Lease;
use super::erased::{AnyClient, AnyVendor};
use super::integrations::Integrations;
use super::probe::sentence;
use super::view::{Removal, WebhookEndpoint, WebhookSecret, settings_of};
use super::{
    IntegrationError, RegisteredWebhook, StoredEndpoint, StoredIntegration, StoredWebhook,
    WebhookRequest,
};
use crate::ids::{EndpointId, Scope};
use crate::store::LogStatus;

/// How long a vendor may take to register the webhooks of an instance, or to take them back.
pub(super) const WEBHOOKS_TIMEOUT: Duration = Duration::from_secs(30);

/// What the vendor says it has registered.
pub(super) struct Registration {
    endpoint: EndpointId,
    webhooks: Vec<RegisteredWebhook>,
}

impl Integrations {
    /// Finds the instance that an endpoint belongs to, with the keys that its deliveries are verified with. Whoever
    /// receives webhooks does not know the tenant yet and asks as an administrator.
    ///
    /// The status is not looked at: deliveries to an instance that is off are verified all the same before they are
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Vault`], [`IntegrationError::Store`].
    pub async fn endpoint(
        &self,
        scope: impl Into<Scope>,
        id: EndpointId,
    ) -> Result<WebhookEndpoint, IntegrationError> {
        let scope = scope.into();
        let row = self.store().integration_by_endpoint(&scope, id).await?;
        let row = row.ok_or(IntegrationError::NotFound)?;
        let sealing = self.sealing(&row.tenant, row.id);
        let mut secrets = Vec::new();
        let here = row.endpoints.iter().filter(|endpoint| endpoint.id == id);
        for webhook in here.flat_map(|endpoint| &endpoint.webhooks) {
            if let Some(sealed) = &webhook.secret {
                let secret = sealing.open(&field(id, &webhook.vendor_webhook_id), sealed)?;
                secrets.push(WebhookSecret::new(&webhook.vendor_webhook_id, secret));
            }
        }
        Ok(WebhookEndpoint {
            integration: self.view(row).await?,
            id,
            secrets,
        })
    }

    /// Sees to it that a row has an address for webhooks, under the address that the host has now. Returns the
    /// webhooks of an address that it had before.
    pub(super) fn prepare_endpoint(&self, draft: &mut Draft<'_>) -> Vec<String> {
        let Some(base) = &self.inner.webhook_base_url else {
            return Vec::new();
        };
        let Some(endpoint) = draft.row.endpoints.first_mut() else {
            let id = EndpointId::generate();
            let made = StoredEndpoint::new(id, address(base, id), draft.now);
            draft.row.endpoints.push(made);
            return Vec::new();
        };
        let address = address(base, endpoint.id);
        if endpoint.url == address {
            return Vec::new();
        }
        endpoint.url = address;
        ids(&endpoint.webhooks)
    }

    /// Asks the vendor to register what is missing. The inner error is a sentence for a person.
    pub(super) async fn register(
        &self,
        row: &StoredIntegration,
        vendor: &dyn AnyVendor,
        client: &AnyClient,
    ) -> Result<Result<Option<Registration>, String>, IntegrationError> {
        let Some(endpoint) = row.endpoints.first() else {
            return Ok(Ok(None));
        };
        let Ok(url) = Url::parse(&endpoint.url) else {
            let reason = "The address for webhooks cannot be used.".to_owned();
            return Ok(Err(reason));
        };
        let mut request = WebhookRequest::new(url);
        for webhook in &endpoint.webhooks {
            let secret = self.open_secret(row, endpoint.id, webhook)?;
            request.registered.push(RegisteredWebhook {
                vendor_webhook_id: webhook.vendor_webhook_id.clone(),
                events: webhook.events.clone(),
                secret,
            });
        }
        let settings = settings_of(row);
        let work = vendor.ensure_webhooks(client, &settings, &request);
        let name = self.display_name(vendor.name());
        Ok(match self.within(WEBHOOKS_TIMEOUT, work).await {
            Some(Ok(webhooks)) => Ok(Some(Registration {
                endpoint: endpoint.id,
                webhooks,
            })),
            Some(Err(error)) => Err(format!(
                "The webhooks could not be registered. {}",
                sentence(name, &error)
            )),
            None => Err(format!(
                "The webhooks could not be registered. {name} did not answer in time."
            )),
        })
    }

    /// Writes down what the vendor has registered. A key that is known keeps its sealed text. When the credentials
    /// were taken away meanwhile, nothing is kept.
    pub(super) fn keep_webhooks(
        &self,
        draft: &mut Draft<'_>,
        registration: &Registration,
    ) -> Result<(), IntegrationError> {
        let row = &mut draft.row;
        if !row.state.has_credentials {
            return Ok(());
        }
        let sealing = self.sealing(&row.tenant, row.id);
        let id = registration.endpoint;
        let Some(endpoint) = row.endpoints.iter_mut().find(|it| it.id == id) else {
            return Ok(());
        };
        let before = mem::take(&mut endpoint.webhooks);
        for webhook in &registration.webhooks {
            let own_id = &webhook.vendor_webhook_id;
            let known = before.iter().find(|it| it.vendor_webhook_id == *own_id);
            let known = known.and_then(|it| it.secret.clone());
            let mut stored = StoredWebhook::new(own_id.clone(), webhook.events.clone());
            stored.secret = match &webhook.secret {
                None => known,
                Some(secret) => Some(sealing.seal_if_new(&field(id, own_id), secret, known)?),
            };
            endpoint.webhooks.push(stored);
        }
        Ok(())
    }

    /// Takes back, as far as possible, what is registered and of no use: webhooks of an address that the instance no
    /// longer has, and everything if the instance or its credentials are gone.
    pub(super) async fn drop_stale(
        &self,
        row: &StoredIntegration,
        client: &AnyClient,
        registered: &Registration,
        moved: &[String],
        kept: bool,
    ) {
        let registered = registered.webhooks.iter().map(|it| &it.vendor_webhook_id);
        let registered: Vec<String> = registered.cloned().collect();
        let mut stale: Vec<String> = moved
            .iter()
            .filter(|id| !registered.contains(id))
            .cloned()
            .collect();
        if !kept {
            stale.extend(registered);
        }
        if !stale.is_empty() {
            let removal = self.take_back(row, Some(client), stale).await;
            self.log_removal(row, &removal).await;
        }
    }

    /// Registers what the settings ask for, for an instance that runs. What does not work is in the log.
    pub(super) async fn follow_settings(
        &self,
        scope: &Scope,
        row: StoredIntegration,
    ) -> StoredIntegration {
        let here = self.inner.webhook_base_url.is_some() && self.vendor(&row.vendor).is_ok();
        if !here {
            return row;
        }
        let (facade, scope, id) = (self.clone(), scope.clone(), row.id);
        let followed = to_its_end(async move {
            let lease = facade.lease(id).await?;
            let followed = facade.follow_alone(&scope, id, &lease).await;
            lease.release(&facade).await;
            followed
        });
        let (row, reason) = match followed.await {
            Ok((row, None)) => (row, None),
            Ok((row, Some(reason))) => (row, Some(reason)),
            Err(error) => (row, Some(error.to_string())),
        };
        let mut entry = self.entry(&row, "webhooks.register", LogStatus::Success);
        if reason.is_some() {
            entry.status = LogStatus::Failed;
            entry.error_message = reason;
        }
        self.log(entry).await;
        row
    }

    async fn follow_alone(
        &self,
        scope: &Scope,
        id: crate::ids::IntegrationId,
        lease: &Lease,
    ) -> Result<(StoredIntegration, Option<String>), IntegrationError> {
        let prepared = self
            .change(scope, id, |draft| Ok(self.prepare_endpoint(draft)))
            .await?;
        let (row, moved) = (prepared.row, prepared.value);
        let vendor = self.vendor(&row.vendor)?;
        let client = self.any_client(&row, &row.config).await?;
        lease.renew(self).await?;
        let registered = match self.register(&row, vendor.as_ref(), &client).await? {
            Ok(Some(registered)) => registered,
            Ok(None) => return Ok((row, None)),
            Err(reason) => return Ok((row, Some(reason))),
        };
        let kept = self
            .change(scope, id, |draft| self.keep_webhooks(draft, &registered))
            .await;
        let still_there = match &kept {
            Ok(kept) => kept.row.state.has_credentials,
            Err(error) => !matches!(error, IntegrationError::NotFound),
        };
        self.drop_stale(&row, &client, &registered, &moved, still_there)
            .await;
        Ok((kept?.row, None))
    }

    /// Takes webhooks back, one after the other, for as long as it may take.
    pub(super) async fn take_back(
        &self,
        row: &StoredIntegration,
        client: Option<&AnyClient>,
        ids: Vec<String>,
    ) -> Removal {
        let mut removal = Removal::default();
        let name = self.display_name(&row.vendor);
        let (Ok(vendor), Some(client)) = (self.vendor(&row.vendor), client) else {
            if !ids.is_empty() {
                removal.reason = Some(format!("There is no working client of {name}."));
            }
            removal.left = ids;
            return removal;
        };
        let until = self.inner.timer.now().checked_add(WEBHOOKS_TIMEOUT);
        for id in ids {
            let now = self.inner.timer.now();
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
            let one = std::slice::from_ref(&id);
            let reason = match self.within(left, vendor.remove_webhooks(client, one)).await {
                Some(Ok(())) => {
                    removal.removed.push(id);
                    continue;
                }
                Some(Err(error)) => sentence(name, &error),
                None => format!("{name} did not answer in time."),
            };
            removal.left.push(id);
            removal.reason.get_or_insert(reason);
        }
        removal
    }

    pub(super) async fn log_removal(&self, row: &StoredIntegration, removal: &Removal) {
        if removal.removed.is_empty() && removal.left.is_empty() {
            return;
        }
        let mut entry = self.entry(row, "webhooks.remove", LogStatus::Success);
        // Of an instance that may be gone.
        entry.integration = None;
        entry.response = Some(json!({ "removed": removal.removed, "left": removal.left }));
        if !removal.left.is_empty() {
            entry.status = LogStatus::Failed;
            entry.error_message.clone_from(&removal.reason);
        }
        self.log(entry).await;
    }

    fn open_secret(
        &self,
        row: &StoredIntegration,
        endpoint: EndpointId,
        webhook: &StoredWebhook,
    ) -> Result<Option<SecretString>, IntegrationError> {
        let sealing = self.sealing(&row.tenant, row.id);
        let field = field(endpoint, &webhook.vendor_webhook_id);
        let sealed = webhook.secret.as_ref();
        sealed
            .map(|sealed| sealing.open(&field, sealed))
            .transpose()
    }
}

pub(super) fn ids(webhooks: &[StoredWebhook]) -> Vec<String> {
    webhooks
        .iter()
        .map(|it| it.vendor_webhook_id.clone())
        .collect()
}

/// The field that a webhook's key is sealed for.
fn field(endpoint: EndpointId, vendor_webhook_id: &str) -> String {
    format!("webhook.{endpoint}.{vendor_webhook_id}")
}

/// The address of an endpoint: its id at the end of the path of the host's.
fn address(base: &Url, id: EndpointId) -> String {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(&id.to_string());
    }
    url.into()
}
