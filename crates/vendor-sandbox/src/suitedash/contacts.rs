//! The operations on contacts.

use chrono::{DateTime, SubsecRound as _, Utc};
use http::StatusCode;

use crate::exchange::{Call, Reply};
use crate::suitedash::attributes::RecordKind;
use crate::suitedash::body::{Body, Change, is_email};
use crate::suitedash::company::Company;
use crate::suitedash::contact::{Contact, Role, TEXTS, view};
use crate::suitedash::options::RoleInUpdate;
use crate::suitedash::page::{ListQuery, data};
use crate::suitedash::profile::Profile;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::{WelcomeMail, World};

pub(super) fn list(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let query = ListQuery::read(call)?;
    let world = &*world;
    let path = call.operation.template();
    Ok(query.reply(rules, path, |created, skip, take| {
        let (total, places) = world.contacts.select(created, skip, take);
        let items = places.into_iter().filter_map(|place| view(world, place));
        (total, items.collect())
    }))
}

pub(super) fn get(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, rules, call.id)?;
    shown(world, StatusCode::OK, place)
}

pub(super) fn create(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let body = Body::read(call)?;
    let place = make(world, rules, body, Origin::Api(call.now))?;
    shown(world, StatusCode::CREATED, place)
}

pub(super) fn update(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, rules, call.id)?;
    let body = Body::read(call)?;
    change(world, rules, place, body, call.now)?;
    shown(world, StatusCode::OK, place)
}

/// Where a new contact comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    Api(DateTime<Utc>),
    /// The sandbox itself, which mails nobody.
    Seed(DateTime<Utc>),
}

impl Origin {
    pub(super) fn time(self) -> DateTime<Utc> {
        let (Self::Api(time) | Self::Seed(time)) = self;
        time.trunc_subsecs(0)
    }
}

/// Makes a contact of the body of create and returns its place.
pub(super) fn make(
    world: &mut World,
    rules: &Rules,
    mut body: Body,
    origin: Origin,
) -> Result<u64, Refused> {
    if !body.has("role") {
        body.problem("role", "is required");
    }
    let role = Role::read(&mut body).unwrap_or(Role::Lead);
    let first_name = body.needed("first_name");
    let last_name = last_name(&mut body, rules);
    let email = body.text("email").set().filter(|email| !email.is_empty());
    match &email {
        None if role != Role::Lead => body.problem("email", "is required"),
        Some(email) if !is_email(email) => body.problem("email", "is not an e-mail address"),
        _ => {}
    }
    let mut profile = Profile::default();
    profile.read(&mut body, TEXTS, RecordKind::Contact, &world.fields);
    let circles = read_circles(&mut body);
    let company = CompanyLink::read(&mut body, world);
    let welcome = body.flag("send_welcome_email");
    body.finish(rules)?;
    refuse_duplicate(world, rules, email.as_deref(), None)?;
    let created = origin.time();
    let place = world.add_contact(Contact {
        role,
        first_name,
        last_name,
        email,
        profile,
        circles,
        companies: Vec::new(),
        welcomed: false,
        created,
    });
    if let Some(company) = company {
        company.link(world, place, created);
    }
    match origin {
        Origin::Api(now) => {
            if welcome.unwrap_or(rules.options.welcome_by_default) {
                send_welcome(world, place, now);
            }
        }
        Origin::Seed(_) => mark_welcomed(world, place, welcome.unwrap_or(false)),
    }
    Ok(place)
}

/// Sends the portal invitation, unless there was one before or there is nowhere to send it.
pub(super) fn send_welcome(world: &mut World, place: u64, now: DateTime<Utc>) {
    let Some(contact) = world.contacts.get(place) else {
        return;
    };
    let Some(email) = contact.email.clone().filter(|_| !contact.welcomed) else {
        return;
    };
    let contact_uid = world.contacts.uid(place);
    world.welcome_mails.push(WelcomeMail {
        contact_uid,
        email,
        at: now,
    });
    mark_welcomed(world, place, true);
}

fn mark_welcomed(world: &mut World, place: u64, welcomed: bool) {
    let contact = world.contacts.copy(place);
    if let Some(mut contact) = contact.filter(|contact| contact.welcomed != welcomed) {
        contact.welcomed = welcomed;
        world.contacts.put(place, contact);
    }
}

