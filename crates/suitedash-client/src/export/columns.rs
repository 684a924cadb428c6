//! Which cells a row has, and what their column is called.

use super::cell;
use super::contact::ExportContact;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The contact's id.
    Id,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// The company's name.
    Company,
    /// The service somebody asked about.
    ServiceInterest,
    /// What somebody wrote.
    Message,
    /// Where the contact comes from.
    Source,
    /// When it came.
    CreatedDate,
    /// The tags, joined.
    Tags,
    /// `Lead`, `Prospect` or `Client`.
    Role,
    /// The job title.
    Title,
    /// The website.
    Website,
    /// The first line of the address.
    AddressLine1,
    /// The second line of the address.
    AddressLine2,
    /// The city.
    City,
    /// The state or province.
    State,
    /// The country.
    Country,
    /// The postal code.
    Zip,
    /// The notes. What was asked about, the message, the source and the date are added to them, each unless it has a
    /// column of its own in this file.
    BackgroundInfo,
    /// What has no field here, such as one of the account's own: the value that
    /// [`ExportContact::extra`](super::ExportContact::extra) has under the column's name, in whatever case. There may be
    /// several.
    Extra,
}

impl Field {
    /// Returns the label of its column, unless it is renamed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::FirstName => "First Name",
            Self::LastName => "Last Name",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Company => "Company",
            Self::ServiceInterest => "Service Interest",
            Self::Message => "Message",
            Self::Source => "Source",
            Self::CreatedDate => "Created Date",
            Self::Tags => "Tags",
            Self::Role => "Role",
            Self::Title => "Title",
            Self::Website => "Website",
            Self::AddressLine1 => "Address Line 1",
            Self::AddressLine2 => "Address Line 2",
            Self::City => "City",
            Self::State => "State",
            Self::Country => "Country",
            Self::Zip => "Zip",
            Self::BackgroundInfo => "Background Info",
            Self::Extra => "Extra",
        }
    }

    /// Returns the text of a field that is one as it is; `None` for those that are put together.
    pub(super) fn text(self, contact: &ExportContact) -> Option<&str> {
        let text = match self {
            Self::Id => return Some(&contact.id),
            Self::FirstName => &contact.first_name,
            Self::LastName => &contact.last_name,
            Self::Email => &contact.email,
            Self::Phone => &contact.phone,
            Self::Company => &contact.company,
            Self::ServiceInterest => &contact.service_interest,
            Self::Message => &contact.message,
            Self::Source => &contact.source,
            Self::Role => &contact.role,
            Self::Title => &contact.title,
            Self::Website => &contact.website,
            Self::AddressLine1 => &contact.address_line_1,
            Self::AddressLine2 => &contact.address_line_2,
            Self::City => &contact.city,
            Self::State => &contact.state,
            Self::Country => &contact.country,
            Self::Zip => &contact.zip,
            Self::CreatedDate | Self::Tags | Self::BackgroundInfo | Self::Extra => return None,
        };
        Some(text.as_deref().unwrap_or_default())
    }
}

/// A column: what it holds and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// What it holds.
    pub field: Field,
    /// What its header says.
    pub name: String,
}

impl Column {
    /// Makes a column of this name.
    pub fn named(field: Field, name: impl Into<String>) -> Self {
        Self {
            field,
            name: name.into(),
        }
    }

    /// Makes a column for what has no field here. `None` if no column can have this name, or if a field's has it.
    pub fn extra(name: impl Into<String>) -> Option<Self> {
        let column = Self::named(Field::Extra, name);
        let is_taken = ALL
            .iter()
            .any(|field| is_same_name(field.label(), &column.name));
        (cell::is_header(&column.name) && !is_taken).then_some(column)
    }

    /// Tells whether both hold the same.
    pub(super) fn holds_same(&self, other: &Self) -> bool {
        self.field == other.field
            && (self.field != Field::Extra || is_same_name(&self.name, &other.name))
    }

    /// Returns the text of a column that is one as it is; `None` for those that are put together.
    #[inline]
    pub(super) fn text<'c>(&self, contact: &'c ExportContact) -> Option<&'c str> {
        if self.field == Field::Extra {
            let is_it = |(name, _): &(&String, _)| is_same_name(name, &self.name);
            let exact = contact.extra.get(&self.name);
            let text = exact.or_else(|| contact.extra.iter().find(is_it).map(|(_, text)| text));
            return Some(text.map(String::as_str).unwrap_or_default());
        }
        self.field.text(contact)
    }
}

/// Blanks around a name and case make no difference to importers.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

impl From<Field> for Column {
    fn from(field: Field) -> Self {
        Self::named(field, field.label())
    }
}

/// Every field that has one column.
const ALL: [Field; 21] = [
    Field::Id,
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::Company,
    Field::ServiceInterest,
    Field::Message,
    Field::Source,
    Field::CreatedDate,
    Field::Tags,
    Field::Role,
    Field::Title,
    Field::Website,
    Field::AddressLine1,
    Field::AddressLine2,
    Field::City,
    Field::State,
    Field::Country,
    Field::Zip,
    Field::BackgroundInfo,
];

/// The columns of a file unless told otherwise, in this order.
pub(super) const DEFAULT: [Field; 11] = [
    Field::Id,
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::Company,
    Field::ServiceInterest,
    Field::Message,
    Field::Source,
    Field::CreatedDate,
    Field::Tags,
];

/// The columns that match attributes of a contact in the Secure API one to one.
pub(super) const ATTRIBUTES: [Field; 16] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::Role,
    Field::Company,
    Field::Title,
    Field::Website,
    Field::AddressLine1,
    Field::AddressLine2,
    Field::City,
    Field::State,
    Field::Country,
    Field::Zip,
    Field::Tags,
    Field::BackgroundInfo,
];
