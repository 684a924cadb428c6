//! The webhooks that the workspace has over API v1: who is told what, and where.
//!
//! What arrives there is read by `webhooks` (the feature of that name), not here.

mod address;
mod create;
pub(crate) mod ensure;
mod models;
mod requests;

use connector_http::{Call, CallSequence};

#[cfg(feature = "dated")]
pub(crate) use self::address::is_deliverable;

pub use self::models::{Webhook, WebhookEvent, WebhookResources, WebhookStatus};
pub use self::requests::{ListWebhooks, NewWebhook};
use crate::client::{Client, VENDOR};
use crate::ids::WebhookId;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists the webhooks of one user.
    LIST = "webhooks.list": GET "/v1/webhooks", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/lists-all-webhooks (read 2026-11-21)";
    /// Reads one webhook.
    GET = "webhooks.get": GET "/v1/webhooks/{id}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/get-a-webhook-by-id (read 2026-11-21)";
    /// Deletes a webhook. The second time it is not found, and gone all the same.
    DELETE = "webhooks.delete": DELETE "/v1/webhooks/{id}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/delete-a-webhook-by-id (read 2026-11-21)";
    /// Registers a webhook for messages. Twice makes two, and every event arrives twice.
    CREATE_MESSAGES = "webhooks.create_messages": POST "/v1/webhooks/messages", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/create-a-new-webhook-for-messages (read 2026-11-21)";
    /// Registers a webhook for calls.
    CREATE_CALLS = "webhooks.create_calls": POST "/v1/webhooks/calls", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/create-a-new-webhook-for-calls (read 2026-11-21)";
    /// Registers a webhook for call summaries.
    CREATE_CALL_SUMMARIES = "webhooks.create_call_summaries": POST "/v1/webhooks/call-summaries", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/create-a-new-webhook-for-call-summaries (read 2026-11-21)";
    /// Registers a webhook for call transcripts.
    CREATE_CALL_TRANSCRIPTS = "webhooks.create_call_transcripts": POST "/v1/webhooks/call-transcripts", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/webhooks/create-a-new-webhook-for-call-transcripts (read 2026-11-21)";
}

/// The sequences, in their errors.
const CREATE: &str = "webhooks.create";
const ENSURE: &str = "webhooks.ensure";

/// The webhooks of the workspace.
///
/// The vendor makes one webhook per family of events (messages, calls, call summaries, call transcripts), and knows
/// no change of one: a webhook is deleted and made anew. Webhooks made in the app, and those of the dated API, do not
/// show here.
#[derive(Clone, Debug)]
pub struct Webhooks<'a> {
    client: &'a Client,
}

impl<'a> Webhooks<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the webhooks of a user. The list is not paged.
    ///
    /// # Errors
    ///
    /// The usual ones of a read.
    pub fn list(&self, query: &ListWebhooks) -> Call<Vec<Webhook>> {
        self.client
            .http()
            .request(&LIST)
            .query_opt("userId", query.user_id.as_ref())
            .fetch_map(Data::into_inner)
    }

    /// Reads one webhook, with its key.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such webhook;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &WebhookId) -> Call<Webhook> {
        self.client
            .http()
            .request(&GET)
            .path("id", id)
            .fetch_map(Data::into_inner)
    }

    /// Deletes a webhook, for good: the vendor cannot restore one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such webhook, which is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, id: &WebhookId) -> Call<()> {
        self.client.http().request(&DELETE).path("id", id).discard()
    }

    /// Registers webhooks, whatever is registered already: one per family of the events, in the order of
    /// [`WebhookEvent`].
    ///
    /// Twice registers twice, and then every event arrives twice. [`ensure`](Self::ensure) looks first.
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation), unsent: no event, one that API v1 cannot register, an address
    ///   that is neither `https` nor on loopback, or no phone number where some are to be named.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): one of them may have been registered. It is never sent again
    ///   by itself.
    ///
    /// The families before the one that failed are registered and stay so, and what the error says of its delivery is
    /// true of the failed one only: [`list`](Self::list), or let [`ensure`](Self::ensure) finish.
    pub fn create(&self, webhook: &NewWebhook) -> CallSequence<Vec<Webhook>> {
        let (client, new) = (self.client.clone(), webhook.clone());
        CallSequence::new(VENDOR, CREATE, move |options| {
            create::create_all(client, new, options)
        })
    }

    /// Sees to it that these events arrive at this address, once: registers what is missing and keeps what is there.
    /// Returns one webhook per family of the events, each with its key.
    ///
    /// It may be called again and again, and after any failure.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{NewWebhook, WebhookEvent};
    ///
    /// let events = [WebhookEvent::MessageReceived, WebhookEvent::CallCompleted];
    /// let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", events);
    /// for webhook in client.webhooks().ensure(&wanted).await? {
    ///     println!("{} brings {:?}", webhook.id, webhook.events); // keep `webhook.key`: it verifies the deliveries
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # What is kept, and what is replaced
    ///
    /// The address is for one purpose: of each family of the events asked for, one webhook is left there. It is kept if
    /// it is enabled, brings at least these events and is for exactly these phone numbers; of several, the one with
    /// the fewest other events, then the oldest. Any other of the family at this address (disabled, with too few
    /// events, for other numbers, or one too many) is replaced: the vendor cannot change a webhook, so the new one is
    /// registered first and the old one deleted afterwards. Nothing is missed in between; something may arrive twice,
    /// under the same id. Other addresses, other families, and the webhooks of other users are left alone.
    ///
    /// Addresses are the same if they are the same URL: letter case of the host, a default port and the slash after
    /// the host aside, every character counts.
    ///
    /// # When an answer is lost
    ///
    /// If nobody knows whether a registration arrived, the list is read again, and it is sent again only if it is not
    /// there, once. One that still turns up later, when the vendor was slower than that, is deleted as one too many,
    /// by the same call or the next.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), [`list`](Self::list) and [`delete`](Self::delete). What is registered by
    /// then stays; the next call goes on from there.
    pub fn ensure(&self, wanted: &NewWebhook) -> CallSequence<Vec<Webhook>> {
        let (client, wanted) = (self.client.clone(), wanted.clone());
        CallSequence::new(VENDOR, ENSURE, move |options| {
            ensure::ensure(client, wanted, Vec::new(), options)
        })
    }
}
