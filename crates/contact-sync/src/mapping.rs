//! Which field of a contact goes where at a vendor.

mod tenants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contact::{Contact, E164, Email, Field, Phone};
use crate::target::Unmapped;

pub use tenants::{Mappings, StaticMappings};

/// What a tenant wants otherwise than a target does it by itself. Empty, it changes nothing.
///
/// It is plain JSON, fit for the settings of an integration. On the left stands a field of the contact
/// (`first_name`, `last_name`, `email`, `phone`, `phone_extension`, `company`, `notes`, `host_id`) or an attribute of
/// the signup (`attribute:plan`); on the right a field of the vendor, as the target's documentation names them, or a
/// custom field by its key or name (`custom:Plan`), or `null` to leave the field out.
///
/// ```
/// use contact_sync::{Field, FieldMap, Place};
///
/// let map: FieldMap = serde_json::from_str(
///     r#"{
///         "fields": {"notes": "custom:Remarks", "attribute:plan": "custom:Plan", "company": null},
///         "constants": {"source": "signup-form", "custom:Lead": "true"}
///     }"#,
/// )?;
/// let same = FieldMap::new()
///     .field(Field::Notes, Place::custom("Remarks"))
///     .attribute("plan", Place::custom("Plan"))
///     .leave_out(Field::Company)
///     .constant(Place::field("source"), "signup-form")
///     .constant(Place::custom("Lead"), "true");
/// assert_eq!(map, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `Debug` does not show the constants.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldMap {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<Source, Option<Place>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    constants: BTreeMap<Place, String>,
}

impl FieldMap {
    /// Makes a map that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a field of the contact somewhere else.
    pub fn field(mut self, field: Field, place: Place) -> Self {
        self.fields.insert(Source::Field(field), Some(place));
        self
    }

    /// Sends an attribute of the signup somewhere.
    pub fn attribute(mut self, name: impl Into<String>, place: Place) -> Self {
        self.fields
            .insert(Source::Attribute(name.into()), Some(place));
        self
    }

    /// Keeps a field of the contact from the vendor.
    pub fn leave_out(mut self, field: Field) -> Self {
        self.fields.insert(Source::Field(field), None);
        self
    }

    /// Writes the same text into every record: a tag, a source. It goes before a field that has the same place.
    pub fn constant(mut self, place: Place, text: impl Into<String>) -> Self {
        self.constants.insert(place, text.into());
        self
    }

    /// The places that it names, each with what goes there: none for a constant.
    #[cfg_attr(
        not(feature = "suitedash"),
        allow(dead_code, reason = "it is for targets")
    )]
    pub(crate) fn places(&self) -> impl Iterator<Item = (Option<&Source>, &Place)> {
        let fields = self.fields.iter();
        let fields = fields.filter_map(|(source, place)| Some((Some(source), place.as_ref()?)));
        let constants = self.constants.keys().map(|place| (None, place));
        fields.chain(constants)
    }

    /// Says what of a contact goes where at a target with these places, and what finds none. For targets.
    pub fn apply(&self, contact: &Contact, places: &Places) -> Mapped {
        let mut mapped = Mapped::default();
        let mut taken = BTreeSet::new();
        for (place, text) in &self.constants {
            taken.insert(place);
            mapped.values.push(MappedValue {
                source: None,
                place: place.clone(),
                text: text.clone(),
            });
        }
        for (source, text) in values(contact) {
            let chosen = self.fields.get(&source);
            let own = places.of(&source);
            let place = match (chosen, own) {
                (Some(None), _) | (None, None) => continue,
                (Some(Some(place)), _) => place.clone(),
                (None, Some(Ok(name))) => Place::field(name),
                (None, Some(Err(reason))) => {
                    mapped.unmapped.push(source.unmapped(reason));
                    continue;
                }
            };
            let text = match text {
                Ok(text) => text,
                Err(reason) => {
                    mapped.unmapped.push(source.unmapped(reason));
                    continue;
                }
            };
            let is_free = places.takes_several(&place)
                || (!taken.contains(&place) && mapped.values.iter().all(|v| v.place != place));
            if is_free {
                mapped.values.push(MappedValue {
                    source: Some(source),
                    place,
                    text,
                });
            } else {
                mapped.unmapped.push(source.unmapped("its place is taken"));
            }
        }
        mapped
    }
}

impl fmt::Debug for FieldMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldMap")
            .field("fields", &self.fields)
            .field("constants", &self.constants.keys())
            .finish_non_exhaustive()
    }
}

