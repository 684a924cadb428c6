//! API mode: the cheapest order of calls that never makes a contact twice and never writes to a stranger.

use suitedash_client::connection::Settings;
use suitedash_client::{
    Client, Contact as Record, ContactAction, ContactInput, ContactOutcome, ContactPlan,
    ContactUid, ErrorKind, FieldRef, NewContact, Notice, Role,
};

use super::failure::classify;
use super::import::ImportLink;
use super::record::{Filled, To};
use super::seen::Seen;
use crate::failure::{ErrorClass, TargetError};
use crate::ids::RemoteId;
use crate::mapping::{Mapped, Place};
use crate::target::{Action, Context, Delivered, Delivery, Hit, Known, Updated};

/// Says what a contact is there. A field of the account's own is looked for among its attributes: one call, and none
/// for a day after it.
pub(super) async fn fill(
    client: &Client,
    settings: &Settings,
    context: &Context<'_>,
    mapped: Mapped,
) -> Result<Filled, TargetError> {
    let is_custom = |place: &Place| matches!(place, Place::Custom(_));
    let attributes = if mapped.values.iter().any(|value| is_custom(&value.place)) {
        Some(client.meta_in(context.lane).await.map_err(classify)?)
    } else {
        None
    };
    Ok(Filled::new(
        mapped,
        To::Api(attributes.as_deref()),
        settings,
    ))
}

/// Brings a contact to the vendor.
pub(super) async fn deliver(
    client: &Client,
    settings: &Settings,
    seen: &Seen,
    context: &Context<'_>,
    delivery: &Delivery,
    mapped: Mapped,
) -> Result<Delivered, TargetError> {
    if let Known::Several(_) = &delivery.known {
        return Err(TargetError::new(ErrorClass::Conflict));
    }
    let filled = fill(client, settings, context, mapped).await?;
    let wanted = filled.into_input(settings);
    let is_imported = match &delivery.known {
        Known::One(remote) if ImportLink::is_one(remote) => true,
        Known::One(remote) => {
            return deliver_known(client, settings, seen, context, remote, &wanted).await;
        }
        Known::Nobody | Known::Several(_) => false,
    };
    // Somebody may be there already: by an attempt whose answer was lost, or by an import.
    let look_first = delivery.uncertain || !delivery.aliases.is_empty() || is_imported;
    if look_first && wanted.email.is_none() {
        return Err(TargetError::new(ErrorClass::Conflict));
    }
    let mut rules = settings.rules();
    if look_first {
        rules = rules.plan(ContactPlan::GetFirst);
    }
    let call = client.contacts().create_or_update(&wanted).rules(rules);
    let outcome = call.lane(context.lane).await.map_err(classify)?;
    let remote = RemoteId::from(outcome.contact.uid.as_str());
    seen.put(context.tenant, &remote, &wanted, context.timer.now());
    // An earlier attempt has created it without hearing so: to the outside, this is that create.
    let was_lost = delivery.uncertain || outcome.notices.contains(&Notice::AnswerLost);
    let action = if was_lost && delivery.aliases.is_empty() && !is_imported {
        Action::Created
    } else {
        action(&outcome)
    };
    Ok(Delivered::done(remote, action))
}

async fn deliver_known(
    client: &Client,
    settings: &Settings,
    seen: &Seen,
    context: &Context<'_>,
    remote: &RemoteId,
    wanted: &ContactInput,
) -> Result<Delivered, TargetError> {
    let now = context.timer.now();
    if seen.is_current(context.tenant, remote, wanted, now) {
        return Ok(Delivered::done(remote.clone(), Action::Unchanged));
    }
    Ok(
        match write(client, settings, context, remote, wanted).await? {
            Some(outcome) => {
                seen.put(context.tenant, remote, wanted, now);
                Delivered::done(remote.clone(), action(&outcome))
            }
            None => Delivered::Gone(remote.clone()),
        },
    )
}

