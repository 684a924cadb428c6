//! Once, and never twice: look, register what is missing, look again where an answer was lost, delete what is one too
//! many.

use connector_http::{CallOptions, Delivery, Error, ErrorKind};
use url::Url;

use super::create::create;
use super::models::{Family, Webhook, WebhookEvent};
use super::requests::{ListWebhooks, NewWebhook};
use super::{ENSURE, Webhooks};
use crate::client::Client;
use crate::ids::WebhookId;

/// How often one family is registered while nobody knows whether it was.
const ATTEMPTS: usize = 2;

/// `known` are those that were registered before, wherever they are.
pub(crate) async fn ensure(
    client: Client,
    wanted: NewWebhook,
    known: Vec<WebhookId>,
    options: CallOptions,
) -> Result<Vec<Webhook>, Error> {
    let url = wanted.check().map_err(|check| check.into_error(ENSURE))?;
    let webhooks = client.webhooks();
    let mut query = ListWebhooks::new();
    query.user_id.clone_from(&wanted.user_id);

    let mut made: Vec<Made> = Vec::new();
    let mut doubts: Vec<Doubt> = Vec::new();
    let plan = loop {
        let listed = look(&client, &query, &known, options).await?;
        let plan = Plan::new(&wanted, &url, &listed, &made);
        if let Some(error) = take_spent(&mut doubts, &plan.missing) {
            return Err(error);
        }
        for family in &plan.missing {
            match options.apply(create(&client, &wanted, *family)).await {
                Ok(webhook) => made.push(Made {
                    family: *family,
                    webhook,
                }),
                Err(error) => doubts.push(Doubt::of(*family, error)?),
            }
        }
        // Once an answer was lost, only a list that shows everything ends the search.
        if plan.missing.is_empty() || doubts.is_empty() {
            break Plan::new(&wanted, &url, &listed, &made);
        }
    };
    let kept = with_keys(&webhooks, plan.kept, options).await?;
    for webhook in plan.surplus {
        match options.apply(webhooks.delete(&webhook.id)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(kept)
}

/// Lists webhooks, and reads those known ones that the list leaves out: it is that of one user, and may lag behind.
pub(crate) async fn look(
    client: &Client,
    query: &ListWebhooks,
    known: &[WebhookId],
    options: CallOptions,
) -> Result<Vec<Webhook>, Error> {
    let webhooks = client.webhooks();
    let mut there = options.apply(webhooks.list(query)).await?;
    for id in known {
        if there.iter().any(|webhook| webhook.id == *id) {
            continue;
        }
        match options.apply(webhooks.get(id)).await {
            Ok(webhook) => there.push(webhook),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

/// A registration that was answered.
struct Made {
    /// What it was asked for, which the answer may leave out.
    family: Family,
    webhook: Webhook,
}

/// What one look at the list says.
struct Plan {
    /// At most one per family; one webhook may serve two.
    kept: Vec<Webhook>,
    missing: Vec<Family>,
    surplus: Vec<Webhook>,
}

impl Plan {
    /// What was made by this call is known, whether or not the list shows it yet, and is taken for what was asked for.
    fn new(wanted: &NewWebhook, url: &Url, listed: &[Webhook], made: &[Made]) -> Self {
        let is_made = |webhook: &Webhook| made.iter().any(|it| it.webhook.id == webhook.id);
        let here: Vec<&Webhook> = listed
            .iter()
            .filter(|webhook| webhook.deleted_at.is_none() && webhook.is_at(url))
            .filter(|webhook| !is_made(webhook))
            .chain(made.iter().map(|it| &it.webhook))
            .collect();
        let families: Vec<Family> = wanted.families().collect();
        let mut plan = Self {
            kept: Vec::new(),
            missing: Vec::new(),
            surplus: Vec::new(),
        };
        for family in &families {
            let fits = |webhook: &Webhook| {
                let made_for = |it: &Made| it.family == *family && it.webhook.id == webhook.id;
                brings(webhook, wanted, *family) || made.iter().any(made_for)
            };
            let candidates = here.iter().filter(|webhook| fits(webhook));
            // The same choice in every process, so that two at once do not delete each other's.
            match candidates.min_by_key(|it| (others(it, wanted), it.created_at, &it.id)) {
                Some(webhook) if contains(&plan.kept, webhook) => {}
                Some(webhook) => plan.kept.push((*webhook).clone()),
                None => plan.missing.push(*family),
            }
        }
        let ours = |webhook: &Webhook| is_of(webhook, &families) || is_made(webhook);
        let surplus = here
            .into_iter()
            .filter(|webhook| ours(webhook) && !contains(&plan.kept, webhook));
        plan.surplus = surplus.cloned().collect();
        plan
    }
}

/// Tells whether it delivers what is wanted of the family.
fn brings(webhook: &Webhook, wanted: &NewWebhook, family: Family) -> bool {
    webhook.is_enabled()
        && webhook.resources.same_as(&wanted.resources)
        && wanted
            .events_of(family)
            .into_iter()
            .all(|event| webhook.events.contains(event))
}

/// Tells whether it brings events of these families and nothing else, so that nobody else can miss it.
fn is_of(webhook: &Webhook, families: &[Family]) -> bool {
    let of = |family: Option<Family>| family.is_some_and(|family| families.contains(&family));
    !webhook.events.is_empty() && webhook.events.iter().all(|event| of(event.family()))
}

/// How many events it brings that nobody asked for.
fn others(webhook: &Webhook, wanted: &NewWebhook) -> usize {
    let unasked = |event: &&WebhookEvent| !wanted.events.contains(event);
    webhook.events.iter().filter(unasked).count()
}

fn contains(webhooks: &[Webhook], webhook: &Webhook) -> bool {
    webhooks.iter().any(|other| other.id == webhook.id)
}

/// A registration that may have arrived.
struct Doubt {
    family: Family,
    error: Error,
}

impl Doubt {
    /// Gives the error back if it is sure that nothing was registered.
    fn of(family: Family, error: Error) -> Result<Self, Error> {
        match error.delivery() {
            Delivery::Unknown | Delivery::Succeeded => Ok(Self { family, error }),
            Delivery::NotSent | Delivery::Rejected => Err(error),
        }
    }
}

/// The error of a family that is still missing and must not be registered once more: it was tried often enough, or is
/// known to exist although the list does not show it.
fn take_spent(doubts: &mut Vec<Doubt>, missing: &[Family]) -> Option<Error> {
    for family in missing {
        let of_family = || doubts.iter().filter(|doubt| doubt.family == *family);
        let exists = of_family().any(|doubt| doubt.error.delivery() == Delivery::Succeeded);
        if exists || of_family().count() >= ATTEMPTS {
            let last = doubts.iter().rposition(|doubt| doubt.family == *family)?;
            return Some(doubts.swap_remove(last).error);
        }
    }
    None
}

/// Reads those again whose key the answer left out.
async fn with_keys(
    webhooks: &Webhooks<'_>,
    kept: Vec<Webhook>,
    options: CallOptions,
) -> Result<Vec<Webhook>, Error> {
    let mut complete = Vec::with_capacity(kept.len());
    for webhook in kept {
        complete.push(match webhook.key {
            Some(_) => webhook,
            None => options.apply(webhooks.get(&webhook.id)).await?,
        });
    }
    Ok(complete)
}