/// Everything a contact has, in a stable order: the text, or why it is not fit to be sent.
fn values(contact: &Contact) -> Vec<(Source, Result<String, &'static str>)> {
    let text = |field, value: Option<&str>| Some((field, Ok(value?.to_owned())));
    let email = contact.email().map(|email| {
        let fit = email.is_valid().then(|| email.normalized().to_owned());
        (Field::Email, fit.ok_or("not an e-mail address"))
    });
    let phone = contact.phone().map(|phone| {
        let fit = phone.e164().map(|number| number.as_str().to_owned());
        (Field::Phone, fit.ok_or("not a phone number"))
    });
    let fields = [
        text(Field::FirstName, contact.name().first()),
        text(Field::LastName, contact.name().last()),
        text(Field::Company, contact.company()),
        email,
        phone,
        text(
            Field::PhoneExtension,
            contact.phone().and_then(Phone::extension),
        ),
        text(Field::Notes, contact.notes()),
        text(Field::HostId, contact.host_id()),
    ];
    let fields = fields.into_iter().flatten();
    let attributes = contact
        .attributes()
        .iter()
        .map(|(name, value)| (Source::Attribute(name.clone()), Ok(value.clone())));
    fields
        .map(|(field, text)| (Source::Field(field), text))
        .chain(attributes)
        .collect()
}

/// Reads a text as an e-mail address that can be sent.
#[cfg_attr(
    not(any(feature = "openphone", feature = "suitedash")),
    allow(dead_code, reason = "it is for targets")
)]
pub(crate) fn as_email(text: &str) -> Option<String> {
    let email = Email::new(text).filter(Email::is_valid)?;
    Some(email.normalized().to_owned())
}

/// Reads a text with a country code as a phone number that can be sent.
#[cfg_attr(
    not(any(feature = "openphone", feature = "suitedash")),
    allow(dead_code, reason = "it is for targets")
)]
pub(crate) fn as_number(text: &str) -> Option<String> {
    let phone = Phone::new(text, None)?;
    phone.e164().map(E164::as_str).map(str::to_owned)
}

/// Where a value comes from: a field of the contact, or an attribute of the signup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Source {
    /// A field of the contact.
    Field(Field),
    /// An attribute of the signup, by its name.
    Attribute(String),
}

impl Source {
    /// Reports that this has not reached the vendor.
    pub fn unmapped(&self, reason: &'static str) -> Unmapped {
        match self {
            Self::Field(field) => Unmapped::new(*field, reason),
            Self::Attribute(name) => Unmapped::attribute(name, reason),
        }
    }
}

const ATTRIBUTE: &str = "attribute:";
const CUSTOM: &str = "custom:";

const FIELDS: [(Field, &str); 8] = [
    (Field::FirstName, "first_name"),
    (Field::LastName, "last_name"),
    (Field::Email, "email"),
    (Field::Phone, "phone"),
    (Field::PhoneExtension, "phone_extension"),
    (Field::Company, "company"),
    (Field::Notes, "notes"),
    (Field::HostId, "host_id"),
];

impl TryFrom<String> for Source {
    type Error = UnknownField;

    fn try_from(text: String) -> Result<Self, UnknownField> {
        if let Some(name) = text.strip_prefix(ATTRIBUTE).filter(|name| !name.is_empty()) {
            return Ok(Self::Attribute(name.to_owned()));
        }
        let field = FIELDS.iter().find(|(_, name)| *name == text);
        field
            .map(|(field, _)| Self::Field(*field))
            .ok_or(UnknownField(text))
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        match source {
            Source::Attribute(name) => format!("{ATTRIBUTE}{name}"),
            Source::Field(field) => FIELDS
                .iter()
                .find(|(other, _)| *other == field)
                .map_or_else(Self::new, |(_, name)| (*name).to_owned()),
        }
    }
}

/// A name that no field of a contact has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("contacts have no field `{0}`; an attribute is named `attribute:NAME`")]
pub struct UnknownField(String);

/// Where a value goes: a field that every record of the vendor has, or a custom field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Place {
    /// A field of the vendor, by the name that the target's documentation gives it.
    Field(String),
    /// A custom field, by its key or its name.
    Custom(String),
}

impl Place {
    /// Names a field of the vendor.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Field(name.into())
    }

    /// Names a custom field, by its key or its name.
    pub fn custom(name: impl Into<String>) -> Self {
        Self::Custom(name.into())
    }
}

impl From<String> for Place {
    fn from(text: String) -> Self {
        match text.strip_prefix(CUSTOM) {
            Some(name) => Self::Custom(name.to_owned()),
            None => Self::Field(text),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        match place {
            Place::Field(name) => name,
            Place::Custom(name) => format!("{CUSTOM}{name}"),
        }
    }
}

/// Where a target puts the fields of a contact by itself.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct Places {
    fields: &'static [(Field, Result<&'static str, &'static str>)],
    lists: &'static [&'static str],
}

impl Places {
    /// Names each field's place, or why it has none; and the places that take more than one value. A field that is
    /// not named is left out without a word.
    pub const fn new(
        fields: &'static [(Field, Result<&'static str, &'static str>)],
        lists: &'static [&'static str],
    ) -> Self {
        Self { fields, lists }
    }

    pub(crate) fn of(&self, source: &Source) -> Option<Result<&'static str, &'static str>> {
        match source {
            Source::Attribute(_) => Some(Err("no field is mapped to it")),
            Source::Field(field) => self
                .fields
                .iter()
                .find(|(other, _)| other == field)
                .map(|(_, place)| *place),
        }
    }

    fn takes_several(&self, place: &Place) -> bool {
        matches!(place, Place::Field(name) if self.lists.contains(&name.as_str()))
    }
}

