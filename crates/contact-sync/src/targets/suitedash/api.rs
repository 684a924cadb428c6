//! API mode: the cheapest order of calls that never makes a contact twice and never writes to a stranger.

use suitedash_client::connection::Settings;
use suitedash_client::{
    Client, Contact as Record, ContactAction, ContactInput, ContactOutcome, ContactPlan,
    ContactUid, ErrorKind, NewContact, Notice, Role,
};

use super::failure::classify;
use super::import::ImportLink;
use super::seen::Seen;
use crate::contact::{Contact, E164, Email, Phone};
use crate::failure::{ErrorClass, TargetError};
use crate::ids::RemoteId;
use crate::target::{Action, Context, Delivered, Delivery, Hit, Known, Person, Updated};

/// Brings a contact to the vendor.
pub(super) async fn deliver(
    client: &Client,
    settings: &Settings,
    seen: &Seen,
    context: &Context<'_>,
    delivery: &Delivery,
) -> Result<Delivered, TargetError> {
    let wanted = input(&delivery.contact, settings);
    let is_imported = match &delivery.known {
        Known::Several(_) => return Err(TargetError::new(ErrorClass::Conflict)),
        Known::One(remote) if ImportLink::is_one(remote) => true,
        Known::One(remote) => {
            return deliver_known(client, settings, seen, context, remote, &wanted).await;
        }
        Known::Nobody => false,
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
    person: &Person<'_>,
) -> Result<Vec<Hit>, TargetError> {
    let Some(email) = email(person.contact) else {
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
    person: &Person<'_>,
) -> Result<RemoteId, TargetError> {
    let new = new_contact(&input(person.contact, settings), settings);
    let call = client.contacts().create(&new).lane(context.lane);
    let failure = match call.await {
        Ok(record) => return Ok(RemoteId::from(record.uid.as_str())),
        Err(error) => classify(error),
    };
    // The vendor has no word for "duplicate" of its own.
    if failure.note().status == Some(422) && !find(client, context, person).await?.is_empty() {
        return Err(TargetError::new(ErrorClass::Conflict).status(422));
    }
    Err(failure)
}

pub(super) async fn update(
    client: &Client,
    settings: &Settings,
    context: &Context<'_>,
    remote: &RemoteId,
    contact: &Contact,
) -> Result<Updated, TargetError> {
    let wanted = input(contact, settings);
    let outcome = write(client, settings, context, remote, &wanted).await?;
    Ok(match outcome.map(|outcome| outcome.action) {
        None => Updated::Gone,
        Some(ContactAction::Unchanged) => Updated::Unchanged,
        Some(_) => Updated::Changed,
    })
}

/// What the record shall say.
fn input(contact: &Contact, settings: &Settings) -> ContactInput {
    let mut input = ContactInput::new();
    input.first_name = contact.name().first().map(str::to_owned);
    input.last_name = contact.name().last().map(str::to_owned);
    input.email = email(contact).map(str::to_owned);
    input.phone = number(contact).map(str::to_owned);
    input.company = contact.company().map(str::to_owned);
    input.notes = contact.notes().map(str::to_owned);
    settings.complete(input)
}

fn new_contact(wanted: &ContactInput, settings: &Settings) -> NewContact {
    let name = |name: &Option<String>| {
        let known = name.as_deref();
        known.unwrap_or(settings.placeholder()).to_owned()
    };
    let role = wanted.role.clone().unwrap_or(Role::Lead);
    let mut new = NewContact::new(role, name(&wanted.first_name), name(&wanted.last_name));
    new.email.clone_from(&wanted.email);
    new.phone.clone_from(&wanted.phone);
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
    new.send_welcome_email = wanted.send_welcome_email;
    new
}

pub(super) fn email(contact: &Contact) -> Option<&str> {
    contact
        .email()
        .filter(|email| email.is_valid())
        .map(Email::normalized)
}

pub(super) fn number(contact: &Contact) -> Option<&str> {
    contact.phone().and_then(Phone::e164).map(E164::as_str)
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