/// Writes what is different; `None` if there is no such record.
async fn write(
    client: &Client,
    settings: &Settings,
    context: &Context<'_>,
    remote: &RemoteId,
    wanted: &ContactInput,
) -> Result<Option<ContactOutcome>, TargetError> {
    let uid = ContactUid::from(remote.as_str());
    let call = client.contacts().update_merged(&uid, wanted);
    let call = call.rules(settings.rules()).lane(context.lane);
    match call.await {
        Ok(outcome) => Ok(Some(outcome)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(classify(error)),
    }
}

/// Looks for a person by e-mail; without one there is nothing to look by.
pub(super) async fn find(
    client: &Client,
    context: &Context<'_>,
    email: Option<&str>,
) -> Result<Vec<Hit>, TargetError> {
    let Some(email) = email else {
        return Ok(Vec::new());
    };
    let call = client.contacts().find_by_email(email).lane(context.lane);
    let found = call.await.map_err(classify)?;
    Ok(found.iter().map(hit).collect())
}

/// Creates a contact, and nothing else.
pub(super) async fn create(
    client: &Client,
    settings: &Settings,
    context: &Context<'_>,
    wanted: &ContactInput,
) -> Result<RemoteId, TargetError> {
    let new = new_contact(wanted, settings);
    let call = client.contacts().create(&new).lane(context.lane);
    let failure = match call.await {
        Ok(record) => return Ok(RemoteId::from(record.uid.as_str())),
        Err(error) => classify(error),
    };
    // The vendor has no word for "duplicate" of its own.
    let email = wanted.email.as_deref();
    if failure.note().status == Some(422) && !find(client, context, email).await?.is_empty() {
        return Err(TargetError::new(ErrorClass::Conflict).status(422));
    }
    Err(failure)
}

pub(super) async fn update(
    client: &Client,
    settings: &Settings,
    context: &Context<'_>,
    remote: &RemoteId,
    wanted: &ContactInput,
) -> Result<Updated, TargetError> {
    let outcome = write(client, settings, context, remote, wanted).await?;
    Ok(match outcome.map(|outcome| outcome.action) {
        None => Updated::Gone,
        Some(ContactAction::Unchanged) => Updated::Unchanged,
        Some(_) => Updated::Changed,
    })
}

fn new_contact(wanted: &ContactInput, settings: &Settings) -> NewContact {
    let name = |name: &Option<String>| {
        let known = name.as_deref();
        known.unwrap_or(settings.placeholder()).to_owned()
    };
    let role = wanted.role.clone().unwrap_or(Role::Lead);
    let mut new = NewContact::new(role, name(&wanted.first_name), name(&wanted.last_name));
    new.email.clone_from(&wanted.email);
    new.name_prefix.clone_from(&wanted.name_prefix);
    new.home_email.clone_from(&wanted.home_email);
    new.work_email.clone_from(&wanted.work_email);
    new.phone.clone_from(&wanted.phone);
    new.home_phone.clone_from(&wanted.home_phone);
    new.work_phone.clone_from(&wanted.work_phone);
    new.shop_phone.clone_from(&wanted.shop_phone);
    new.title.clone_from(&wanted.title);
    new.website.clone_from(&wanted.website);
    new.address.clone_from(&wanted.address);
    new.background_info.clone_from(&wanted.notes);
    new.company = wanted
        .company
        .as_deref()
        .map(suitedash_client::CompanyLink::create);
    new.tags.clone_from(&wanted.tags);
    new.tags.extend(
        wanted
            .source
            .iter()
            .map(|source| format!("source:{source}")),
    );
    for (field, value) in &wanted.fields {
        if let FieldRef::Uid(uid) = field {
            new = new.custom_field(uid, value.clone());
        }
    }
    new.send_welcome_email = wanted.send_welcome_email;
    new
}

fn hit(record: &Record) -> Hit {
    Hit::new(record.uid.as_str(), record.created)
}

fn action(outcome: &ContactOutcome) -> Action {
    match outcome.action {
        ContactAction::Created => Action::Created,
        ContactAction::Unchanged => Action::Unchanged,
        _ => Action::Updated,
    }
}
