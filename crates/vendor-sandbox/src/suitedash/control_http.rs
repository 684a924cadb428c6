//! This vendor's part of `/_sandbox/`: what its handle offers, over HTTP.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control_http::read;
use crate::error::SandboxError;
use crate::suitedash::attributes::RecordKind;
use crate::suitedash::contact;
use crate::suitedash::control::{
    define, delete_contact, edit_contact, every_company, every_contact, every_project,
    seed_company, seed_contact, seed_project, set_company_idle,
};
use crate::suitedash::state::State;
use crate::suitedash::webhooks::{self, WebhookEvent};
use crate::vendor::{ControlOutcome, ControlRequest, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactsSpec {
    #[serde(default)]
    synthetic: u64,
    #[serde(default)]
    contacts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompaniesSpec {
    #[serde(default)]
    synthetic: u64,
    #[serde(default)]
    companies: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectsSpec {
    #[serde(default)]
    synthetic: u64,
    #[serde(default)]
    projects: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdleSpec {
    company: String,
    idle: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    of: RecordKind,
    uid: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaSpec {
    /// `null` lifts the limit.
    per_month: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSpec {
    url: String,
    event: WebhookEvent,
    #[serde(default)]
    about: String,
    payload: Option<Value>,
}

/// Answers this vendor's part of `/_sandbox/`.
pub(super) fn answer(
    state: &mut State,
    request: &ControlRequest<'_>,
) -> Option<Result<ControlOutcome, Problem>> {
    let body = &request.body;
    let outcome = match (request.method.as_str(), request.path) {
        ("GET", ["contacts"]) => Ok(json!({ "contacts": every_contact(&state.account) })),
        ("GET", ["contacts", identifier]) => {
            let world = &state.account;
            let place = world.contact(&decoded(identifier));
            let view = place.and_then(|place| contact::view(world, place));
            view.ok_or_else(|| Problem::missing("contact", identifier))
        }
        ("PUT", ["contacts", identifier]) => edit_contact(state, &decoded(identifier), body)
            .map(|()| json!({ "changed": true }))
            .map_err(Problem::from),
        ("DELETE", ["contacts", identifier]) => {
            if delete_contact(state, &decoded(identifier)) {
                Ok(json!({ "deleted": true }))
            } else {
                Err(Problem::missing("contact", identifier))
            }
        }
        ("GET", ["companies"]) => Ok(json!({ "companies": every_company(&state.account) })),
        ("GET", ["projects"]) => Ok(json!({ "projects": every_project(&state.account) })),
        ("GET", ["welcome-mails"]) => Ok(json!({ "welcome_mails": state.account.welcome_mails })),
        ("GET", ["subscriptions"]) => Ok(json!({ "subscriptions": state.account.subscriptions })),
        ("PUT", ["idle-companies"]) => read::<IdleSpec>(body).and_then(|spec| {
            set_company_idle(state, &spec.company, spec.idle)?;
            Ok(json!({ "idle": spec.idle }))
        }),
        ("GET", ["quota"]) => Ok(quota(state)),
        ("PUT", ["quota"]) => read::<QuotaSpec>(body).map(|spec| {
            state.quota.set(spec.per_month);
            quota(state)
        }),
        ("POST", ["quota", "next-month"]) => {
            state.quota.next_month();
            Ok(quota(state))
        }
        ("POST", ["webhooks"]) => return Some(webhook(state, body)),
        ("POST", [kind]) => return seeds(state, kind, body),
        _ => return None,
    };
    Some(outcome.map(ControlOutcome::ok))
}

/// Reads a segment of a path; one that is not UTF-8 names nothing.
fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// What `GET /_sandbox/` tells about this vendor.
pub(super) fn describe(state: &State, public_id: &str) -> Value {
    let world = &state.account;
    json!({
        "public_id": public_id,
        "quota": quota(state),
        "contacts": world.contacts.len(),
        "companies": world.companies.len(),
        "projects": world.projects.len(),
        "welcome_mails": world.welcome_mails.len(),
    })
}

fn quota(state: &State) -> Value {
    json!({ "per_month": state.quota.of_month(), "used": state.quota.used() })
}

/// The part that adds things.
fn seeds(state: &mut State, kind: &str, body: &Value) -> Option<Result<ControlOutcome, Problem>> {
    let outcome = match kind {
        "contacts" => read::<ContactsSpec>(body).and_then(|spec| {
            let uids = each(state, &spec.contacts, seed_contact)?;
            state.account.contacts.add_synthetic(spec.synthetic);
            let count = state.account.contacts.len();
            Ok(json!({ "uids": uids, "count": count }))
        }),
        "companies" => read::<CompaniesSpec>(body).and_then(|spec| {
            let uids = each(state, &spec.companies, seed_company)?;
            state.account.companies.add_synthetic(spec.synthetic);
            let count = state.account.companies.len();
            Ok(json!({ "uids": uids, "count": count }))
        }),
        "projects" => read::<ProjectsSpec>(body).and_then(|spec| {
            let uids = each(state, &spec.projects, seed_project)?;
            state.account.projects.add_synthetic(spec.synthetic);
            let count = state.account.projects.len();
            Ok(json!({ "uids": uids, "count": count }))
        }),
        "custom-fields" => read::<FieldSpec>(body).map(|spec| {
            define(state, spec.of, &spec.uid, &spec.name);
            json!({ "defined": spec.uid })
        }),
        _ => return None,
    };
    Some(outcome.map(ControlOutcome::created))
}

fn each(
    state: &mut State,
    records: &[Value],
    seed: impl Fn(&mut State, &Value) -> Result<String, SandboxError>,
) -> Result<Vec<String>, Problem> {
    let mut uids = Vec::with_capacity(records.len());
    for record in records {
        uids.push(seed(state, record)?);
    }
    Ok(uids)
}

fn webhook(state: &mut State, body: &Value) -> Result<ControlOutcome, Problem> {
    let spec = read::<WebhookSpec>(body)?;
    let payload = match spec.payload {
        Some(payload) => payload,
        None => webhooks::payload(&state.account, spec.event, &spec.about)?,
    };
    let delivery = webhooks::delivery(state, &spec.url, spec.event, &spec.about, &payload)?;
    Ok(ControlOutcome {
        deliveries: vec![delivery],
        ..ControlOutcome::created(json!({ "sent": spec.event.name() }))
    })
}
