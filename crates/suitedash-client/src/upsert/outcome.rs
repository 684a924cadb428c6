//! What really happened.

use connector_http::Method;
use serde_json::Value;

use crate::contacts::Contact;
use crate::ids::ContactUid;

/// What became of one call of [`create_or_update`](crate::Contacts::create_or_update) and its like.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContactOutcome {
    /// Whether the contact was created, changed or left as it was.
    pub action: ContactAction,
    /// The contact as the vendor last told it.
    pub contact: Contact,
    /// How many calls of the month it took, repetitions included.
    pub calls_spent: u32,
    /// What was given and has no place at the vendor.
    pub unmapped: Vec<Unmapped>,
    /// What else is worth knowing.
    pub notices: Vec<Notice>,
}

/// Whether something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactAction {
    /// The contact is new.
    Created,
    /// The contact was there and was changed.
    Updated,
    /// The contact was there as it should be; nothing was written.
    Unchanged,
}

/// What became of a filled-in form: **a contact**, since the API knows no leads. There is no lead id.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeadContact {
    /// What became of the contact.
    pub outcome: ContactOutcome,
}

impl LeadContact {
    /// The contact's uid.
    pub fn contact_uid(&self) -> &ContactUid {
        &self.outcome.contact.uid
    }
}

/// Something that was given and not written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unmapped {
    /// What: `status`, `category`, `notes`, or a custom field's label or uid.
    pub field: String,
    /// Why.
    pub reason: UnmappedReason,
}

impl Unmapped {
    pub(super) fn new(field: impl Into<String>, reason: UnmappedReason) -> Self {
        Self {
            field: field.into(),
            reason,
        }
    }
}

/// Why something was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnmappedReason {
    /// Contacts have no such attribute, and no rule says where to put it.
    NoSuchAttribute,
    /// The account has no field of its own of this name, or several. A field that was made within the last day may not
    /// be known yet: [`Client::forget_meta`](crate::Client::forget_meta) lets it be looked up again.
    UnknownField,
    /// It did not fit behind what is stored.
    TooLong,
    /// The rules say that an existing contact's notes are left alone.
    LeftAlone,
    /// The vendor's answer did not say what is stored, so that writing would lose it.
    StoredUnknown,
}

/// Something worth knowing about what happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// A name given as one text was split at its first blank.
    NameSplit,
    /// A last name was wanted and none known: the placeholder was taken.
    PlaceholderUsed,
    /// The contact has another role than was asked for, and keeps it.
    RoleKept,
    /// An existing value differs and was kept, as [`ExistingValues::Keep`](crate::ExistingValues::Keep) says.
    ValueKept(&'static str),
    /// The note was longer than the rules allow, and was cut.
    NoteCut,
    /// The vendor stored another value than was sent: it normalised it, or did not take it.
    StoredDifferently(String),
    /// A field that was not sent has changed all the same: by somebody at the same moment, or because the vendor's
    /// update is not partial. Look at the contact.
    ChangedUnsent(String),
    /// The answer to the creation was lost. The contact was looked up before anything else was done; whether this call
    /// made it cannot be told for sure.
    AnswerLost,
}

/// What a call would send, had it been made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DryRun {
    /// The requests, in order.
    pub steps: Vec<PlannedCall>,
    /// What has no place at the vendor, as far as is known without asking.
    pub unmapped: Vec<Unmapped>,
    /// What else is worth knowing.
    pub notices: Vec<Notice>,
}

/// A request that would be made.
///
/// `Debug` does not print the body; [`body`](Self::body) gives it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PlannedCall {
    /// The method.
    pub method: Method,
    /// The path's template, below the base URL.
    pub path: &'static str,
    /// On which condition.
    pub when: StepWhen,
    body: Option<Value>,
}

impl PlannedCall {
    pub(super) fn new(method: Method, path: &'static str, when: StepWhen) -> Self {
        Self {
            method,
            path,
            when,
            body: None,
        }
    }

    pub(super) fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Returns the body. That of an update is written as if nothing were stored: what is sent is the difference to
    /// what the read finds, with stored tags, notes and custom values kept.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }
}

impl std::fmt::Debug for PlannedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlannedCall")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("when", &self.when)
            .field("has_body", &self.body.is_some())
            .finish()
    }
}

/// On which condition a planned request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepWhen {
    /// In any case.
    Always,
    /// If the creation is refused as a duplicate would be, or its answer is lost.
    IfNotCreated,
    /// If the read finds nobody.
    IfNotFound,
    /// If the read finds somebody, and something differs.
    IfDifferent,
}
