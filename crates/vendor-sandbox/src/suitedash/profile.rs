//! What contacts and companies have in common.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::suitedash::address::Address;
use crate::suitedash::attributes::{Fields, RecordKind};
use crate::suitedash::body::{Body, Change};

#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) address: Address,
    pub(super) tags: Vec<String>,
    pub(super) custom_fields: Map<String, Value>,
}

impl Profile {
    /// Changes what the body names. Lists, addresses and custom fields are replaced.
    pub(super) fn read(
        &mut self,
        body: &mut Body,
        texts: &[&'static str],
        of: RecordKind,
        fields: &Fields,
    ) {
        read_texts(&mut self.texts, body, texts);
        match body.object("address") {
            Change::Keep => {}
            Change::Clear => self.address = Address::default(),
            Change::Set(mut address) => {
                self.address = Address::read(&mut address);
                body.absorb(address);
            }
        }
        match body.texts("tags") {
            Change::Keep => {}
            Change::Clear => self.tags.clear(),
            Change::Set(tags) => self.tags = tags,
        }
        read_custom_fields(&mut self.custom_fields, body, "custom_fields", of, fields);
    }

    pub(super) fn write(&self, view: &mut Map<String, Value>, texts: &[&'static str]) {
        write_texts(&self.texts, view, texts);
        let full = self.address.in_full();
        let full = self.texts.get("full_address").cloned().or(full);
        view.insert("full_address".to_owned(), json!(full));
        view.insert("address".to_owned(), self.address.view());
        view.insert("tags".to_owned(), json!(self.tags));
        view.insert("custom_fields".to_owned(), json!(self.custom_fields));
    }
}

pub(super) fn read_texts(
    to: &mut BTreeMap<&'static str, String>,
    body: &mut Body,
    names: &[&'static str],
) {
    for name in names {
        match body.text(name) {
            Change::Keep => {}
            Change::Clear => {
                to.remove(name);
            }
            Change::Set(text) => {
                to.insert(name, text);
            }
        }
    }
}

pub(super) fn write_texts(
    from: &BTreeMap<&'static str, String>,
    view: &mut Map<String, Value>,
    names: &[&'static str],
) {
    for name in names {
        view.insert((*name).to_owned(), json!(from.get(name)));
    }
}

/// Replaces custom fields by those of a body, where it has any: by their UIDs, and no others.
pub(super) fn read_custom_fields(
    to: &mut Map<String, Value>,
    body: &mut Body,
    name: &str,
    of: RecordKind,
    fields: &Fields,
) {
    match body.object(name) {
        Change::Keep => {}
        Change::Clear => to.clear(),
        Change::Set(mut part) => {
            to.clear();
            for (uid, value) in part.rest() {
                if !fields.has(of, &uid) {
                    part.problem(&uid, "is not a custom field");
                } else if !is_custom_value(&value) {
                    part.problem(&uid, "is not a value of a custom field");
                } else if !value.is_null() {
                    to.insert(uid, value);
                }
            }
            body.absorb(part);
        }
    }
}

fn is_custom_value(value: &Value) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .all(|item| item.is_string() || item.is_number()),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
