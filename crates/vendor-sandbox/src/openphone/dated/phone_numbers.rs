//! Dated phone numbers, and the search for new ones.

use http::StatusCode;
use serde_json::{Value, json};

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::Text;
use crate::openphone::dated::path_id;
use crate::openphone::dated::query::Query;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::object::insert;
use crate::openphone::page::Data;
use crate::openphone::state::State;
use crate::openphone::workspace::{PhoneNumber, Workspace};

pub(super) const AREA: Area = Area::PhoneNumbers;
const RESTRICTIONS: &str = "restrictions";
const BUSINESS_HOURS: &str = "businessHours";
/// How many numbers a search offers.
const OFFERED: usize = 5;

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let number = query.text("phoneNumber", Text::E164);
    let includes = query.words("include", &[RESTRICTIONS]);
    let paging = query.paging(state, AREA)?;
    let workspace = &state.workspace;
    let wanted = |phone: &&PhoneNumber| number.as_ref().is_none_or(|number| number == phone.number);
    let phones = workspace.phone_numbers.iter().filter(wanted);
    paging.reply_part(phones.map(|phone| (phone.id.clone(), view(workspace, phone, &includes))))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let includes = query.words("include", &[RESTRICTIONS, BUSINESS_HOURS]);
    query.finish(state, AREA)?;
    let phone = find(state, call)?;
    let data = view(&state.workspace, phone, &includes);
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

pub(super) fn users(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let paging = Query::new(call).paging(state, AREA)?;
    let phone = find(state, call)?;
    let users = state.workspace.users_of(phone).map(|user| {
        let view = json!({
            "id": &*user.id,
            "email": user.email,
            "firstName": user.first_name,
            "lastName": user.last_name,
            "role": user.role,
            "groupId": user.group_id,
        });
        (user.id.to_string(), view)
    });
    paging.reply_part(users)
}

/// Offers numbers that are kept free for fiction. There are none outside the US and Canada, and
/// none without a fee.
pub(super) fn available(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    let mut query = Query::new(call);
    let country = query.text("countryCode", Text::ANY);
    let area_code = query.text("areaCode", Text::ANY);
    query.text("inLocality", Text::ANY);
    query.text("inRegion", Text::ANY);
    let contains = query.text("contains", Text::ANY);
    let toll_free = query.one_of("tollFree", &[("true", true), ("false", false)]);
    query.finish(state, AREA)?;
    let at_home = country.is_none_or(|country| matches!(&*country, "US" | "CA"));
    let area_code = area_code.unwrap_or_else(|| "202".to_owned());
    let fits = area_code.len() == 3 && area_code.bytes().all(|byte| byte.is_ascii_digit());
    let offered: Vec<String> = (110..200)
        .map(|line| format!("+1{area_code}5550{line}"))
        .filter(|_| at_home && fits && toll_free != Some(true))
        .filter(|number| {
            contains
                .as_ref()
                .is_none_or(|part| number.contains(part.as_str()))
        })
        .take(OFFERED)
        .collect();
    let data = json!({ "phoneNumbers": offered });
    Ok(Reply::json(StatusCode::OK, &Data { data }).into())
}

fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a PhoneNumber, ApiError> {
    path_id(call.id, "phoneNumberId", Text::PHONE_NUMBER_ID, AREA)?;
    let mut phones = state.workspace.phone_numbers.iter();
    let phone = phones.find(|phone| phone.id == call.id);
    phone.ok_or_else(|| ApiError::not_found(AREA))
}

/// Writes a number: as API v1 does but for the name of the number itself and for its users, and
/// with business hours where they are asked for, which lists cannot do.
pub(super) fn view(workspace: &Workspace, phone: &PhoneNumber, includes: &[String]) -> Value {
    let asked_for = |part: &str| includes.iter().any(|include| include == part);
    let mut view = json!(workspace.phone_number_view(phone));
    if let Value::Object(view) = &mut view {
        view.remove("users");
        view.remove("number");
        if !asked_for(RESTRICTIONS) {
            view.remove(RESTRICTIONS);
        }
    }
    insert(&mut view, "phoneNumber", json!(phone.number));
    if asked_for(BUSINESS_HOURS) {
        insert(&mut view, BUSINESS_HOURS, business_hours());
    }
    view
}

fn business_hours() -> Value {
    let day = json!({ "start": "0900", "end": "1700" });
    json!({
        "enabled": true,
        "timezone": "America/New_York",
        "schedule": {
            "monday": day,
            "tuesday": day,
            "wednesday": day,
            "thursday": day,
            "friday": day,
            "saturday": null,
            "sunday": null,
        },
    })
}
