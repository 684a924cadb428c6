//! Contacts in events.

use std::fmt;

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::context::{Context, FromWire};
use super::event::Subject;
use super::lenient::{self, Lenient, Reading};
use crate::custom_fields::CustomFieldValue;
use crate::ids::{ContactId, UserId};

/// A contact that was made, changed or deleted.
///
/// There is no event of its own for a new contact: it comes as `contact.updated`.
///
/// `None` means `null` or not in the payload; a list that is `None` is not known to be empty. Deliveries come in no
/// promised order, so fetch the contact before taking something for removed.
///
/// `Debug` prints ids and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ContactEvent {
    /// The vendor's id.
    pub id: ContactId,
    /// The id under which another system knows this person.
    pub external_id: Option<String>,
    /// Where the contact came from.
    pub source: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The role at the company.
    pub role: Option<String>,
    /// Where the person is, which only dated payloads carry.
    pub location: Option<String>,
    /// A link to a picture.
    pub picture_url: Option<String>,
    /// The e-mail addresses.
    pub emails: Option<Vec<ContactEventField>>,
    /// The phone numbers.
    pub phone_numbers: Option<Vec<ContactEventField>>,
    /// The fields this workspace has defined.
    pub custom_fields: Option<Vec<ContactEventField>>,
    /// Fields that came as label and value alone, as in live `v3` payloads: the payload does not say which of them is a
    /// phone number. [`numbers`](Self::numbers) and [`addresses`](Self::addresses) go by what the value looks like.
    pub untyped_fields: Vec<ContactEventField>,
    /// Notes, which only `v3` payloads carry.
    pub notes: Option<Vec<ContactNote>>,
    /// Ids of the users, groups or organisation it is shared with.
    pub shared_with: Option<Vec<String>>,
    /// Which of your users it concerns.
    pub user_id: Option<UserId>,
    /// The organisation.
    pub org_id: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(ContactEvent {
    shown: [
        id,
        source,
        emails,
        phone_numbers,
        custom_fields,
        untyped_fields,
        notes,
        shared_with,
        user_id,
        org_id,
        created_at,
        updated_at,
    ],
    masked: [
        external_id,
        first_name,
        last_name,
        company,
        role,
        location,
        picture_url
    ],
});

impl ContactEvent {
    /// Returns every phone number, as it was entered. Of [untyped fields](Self::untyped_fields), what has the form of
    /// one in E.164.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let typed = self
            .phone_numbers
            .iter()
            .flatten()
            .flat_map(ContactEventField::texts);
        let untyped = self
            .untyped_fields
            .iter()
            .flat_map(ContactEventField::texts);
        typed.chain(untyped.filter(|text| looks_like_number(text)))
    }

    /// Returns every e-mail address, as it was entered. Of [untyped fields](Self::untyped_fields), what has the form of
    /// one.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let typed = self
            .emails
            .iter()
            .flatten()
            .flat_map(ContactEventField::texts);
        let untyped = self
            .untyped_fields
            .iter()
            .flat_map(ContactEventField::texts);
        typed.chain(untyped.filter(|text| looks_like_address(text)))
    }
}

/// One field of a contact.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ContactEventField {
    /// The vendor's id of this entry.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// The key of a custom field.
    #[serde(default, deserialize_with = "lenient::text")]
    pub key: Option<String>,
    /// Its label, like `Phone`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// What kind of value it holds; `None` if the payload does not say.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub kind: Option<ContactFieldKind>,
    /// The value; `None` when the field is empty.
    #[serde(default, deserialize_with = "value")]
    pub value: Option<CustomFieldValue>,
}

masked_debug!(ContactEventField {
    shown: [id, key, kind],
    masked: [name, value]
});

impl ContactEventField {
    /// Returns the value as texts: none if it is empty or no text, several for a field that holds several.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        match &self.value {
            Some(CustomFieldValue::Text(text)) => std::slice::from_ref(text),
            Some(CustomFieldValue::Options(texts)) => texts.as_slice(),
            _ => &[],
        }
        .iter()
        .map(String::as_str)
    }
}

