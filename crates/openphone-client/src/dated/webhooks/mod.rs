//! The webhooks that the workspace has over the dated API: who is told what, where, and whether it arrived.
//!
//! What arrives there is read by `webhooks` (the feature of that name), not here.

mod deliveries;
mod models;
mod requests;

use connector_http::{Call, Endpoint, Paginator, Request};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use self::deliveries::{
    DeliveryAttempt, DeliveryDetail, DeliveryStatus, DeliveryTrigger, EventBody, WebhookDelivery,
};
pub use self::models::{Webhook, WebhookEvent};
use self::requests::names;
pub use self::requests::{ListDeliveries, NewWebhook, WebhookPatch};
use super::client::Client;
use super::ids::{DeliveryId, WebhookId};
use super::page::ListPage;
use super::query::any_of;
use crate::check::Check;
use crate::page::Data;
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Lists the webhooks.
    LIST = "dated.webhooks.list": GET "/webhooks", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks/lists-all-webhooks (read 2026-11-21)";
    /// Registers a webhook. Twice makes two, and every event arrives twice.
    CREATE = "dated.webhooks.create": POST "/webhooks", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Reads one webhook, without its key.
    GET = "dated.webhooks.get": GET "/webhooks/{webhookId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Changes a webhook. Idempotent although it is a PATCH: it sets values.
    UPDATE = "dated.webhooks.update": PATCH "/webhooks/{webhookId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Deletes a webhook. The second time it is not found, and gone all the same.
    DELETE = "dated.webhooks.delete": DELETE "/webhooks/{webhookId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Makes a new key. Twice makes two, of which the first is lost.
    ROTATE = "dated.webhooks.rotate_secret": POST "/webhooks/{webhookId}/rotate", NotIdempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Lists what was delivered.
    DELIVERIES = "dated.webhooks.deliveries": GET "/webhooks/{webhookId}/events", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Reads one delivery with its attempts.
    DELIVERY = "dated.webhooks.delivery": GET "/webhooks/{webhookId}/events/{deliveryId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Delivers once more. Twice delivers twice.
    RETRY = "dated.webhooks.retry_delivery": POST "/webhooks/{webhookId}/events/{deliveryId}/retry", NotIdempotent, DEFAULT, [202],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
    /// Delivers a made-up event. Twice delivers two.
    TEST = "dated.webhooks.test": POST "/webhooks/{webhookId}/events/test", NotIdempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/webhooks-overview (read 2026-11-21)";
}

/// The webhooks of the workspace over the dated API; 50 at most.
///
/// One webhook takes events of every kind. Those of API v1 and those made in the app do not show here.
#[derive(Clone, Debug)]
pub struct Webhooks<'a> {
    client: &'a Client,
}

