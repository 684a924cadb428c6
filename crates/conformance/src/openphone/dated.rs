//! The dated API: every operation of its client. What it cannot make is made over API v1, past the proxy, which knows
//! the dated specification only.

mod calls;
mod contacts;
mod conversations;
mod messages;
mod tasks;
mod webhooks;
mod workspace;

use std::sync::Arc;

use openphone_client::dated::{Client, ListPhoneNumbers, ListUsers};
use openphone_client::{PhoneNumberId, Rate, RateClass, UserId};
use vendor_sandbox::openphone::OpenPhone;
use vendor_sandbox::{Control, Sandbox};

use super::{CUSTOM_FIELDS, Error, OTHER, Step, THEM, check, judged, refused};
use crate::judge::Judge;
use crate::surface::{Setting, Walk};

/// What the parts of the flow share.
struct Stage {
    client: Client,
    /// Straight to the sandbox.
    v1: openphone_client::Client,
    control: Control<OpenPhone>,
    sandbox: Sandbox<OpenPhone>,
}

/// Starts sandbox and proxy, and carries every operation out. A part that fails does not keep the others from theirs.
pub(crate) async fn walk(setting: Setting<'_>) -> Result<Walk, String> {
    let mut builder = Sandbox::openphone()
        .rate_limit(None)
        .refuse_unknown_query(true)
        .call_processing(None);
    for (name, key, kind) in CUSTOM_FIELDS {
        builder = builder.custom_field(name, key, kind);
    }
    let sandbox = builder.start().await.map_err(|error| error.to_string())?;
    let judge = Arc::new(Judge::start(setting, sandbox.base_url()).await?);
    let through = judged(&judge, sandbox.api_key()).map_err(|error| error.to_string())?;
    let past = openphone_client::Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .rate(RateClass::DEFAULT, Rate::per_second(10_000))
        .build();
    let stage = Stage {
        client: Client::beside(&through).map_err(|error| error.to_string())?,
        v1: past.map_err(|error| error.to_string())?,
        control: sandbox.control(),
        sandbox,
    };
    let parts = [
        ("workspace", workspace::walk(&stage).await),
        ("contacts", contacts::walk(&stage).await),
        ("calls", calls::walk(&stage).await),
        ("messages", messages::walk(&stage).await),
        ("conversations", conversations::walk(&stage).await),
        ("tasks", tasks::walk(&stage).await),
        ("webhooks", webhooks::walk(&stage).await),
        ("refusals", refusals(&judge).await),
    ];
    let failures = parts.into_iter().filter_map(|(part, outcome)| {
        let error = outcome.err()?;
        Some(format!("{part}: {error}"))
    });
    Ok(Walk {
        failures: failures.collect(),
        exchanges: judge.take_exchanges(),
    })
}

async fn refusals(judge: &Arc<Judge>) -> Step {
    let stranger = Client::beside(&judged(judge, "another-key")?)?;
    refused(stranger.organization().await, 401)
}

impl Stage {
    /// The first number of the workspace.
    fn number(&self) -> PhoneNumberId {
        self.sandbox.phone_number_id().into()
    }

    /// All numbers of the workspace.
    async fn numbers(&self) -> Result<Vec<PhoneNumberId>, Error> {
        let numbers = self.client.phone_numbers();
        let all = numbers.list(&ListPhoneNumbers::new()).all(100).await?;
        Ok(all.into_iter().map(|number| number.id).collect())
    }

    /// The first user of the workspace.
    async fn user(&self) -> Result<UserId, Error> {
        let users = self.client.users().list(&ListUsers::new()).all(100).await?;
        let first = users.into_iter().next().ok_or("there is no user")?;
        Ok(first.id)
    }
}