connector_http::open_enum! {
    /// What kind of value a field of a contact holds.
    pub enum ContactFieldKind {
        /// A phone number.
        PhoneNumber = "phone-number",
        /// An e-mail address.
        Email = "email",
        /// A postal address in one text.
        Address = "address",
        /// Yes or no.
        Boolean = "boolean",
        /// A point in time.
        Date = "date",
        /// Some of several given options.
        MultiSelect = "multi-select",
        /// A number.
        Number = "number",
        /// A text.
        String = "string",
        /// A web address.
        Url = "url",
    }
}

/// A note on a contact.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactNote {
    /// What it says. Mentions of users stand in it as their ids.
    #[serde(default, deserialize_with = "lenient::text")]
    pub text: Option<String>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub user_id: Option<UserId>,
    /// When it was written.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::time")]
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(ContactNote {
    shown: [user_id, created_at, updated_at],
    masked: [text]
});

/// The contact as it stands in a payload of any generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireContact {
    id: ContactId,
    #[serde(default, deserialize_with = "lenient::code")]
    external_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    source: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    company: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    role: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    picture_url: Option<String>,
    /// Dated.
    #[serde(default, deserialize_with = "lenient::text")]
    location: Option<String>,
    #[serde(default, deserialize_with = "lenient::objects")]
    emails: Option<Vec<ContactEventField>>,
    #[serde(default, deserialize_with = "lenient::objects")]
    phone_numbers: Option<Vec<ContactEventField>>,
    #[serde(default, deserialize_with = "lenient::objects")]
    custom_fields: Option<Vec<ContactEventField>>,
    /// The form that contacts have in API v1 itself.
    #[serde(default, deserialize_with = "lenient::object")]
    default_fields: Option<WireDefaultFields>,
    /// `v2` and `v3`.
    #[serde(default, deserialize_with = "fields")]
    fields: Option<WireFields>,
    #[serde(default, deserialize_with = "lenient::objects")]
    notes: Option<Vec<ContactNote>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    shared_with: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    created_by_user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    updated_at: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefaultFields {
    #[serde(default, deserialize_with = "lenient::text")]
    first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    company: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    role: Option<String>,
    #[serde(default, deserialize_with = "lenient::objects")]
    emails: Option<Vec<ContactEventField>>,
    #[serde(default, deserialize_with = "lenient::objects")]
    phone_numbers: Option<Vec<ContactEventField>>,
}

/// `fields` of a `v3` contact: a list of typed fields in the documents, labels and values in live payloads.
enum WireFields {
    Typed(Vec<ContactEventField>),
    Labelled(Vec<ContactEventField>),
}

impl Subject for ContactEvent {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl FromWire for ContactEvent {
    type Wire = WireContact;

    fn from_wire(contact: Self::Wire, context: Context) -> Option<Self> {
        let defaults = contact.default_fields.unwrap_or_default();
        let mut event = Self {
            id: contact.id,
            external_id: contact.external_id,
            source: contact.source,
            first_name: contact.first_name.or(defaults.first_name),
            last_name: contact.last_name.or(defaults.last_name),
            company: contact.company.or(defaults.company),
            role: contact.role.or(defaults.role),
            location: contact.location,
            picture_url: contact.picture_url,
            emails: contact.emails.or(defaults.emails),
            phone_numbers: contact.phone_numbers.or(defaults.phone_numbers),
            custom_fields: contact.custom_fields,
            untyped_fields: Vec::new(),
            notes: contact.notes,
            shared_with: contact.shared_with.or(context.shared_with_ids),
            user_id: context
                .user_id
                .or(contact.user_id)
                .or(contact.created_by_user_id),
            org_id: context.org_id,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        };
        match contact.fields {
            Some(WireFields::Typed(fields)) => event.sort_in(fields),
            Some(WireFields::Labelled(fields)) => event.untyped_fields = fields,
            None => {}
        }
        Some(event)
    }
}

impl ContactEvent {
    /// A typed list is the whole list, so that a kind which does not occur in it is empty.
    fn sort_in(&mut self, fields: Vec<ContactEventField>) {
        let emails = self.emails.get_or_insert_default();
        let phone_numbers = self.phone_numbers.get_or_insert_default();
        let custom_fields = self.custom_fields.get_or_insert_default();
        for field in fields {
            match field.kind {
                Some(ContactFieldKind::Email) => emails.push(field),
                Some(ContactFieldKind::PhoneNumber) => phone_numbers.push(field),
                Some(_) => custom_fields.push(field),
                None => self.untyped_fields.push(field),
            }
        }
    }
}

fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WireFields>, D::Error> {
    Lenient(FieldsReading).deserialize(deserializer)
}

struct FieldsReading;

impl<'de> Reading<'de> for FieldsReading {
    type Value = WireFields;

