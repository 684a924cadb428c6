//! API v1: every operation of the client, with the state that an office has after some weeks.

mod calls;
mod contacts;
mod messages;
mod refusals;
mod tasks;
mod webhooks;
mod workspace;

use std::sync::Arc;

use openphone_client::{Client, ListUsers, PhoneNumberId, UserId};
use vendor_sandbox::openphone::OpenPhone;
use vendor_sandbox::{Control, Sandbox};

use super::{CUSTOM_FIELDS, Error, OTHER, Step, THEM, check, judged, refused};
use crate::judge::Judge;
use crate::surface::{Setting, Walk};

/// What the parts of the flow share.
struct Stage {
    client: Client,
    control: Control<OpenPhone>,
    sandbox: Sandbox<OpenPhone>,
    judge: Arc<Judge>,
}

/// Starts sandbox and proxy, and carries every operation out. A part that fails does not keep the others from theirs.
pub(crate) async fn walk(setting: Setting<'_>) -> Result<Walk, String> {
    let mut builder = Sandbox::openphone()
        .rate_limit(None)
        .unique_external_ids(true)
        .refuse_unknown_query(true)
        .call_processing(None);
    for (name, key, kind) in CUSTOM_FIELDS {
        builder = builder.custom_field(name, key, kind);
    }
    let sandbox = builder.start().await.map_err(|error| error.to_string())?;
    let judge = Arc::new(Judge::start(setting, sandbox.base_url()).await?);
    let stage = Stage {
        client: judged(&judge, sandbox.api_key()).map_err(|error| error.to_string())?,
        control: sandbox.control(),
        sandbox,
        judge,
    };
    let parts = [
        ("workspace", workspace::walk(&stage).await),
        ("contacts", contacts::walk(&stage).await),
        ("messages", messages::walk(&stage).await),
        ("calls", calls::walk(&stage).await),
        ("tasks", tasks::walk(&stage).await),
        ("webhooks", webhooks::walk(&stage).await),
        ("refusals", refusals::walk(&stage).await),
    ];
    let failures = parts.into_iter().filter_map(|(part, outcome)| {
        let error = outcome.err()?;
        Some(format!("{part}: {error}"))
    });
    Ok(Walk {
        failures: failures.collect(),
        exchanges: stage.judge.take_exchanges(),
    })
}

impl Stage {
    /// The first number of the workspace.
    fn number(&self) -> PhoneNumberId {
        self.sandbox.phone_number_id().into()
    }

    /// The first user of the workspace.
    async fn user(&self) -> Result<UserId, Error> {
        let users = self.client.users().list(&ListUsers::new()).all(100).await?;
        let first = users.into_iter().next().ok_or("there is no user")?;
        Ok(first.id)
    }
}
