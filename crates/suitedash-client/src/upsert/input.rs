//! What an application knows of a person, in its own words.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};
use serde_json::Value;

use super::rules::{FieldRef, FieldValue};
use crate::check::Check;
use crate::ids::ContactUid;
use crate::values::{Address, Role};

/// A person as an application knows him, to be created or updated.
///
/// ```
/// use suitedash_client::{ContactInput, FieldRef};
///
/// let jane = ContactInput::new()
///     .full_name("Jane Roe")
///     .email("jane@example.com")
///     .phone("+15550100")
///     .notes("Asked about onboarding.")
///     .tags(["newsletter"])
///     .field(FieldRef::label("Service Interest"), "Consulting");
/// # drop(jane);
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ContactInput {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The whole name, where a form has one field: what is not given above is taken from it. The first word is read as
    /// the first name and the rest as the last.
    pub full_name: Option<String>,
    /// The e-mail address: the only key there is. Without one, each call creates another contact.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// A title before the name.
    pub name_prefix: Option<String>,
    /// The private e-mail address. Nobody is found by it.
    pub home_email: Option<String>,
    /// The e-mail address at work. Nobody is found by it.
    pub work_email: Option<String>,
    /// The private phone number.
    pub home_phone: Option<String>,
    /// The phone number at work.
    pub work_phone: Option<String>,
    /// The phone number of the shop.
    pub shop_phone: Option<String>,
    /// The address. Of an existing contact the parts that are not set here are kept.
    pub address: Option<Address>,
    /// The company's name. **The link is by name alone**: who types an existing company's name into a form is linked to
    /// it, with what your account lets its members see.
    pub company: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// The website.
    pub website: Option<String>,
    /// What the contact is to the account if it is new. [`Role::Lead`] unless set. The role of an existing contact is
    /// never changed: a customer who fills in a form stays one.
    pub role: Option<Role>,
    /// Free text, for the background information.
    pub notes: Option<String>,
    /// Tags the contact shall have besides those it has.
    pub tags: Vec<String>,
    /// Values for the account's own fields.
    pub fields: Vec<(FieldRef, Value)>,
    /// Where the person came from; see [`ContactRules::source`](crate::ContactRules::source).
    pub source: Option<String>,
    /// A status; see [`ContactRules::status_field`](crate::ContactRules::status_field).
    pub status: Option<String>,
    /// A category. **Contacts have none**: it is reported as unmapped.
    pub category: Option<String>,
    /// The time that is written beside the notes. The time of the call unless set.
    pub noted_at: Option<DateTime<Utc>>,
    /// Whether SuiteDash invites the person to its portal. Not unless set.
    pub send_welcome_email: bool,
    /// What becomes of values that an existing contact has already.
    pub existing: ExistingValues,
}

masked_debug!(ContactInput {
    shown: [role, noted_at, send_welcome_email, existing],
    masked: [
        first_name,
        last_name,
        full_name,
        email,
        phone,
        name_prefix,
        home_email,
        work_email,
        home_phone,
        work_phone,
        shop_phone,
        address,
        company,
        title,
        website,
        notes,
        tags,
        fields,
        source,
        status,
        category,
    ],
});

impl ContactInput {
    /// Starts with nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value for a field of the account's own.
    #[must_use]
    pub fn field(mut self, field: FieldRef, value: impl Into<Value>) -> Self {
        let entry: FieldValue = (field, value.into());
        self.fields.push(entry);
        self
    }

    /// Tells whether a text can stand in a field of one line, or be a tag: some characters and not too many, no line
    /// break, nothing but text. A contact with a line that cannot is refused as a whole, unsent.
    pub fn takes_line(text: &str) -> bool {
        let mut check = Check::new();
        check.name(text, "line");
        check.is_clean()
    }

    /// Tells whether a text can stand in the notes or a field of the account's own: line breaks may be in it.
    pub fn takes_text(text: &str) -> bool {
        let mut check = Check::new();
        check.text(text, "text");
        check.is_clean()
    }

    /// Tells whether a text can be an e-mail address.
    pub fn takes_email(text: &str) -> bool {
        crate::check::is_email(text)
    }
}

