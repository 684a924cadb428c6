use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::suitedash::contact::Role;
use crate::suitedash::page::time;
use crate::suitedash::profile::Profile;
use crate::suitedash::store::{Record, synthetic_time};
use crate::suitedash::world::World;

/// The attributes of a company that are plain texts.
pub(super) const TEXTS: &[&str] = &[
    "phone",
    "home_phone",
    "work_phone",
    "shop_phone",
    "website",
    "background_info",
    "full_address",
];

const DEFAULT_CATEGORY: &str = "Default";

#[derive(Clone, Debug)]
pub(super) struct Company {
    pub(super) role: Role,
    pub(super) name: String,
    /// The place of a contact.
    pub(super) primary_contact: Option<u64>,
    pub(super) category: Option<String>,
    pub(super) profile: Profile,
    /// Whether lists leave it out.
    pub(super) idle: bool,
    pub(super) created: DateTime<Utc>,
}

impl Company {
    pub(super) fn new(name: String, role: Role, created: DateTime<Utc>) -> Self {
        Self {
            role,
            name,
            primary_contact: None,
            category: None,
            profile: Profile::default(),
            idle: false,
            created,
        }
    }
}

impl Record for Company {
    fn synthetic(_dice: u64, place: u64) -> Self {
        let name = format!("Synthetic {place} Ltd");
        Self::new(name, Role::Client, synthetic_time(place))
    }

    fn created(&self) -> DateTime<Utc> {
        self.created
    }

    fn is_listed(&self) -> bool {
        !self.idle
    }
}

/// Reads the place out of the name of a synthetic company.
pub(super) fn synthetic_place(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("Synthetic ")?.strip_suffix(" Ltd")?;
    let place: u64 = digits.parse().ok()?;
    (place.to_string() == digits).then_some(place)
}

/// Writes a company the way the API shows it.
pub(super) fn view(world: &World, place: u64) -> Option<Value> {
    let company = world.companies.get(place)?;
    let primary = company.primary_contact.and_then(|place| {
        let contact = world.contacts.get(place)?;
        Some(json!({
            "uid": world.contacts.uid(place),
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "email": contact.email,
        }))
    });
    let category = company.category.as_deref().unwrap_or(DEFAULT_CATEGORY);
    let category = json!({
        "name": category,
        "color": "#cccccc",
        "isDefault": category == DEFAULT_CATEGORY,
    });
    let mut view = Map::new();
    company.profile.write(&mut view, TEXTS);
    if let Some(primary) = primary {
        view.insert("primaryContact".to_owned(), primary);
    }
    for (name, value) in [
        ("uid", json!(world.companies.uid(place))),
        ("role", json!(company.role)),
        ("name", json!(company.name)),
        ("category", category),
        ("created", time(company.created).into()),
    ] {
        view.insert(name.to_owned(), value);
    }
    Some(view.into())
}