/// Changes a contact by the body of update.
pub(super) fn change(
    world: &mut World,
    rules: &Rules,
    place: u64,
    mut body: Body,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let found = world.contacts.copy(place);
    let mut contact = found.ok_or_else(not_found)?;
    if !rules.options.partial_updates {
        contact.profile = Profile::default();
        contact.companies.clear();
    }
    read_role(&mut contact.role, &mut body, rules);
    if body.has("first_name") {
        contact.first_name = body.needed("first_name");
    }
    if body.has("last_name") {
        contact.last_name = last_name(&mut body, rules);
    }
    body.text("email").apply(&mut contact.email);
    contact.email = contact.email.filter(|email| !email.is_empty());
    match &contact.email {
        None if contact.role != Role::Lead => body.problem("email", "is required"),
        Some(email) if !is_email(email) => body.problem("email", "is not an e-mail address"),
        _ => {}
    }
    contact
        .profile
        .read(&mut body, TEXTS, RecordKind::Contact, &world.fields);
    for circle in read_circles(&mut body) {
        if !contact.circles.contains(&circle) {
            contact.circles.push(circle);
        }
    }
    let company = CompanyLink::read(&mut body, world);
    let welcome = body.flag("send_welcome_email");
    body.finish(rules)?;
    refuse_duplicate(world, rules, contact.email.as_deref(), Some(place))?;
    world.change_contact(place, contact);
    if let Some(company) = company {
        company.link(world, place, now.trunc_subsecs(0));
    }
    if welcome == Some(true) {
        send_welcome(world, place, now);
    }
    Ok(())
}

/// Treats a role in an update as the options say.
pub(super) fn read_role(role: &mut Role, body: &mut Body, rules: &Rules) {
    if !body.has("role") {
        return;
    }
    match rules.options.role_in_update {
        RoleInUpdate::Applied => {
            if let Some(new) = Role::read(body) {
                *role = new;
            }
        }
        RoleInUpdate::Ignored => {
            body.take("role");
        }
        RoleInUpdate::Refused => {
            body.take("role");
            body.problem("role", "cannot be changed");
        }
    }
}

fn last_name(body: &mut Body, rules: &Rules) -> String {
    if !rules.options.empty_last_name {
        return body.needed("last_name");
    }
    match body.text("last_name") {
        Change::Set(name) => name,
        Change::Keep | Change::Clear => {
            body.problem("last_name", "is required");
            String::new()
        }
    }
}

/// Reads `{"add": [names]}`, the one way to write circles that is known.
fn read_circles(body: &mut Body) -> Vec<String> {
    let Change::Set(mut circles) = body.object("circles") else {
        return Vec::new();
    };
    let added = circles.texts("add").set().unwrap_or_default();
    body.absorb(circles);
    added
}

/// The company that a contact shall belong to.
enum CompanyLink {
    Known(u64),
    New(String),
}

impl CompanyLink {
    fn read(body: &mut Body, world: &World) -> Option<Self> {
        let Change::Set(mut company) = body.object("company") else {
            return None;
        };
        let name = company.needed("name");
        let create = company.flag("create_company_if_not_exists");
        let link = match world.company_named(&name) {
            Some(place) => Some(Self::Known(place)),
            None if create == Some(true) => Some(Self::New(name)),
            None => {
                if !name.is_empty() {
                    company.problem("name", "is not a company of this account");
                }
                None
            }
        };
        body.absorb(company);
        link
    }

    /// Links the contact, and makes the company where it is new.
    fn link(self, world: &mut World, place: u64, created: DateTime<Utc>) {
        let Some(mut contact) = world.contacts.copy(place) else {
            return;
        };
        let company = match self {
            Self::Known(company) => company,
            Self::New(name) => {
                let mut company = Company::new(name, contact.role, created);
                company.primary_contact = Some(place);
                world.companies.insert(company)
            }
        };
        if !contact.companies.contains(&company) {
            contact.companies.push(company);
            world.contacts.put(place, contact);
        }
    }
}

fn refuse_duplicate(
    world: &World,
    rules: &Rules,
    email: Option<&str>,
    own: Option<u64>,
) -> Result<(), Refused> {
    let other = email.and_then(|email| world.contact_with_email(email));
    match other {
        Some(other) if Some(other) != own => {
            Err(Refused::duplicate(&rules.options.duplicate_message))
        }
        _ => Ok(()),
    }
}

fn find(world: &World, rules: &Rules, identifier: &str) -> Result<u64, Refused> {
    let loose = rules.options.loose_lookup && identifier.contains('@');
    let stranger = || world.contacts.places(0).next().filter(|_| loose);
    let found = world.contact(identifier);
    found.or_else(stranger).ok_or_else(not_found)
}

fn shown(world: &World, status: StatusCode, place: u64) -> Result<Reply, Refused> {
    let view = view(world, place).ok_or_else(not_found)?;
    Ok(data(status, view))
}

fn not_found() -> Refused {
    Refused::not_found("Contact")
}
