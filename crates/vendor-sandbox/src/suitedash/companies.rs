//! The operations on companies.

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::exchange::{Call, Reply};
use crate::suitedash::attributes::RecordKind;
use crate::suitedash::body::{Body, Change, is_email};
use crate::suitedash::company::{Company, TEXTS, view};
use crate::suitedash::contact::{Contact, Role};
use crate::suitedash::contacts::{Origin, read_role, send_welcome};
use crate::suitedash::page::{ListQuery, data};
use crate::suitedash::profile::Profile;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::World;

pub(super) fn list(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let query = ListQuery::read(call)?;
    let world = &*world;
    let path = call.operation.template();
    Ok(query.reply(rules, path, |created, skip, take| {
        let (total, places) = world.companies.select(created, skip, take);
        let items = places.into_iter().filter_map(|place| view(world, place));
        (total, items.collect())
    }))
}

pub(super) fn get(world: &mut World, _rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, call.id)?;
    shown(world, StatusCode::OK, place)
}

pub(super) fn create(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let body = Body::read(call)?;
    let place = make(world, rules, body, Origin::Api(call.now))?;
    shown(world, StatusCode::CREATED, place)
}

pub(super) fn update(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, call.id)?;
    let body = Body::read(call)?;
    change(world, rules, place, body)?;
    shown(world, StatusCode::OK, place)
}

/// Makes a company of the body of create and returns its place.
pub(super) fn make(
    world: &mut World,
    rules: &Rules,
    mut body: Body,
    origin: Origin,
) -> Result<u64, Refused> {
    let name = body.needed("name");
    if !body.has("role") {
        body.problem("role", "is required");
    }
    let role = Role::read(&mut body).unwrap_or(Role::Lead);
    let mut company = Company::new(name, role, origin.time());
    read_shared(&mut company, &mut body, world);
    let primary = Primary::read(&mut body, world);
    body.finish(rules)?;
    if world.company_named(&company.name).is_some() {
        return Err(Refused::duplicate("Company already exists"));
    }
    let place = world.companies.insert(company);
    if let Some(primary) = primary {
        primary.link(world, rules, place, origin);
    }
    Ok(place)
}

fn change(world: &mut World, rules: &Rules, place: u64, mut body: Body) -> Result<(), Refused> {
    let found = world.companies.copy(place);
    let mut company = found.ok_or_else(not_found)?;
    if !rules.options.partial_updates {
        company.profile = Profile::default();
        company.category = None;
    }
    if body.has("name") {
        company.name = body.needed("name");
    }
    read_role(&mut company.role, &mut body, rules);
    read_shared(&mut company, &mut body, world);
    // No update is known to change who it is.
    body.take("primaryContact");
    body.finish(rules)?;
    let other = world.company_named(&company.name);
    if other.is_some_and(|other| other != place) {
        return Err(Refused::duplicate("Company already exists"));
    }
    world.companies.put(place, company);
    Ok(())
}

fn read_shared(company: &mut Company, body: &mut Body, world: &World) {
    company
        .profile
        .read(body, TEXTS, RecordKind::Company, &world.fields);
    match body.object("category") {
        Change::Keep => {}
        Change::Clear => company.category = None,
        Change::Set(mut category) => {
            company.category = Some(category.needed("name"));
            body.absorb(category);
        }
    }
}

/// The contact that a new company gets.
enum Primary {
    Known {
        place: u64,
        welcome: Option<bool>,
    },
    New {
        contact: Box<NewContact>,
        welcome: Option<bool>,
    },
}

struct NewContact {
    first_name: String,
    last_name: String,
    email: String,
}

impl Primary {
    fn read(body: &mut Body, world: &World) -> Option<Self> {
        let Change::Set(mut primary) = body.object("primaryContact") else {
            return None;
        };
        let email = primary.needed("email");
        if !email.is_empty() && !is_email(&email) {
            primary.problem("email", "is not an e-mail address");
        }
        let create = primary.flag("create_primary_contact_if_not_exists");
        if create.is_none() {
            primary.problem("create_primary_contact_if_not_exists", "is required");
        }
        let welcome = primary.flag("send_welcome_email");
        primary.flag("prevent_individual_mode");
        primary.take("worlds");
        let known = world.contact_with_email(&email);
        let found = match known {
            Some(place) => Some(Self::Known { place, welcome }),
            None if create == Some(true) => {
                let contact = Box::new(NewContact {
                    first_name: primary.needed("first_name"),
                    last_name: primary.needed("last_name"),
                    email,
                });
                Some(Self::New { contact, welcome })
            }
            None => {
                primary.problem("email", "is not that of a contact");
                None
            }
        };
        body.absorb(primary);
        found
    }

    fn link(self, world: &mut World, rules: &Rules, company: u64, origin: Origin) {
        let Some(mut owner) = world.companies.copy(company) else {
            return;
        };
        let (place, welcome) = match self {
            Self::Known { place, welcome } => (place, welcome),
            Self::New { contact, welcome } => {
                let welcome = welcome.or(Some(rules.options.welcome_by_default));
                (add(world, *contact, owner.role, origin.time()), welcome)
            }
        };
        owner.primary_contact = Some(place);
        world.companies.put(company, owner);
        if let Some(mut contact) = world.contacts.copy(place)
            && !contact.companies.contains(&company)
        {
            contact.companies.push(company);
            world.contacts.put(place, contact);
        }
        if let Origin::Api(now) = origin
            && welcome == Some(true)
        {
            send_welcome(world, place, now);
        }
    }
}

fn add(world: &mut World, new: NewContact, role: Role, created: DateTime<Utc>) -> u64 {
    world.add_contact(Contact {
        role,
        first_name: new.first_name,
        last_name: new.last_name,
        email: Some(new.email),
        profile: Profile::default(),
        circles: Vec::new(),
        companies: Vec::new(),
        welcomed: false,
        created,
    })
}

fn find(world: &World, identifier: &str) -> Result<u64, Refused> {
    world.company(identifier).ok_or_else(not_found)
}

fn shown(world: &World, status: StatusCode, place: u64) -> Result<Reply, Refused> {
    let view = view(world, place).ok_or_else(not_found)?;
    Ok(data(status, view))
}

fn not_found() -> Refused {
    Refused::not_found("Company")
}