    fn list<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<WireFields>, A::Error> {
        let fields = lenient::objects(SeqAccessDeserializer::new(seq))?;
        Ok(fields.map(WireFields::Typed))
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<WireFields>, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, Value(value))) = map.next_entry::<String, Value>()? {
            fields.push(ContactEventField {
                id: None,
                key: None,
                name: Some(name),
                kind: None,
                value,
            });
        }
        Ok(Some(WireFields::Labelled(fields)))
    }
}

fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CustomFieldValue>, D::Error> {
    Ok(Value::deserialize(deserializer)?.0)
}

/// A value of any kind, told by what is met instead of by trying one kind after another: the same outcome as the
/// derived reader's, at a fraction of its cost.
struct Value(Option<CustomFieldValue>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value(None))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
                Ok(Value(Some(CustomFieldValue::Boolean(truth))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value(Some(CustomFieldValue::Number(number.into()))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value(Some(CustomFieldValue::Number(number.into()))))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(Value(
                    serde_json::Number::from_f64(number).map(CustomFieldValue::Number),
                ))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value(Some(CustomFieldValue::Text(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<serde_json::Value>()? {
                    items.push(item);
                }
                let value = if items.iter().all(serde_json::Value::is_string) {
                    let texts = items.into_iter().filter_map(|item| match item {
                        serde_json::Value::String(text) => Some(text),
                        _ => None,
                    });
                    CustomFieldValue::Options(texts.collect())
                } else {
                    CustomFieldValue::Other(items.into())
                };
                Ok(Value(Some(value)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                let object = serde_json::Value::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Value(Some(CustomFieldValue::Other(object))))
            }
        }

        deserializer.deserialize_any(ValueVisitor)
    }
}

fn looks_like_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn looks_like_address(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@')
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("null")]
    #[case("true")]
    #[case("3")]
    #[case("-3")]
    #[case("2.5")]
    #[case("1e400000")]
    #[case(r#""gold""#)]
    #[case("[]")]
    #[case(r#"["a","b"]"#)]
    #[case(r#"["a",1]"#)]
    #[case("[[]]")]
    #[case(r#"{"street":"1 Example Way"}"#)]
    fn values_are_read_as_the_derived_reader_reads_them(#[case] json: &str) {
        let derived = serde_json::from_str::<Option<CustomFieldValue>>(json).ok();
        let read = serde_json::from_str::<Value>(json)
            .ok()
            .map(|value| value.0);
        assert_eq!(read, derived);
    }

    #[rstest]
    #[case("+12025550143", true)]
    #[case("12025550143", false)]
    #[case("+1 202 555 0143", false)]
    #[case("+143", false)]
    #[case("+1202555014312345", false)]
    #[case("", false)]
    fn numbers_look_like_e164(#[case] text: &str, #[case] number: bool) {
        assert_eq!(looks_like_number(text), number);
    }

    #[rstest]
    #[case("ada@example.com", true)]
    #[case("ada@localhost", false)]
    #[case("@example.com", false)]
    #[case("ada@b@example.com", false)]
    #[case("call ada@example.com", false)]
    #[case("", false)]
    fn addresses_look_like_addresses(#[case] text: &str, #[case] address: bool) {
        assert_eq!(looks_like_address(text), address);
    }
}
