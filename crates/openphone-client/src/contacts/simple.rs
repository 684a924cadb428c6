//! The flat contact most programs have, mapped to what API v1 can hold.

use connector_http::{masked_debug, setters};

use super::requests::NewContact;

/// The label of the address made from [`SimpleContact::email`].
const EMAIL_LABEL: &str = "email";
/// The label of the number made from [`SimpleContact::phone`].
const PHONE_LABEL: &str = "phone";

/// A contact as most programs keep it: six flat fields.
///
/// API v1 nests the fields, wants labels, and has **no place for notes**.
/// [`to_new_contact`](Self::to_new_contact) maps what can be mapped and says what could not.
///
/// ```
/// use openphone_client::SimpleContact;
///
/// let ana = SimpleContact::new("Ana").email("ana@example.com").notes("met at the fair");
/// let mapped = ana.to_new_contact();
/// assert_eq!(mapped.contact.emails.len(), 1);
/// assert_eq!(mapped.unmapped[0].field, "notes");
///
/// // Where the workspace has defined a custom field for them:
/// let contact = mapped.contact.custom_field("notes", "met at the fair");
/// # drop(contact);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleContact {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number, best in E.164 form: it is sent as it is, and the app matches
    /// conversations by it.
    pub phone: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// Free text. API v1 cannot hold it.
    pub notes: Option<String>,
}

masked_debug!(SimpleContact {
    shown: [],
    masked: [first_name, last_name, email, phone, company, notes],
});

impl SimpleContact {
    /// Starts a contact with a first name.
    pub fn new(first_name: impl Into<String>) -> Self {
        Self {
            first_name: Some(first_name.into()),
            ..Self::default()
        }
    }

    /// Maps to what API v1 can hold. Blank fields count as absent; a missing first name is sent as
    /// `null`, which the vendor takes.
    pub fn to_new_contact(&self) -> Mapped {
        let mut contact = NewContact::unnamed();
        contact.first_name = filled(self.first_name.as_deref());
        contact.last_name = filled(self.last_name.as_deref());
        contact.company = filled(self.company.as_deref());
        if let Some(email) = filled(self.email.as_deref()) {
            contact = contact.email(EMAIL_LABEL, email);
        }
        if let Some(phone) = filled(self.phone.as_deref()) {
            contact = contact.phone_number(PHONE_LABEL, phone);
        }
        let notes = filled(self.notes.as_deref())
            .map(|_| UnmappedField::new("notes", "contacts of API v1 have no notes"));
        Mapped {
            contact,
            unmapped: notes.into_iter().collect(),
        }
    }
}

setters! { SimpleContact {
    /// Sets the last name.
    last_name: Option<String>,
    /// Sets the e-mail address.
    email: Option<String>,
    /// Sets the phone number.
    phone: Option<String>,
    /// Sets the company's name.
    company: Option<String>,
    /// Sets the notes.
    notes: Option<String>,
} }

fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A mapped contact, and what is missing from it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mapped {
    /// The contact, ready to be created.
    pub contact: NewContact,
    /// The fields that had a value and have no place in the contact.
    pub unmapped: Vec<UnmappedField>,
}

/// A field that has no place at the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnmappedField {
    /// Its name in [`SimpleContact`].
    pub field: &'static str,
    /// Why it has no place.
    pub reason: &'static str,
}

impl UnmappedField {
    fn new(field: &'static str, reason: &'static str) -> Self {
        Self { field, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_what_there_is_a_place_for() {
        let mapped = SimpleContact::new(" Ana ")
            .last_name("Example")
            .email("ana@example.com ")
            .phone("+12025550143")
            .company("Example GmbH")
            .notes("met at the fair")
            .to_new_contact();

        assert_eq!(
            serde_json::to_value(&mapped.contact).unwrap(),
            serde_json::json!({"defaultFields": {
                "firstName": "Ana", "lastName": "Example", "company": "Example GmbH",
                "emails": [{"name": "email", "value": "ana@example.com"}],
                "phoneNumbers": [{"name": "phone", "value": "+12025550143"}],
            }})
        );
        let unmapped: Vec<_> = mapped.unmapped.iter().map(|field| field.field).collect();
        assert_eq!(unmapped, ["notes"]);
    }

    #[test]
    fn blanks_are_absent_and_the_first_name_is_sent_as_null() {
        let mapped = SimpleContact::new("  ")
            .last_name("")
            .email(" ")
            .phone("")
            .notes("\t")
            .to_new_contact();
        assert_eq!(
            serde_json::to_string(&mapped.contact).unwrap(),
            r#"{"defaultFields":{"firstName":null}}"#
        );
        assert_eq!(mapped.unmapped, []);
    }
}
