//! The five operations on contacts.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::Value;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Given, Query, Text};
use crate::openphone::contact::{Contact, ContactView, CustomFieldIds, CustomValue, Item};
use crate::openphone::contact_body::{ContactBody, CustomBody, ItemBody, Origin};
use crate::openphone::contact_store::Filter;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::events::Event;
use crate::openphone::ids::Ids;
use crate::openphone::page::{Data, Page, last_id, next_token};
use crate::openphone::state::State;
use crate::openphone::workspace::Definition;

const MOST_PER_PAGE: usize = 50;
/// What a contact made over the API has for a source when it names none.
const DEFAULT_SOURCE: &str = "public-api";

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let body = read_body(call)?;
    let place = make(state, body.as_ref(), Origin::Create, call.now)?;
    let reply = reply(state, place, StatusCode::CREATED, CustomFieldIds::Shown)?;
    // The vendor has no event of its own for a creation: it comes as an update.
    let deliveries = state.notify(&Event::ContactUpdated(place), call.now);
    Ok(Outcome { reply, deliveries })
}

/// Checks a body and stores the contact it describes.
pub(super) fn make(
    state: &mut State,
    body: Option<&Value>,
    origin: Origin,
    now: DateTime<Utc>,
) -> Result<u64, ApiError> {
    let body = ContactBody::read(body, origin)?;
    let State {
        ids,
        workspace,
        contacts,
        ..
    } = state;
    let created_by = match &body.created_by {
        None => workspace.owner_id(),
        Some(id) => match workspace.user(id) {
            Some(user) => user.id.clone(),
            None => return Err(ApiError::not_phone_number_user(Area::Contacts)),
        },
    };
    let source = match body.source {
        Given::Absent if origin != Origin::Seed => Some(DEFAULT_SOURCE.to_owned()),
        source => source.text(),
    };
    let external_id = body.external_id.text();
    let custom_values = custom_values(
        body.custom_fields.unwrap_or_default(),
        &[],
        &workspace.custom_fields,
        ids,
    )?;
    if let Some(external_id) = &external_id
        && state.options.unique_external_ids
        && !contacts.places_of_external_id(external_id).is_empty()
    {
        return Err(ApiError::contact_conflict());
    }
    Ok(contacts.insert(Contact {
        external_id,
        source,
        source_url: body.source_url.text(),
        first_name: body.first_name.text(),
        last_name: body.last_name.text(),
        company: body.company.text(),
        role: body.role.text().filter(|role| !role.is_empty()),
        emails: items(body.emails.unwrap_or_default(), &[], ids)?,
        phone_numbers: items(body.phone_numbers.unwrap_or_default(), &[], ids)?,
        custom_values,
        created_at: now,
        updated_at: now,
        created_by,
    }))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call.query_pairs());
    let filter = Filter {
        external_ids: query.list("externalIds", Text::length(1, 75)),
        sources: query.list("sources", Text::length(1, 75)),
    };
    let max = query.max_results(MOST_PER_PAGE);
    let token = query.text("pageToken", Text::ANY);
    query.finish(Area::Contacts, state.options.refuse_unknown_query)?;
    let after =
        match token {
            None => None,
            Some(token) => {
                let id = last_id(Area::Contacts, &token)?;
                let place = state.contacts.place_in_order(&id);
                Some(place.ok_or_else(|| {
                    ApiError::refused(Area::Contacts, "Invalid page token".into())
                })?)
            }
        };
    let page = state.contacts.page(&filter, after, max);
    let last = page.last().map(|(place, _)| state.contacts.id(*place));
    let data: Vec<ContactView<'_>> = page
        .iter()
        .map(|(place, contact)| {
            let id = state.contacts.id(*place);
            contact.view(id, &state.workspace.custom_fields, CustomFieldIds::Shown)
        })
        .collect();
    let next_page_token = next_token(data.len(), max, last.as_deref());
    Ok(Reply::json(StatusCode::OK, &Page::new(data, next_page_token)).into())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call.id)?;
    Ok(reply(state, place, StatusCode::OK, CustomFieldIds::Shown)?.into())
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let body = read_body(call)?;
    let body = ContactBody::read(body.as_ref(), Origin::Update)?;
    let place = find(state, call.id)?;
    let State {
        ids,
        workspace,
        contacts,
        options,
        ..
    } = &mut *state;
    let Some(before) = contacts.get(place) else {
        return Err(ApiError::not_found(Area::Contacts));
    };
    let mut contact = before.into_owned();
    // The lists are replaced, and one that is left out is emptied.
    contact.custom_values = custom_values(
        body.custom_fields.unwrap_or_default(),
        &contact.custom_values,
        &workspace.custom_fields,
        ids,
    )?;
    contact.emails = items(body.emails.unwrap_or_default(), &contact.emails, ids)?;
    contact.phone_numbers = items(
        body.phone_numbers.unwrap_or_default(),
        &contact.phone_numbers,
        ids,
    )?;
    body.first_name.replace(&mut contact.first_name);
    body.last_name.replace(&mut contact.last_name);
    body.company.replace(&mut contact.company);
    // An empty role is ignored, so a role can only be taken away with null.
    if body.role != Given::Text(String::new()) {
        body.role.replace(&mut contact.role);
    }
    body.source_url.replace(&mut contact.source_url);
    if options.patch_keeps_reference {
        body.external_id.replace(&mut contact.external_id);
        body.source.replace(&mut contact.source);
    } else {
        contact.external_id = body.external_id.text();
        contact.source = body.source.text();
    }
    if let Some(external_id) = &contact.external_id
        && options.unique_external_ids
        && contacts
            .places_of_external_id(external_id)
            .iter()
            .any(|other| *other != place)
    {
        return Err(ApiError::contact_conflict());
    }
    contact.updated_at = call.now;
    contacts.replace(place, contact);
    let reply = reply(state, place, StatusCode::OK, CustomFieldIds::LeftOut)?;
    let deliveries = state.notify(&Event::ContactUpdated(place), call.now);
    Ok(Outcome { reply, deliveries })
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call.id)?;
    let deliveries = state.notify(&Event::ContactDeleted(place), call.now);
    state.contacts.remove(place);
    state.notes.remove(&place);
    Ok(Outcome {
        reply: Reply::empty(StatusCode::NO_CONTENT),
        deliveries,
    })
}

