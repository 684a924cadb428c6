//! One registration per family.

use connector_http::{Call, CallOptions, Error};

use super::CREATE;
use super::models::{Family, Webhook};
use super::requests::NewWebhook;
use crate::client::Client;
use crate::page::Data;

pub(super) async fn create_all(
    client: Client,
    new: NewWebhook,
    options: CallOptions,
) -> Result<Vec<Webhook>, Error> {
    new.check().map_err(|check| check.into_error(CREATE))?;
    let mut made = Vec::new();
    for family in new.families() {
        made.push(options.apply(create(&client, &new, family)).await?);
    }
    Ok(made)
}

/// Registers what is wanted of one family. It has been checked.
pub(super) fn create(client: &Client, new: &NewWebhook, family: Family) -> Call<Webhook> {
    client
        .http()
        .request(family.endpoint())
        .json(&new.body(family))
        .fetch_map(Data::into_inner)
}
