//! Which attributes records have, and what the meta operations tell of them.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::exchange::{Call, Reply};
use crate::suitedash::page::data;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::World;
use crate::suitedash::{GET_COMPANY_META, GET_CONTACT_META, GET_PROJECT_META, address};

/// A kind of record that custom fields belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordKind {
    /// People.
    Contact,
    /// Companies.
    Company,
    /// Projects.
    Project,
}

/// A custom field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) of: RecordKind,
    pub(super) uid: String,
    pub(super) name: String,
}

/// The custom fields of an account.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    /// Defines a field, in place of one with the same UID.
    pub(super) fn define(&mut self, field: Field) {
        self.0
            .retain(|known| known.of != field.of || known.uid != field.uid);
        self.0.push(field);
    }

    pub(super) fn has(&self, of: RecordKind, uid: &str) -> bool {
        self.of(of).any(|field| field.uid == uid)
    }

    fn of(&self, of: RecordKind) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(move |field| field.of == of)
    }
}

/// Where an attribute may stand.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Read,
    Write,
    Both,
}

impl Use {
    const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["read"],
            Self::Write => &["create", "update"],
            Self::Both => &["read", "create", "update"],
        }
    }
}

/// Name, label, type, whether it is required, and its use.
type Attribute = (&'static str, &'static str, &'static str, bool, Use);

const CONTACT: &[Attribute] = &[
    ("uid", "UID", "string", false, Use::Read),
    ("role", "Role", "string", true, Use::Both),
    ("active", "Active", "boolean", false, Use::Read),
    ("name_prefix", "Name Prefix", "string", false, Use::Both),
    ("first_name", "First Name", "string", true, Use::Both),
    ("last_name", "Last Name", "string", true, Use::Both),
    ("email", "Email", "string", false, Use::Both),
    ("home_email", "Home Email", "string", false, Use::Both),
    ("work_email", "Work Email", "string", false, Use::Both),
    ("phone", "Phone", "string", false, Use::Both),
    ("home_phone", "Home Phone", "string", false, Use::Both),
    ("work_phone", "Work Phone", "string", false, Use::Both),
    ("shop_phone", "Shop Phone", "string", false, Use::Both),
    ("title", "Title", "string", false, Use::Both),
    ("full_address", "Full Address", "string", false, Use::Read),
    ("website", "Website", "string", false, Use::Both),
    (
        "background_info",
        "Background Info",
        "string",
        false,
        Use::Both,
    ),
    ("tags", "Tags", "array", false, Use::Both),
    ("circles", "Circles", "array", false, Use::Both),
    ("companies", "Companies", "array", false, Use::Read),
    ("company", "Company", "object", false, Use::Write),
    (
        "send_welcome_email",
        "Send Welcome Email",
        "boolean",
        false,
        Use::Write,
    ),
    ("created", "Created", "string", false, Use::Read),
];

const COMPANY: &[Attribute] = &[
    ("uid", "UID", "string", false, Use::Read),
    ("role", "Role", "string", true, Use::Both),
    ("name", "Name", "string", true, Use::Both),
    (
        "primaryContact",
        "Primary Contact",
        "object",
        false,
        Use::Both,
    ),
    ("category", "Category", "object", false, Use::Both),
    ("phone", "Phone", "string", false, Use::Both),
    ("home_phone", "Home Phone", "string", false, Use::Both),
    ("work_phone", "Work Phone", "string", false, Use::Both),
    ("shop_phone", "Shop Phone", "string", false, Use::Both),
    ("full_address", "Full Address", "string", false, Use::Both),
    ("website", "Website", "string", false, Use::Both),
    (
        "background_info",
        "Background Info",
        "string",
        false,
        Use::Both,
    ),
    ("tags", "Tags", "array", false, Use::Both),
    ("created", "Created", "string", false, Use::Read),
];

const PROJECT: &[Attribute] = &[
    ("uid", "UID", "string", false, Use::Read),
    ("name", "Name", "string", false, Use::Both),
    ("status", "Status", "string", false, Use::Both),
    ("start_date", "Start Date", "string", false, Use::Both),
    ("end_date", "End Date", "string", false, Use::Both),
    ("due_time", "Due Time", "string", false, Use::Both),
    (
        "info_description",
        "Description",
        "string",
        false,
        Use::Both,
    ),
    (
        "info_title_client",
        "Title for Clients",
        "string",
        false,
        Use::Both,
    ),
    (
        "info_description_client",
        "Description for Clients",
        "string",
        false,
        Use::Both,
    ),
    (
        "business_sector",
        "Business Sector",
        "string",
        false,
        Use::Both,
    ),
    (
        "estimated_value",
        "Estimated Value",
        "number",
        false,
        Use::Both,
    ),
    (
        "estimated_value_currency",
        "Currency",
        "string",
        false,
        Use::Both,
    ),
    ("client", "Client", "object", false, Use::Read),
];

/// Answers a meta operation: the attributes at the top of the body, or in the usual envelope.
pub(super) fn meta(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let of = match call.operation {
        GET_CONTACT_META => RecordKind::Contact,
        GET_COMPANY_META => RecordKind::Company,
        GET_PROJECT_META => RecordKind::Project,
        _ => return Err(Refused::not_found("Meta")),
    };
    let attributes = Value::from(attributes(of, &world.fields));
    Ok(if rules.options.enveloped_meta {
        data(StatusCode::OK, attributes)
    } else {
        Reply::json(StatusCode::OK, &attributes)
    })
}

fn attributes(of: RecordKind, fields: &Fields) -> Map<String, Value> {
    let table = match of {
        RecordKind::Contact => CONTACT,
        RecordKind::Company => COMPANY,
        RecordKind::Project => PROJECT,
    };
    let mut all: Map<String, Value> = table
        .iter()
        .map(|(name, label, kind, required, used)| {
            let attribute = json!({
                "field_name": label,
                "type": kind,
                "required": required,
                "actions": used.actions(),
            });
            ((*name).to_owned(), attribute)
        })
        .collect();
    if of != RecordKind::Project {
        let parts = address::PARTS.iter().map(|part| (*part, label(part)));
        let address = group("Address", parts.collect());
        all.insert("address".to_owned(), address);
    }
    let custom = fields.of(of);
    let custom = custom.map(|field| (field.uid.as_str(), field.name.clone()));
    let custom = group("Custom Fields", custom.collect());
    let name = match of {
        RecordKind::Project => "project_custom_fields",
        RecordKind::Contact | RecordKind::Company => "custom_fields",
    };
    all.insert(name.to_owned(), custom);
    all
}

fn group(label: &str, properties: Vec<(&str, String)>) -> Value {
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(name, label)| {
            let property = json!({
                "field_name": label,
                "type": "string",
                "required": false,
                "actions": Use::Both.actions(),
            });
            (name.to_owned(), property)
        })
        .collect();
    json!({ "field_name": label, "properties": properties })
}

/// Writes `address_line_1` as "Address Line 1".
fn label(name: &str) -> String {
    let words: Vec<String> = name
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_uppercase())
        })
        .collect();
    words.join(" ")
}
