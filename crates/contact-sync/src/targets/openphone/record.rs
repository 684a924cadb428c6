//! What a contact is at OpenPhone: its fields, its custom fields, and what finds no place.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use openphone_client::{Client, CustomField, CustomFieldType, CustomFieldValue, Error, NewContact};
use tokio::time::Instant;

use crate::contact::Field;
use crate::ids::TenantId;
use crate::mapping::{Mapped, MappedValue, Place, Places, as_email, as_number};
use crate::target::{Context, Unmapped};

/// Where the fields of a contact go by themselves.
pub(super) const PLACES: Places = Places::new(
    &[
        (Field::FirstName, Ok("first_name")),
        (Field::LastName, Ok("last_name")),
        (Field::Company, Ok("company")),
        (Field::Email, Ok("emails")),
        (Field::Phone, Ok("phone_numbers")),
        (
            Field::PhoneExtension,
            Err("phone numbers have no extension there"),
        ),
        (Field::Notes, Err("contacts of API v1 have no notes")),
    ],
    &["emails", "phone_numbers"],
);

/// A contact as the vendor takes it. `Debug` shows none of it.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) role: Option<String>,
    pub(super) source: Option<String>,
    pub(super) source_url: Option<String>,
    pub(super) emails: Vec<String>,
    pub(super) numbers: Vec<String>,
    pub(super) custom_fields: Vec<(String, CustomFieldValue)>,
    pub(super) unmapped: Vec<Unmapped>,
}

impl Filled {
    pub(super) fn new(mapped: Mapped, definitions: &[CustomField]) -> Self {
        let mut record = Self {
            unmapped: mapped.unmapped,
            ..Self::default()
        };
        for value in mapped.values {
            if let Err(reason) = record.put(&value, definitions) {
                record.unmapped.push(value.unmapped(reason));
            }
        }
        record
    }

    fn put(
        &mut self,
        value: &MappedValue,
        definitions: &[CustomField],
    ) -> Result<(), &'static str> {
        let text = value.text.clone();
        if text.trim().is_empty() {
            return Err("it is empty");
        }
        let name = match &value.place {
            Place::Field(name) => name.as_str(),
            Place::Custom(name) => {
                let field = definition(definitions, name).ok_or("there is no such custom field")?;
                // Two places can be one field: its key and its name.
                if self.custom_fields.iter().any(|(key, _)| *key == field.key) {
                    return Err("its place is taken");
                }
                self.custom_fields
                    .push((field.key.clone(), custom_value(&field.kind, &text)?));
                return Ok(());
            }
        };
        match name {
            "first_name" => self.first_name = Some(text),
            "last_name" => self.last_name = Some(text),
            "company" => self.company = Some(text),
            "role" => self.role = Some(text),
            // For one of these that it does not take, the vendor refuses the whole contact.
            "source" if !NewContact::takes_source(&text) => {
                return Err("not a source that the vendor takes");
            }
            "source" => self.source = Some(text),
            "source_url" if !NewContact::takes_source_url(&text) => {
                return Err("not a link that the vendor takes");
            }
            "source_url" => self.source_url = Some(text),
            "emails" => self
                .emails
                .push(as_email(&text).ok_or("not an e-mail address")?),
            "phone_numbers" => self
                .numbers
                .push(as_number(&text).ok_or("not a phone number with a country code")?),
            _ => return Err("contacts have no such field there"),
        }
        Ok(())
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled")
            .field("unmapped", &self.unmapped)
            .finish_non_exhaustive()
    }
}

/// The definition of a key, else the one definition of a name.
fn definition<'a>(definitions: &'a [CustomField], name: &str) -> Option<&'a CustomField> {
    let by_key = definitions.iter().find(|field| field.key == name);
    by_key.or_else(|| {
        let mut named = definitions
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name));
        named.next().filter(|_| named.next().is_none())
    })
}

/// Makes a text the kind of value that a field takes: the vendor refuses a whole contact for a wrong one.
fn custom_value(kind: &CustomFieldType, text: &str) -> Result<CustomFieldValue, &'static str> {
    match kind {
        CustomFieldType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "on" => Ok(true.into()),
            "false" | "no" | "n" | "0" | "off" => Ok(false.into()),
            _ => Err("neither yes nor no"),
        },
        CustomFieldType::Number => text
            .parse::<serde_json::Number>()
            .map(CustomFieldValue::from)
            .map_err(|_| "not a number"),
        CustomFieldType::Date => date(text)
            .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true).into())
            .ok_or("not a date"),
        CustomFieldType::MultiSelect => {
            let options = text.split(',').map(str::trim).filter(|o| !o.is_empty());
            Ok(options.map(str::to_owned).collect::<Vec<String>>().into())
        }
        _ => Ok(text.into()),
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let day = || text.parse::<NaiveDate>().ok();
    moment
        .ok()
        .or_else(|| Some(day()?.and_time(NaiveTime::MIN).and_utc()))
}