setters! { ContactInput {
    /// Sets the first name.
    first_name: Option<String>,
    /// Sets the last name.
    last_name: Option<String>,
    /// Sets the whole name.
    full_name: Option<String>,
    /// Sets the e-mail address.
    email: Option<String>,
    /// Sets the phone number.
    phone: Option<String>,
    /// Sets the title before the name.
    name_prefix: Option<String>,
    /// Sets the private e-mail address.
    home_email: Option<String>,
    /// Sets the e-mail address at work.
    work_email: Option<String>,
    /// Sets the private phone number.
    home_phone: Option<String>,
    /// Sets the phone number at work.
    work_phone: Option<String>,
    /// Sets the phone number of the shop.
    shop_phone: Option<String>,
    /// Sets the address.
    address: Option<Address>,
    /// Sets the company's name.
    company: Option<String>,
    /// Sets the job title.
    title: Option<String>,
    /// Sets the website.
    website: Option<String>,
    /// Sets the role of a new contact.
    role: Option<Role>,
    /// Sets the notes.
    notes: Option<String>,
    /// Sets the tags to be added.
    tags: Vec<String>,
    /// Sets where the person came from.
    source: Option<String>,
    /// Sets the status.
    status: Option<String>,
    /// Sets the category.
    category: Option<String>,
    /// Sets the time of the notes.
    noted_at: Option<DateTime<Utc>>,
    /// Sets whether the person is invited to the portal.
    send_welcome_email: bool,
    /// Sets what becomes of values that are stored already.
    existing: ExistingValues,
} }

/// What becomes of names, numbers and the like that an existing contact has already. Tags, notes and custom fields are
/// added either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExistingValues {
    /// The new ones replace them: for data the application stands for.
    #[default]
    Overwrite,
    /// They are kept, and the outcome says which differ: for data a stranger typed into a form, who may know no more
    /// than the e-mail address.
    Keep,
}

/// A filled-in form: it makes or finds a contact, and adds where it came from and what was said.
///
/// SuiteDash's API has no leads, deals or statuses; see [`Client::create_lead_from_submission`](crate::Client::create_lead_from_submission).
///
/// ```
/// use suitedash_client::{ContactInput, LeadSubmission};
///
/// let person = ContactInput::new().full_name("Jane Roe").email("jane@example.com");
/// let submission = LeadSubmission::new(person)
///     .source("website")
///     .message("Asked about onboarding.");
/// # drop(submission);
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct LeadSubmission {
    /// Who filled it in.
    pub person: LeadPerson,
    /// Where the form is.
    pub source: Option<String>,
    /// A status.
    pub status: Option<String>,
    /// What was said.
    pub message: Option<String>,
    /// When it was filled in. The time of the call unless set.
    pub submitted_at: Option<DateTime<Utc>>,
}

masked_debug!(LeadSubmission {
    shown: [person, submitted_at],
    masked: [source, status, message],
});

/// Who filled in a form.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LeadPerson {
    /// A contact that is known to exist.
    Known(ContactUid),
    /// A person who may be new. What an existing contact has is kept unless
    /// [`ContactInput::existing`] was set after this was made.
    Described(Box<ContactInput>),
}

impl LeadSubmission {
    /// A form filled in by somebody who may be new. Of an existing contact it keeps what is stored.
    pub fn new(person: ContactInput) -> Self {
        Self::by(LeadPerson::Described(Box::new(
            person.existing(ExistingValues::Keep),
        )))
    }

    /// A form filled in by a contact that exists.
    pub fn of(contact: impl Into<ContactUid>) -> Self {
        Self::by(LeadPerson::Known(contact.into()))
    }

    fn by(person: LeadPerson) -> Self {
        Self {
            person,
            source: None,
            status: None,
            message: None,
            submitted_at: None,
        }
    }

    /// The whole as one description, and the contact if it is known.
    pub(super) fn into_parts(self) -> (Option<ContactUid>, ContactInput) {
        let (uid, mut input) = match self.person {
            LeadPerson::Known(uid) => (Some(uid), ContactInput::new()),
            LeadPerson::Described(input) => (None, *input),
        };
        input.source = self.source.or(input.source);
        input.status = self.status.or(input.status);
        input.noted_at = self.submitted_at.or(input.noted_at);
        input.notes = match (self.message, input.notes) {
            (Some(message), Some(notes)) => Some(format!("{message}\n\n{notes}")),
            (message, notes) => message.or(notes),
        };
        (uid, input)
    }
}

setters! { LeadSubmission {
    /// Sets where the form is.
    source: Option<String>,
    /// Sets the status.
    status: Option<String>,
    /// Sets what was said.
    message: Option<String>,
    /// Sets when it was filled in.
    submitted_at: Option<DateTime<Utc>>,
} }
