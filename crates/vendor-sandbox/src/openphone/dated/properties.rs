//! Numbers, e-mails and custom values of a contact, one by one.

use http::StatusCode;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::contact::{Contact, CustomValue, Item};
use crate::openphone::dated::body::Body;
use crate::openphone::dated::contacts::{AREA, change, contact, find, tell};
use crate::openphone::dated::query::Query;
use crate::openphone::error::ApiError;
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::openphone::workspace::Definition;

const NUMBER: &str = "phone-number";
const EMAIL: &str = "email";

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let kind = query.text("type", Text::ANY);
    let paging = query.paging(state, AREA)?;
    let contact = contact(state, find(state, call.id)?)?;
    let all = views(&contact, &state.workspace.custom_fields);
    let wanted = |view: &Value| {
        let known = view.get("type").and_then(Value::as_str);
        kind.is_none() || kind.as_deref() == known
    };
    paging.reply_part(all.into_iter().filter(|(_, view)| wanted(view)))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    one(state, call, call.second_id)
}

/// Answers 200, and not 201 as other creations do.
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let kind = body.required("type", Text::ANY);
    let name = body.nullable("name", Text::ANY).text();
    let value = body.value("value");
    body.needs("value", "string");
    body.finish()?;
    let place = find(state, call.id)?;
    let id = state.ids.item();
    let value = value.unwrap_or_default();
    let definitions = state.workspace.custom_fields.clone();
    let made = id.clone();
    change(state, place, call, |contact| {
        let list = match &*kind {
            NUMBER => &mut contact.phone_numbers,
            EMAIL => &mut contact.emails,
            kind => {
                let definition = custom_field(&definitions, kind, name.as_deref(), &value)?;
                contact.custom_values.push(CustomValue {
                    id: made,
                    definition,
                    value,
                });
                return Ok(());
            }
        };
        list.push(Item {
            id: made,
            name: name.unwrap_or_default(),
            value: Some(text(&value)?),
        });
        Ok(())
    })?;
    told(state, call, &id)
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut body = Body::read(call, AREA)?;
    let name = body.nullable("name", Text::ANY);
    let value = body.value("value");
    body.finish()?;
    let place = find(state, call.id)?;
    let definitions = state.workspace.custom_fields.clone();
    change(state, place, call, |contact| {
        if let Some(item) = items(contact).find(|item| item.id == call.second_id) {
            let mut label = Some(std::mem::take(&mut item.name));
            name.replace(&mut label);
            item.name = label.unwrap_or_default();
            if let Some(value) = &value {
                item.value = Some(text(value)?);
            }
            return Ok(());
        }
        let custom = contact.custom_values.iter_mut();
        let mut custom = custom.filter(|custom| custom.id == call.second_id);
        let custom = custom.next().ok_or_else(|| ApiError::not_found(AREA))?;
        if let Some(value) = value {
            let definition = definitions.get(custom.definition);
            if !definition.is_some_and(|definition| definition.r#type.accepts(&value)) {
                return Err(ApiError::custom_field_item());
            }
            custom.value = value;
        }
        Ok(())
    })?;
    told(state, call, call.second_id)
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let place = find(state, call.id)?;
    change(state, place, call, |contact| {
        let before = count(contact);
        contact
            .phone_numbers
            .retain(|item| item.id != call.second_id);
        contact.emails.retain(|item| item.id != call.second_id);
        contact
            .custom_values
            .retain(|custom| custom.id != call.second_id);
        if count(contact) == before {
            return Err(ApiError::not_found(AREA));
        }
        Ok(())
    })?;
    Ok(Outcome {
        reply: Reply::empty(StatusCode::NO_CONTENT),
        deliveries: tell(state, place, call),
    })
}

fn one(state: &State, call: &Call<'_>, id: &str) -> Result<Outcome, ApiError> {
    let contact = contact(state, find(state, call.id)?)?;
    let all = views(&contact, &state.workspace.custom_fields);
    let found = all.into_iter().find(|(known, _)| known == id);
    let (_, data) = found.ok_or_else(|| ApiError::not_found(AREA))?;
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

fn told(state: &mut State, call: &Call<'_>, id: &str) -> Result<Outcome, ApiError> {
    let place = find(state, call.id)?;
    let deliveries = tell(state, place, call);
    Ok(Outcome {
        deliveries,
        ..one(state, call, id)?
    })
}

fn items(contact: &mut Contact) -> impl Iterator<Item = &mut Item> {
    contact.phone_numbers.iter_mut().chain(&mut contact.emails)
}

fn count(contact: &Contact) -> usize {
    contact.phone_numbers.len() + contact.emails.len() + contact.custom_values.len()
}

fn text(value: &Value) -> Result<String, ApiError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| ApiError::refused(AREA, "The value must be a string".to_owned()))
}

/// Finds the definition by type and, where one is given, by name or key.
fn custom_field(
    definitions: &[Definition],
    kind: &str,
    name: Option<&str>,
    value: &Value,
) -> Result<usize, ApiError> {
    let fits = |definition: &Definition| {
        json!(definition.r#type) == kind
            && definition.r#type.accepts(value)
            && name.is_none_or(|name| definition.name == name || definition.key == name)
    };
    let found = definitions.iter().position(fits);
    found.ok_or_else(ApiError::custom_field_item)
}

/// Shows all that have a value, with their ids; they have no times of their own here. What was
/// emptied over API v1 is no property.
fn views(contact: &Contact, definitions: &[Definition]) -> Vec<(String, Value)> {
    let view = |id: &str, kind: Value, name: Option<&str>, value: Value| {
        let view = json!({
            "id": id,
            "type": kind,
            "name": name,
            "value": value,
            "createdAt": clock::iso(contact.created_at),
            "updatedAt": clock::iso(contact.updated_at),
        });
        (!value.is_null()).then(|| (id.to_owned(), view))
    };
    let item = |item: &Item, kind: &str| {
        let name = Some(item.name.as_str()).filter(|name| !name.is_empty());
        view(&item.id, json!(kind), name, json!(item.value))
    };
    let numbers = contact
        .phone_numbers
        .iter()
        .filter_map(|number| item(number, NUMBER));
    let emails = contact.emails.iter().filter_map(|email| item(email, EMAIL));
    let custom = contact.custom_values.iter().filter_map(|custom| {
        let definition = definitions.get(custom.definition)?;
        let kind = json!(definition.r#type);
        let name = Some(definition.name.as_str());
        view(&custom.id, kind, name, custom.value.clone())
    });
    numbers.chain(emails).chain(custom).collect()
}
