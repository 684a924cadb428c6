//! The choices nobody can make for an account.

use connector_http::setters;
use serde_json::Value;

use crate::ids::CustomFieldUid;

/// How contacts are found, merged and written.
///
/// ```
/// use suitedash_client::{Client, ContactPlan, ContactRules, FieldRef, SourceRule};
///
/// let rules = ContactRules::new()
///     .plan(ContactPlan::GetFirst)
///     .last_name_placeholder("(unknown)")
///     .source(SourceRule::Field(FieldRef::label("Lead Source")))
///     .status_field(FieldRef::label("Lead Status"));
/// let client = Client::builder().dummy_credentials().contact_rules(rules).build()?;
/// # drop(client);
/// # Ok::<(), suitedash_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactRules {
    /// Which call comes first. [`ContactPlan::PostFirst`] unless set.
    pub plan: ContactPlan,
    /// What stands for a last name that is not known, since the vendor wants one. `.` unless set; with `None` a contact
    /// without a last name is refused, unsent. It never replaces a name that is stored.
    pub last_name_placeholder: Option<String>,
    /// What stands for a first name that is not known. None unless set: a contact without a first name is refused,
    /// unsent. It never replaces a name that is stored.
    pub first_name_placeholder: Option<String>,
    /// Where a source goes. To a tag, `source:website`, unless set.
    pub source: SourceRule,
    /// The field a status goes to. None unless set, and then a status is reported as unmapped: the vendor has no such
    /// attribute.
    pub status_field: Option<FieldRef>,
    /// What becomes of notes for a contact that exists. They are appended unless set.
    pub notes: NotesRule,
    /// The longest note that is stored, in characters; a longer one is cut, and the outcome says so. 10,000 unless set.
    pub note_cap: usize,
    /// How long the background information may become by appending, in characters. 50,000 unless set. What does not
    /// fit is left out, and the outcome says so; nothing stored is ever dropped.
    pub background_cap: usize,
    /// Whether `VIP` and `vip` are one tag. They are unless set to `false`.
    pub tags_ignore_case: bool,
    /// Whether a company that does not exist is created when a contact is linked to it. It is unless set to `false`.
    pub create_companies: bool,
}

impl Default for ContactRules {
    fn default() -> Self {
        Self {
            plan: ContactPlan::default(),
            last_name_placeholder: Some(".".to_owned()),
            first_name_placeholder: None,
            source: SourceRule::default(),
            status_field: None,
            notes: NotesRule::default(),
            note_cap: 10_000,
            background_cap: 50_000,
            tags_ignore_case: true,
            create_companies: true,
        }
    }
}

impl ContactRules {
    /// Starts with the rules as described at each field.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses contacts without a last name, in place of a placeholder.
    #[must_use]
    pub fn require_last_name(mut self) -> Self {
        self.last_name_placeholder = None;
        self
    }
}

setters! { ContactRules {
    /// Sets which call comes first.
    plan: ContactPlan,
    /// Sets what stands for a last name that is not known.
    last_name_placeholder: Option<String>,
    /// Sets what stands for a first name that is not known.
    first_name_placeholder: Option<String>,
    /// Sets where a source goes.
    source: SourceRule,
    /// Sets the field a status goes to.
    status_field: Option<FieldRef>,
    /// Sets what becomes of notes for a contact that exists.
    notes: NotesRule,
    /// Sets the longest note, in characters.
    note_cap: usize,
    /// Sets how long the background information may become, in characters.
    background_cap: usize,
    /// Sets whether tags ignore the case of letters.
    tags_ignore_case: bool,
    /// Sets whether companies are created.
    create_companies: bool,
} }

/// Which call comes first. The vendor has no upsert, so an existing contact costs several calls either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactPlan {
    /// Create, and read only if that is refused: 1 call for a new contact, 2 or 3 for an existing one. Best for forms,
    /// which mostly bring new people.
    #[default]
    PostFirst,
    /// Read, then create or change: 2 calls for a new contact, 1 or 2 for an existing one. Best for syncing again.
    GetFirst,
}

/// Where a source goes; contacts have no such attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceRule {
    /// To a tag: the prefix and the source. A tag can start an automation in SuiteDash.
    Tag(String),
    /// To a field of the account's own.
    Field(FieldRef),
    /// Nowhere; the outcome reports it as unmapped.
    Nowhere,
}

impl Default for SourceRule {
    fn default() -> Self {
        Self::Tag("source:".to_owned())
    }
}

/// What becomes of notes for a contact that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotesRule {
    /// They are appended to the background information, with the date. The same note of the same day is appended once.
    #[default]
    Append,
    /// As [`Append`](Self::Append), but once for ever: for notes that are sent again whenever anything else changes.
    AppendOnce,
    /// They are left out, and the outcome says so.
    LeaveAlone,
}

/// Names a field of the account's own: by its uid, or by its label, which takes a look at
/// [`Client::meta`](crate::Client::meta).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldRef {
    /// By its uid.
    Uid(CustomFieldUid),
    /// By its label, whatever the case of its letters.
    Label(String),
}

impl FieldRef {
    /// By its uid.
    pub fn uid(uid: impl Into<CustomFieldUid>) -> Self {
        Self::Uid(uid.into())
    }

    /// By its label.
    pub fn label(label: impl Into<String>) -> Self {
        Self::Label(label.into())
    }

    /// How it is called in an outcome.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Uid(uid) => uid.as_str(),
            Self::Label(label) => label,
        }
    }
}

/// A field of the account's own and the value it shall have.
pub(super) type FieldValue = (FieldRef, Value);
