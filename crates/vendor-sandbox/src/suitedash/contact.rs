use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::suitedash::body::Body;
use crate::suitedash::page::time;
use crate::suitedash::profile::Profile;
use crate::suitedash::store::{Record, synthetic_time};
use crate::suitedash::world::World;

/// The attributes of a contact that are plain texts.
pub(super) const TEXTS: &[&str] = &[
    "name_prefix",
    "home_email",
    "work_email",
    "phone",
    "home_phone",
    "work_phone",
    "shop_phone",
    "title",
    "website",
    "background_info",
];

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Élodie", "Farid", "Grace", "Hiro", "Ines", "Jamal", "Kira",
    "Lars", "Mei", "Noor", "Oscar", "Priya",
];
const LAST_NAMES: [&str; 16] = [
    "Adler", "Brandt", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ito",
    "Jensen", "Kowalski", "López", "Müller", "Novak", "O'Brien", "Petrov",
];

/// What somebody is to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    Lead,
    Prospect,
    Client,
}

impl Role {
    /// Takes a role from a body, written exactly so.
    pub(super) fn read(body: &mut Body) -> Option<Self> {
        let role = body.take("role")?;
        let role = Self::deserialize(&role).ok();
        if role.is_none() {
            body.problem("role", "must be Lead, Prospect or Client");
        }
        role
    }
}

#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) role: Role,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: Option<String>,
    pub(super) profile: Profile,
    pub(super) circles: Vec<String>,
    /// The places of its companies.
    pub(super) companies: Vec<u64>,
    /// Whether it was invited to the portal once.
    pub(super) welcomed: bool,
    pub(super) created: DateTime<Utc>,
}

impl Record for Contact {
    fn synthetic(dice: u64, place: u64) -> Self {
        let pick = |names: &[&'static str; 16], bits: u64| {
            let index = usize::try_from(dice >> bits & 15).unwrap_or_default();
            names.get(index).copied().unwrap_or_default().to_owned()
        };
        // The numbers 555-0100 to 555-0199 of every area code are kept free for fiction.
        let (area, line) = (200 + (dice >> 8) % 800, 100 + (dice >> 24) % 100);
        let mut profile = Profile::default();
        let phone = format!("+1{area}5550{line}");
        profile.texts.insert("phone", phone);
        profile.tags.push("synthetic".to_owned());
        let role = match dice >> 40 & 3 {
            0 => Role::Client,
            1 => Role::Prospect,
            _ => Role::Lead,
        };
        Self {
            role,
            first_name: pick(&FIRST_NAMES, 0),
            last_name: pick(&LAST_NAMES, 4),
            email: Some(format!("synthetic.{place}@example.com")),
            profile,
            circles: Vec::new(),
            companies: Vec::new(),
            welcomed: role != Role::Lead,
            created: synthetic_time(place),
        }
    }

    fn created(&self) -> DateTime<Utc> {
        self.created
    }
}

/// Reads the place out of the e-mail of a synthetic contact.
pub(super) fn synthetic_place(email: &str) -> Option<u64> {
    let digits = email
        .strip_prefix("synthetic.")?
        .strip_suffix("@example.com")?;
    let place: u64 = digits.parse().ok()?;
    (place.to_string() == digits).then_some(place)
}

/// Writes a contact the way the API shows it.
pub(super) fn view(world: &World, place: u64) -> Option<Value> {
    let contact = world.contacts.get(place)?;
    let companies: Vec<Value> = contact
        .companies
        .iter()
        .filter_map(|place| {
            let name = &world.companies.get(*place)?.name;
            Some(json!({ "uid": world.companies.uid(*place), "name": name }))
        })
        .collect();
    let circles: Vec<Value> = contact
        .circles
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let mut view = Map::new();
    contact.profile.write(&mut view, TEXTS);
    for (name, value) in [
        ("uid", json!(world.contacts.uid(place))),
        ("role", json!(contact.role)),
        ("active", json!(true)),
        ("first_name", json!(contact.first_name)),
        ("last_name", json!(contact.last_name)),
        ("email", json!(contact.email)),
        ("circles", circles.into()),
        ("companies", companies.into()),
        ("created", time(contact.created).into()),
    ] {
        view.insert(name.to_owned(), value);
    }
    Some(view.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_synthetic_contact_stands_in_its_address() {
        let contact = Contact::synthetic(3, 12);
        assert_eq!(synthetic_place(&contact.email.unwrap()), Some(12));
        for other in [
            "synthetic.012@example.com",
            "synthetic.+1@example.com",
            "synthetic.x@example.com",
            "synthetic.1@example.org",
        ] {
            assert_eq!(synthetic_place(other), None, "{other}");
        }
    }
}
