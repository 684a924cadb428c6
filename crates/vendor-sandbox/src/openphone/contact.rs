//! A contact, and how it is written.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::workspace::{CustomFieldKind, Definition};

/// A contact as the vendor holds it; its id is its place in the store.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contact {
    pub(super) external_id: Option<String>,
    pub(super) source: Option<String>,
    pub(super) source_url: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) role: Option<String>,
    pub(super) emails: Vec<Item>,
    pub(super) phone_numbers: Vec<Item>,
    pub(super) custom_values: Vec<CustomValue>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) created_by: Arc<str>,
}

/// An e-mail address or a phone number with its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) value: Option<String>,
}

/// The value of a custom field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CustomValue {
    pub(super) id: String,
    /// Position in the workspace's definitions.
    pub(super) definition: usize,
    pub(super) value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContactView<'a> {
    id: String,
    external_id: Option<&'a str>,
    source: Option<&'a str>,
    source_url: Option<&'a str>,
    default_fields: DefaultFieldsView<'a>,
    custom_fields: Vec<CustomFieldView<'a>>,
    created_at: String,
    updated_at: String,
    created_by_user_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefaultFieldsView<'a> {
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    company: Option<&'a str>,
    role: Option<&'a str>,
    emails: Vec<ItemView<'a>>,
    phone_numbers: Vec<ItemView<'a>>,
}

#[derive(Serialize)]
struct ItemView<'a> {
    id: &'a str,
    name: &'a str,
    value: Option<&'a str>,
}

#[derive(Serialize)]
struct CustomFieldView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    key: &'a str,
    name: &'a str,
    r#type: CustomFieldKind,
    value: &'a Value,
}

/// Whether custom fields show their ids: the answer to an update leaves them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CustomFieldIds {
    Shown,
    LeftOut,
}

impl Contact {
    pub(super) fn view<'a>(
        &'a self,
        id: String,
        definitions: &'a [Definition],
        ids: CustomFieldIds,
    ) -> ContactView<'a> {
        ContactView {
            id,
            external_id: self.external_id.as_deref(),
            source: self.source.as_deref(),
            source_url: self.source_url.as_deref(),
            default_fields: DefaultFieldsView {
                first_name: self.first_name.as_deref(),
                last_name: self.last_name.as_deref(),
                company: self.company.as_deref(),
                role: self.role.as_deref(),
                emails: item_views(&self.emails),
                phone_numbers: item_views(&self.phone_numbers),
            },
            custom_fields: self.custom_field_views(definitions, ids).collect(),
            created_at: clock::iso(self.created_at),
            updated_at: clock::iso(self.updated_at),
            created_by_user_id: &self.created_by,
        }
    }

    /// Writes the flat contact of the dated webhooks.
    pub(super) fn flat(&self, id: &str, definitions: &[Definition]) -> Value {
        let items = |items: &[Item], kind: &str| -> Vec<Value> {
            items
                .iter()
                .map(|item| json!({ "value": item.value, "type": kind }))
                .collect()
        };
        let custom_fields: Vec<_> = self
            .custom_field_views(definitions, CustomFieldIds::Shown)
            .collect();
        json!({
            "id": id,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "company": self.company,
            "role": self.role,
            "location": null,
            "source": self.source,
            "externalId": self.external_id,
            "emails": items(&self.emails, "email"),
            "phoneNumbers": items(&self.phone_numbers, "phone-number"),
            "customFields": custom_fields,
            "createdAt": clock::iso(self.created_at),
            "updatedAt": clock::iso(self.updated_at),
        })
    }

    pub(super) fn has_number(&self, number: &str) -> bool {
        self.phone_numbers
            .iter()
            .any(|item| item.value.as_deref() == Some(number))
    }

    fn custom_field_views<'a>(
        &'a self,
        definitions: &'a [Definition],
        ids: CustomFieldIds,
    ) -> impl Iterator<Item = CustomFieldView<'a>> {
        self.custom_values.iter().filter_map(move |custom| {
            let definition = definitions.get(custom.definition)?;
            Some(CustomFieldView {
                id: (ids == CustomFieldIds::Shown).then_some(&custom.id),
                key: &definition.key,
                name: &definition.name,
                r#type: definition.r#type,
                value: &custom.value,
            })
        })
    }
}

fn item_views(items: &[Item]) -> Vec<ItemView<'_>> {
    items
        .iter()
        .map(|item| ItemView {
            id: &item.id,
            name: &item.name,
            value: item.value.as_deref(),
        })
        .collect()
}
