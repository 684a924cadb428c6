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
    IntegrationError, Missing, RegisteredWebhook, StoredEndpoint, StoredIntegration, StoredWebhook,
    WebhookRequest,
};
use crate::ids::{EndpointId, IntegrationId, Scope};
use crate::store::LogStatus;

/// How long a vendor may take to register the webhooks of an instance, or to take them back.
pub(super) const WEBHOOKS_TIMEOUT: Duration = Duration::from_secs(30);

/// What the vendor says it has registered.
pub(super) struct Registration {
    endpoint: EndpointId,
    url: Url,
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
        let row = row.ok_or(Missing::Endpoint)?;
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

    /// Sees to it that a row has an address for webhooks, if the host has one.
    pub(super) fn prepare_endpoint(&self, draft: &mut Draft<'_>) {
        if let (Some(base), []) = (&self.inner.webhook_base_url, &draft.row.endpoints[..]) {
            let id = EndpointId::generate();
            let made = StoredEndpoint::new(id, address(base, id), draft.now);
            draft.row.endpoints.push(made);
        }
    }

    /// Where the webhooks of an endpoint are to arrive: under the address that the host has now.
    fn wanted_url(&self, endpoint: &StoredEndpoint) -> String {
        let base = self.inner.webhook_base_url.as_ref();
        base.map_or_else(|| endpoint.url.clone(), |base| address(base, endpoint.id))
    }

    /// Whether the webhooks of a row are where they are to be, as far as it is known.
    pub(super) fn is_in_place(&self, row: &StoredIntegration) -> bool {
        match row.endpoints.first() {
            Some(endpoint) => endpoint.url == self.wanted_url(endpoint),
            None => self.inner.webhook_base_url.is_none(),
        }
    }

    /// Asks the vendor to register what is missing, and to take back what it still sends to an address that the
    /// instance has no more. The inner error is a sentence for a person.
    ///
    /// The row says where the webhooks are until [`keep_webhooks`](Self::keep_webhooks) writes where they are now, so
    /// that an attempt that is cut off in between is made again as a whole.
    pub(super) async fn register(
        &self,
        row: &StoredIntegration,
        vendor: &dyn AnyVendor,
        client: &AnyClient,
    ) -> Result<Result<Option<Registration>, String>, IntegrationError> {
        let Some(endpoint) = row.endpoints.first() else {
            return Ok(Ok(None));
        };
        let url = self.wanted_url(endpoint);
        let has_moved = url != endpoint.url;
        let Ok(url) = Url::parse(&url) else {
            let reason = "The address for webhooks cannot be used.".to_owned();
            return Ok(Err(reason));
        };
        let mut request = WebhookRequest::new(url.clone());
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
        let reason = match self.within(WEBHOOKS_TIMEOUT, work).await {
            Some(Ok(webhooks)) => {
                if has_moved {
                    let mut left_behind = ids(&endpoint.webhooks);
                    left_behind.retain(|id| !webhooks.iter().any(|it| it.vendor_webhook_id == *id));
                    self.drop_stale(row, client, left_behind).await;
                }
                return Ok(Ok(Some(Registration {
                    endpoint: endpoint.id,
                    url,
                    webhooks,
                })));
            }
            Some(Err(error)) => sentence(name, &error),
            None => format!("{name} did not answer in time."),
        };
        Ok(Err(format!(
            "The webhooks could not be registered. {reason}"
        )))
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
        registration.url.as_str().clone_into(&mut endpoint.url);
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

    /// Takes back, as far as possible, what was registered for an instance whose credentials are gone, or that is gone
    /// itself.
    pub(super) async fn drop_unkept(
        &self,
        row: &StoredIntegration,
        client: &AnyClient,
        registration: &Registration,
        kept: Result<&StoredIntegration, &IntegrationError>,
    ) {
        let is_kept = match kept {
            Ok(row) => row.state.has_credentials,
            Err(error) => !matches!(error, IntegrationError::NotFound { .. }),
        };
        if !is_kept {
            let webhooks = registration.webhooks.iter();
            let registered = webhooks.map(|it| it.vendor_webhook_id.clone());
            self.drop_stale(row, client, registered.collect()).await;
        }
    }

    async fn drop_stale(&self, row: &StoredIntegration, client: &AnyClient, stale: Vec<String>) {
        let removal = self.take_back(row, Some(client), stale).await;
        self.log_removal(row, &removal).await;
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
        let (row, outcome) = match followed.await {
            Ok((row, None)) => return row,
            Ok((row, Some(outcome))) => (row, outcome),
            Err(error) => (row, Err(error.to_string())),
        };
        self.log_registration(&row, outcome).await;
        row
    }

    /// Returns what came of it; none if it does not run any more, for then nothing is to be registered.
    async fn follow_alone(
        &self,
        scope: &Scope,
        id: IntegrationId,
        lease: &Lease,
    ) -> Result<(StoredIntegration, Option<Result<(), String>>), IntegrationError> {
        let prepared = self
            .change(scope, id, |draft| {
                if draft.row.state.runs_jobs() {
                    self.prepare_endpoint(draft);
                }
                Ok(())
            })
            .await?;
        let row = prepared.row;
        if !row.state.runs_jobs() {
            return Ok((row, None));
        }
        let vendor = self.vendor(&row.vendor)?;
        let client = self.any_client(&row, &row.config).await?;
        lease.renew(self).await?;
        let registered = match self.register(&row, vendor.as_ref(), &client).await? {
            Ok(Some(registered)) => registered,
            Ok(None) => return Ok((row, None)),
            Err(reason) => return Ok((row, Some(Err(reason)))),
        };
        let kept = self
            .change(scope, id, |draft| self.keep_webhooks(draft, &registered))
            .await;
        let written = kept.as_ref().map(|kept| &kept.row);
        self.drop_unkept(&row, &client, &registered, written).await;
        Ok((kept?.row, Some(Ok(()))))
    }

    pub(super) async fn log_registration(
        &self,
        row: &StoredIntegration,
        outcome: Result<(), String>,
    ) {
        let mut entry = self.entry(row, "webhooks.register", LogStatus::Success);
        if let Err(reason) = outcome {
            entry.status = LogStatus::Failed;
            entry.error_message = Some(reason);
        }
        self.log(entry).await;
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
