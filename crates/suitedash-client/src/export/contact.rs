//! What a row is made of.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A contact to export.
///
/// What is absent makes an empty cell. `Debug` prints the id, and of everything else only whether it is there.
///
/// ```
/// use suitedash_client::export::ExportContact;
///
/// let contact = ExportContact::new("signup-7")
///     .first_name("Ana")
///     .email("ana@example.com")
///     .phone("+12025550143")
///     .tags(["newsletter"]);
/// assert!(!format!("{contact:?}").contains("Ana"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExportContact {
    /// The id, opaque; what a contact is recognised by in the history of exports.
    pub id: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number, best as `+` and digits: such a cell is left as it is.
    pub phone: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The service somebody asked about.
    pub service_interest: Option<String>,
    /// What somebody wrote.
    pub message: Option<String>,
    /// Where the contact comes from, such as `website`.
    pub source: Option<String>,
    /// When it came.
    #[serde(alias = "created_date")]
    pub created: Option<DateTime<Utc>>,
    /// Tags, in one cell.
    pub tags: Vec<String>,
    /// `Lead`, `Prospect` or `Client`, as SuiteDash writes them.
    pub role: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// The website.
    pub website: Option<String>,
    /// The first line of the address.
    pub address_line_1: Option<String>,
    /// The second line of the address.
    pub address_line_2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// What SuiteDash keeps as notes.
    pub background_info: Option<String>,
    /// Values of [extra columns](super::Column::extra), by the column's name. One without a column is not written.
    pub extra: BTreeMap<String, String>,
}

impl ExportContact {
    /// Makes a contact of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }

    /// Sets the value of an extra column.
    pub fn extra(mut self, column: impl Into<String>, text: impl Into<String>) -> Self {
        self.extra.insert(column.into(), text.into());
        self
    }

    /// How much text it holds, in bytes.
    pub(super) fn text_len(&self) -> usize {
        let texts = [
            &self.first_name,
            &self.last_name,
            &self.email,
            &self.phone,
            &self.company,
            &self.service_interest,
            &self.message,
            &self.source,
            &self.role,
            &self.title,
            &self.website,
            &self.address_line_1,
            &self.address_line_2,
            &self.city,
            &self.state,
            &self.country,
            &self.zip,
            &self.background_info,
        ];
        let texts = texts
            .into_iter()
            .flatten()
            .chain(&self.tags)
            .chain(self.extra.values());
        self.id.len() + texts.map(String::len).sum::<usize>()
    }
}

connector_http::setters! { ExportContact {
    /// Sets the first name.
    first_name: Option<String>,
    /// Sets the last name.
    last_name: Option<String>,
    /// Sets the e-mail address.
    email: Option<String>,
    /// Sets the phone number.
    phone: Option<String>,
    /// Sets the company's name.
    company: Option<String>,
    /// Sets the service somebody asked about.
    service_interest: Option<String>,
    /// Sets what somebody wrote.
    message: Option<String>,
    /// Sets where the contact comes from.
    source: Option<String>,
    /// Sets when it came.
    created: Option<DateTime<Utc>>,
    /// Sets the tags.
    tags: Vec<String>,
    /// Sets the role.
    role: Option<String>,
    /// Sets the job title.
    title: Option<String>,
    /// Sets the website.
    website: Option<String>,
    /// Sets the first line of the address.
    address_line_1: Option<String>,
    /// Sets the second line of the address.
    address_line_2: Option<String>,
    /// Sets the city.
    city: Option<String>,
    /// Sets the state or province.
    state: Option<String>,
    /// Sets the country.
    country: Option<String>,
    /// Sets the postal code.
    zip: Option<String>,
    /// Sets what SuiteDash keeps as notes.
    background_info: Option<String>,
} }

impl fmt::Debug for ExportContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart without `..`, so that a new field does not compile until somebody has put it here.
        let Self {
            id,
            first_name,
            last_name,
            email,
            phone,
            company,
            service_interest,
            message,
            source,
            created,
            tags,
            role,
            title,
            website,
            address_line_1,
            address_line_2,
            city,
            state,
            country,
            zip,
            background_info,
            extra,
        } = self;
        let mut debug = f.debug_struct("ExportContact");
        debug.field("id", id);
        let texts = [
            ("first_name", first_name),
            ("last_name", last_name),
            ("email", email),
            ("phone", phone),
            ("company", company),
            ("service_interest", service_interest),
            ("message", message),
            ("source", source),
            ("role", role),
            ("title", title),
            ("website", website),
            ("address_line_1", address_line_1),
            ("address_line_2", address_line_2),
            ("city", city),
            ("state", state),
            ("country", country),
            ("zip", zip),
            ("background_info", background_info),
        ];
        for (name, _) in texts.iter().filter(|(_, text)| text.is_some()) {
            debug.field(name, &format_args!("present"));
        }
        debug
            .field("created", created)
            .field("tags", &tags.len())
            .field("extra", &extra.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_presence_only() {
        let contact = ExportContact::new("c-1")
            .first_name("canary")
            .message("canary")
            .tags(["canary"])
            .extra("Plan", "canary");
        assert_eq!(
            format!("{contact:?}"),
            "ExportContact { id: \"c-1\", first_name: present, message: present, created: None, tags: 1, extra: 1, .. }"
        );
    }

    #[test]
    fn reads_json_and_refuses_a_lone_surrogate() {
        let contact: ExportContact = serde_json::from_str(
            r#"{"id":"c-1","email":"ana@example.com","created_date":"2026-11-21T08:00:00Z","later":1}"#,
        )
        .unwrap();
        assert_eq!(contact.email.as_deref(), Some("ana@example.com"));
        assert!(contact.created.is_some());
        let broken = r#"{"id":"c-1","message":"\ud83d"}"#;
        assert!(serde_json::from_str::<ExportContact>(broken).is_err());
    }
}