/// What of a contact goes where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapped {
    /// What goes somewhere, constants first.
    pub values: Vec<MappedValue>,
    /// What does not, and why.
    pub unmapped: Vec<Unmapped>,
}

/// One value on its way to a vendor. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappedValue {
    /// Where it comes from; none for a constant.
    pub source: Option<Source>,
    /// Where it goes.
    pub place: Place,
    /// The value.
    pub text: String,
}

impl MappedValue {
    /// Reports that this has not reached the vendor: under where it comes from, or, for a constant, which is the
    /// tenant's own and no part of the contact, under where it should have gone. For targets.
    pub fn unmapped(&self, reason: &'static str) -> Unmapped {
        self.source.as_ref().map_or_else(
            || Unmapped::attribute(String::from(self.place.clone()), reason),
            |source| source.unmapped(reason),
        )
    }
}

impl fmt::Debug for MappedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedValue")
            .field("source", &self.source)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{Region, Signup};
    use crate::ids::TenantId;

    const PLACES: Places = Places::new(
        &[
            (Field::FirstName, Ok("first")),
            (Field::Company, Ok("company")),
            (Field::Email, Ok("emails")),
            (Field::Phone, Ok("phones")),
            (Field::Notes, Err("there are none")),
        ],
        &["emails"],
    );

    fn apply(map: &FieldMap, signup: &Signup) -> (Vec<(String, String)>, Vec<Unmapped>) {
        let contact = Contact::new(&TenantId::default(), signup, Some(Region::US));
        let mapped = map.apply(&contact, &PLACES);
        let values = mapped.values.into_iter();
        (
            values.map(|v| (v.place.into(), v.text)).collect(),
            mapped.unmapped,
        )
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |text: &&str| (*text).to_owned();
        pairs.iter().map(|(p, t)| (owned(p), owned(t))).collect()
    }

    #[test]
    fn an_empty_map_is_what_the_target_does() {
        let signup = Signup::new()
            .host_id("17")
            .name("Ann Lee")
            .email("ANN@example.com")
            .phone("call me")
            .notes("hello")
            .attribute("plan", "basic");
        let (values, unmapped) = apply(&FieldMap::new(), &signup);
        assert_eq!(
            values,
            pairs(&[("first", "Ann"), ("emails", "ann@example.com")])
        );
        let expected = [
            Unmapped::new(Field::Phone, "not a phone number"),
            Unmapped::new(Field::Notes, "there are none"),
            Unmapped::attribute("plan", "no field is mapped to it"),
        ];
        assert_eq!(unmapped, expected);
    }

    #[test]
    fn a_map_sends_leaves_out_and_adds() {
        let map = FieldMap::new()
            .field(Field::Notes, Place::custom("Remarks"))
            .field(Field::HostId, Place::custom("User"))
            .attribute("plan", Place::custom("Plan"))
            .attribute("second", Place::field("emails"))
            .leave_out(Field::FirstName)
            .constant(Place::field("company"), "Fixed");
        let signup = Signup::new()
            .host_id("17")
            .name("Ann")
            .email("ann@example.com")
            .company("Lee Ltd")
            .notes("hello")
            .attribute("plan", "basic")
            .attribute("second", "lee@example.com");
        let (values, unmapped) = apply(&map, &signup);
        let expected = [
            ("company", "Fixed"),
            ("emails", "ann@example.com"),
            ("custom:Remarks", "hello"),
            ("custom:User", "17"),
            ("custom:Plan", "basic"),
            ("emails", "lee@example.com"),
        ];
        assert_eq!(values, pairs(&expected));
        assert_eq!(
            unmapped,
            [Unmapped::new(Field::Company, "its place is taken")]
        );
    }

    #[test]
    fn a_map_is_json_and_a_slip_of_the_pen_is_refused() {
        let map = FieldMap::new()
            .field(Field::PhoneExtension, Place::custom("custom:x"))
            .leave_out(Field::Email);
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<FieldMap>(&json).unwrap(), map);
        assert_eq!(
            serde_json::from_str::<FieldMap>("{}").unwrap(),
            FieldMap::new()
        );
        for wrong in [
            r#"{"fields":{"e-mail":"emails"}}"#,
            r#"{"fields":{"attribute:":"emails"}}"#,
            r#"{"field":{}}"#,
        ] {
            assert!(serde_json::from_str::<FieldMap>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_value_is_shown() {
        let map = FieldMap::new().constant(Place::field("company"), "Ann Ltd");
        let contact = Contact::new(&TenantId::default(), &Signup::new().name("Ann"), None);
        let shown = format!("{:?} {map:?}", map.apply(&contact, &PLACES));
        assert!(!shown.contains("Ann"), "{shown}");
    }
}
