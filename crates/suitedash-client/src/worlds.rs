//! The worlds of the account, for those who have bought that extension.

use connector_http::{Call, Lane, Paginator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::contacts::strange_cursor;
use crate::page::{ListPage, MAX_PAGES, Step, check_page};
use crate::reply::Reply;

connector_http::endpoints! {
    /// Lists worlds.
    LIST = "worlds.list": GET "/worlds", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

/// The worlds. From [`Client::worlds`].
///
/// **The items are not typed**: nobody shows one. A [`World`] holds the vendor's JSON.
///
/// ```
/// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
/// let mut worlds = client.worlds().list(None).items();
/// while let Some(world) = worlds.next().await {
///     println!("{}", world?.0["name"]);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Worlds<'a> {
    client: &'a Client,
}

impl<'a> Worlds<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists worlds, one call per page. Which values of the order are accepted is not known.
    ///
    /// # Errors
    ///
    /// As for [contacts](crate::Contacts::list).
    pub fn list(&self, order_by: Option<&str>) -> Paginator<World> {
        let (client, order) = (self.client.clone(), order_by.map(str::to_owned));
        Paginator::new(move |token| {
            let Some(step) = Step::read(token) else {
                return Call::failed(strange_cursor(LIST.name));
            };
            let page = client.worlds().list_page(order.as_deref(), step.page);
            page.map(move |page| step.turn(page, |world: &World| world.0.to_string()))
        })
        .max_pages(MAX_PAGES)
    }

    /// Reads one page of the list, from 1. Bulk work, as the list is, unless [`Call::lane`] says otherwise.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_page(&self, order_by: Option<&str>, page: u64) -> Call<ListPage<World>> {
        let mut check = check_page(page);
        if let Some(order) = order_by {
            check.name(order, "orderBy");
        }
        let request = self
            .client
            .http()
            .request(&LIST)
            .query("page", page)
            .query_opt("orderBy", order_by);
        check
            .guard(request, LIST.name)
            .fetch_map(|reply: Reply<Vec<World>>| reply.into())
            .lane(Lane::Bulk)
    }
}

/// A world, as the vendor tells it. `Debug` tells nothing of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct World(
    /// The vendor's JSON.
    pub Value,
);

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World(…)")
    }
}
