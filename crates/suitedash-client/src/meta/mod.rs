//! What the account says about its own attributes, and the memory of it.

mod cache;

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub(crate) use self::cache::{MetaCache, TTL};
use crate::ids::CustomFieldUid;
use crate::tolerant;

/// The attributes of contacts, companies or projects in this account, by the name they have in requests.
///
/// ```
/// use suitedash_client::Attributes;
///
/// let attributes: Attributes = serde_json::from_str(r#"{
///     "email": {"field_name": "Email", "type": "string", "required": false},
///     "custom_fields": {"properties": {"44444444-4444": {"field_name": "Interest"}}}
/// }"#)?;
/// let uid = attributes.custom_field("interest").unwrap();
/// assert_eq!(uid.as_str(), "44444444-4444");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Attributes {
    /// The attributes, the account's own excepted.
    pub standard: BTreeMap<String, Attribute>,
    /// The account's own, by the uid under which their values stand in `custom_fields`.
    pub custom: BTreeMap<String, Attribute>,
}

impl Attributes {
    /// Finds an own field by its label, whatever the case of its letters and the blanks around it. `None` when there
    /// is none of that label, or more than one: then only the uid tells them apart.
    pub fn custom_field(&self, label: &str) -> Option<CustomFieldUid> {
        let wanted = label.trim().to_lowercase();
        let mut found = self.custom.iter().filter(|(_, attribute)| {
            let label = attribute.label.as_deref().unwrap_or_default();
            label.trim().to_lowercase() == wanted
        });
        let (uid, _) = found.next()?;
        found
            .next()
            .is_none()
            .then(|| CustomFieldUid::new(uid.as_str()))
    }

    /// Tells whether the account has an own field of this uid.
    pub fn has_custom_field(&self, uid: &CustomFieldUid) -> bool {
        self.custom.contains_key(uid.as_str())
    }
}

/// One attribute, as far as the description could be read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Attribute {
    /// The name shown in the user interface.
    #[serde(default, rename = "field_name", deserialize_with = "tolerant::text")]
    pub label: Option<String>,
    /// What kind of value it has, in the vendor's words.
    #[serde(default, rename = "type", deserialize_with = "tolerant::text")]
    pub kind: Option<String>,
    /// Whether a record must have it.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub required: Option<bool>,
    /// The parts of an attribute that has some, such as the address.
    #[serde(default, deserialize_with = "parts")]
    pub properties: BTreeMap<String, Attribute>,
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(map) = Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("a map of attributes was expected"));
        };
        let mut standard = read(map);
        if standard.is_empty() {
            // Remembered for a day, an answer that describes nothing would make every custom field unknown.
            return Err(D::Error::custom("no attribute is described"));
        }
        let custom = standard.remove("custom_fields");
        Ok(Self {
            standard,
            custom: custom.unwrap_or_default().properties,
        })
    }
}

fn parts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Attribute>, D::Error> {
    tolerant::object(deserializer).map(read)
}

/// What is no description is left out.
fn read(map: serde_json::Map<String, Value>) -> BTreeMap<String, Attribute> {
    map.into_iter()
        .filter(|(_, value)| value.is_object())
        .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attributes(value: Value) -> Attributes {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_label_that_two_fields_have_names_neither() {
        let found = attributes(json!({"custom_fields": {"properties": {
            "u1": {"field_name": "Source"}, "u2": {"field_name": " source "}, "u3": {"field_name": "Status"},
        }}}));
        assert_eq!(found.custom_field("Source"), None);
        assert_eq!(found.custom_field("STATUS "), Some("u3".into()));
        assert_eq!(found.custom_field("Other"), None);
        assert!(found.has_custom_field(&"u1".into()));
    }

    #[test]
    fn odd_descriptions_cost_nothing_else() {
        let found = attributes(json!({
            "email": {"field_name": 7, "required": "1", "allowed": ["read"]},
            "odd": "text",
            "address": {"properties": []},
            "custom_fields": {"field_name": "Custom Fields", "properties": null},
        }));
        assert_eq!(found.standard.len(), 2);
        assert_eq!(found.standard["email"].required, Some(true));
        assert!(found.custom.is_empty());
    }

    #[test]
    fn an_answer_without_any_description_is_an_error() {
        for value in [json!({}), json!([]), json!({"message": "x"}), json!(null)] {
            assert!(serde_json::from_value::<Attributes>(value).is_err());
        }
    }
}