fn read_body(call: &Call<'_>) -> Result<Option<Value>, ApiError> {
    call.json()
        .map_err(|error| ApiError::refused(Area::Contacts, format!("Invalid JSON: {error}")))
}

fn find(state: &State, id: &str) -> Result<u64, ApiError> {
    state
        .contacts
        .place(id)
        .ok_or_else(|| ApiError::not_found(Area::Contacts))
}

fn reply(
    state: &State,
    place: u64,
    status: StatusCode,
    ids: CustomFieldIds,
) -> Result<Reply, ApiError> {
    let Some(contact) = state.contacts.get(place) else {
        return Err(ApiError::not_found(Area::Contacts));
    };
    let data = contact.view(
        state.contacts.id(place),
        &state.workspace.custom_fields,
        ids,
    );
    Ok(Reply::json(status, &Data { data }))
}

/// Writes every contact, for the control handle.
pub(super) fn snapshot(state: &State) -> Vec<Value> {
    state
        .contacts
        .places(0)
        .filter_map(|place| one(state, place))
        .collect()
}

/// Writes one contact, for the control handle.
pub(super) fn one(state: &State, place: u64) -> Option<Value> {
    let contact = state.contacts.get(place)?;
    let id = state.contacts.id(place);
    let view = contact.view(id, &state.workspace.custom_fields, CustomFieldIds::Shown);
    serde_json::to_value(view).ok()
}

/// Builds the new list of e-mails or numbers. An item with the id of an old one keeps that id;
/// one whose value is null is taken away; an id that is not there is refused.
fn items(bodies: Vec<ItemBody>, before: &[Item], ids: &mut Ids) -> Result<Vec<Item>, ApiError> {
    let mut items = Vec::with_capacity(bodies.len());
    for body in bodies {
        let id = match body.id {
            Some(id) if before.iter().any(|item| item.id == id) => id,
            Some(id) => {
                let message = format!("Item with ID {id} does not match");
                return Err(ApiError::refused(Area::Contacts, message));
            }
            None => ids.item(),
        };
        if body.value.is_some() {
            items.push(Item {
                id,
                name: body.name,
                value: body.value,
            });
        }
    }
    Ok(items)
}

/// Builds the new custom values: each names its definition by key, or an old value by id.
fn custom_values(
    bodies: Vec<CustomBody>,
    before: &[CustomValue],
    definitions: &[Definition],
    ids: &mut Ids,
) -> Result<Vec<CustomValue>, ApiError> {
    let mut values = Vec::with_capacity(bodies.len());
    for body in bodies {
        let old = body
            .id
            .as_ref()
            .map(|id| before.iter().find(|old| old.id == *id));
        let by_key = body.key.as_ref().map(|key| {
            definitions
                .iter()
                .position(|definition| definition.key == *key)
        });
        let definition = match (by_key, &old) {
            (Some(by_key), None) => by_key,
            (None, Some(Some(old))) => Some(old.definition),
            (Some(by_key), Some(Some(old))) => by_key.filter(|by_key| *by_key == old.definition),
            (_, Some(None)) | (None, None) => None,
        };
        let fits = definition
            .and_then(|index| definitions.get(index))
            .is_some_and(|definition| definition.r#type.accepts(&body.value));
        let Some(definition) = definition.filter(|_| fits) else {
            return Err(ApiError::custom_field_item());
        };
        let id = old
            .flatten()
            .map_or_else(|| ids.item(), |old| old.id.clone());
        values.push(CustomValue {
            id,
            definition,
            value: body.value,
        });
    }
    Ok(values)
}
