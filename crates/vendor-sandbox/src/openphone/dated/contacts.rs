//! Dated contacts: flat, and changed name by name.

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Given, Text};
use crate::openphone::contact::Contact;
use crate::openphone::contact_body::Origin;
use crate::openphone::contact_store::Filter;
use crate::openphone::dated::body::Body;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::events::Event;
use crate::openphone::object::insert;
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::webhook::Delivery;

pub(super) const AREA: Area = Area::Contacts;
const EXTERNAL_ID: Text = Text::length(1, 75);
const SOURCE: Text = Text::length(1, 72);

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let filter = Filter {
        external_ids: query.any_of("externalId", "externalId[in]", EXTERNAL_ID),
        sources: query.any_of("source", "source[in]", SOURCE),
    };
    let paging = query.paging(state, AREA)?;
    let start = paging.start(|id| state.contacts.place_in_order(id))?;
    let state = &*state;
    let after = start.checked_sub(1);
    let page = state.contacts.page(&filter, after, paging.limit());
    Ok(paging.reply(page.into_iter().map(|(place, contact)| {
        let id = state.contacts.id(place);
        (id.clone(), view(&id, &contact))
    })))
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let mut fields = json!({ "firstName": body.required("firstName", Text::ANY) });
    for (name, rule) in [
        ("lastName", Text::ANY),
        ("company", Text::ANY),
        ("role", Text::ANY),
    ] {
        insert(&mut fields, name, json!(body.nullable(name, rule).text()));
    }
    // What is valid here is valid as a body of API v1, which also knows reserved sources.
    let mut record = json!({ "defaultFields": fields });
    for (name, theirs, rule) in [
        ("externalId", "externalId", EXTERNAL_ID),
        ("source", "source", SOURCE),
        ("sourceUrl", "sourceUrl", Text::URI),
        ("actorId", "createdByUserId", Text::USER_ID),
    ] {
        if let Some(text) = body.nullable(name, rule).text() {
            insert(&mut record, theirs, json!(text));
        }
    }
    body.finish()?;
    let make = crate::openphone::contacts::make;
    let place = make(state, Some(&record), Origin::Create, call.now)?;
    answer(state, place, StatusCode::CREATED, call)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call.id)?;
    let contact = contact(state, place)?;
    let data = view(call.id, &contact);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

/// Changes what is named and nothing else: lists are changed as properties, one by one.
pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let texts =
        ["firstName", "lastName", "company", "role"].map(|name| body.nullable(name, Text::ANY));
    let external_id = body.nullable("externalId", EXTERNAL_ID);
    let source = body.nullable("source", SOURCE);
    let source_url = body.nullable("sourceUrl", Text::URI);
    body.finish()?;
    let place = find(state, call.id)?;
    change(state, place, call, |contact| {
        let [first_name, last_name, company, role] = texts;
        first_name.replace(&mut contact.first_name);
        last_name.replace(&mut contact.last_name);
        company.replace(&mut contact.company);
        if role != Given::Text(String::new()) {
            role.replace(&mut contact.role);
        }
        external_id.replace(&mut contact.external_id);
        source.replace(&mut contact.source);
        source_url.replace(&mut contact.source_url);
        Ok(())
    })?;
    answer(state, place, StatusCode::OK, call)
}

pub(super) fn shares(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let place = find(state, call.id)?;
    let contact = contact(state, place)?;
    // Contacts made over the API are shared with the whole workspace.
    let org_id = &state.workspace.org_id;
    let share = json!({
        "contactId": call.id,
        "sharedWith": org_id,
        "createdAt": clock::iso(contact.created_at),
    });
    paging.reply_part([(org_id.clone(), share)])
}

pub(super) fn find(state: &State, id: &str) -> Result<u64, ApiError> {
    let place = state.contacts.place(id);
    place.ok_or_else(|| ApiError::not_found(AREA))
}

pub(super) fn contact(state: &State, place: u64) -> Result<Contact, ApiError> {
    let contact = state.contacts.get(place);
    contact
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| ApiError::not_found(AREA))
}

/// Changes a contact and stamps it.
pub(super) fn change<T>(
    state: &mut State,
    place: u64,
    call: &Call<'_>,
    change: impl FnOnce(&mut Contact) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut contact = contact(state, place)?;
    let made = change(&mut contact)?;
    contact.updated_at = call.now;
    state.contacts.replace(place, contact);
    Ok(made)
}

/// Tells webhooks of a change, as it is after a creation too.
pub(super) fn tell(state: &mut State, place: u64, call: &Call<'_>) -> Vec<Delivery> {
    state.notify(&Event::ContactUpdated(place), call.now)
}

fn answer(
    state: &mut State,
    place: u64,
    status: StatusCode,
    call: &Call<'_>,
) -> Result<Outcome, ApiError> {
    let contact = contact(state, place)?;
    let data = view(&state.contacts.id(place), &contact);
    let deliveries = tell(state, place, call);
    let reply = Reply::json(status, &Data { data });
    Ok(Outcome { reply, deliveries })
}

fn view(id: &str, contact: &Contact) -> Value {
    json!({
        "id": id,
        "externalId": contact.external_id,
        "source": contact.source,
        "sourceUrl": contact.source_url,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "company": contact.company,
        "role": contact.role,
        "createdAt": clock::iso(contact.created_at),
        "updatedAt": clock::iso(contact.updated_at),
        "actorId": &*contact.created_by,
    })
}