impl<'a> Webhooks<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the webhooks, without their keys. The list is not paged.
    ///
    /// # Errors
    ///
    /// The usual ones of a read.
    pub fn list(&self) -> Call<Vec<Webhook>> {
        self.client.request(&LIST).fetch_map(Data::into_inner)
    }

    /// Registers a webhook. **Its key is only in this answer**: keep it.
    ///
    /// The same address can be registered twice and is then told everything twice: [`list`](Self::list)
    /// first.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{NewWebhook, WebhookEvent};
    ///
    /// let events = [WebhookEvent::CallMissed, WebhookEvent::ContactUpdated];
    /// let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", events);
    /// let webhook = client.webhooks().create(&wanted).await?;
    /// let key = webhook.key; // for `webhooks::Verifier::new`
    /// client.webhooks().test(&webhook.id, &WebhookEvent::CallMissed).await?;
    /// # drop(key);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here (an address that is not private, no
    ///   event, no number) or by the vendor. Nothing was registered.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): the request left and no answer came. It is
    ///   never sent again by itself; [`list`](Self::list) first. The key of one that was registered is
    ///   lost: [`rotate_secret`](Self::rotate_secret) makes another.
    pub fn create(&self, webhook: &NewWebhook) -> Call<Webhook> {
        let request = self.client.request(&CREATE).json(webhook);
        webhook
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Reads one webhook, without its key.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such webhook over the dated
    /// API; [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &WebhookId) -> Call<Webhook> {
        self.at(&GET, id).fetch_map(Data::into_inner)
    }

    /// Changes a webhook: its address, events, numbers, state or label.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation): refused here
    /// (nothing to change, an address that is not private) or by the vendor.
    pub fn update(&self, id: &WebhookId, patch: &WebhookPatch) -> Call<Webhook> {
        let request = self.at(&UPDATE, id).json(patch);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Deletes a webhook.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). [`NotFound`](crate::ErrorKind::NotFound) is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, id: &WebhookId) -> Call<()> {
        self.at(&DELETE, id).discard()
    }

    /// Makes a new key and gives it, `whsec_…`. **It is only in this answer.**
    ///
    /// How long deliveries are signed with the old key too is not documented: let the verifier take
    /// both for a while.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). After [`Delivery::Unknown`](crate::Delivery::Unknown) there may be
    /// a new key that nobody knows: rotate again.
    pub fn rotate_secret(&self, id: &WebhookId) -> Call<SecretString> {
        self.at(&ROTATE, id)
            .fetch_map(|rotated: Data<Rotated>| rotated.into_inner().key)
    }

    /// Sends a made-up event to the webhook's address, signed like any other, and gives it.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation): refused here (an
    /// empty event) or by the vendor. After [`Delivery::Unknown`](crate::Delivery::Unknown) it may be on
    /// its way. Whether your endpoint accepted it, [`deliveries`](Self::deliveries) tells.
    pub fn test(&self, id: &WebhookId, event: &WebhookEvent) -> Call<EventBody> {
        let mut check = Check::new();
        check.id(event.as_str(), "/eventType");
        let request = self.at(&TEST, id).json(&TestEvent { event_type: event });
        // Without the envelope of every other answer.
        check.guard(request, TEST.name).fetch()
    }

    /// Lists what a webhook delivered or tried to, page after page.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{DeliveryStatus, ListDeliveries};
    ///
    /// let webhook = "123".into();
    /// let failed = ListDeliveries::new().status(DeliveryStatus::Failed);
    /// let mut deliveries = client.webhooks().deliveries(&webhook, &failed).items();
    /// while let Some(delivery) = deliveries.next().await {
    ///     client.webhooks().retry_delivery(&webhook, &delivery?.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation), unsent, for a page
    /// size outside 1 to 50, an empty filter or a time span that ends before it begins. The stream ends
    /// after its first error.
    pub fn deliveries(&self, id: &WebhookId, query: &ListDeliveries) -> Paginator<WebhookDelivery> {
        let of = (id.clone(), query.clone());
        self.client.paginate(&of, |client, (id, query), after| {
            page(client, id, query, after)
        })
    }

    /// Reads one page of that list.
    ///
    /// # Errors
    ///
    /// Those of [`deliveries`](Self::deliveries).
    pub fn deliveries_page(
        &self,
        id: &WebhookId,
        query: &ListDeliveries,
        after: Option<&str>,
    ) -> Call<ListPage<WebhookDelivery>> {
        page(self.client, id, query, after)
    }

    /// Reads one delivery: what was sent, and what your endpoint answered each time.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), for the delivery too.
    pub fn delivery(&self, id: &WebhookId, delivery: &DeliveryId) -> Call<DeliveryDetail> {
        self.at(&DELIVERY, id)
            .path("deliveryId", delivery)
            .fetch_map(Data::into_inner)
    }

    /// Lets the vendor deliver once more.
    ///
    /// # Errors
    ///
    /// Those of [`delivery`](Self::delivery). After [`Delivery::Unknown`](crate::Delivery::Unknown) it
    /// may be on its way.
    pub fn retry_delivery(&self, id: &WebhookId, delivery: &DeliveryId) -> Call<()> {
        self.at(&RETRY, id).path("deliveryId", delivery).discard()
    }

    fn at(&self, endpoint: &'static Endpoint, id: &WebhookId) -> Request {
        at(self.client, endpoint, id)
    }
}

fn at(client: &Client, endpoint: &'static Endpoint, id: &WebhookId) -> Request {
    client.request(endpoint).path("webhookId", id)
}

fn page(
    client: &Client,
    id: &WebhookId,
    query: &ListDeliveries,
    after: Option<&str>,
) -> Call<ListPage<WebhookDelivery>> {
    let request = at(client, &DELIVERIES, id)
        .query_opt("status", query.status.as_ref())
        .query_opt("resourceId", query.resource_id.as_ref())
        .query_opt("createdAt[gt]", query.created_after.map(instant))
        .query_opt("createdAt[lt]", query.created_before.map(instant));
    let request = any_of(request, "eventType", "eventType[in]", &names(&query.events))
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, DELIVERIES.name).fetch()
}

#[derive(Deserialize)]
struct Rotated {
    key: SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestEvent<'a> {
    event_type: &'a WebhookEvent,
}