/// For how long definitions are taken as they were read.
const FRESH: Duration = Duration::from_mins(15);

/// How long a field that is not there is not asked for again.
const ASK_AGAIN: Duration = Duration::from_mins(1);

type Definitions = Arc<Vec<CustomField>>;

/// The definitions of the tenants' custom fields, as they were read last.
#[derive(Default)]
pub(super) struct CustomFields(Mutex<HashMap<TenantId, (Instant, Definitions)>>);

impl CustomFields {
    /// Returns the definitions of the tenant's workspace: from memory while they are fresh and know all that is
    /// wanted.
    pub(super) async fn definitions<'a>(
        &self,
        context: &Context<'_>,
        client: &Client,
        wanted: impl Iterator<Item = &'a Place>,
    ) -> Result<Definitions, Error> {
        let now = context.timer.now();
        let known = self.lock().get(context.tenant).cloned();
        if let Some((read_at, definitions)) = known {
            let has = |place: &Place| match place {
                Place::Custom(name) => definition(&definitions, name).is_some(),
                Place::Field(_) => true,
            };
            let patience = if wanted.into_iter().all(has) {
                FRESH
            } else {
                ASK_AGAIN
            };
            if now.saturating_duration_since(read_at) < patience {
                return Ok(definitions);
            }
        }
        let read = client.custom_fields().list().lane(context.lane).await?;
        let definitions = Arc::new(read);
        self.lock()
            .insert(context.tenant.clone(), (now, Arc::clone(&definitions)));
        Ok(definitions)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, (Instant, Definitions)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::contact::{Contact, Signup};
    use crate::mapping::FieldMap;

    #[rstest]
    #[case(CustomFieldType::Boolean, "Yes", Ok(json!(true)))]
    #[case(CustomFieldType::Boolean, "maybe", Err("neither yes nor no"))]
    #[case(CustomFieldType::Number, "12.5", Ok(json!(12.5)))]
    #[case(CustomFieldType::Number, "NaN", Err("not a number"))]
    #[case(CustomFieldType::Date, "2026-11-21", Ok(json!("2026-11-21T00:00:00.000Z")))]
    #[case(CustomFieldType::Date, "2026-11-21T01:00:00+01:00", Ok(json!("2026-11-21T00:00:00.000Z")))]
    #[case(CustomFieldType::Date, "soon", Err("not a date"))]
    #[case(CustomFieldType::MultiSelect, "a, b,", Ok(json!(["a", "b"])))]
    #[case(CustomFieldType::String, "12", Ok(json!("12")))]
    fn a_text_becomes_what_the_field_takes(
        #[case] kind: CustomFieldType,
        #[case] text: &str,
        #[case] expected: Result<serde_json::Value, &'static str>,
    ) {
        let value = custom_value(&kind, text).map(|value| serde_json::to_value(value).unwrap());
        assert_eq!(value, expected);
    }

    #[test]
    fn what_the_vendor_would_refuse_the_contact_for_is_left_out() {
        let fields: Vec<CustomField> = serde_json::from_value(json!([
            {"name": "Plan", "key": "k1", "type": "string"},
        ]))
        .unwrap();
        let map = FieldMap::new()
            .constant(Place::field("role"), " ")
            .constant(Place::field("source"), "CSV upload")
            .constant(Place::field("source_url"), "a link")
            .constant(Place::custom("Plan"), "basic")
            .constant(Place::custom("k1"), "family");
        let contact = Contact::new(&TenantId::default(), &Signup::new().name("Ann"), None);
        let filled = Filled::new(map.apply(&contact, &PLACES), &fields);
        let reports: Vec<_> = filled.unmapped.iter().map(|u| u.name.as_deref()).collect();
        let places = ["role", "source", "source_url", "custom:k1"];
        assert_eq!(filled.custom_fields, [("k1".to_owned(), "basic".into())]);
        assert_eq!(reports, places.map(Some));
        assert_eq!(filled.first_name.as_deref(), Some("Ann"));
        assert!(filled.role.is_none() && filled.source.is_none() && filled.source_url.is_none());
    }

    #[test]
    fn a_key_is_meant_before_a_name_and_two_of_a_name_mean_nothing() {
        let fields: Vec<CustomField> = serde_json::from_value(json!([
            {"name": "Plan", "key": "k1", "type": "string"},
            {"name": "k1", "key": "k2", "type": "string"},
            {"name": "plan b", "key": "k3", "type": "string"},
            {"name": "Plan B", "key": "k4", "type": "string"},
        ]))
        .unwrap();
        let key = |name| definition(&fields, name).map(|field| field.key.as_str());
        assert_eq!(key("k1"), Some("k1"));
        assert_eq!(key("plan"), Some("k1"));
        assert_eq!(key("Plan B"), None);
    }
}
