//! What an account's owner chooses about the contacts that are handed over.

use connector_http::setters;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::upsert::{
    ContactInput, ContactPlan, ContactRules, ExistingValues, NotesRule, SourceRule,
};
use crate::values::Role;

/// What becomes of the contacts of one account. It holds no secret.
///
/// ```
/// use suitedash_client::ContactInput;
/// use suitedash_client::connection::{CallOrder, Settings};
///
/// let settings = Settings::new().source("website").tags(["newsletter"]).call_order(CallOrder::ReadFirst);
/// let jane = settings.complete(ContactInput::new().full_name("Jane Roe"));
/// assert_eq!(jane.source.as_deref(), Some("website"));
/// assert!(!jane.send_welcome_email);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "integration", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "integration",
    schemars(description = "What becomes of contacts.")
)]
#[non_exhaustive]
pub struct Settings {
    /// Where contacts come from, such as `website`: it becomes the tag `source:website`. A tag can start an automation
    /// in SuiteDash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "integration",
        schemars(title = "Source", extend("ui" = {"placeholder": "website"}))
    )]
    pub source: Option<String>,
    /// Tags that every contact gets besides those it has.
    #[cfg_attr(feature = "integration", schemars(title = "Tags"))]
    pub tags: Vec<String>,
    /// What new contacts are. One without an e-mail address is always a lead. The role of an existing contact is never
    /// changed.
    #[cfg_attr(feature = "integration", schemars(title = "Role of new contacts"))]
    pub role: NewRole,
    /// What stands for a name that is not known: SuiteDash wants a first and a last one.
    #[cfg_attr(
        feature = "integration",
        schemars(title = "Placeholder for missing names", length(min = 1, max = 50))
    )]
    pub name_placeholder: String,
    /// What becomes of what people wrote.
    #[cfg_attr(feature = "integration", schemars(title = "Messages"))]
    pub messages: Messages,
    /// Keep the names, numbers and companies that an existing contact has, whatever is handed over. What is missing is
    /// filled in.
    #[cfg_attr(feature = "integration", schemars(title = "Keep what is there"))]
    pub keep_existing: bool,
    /// Which call comes first.
    #[cfg_attr(feature = "integration", schemars(title = "Order of calls"))]
    pub call_order: CallOrder,
    /// Let SuiteDash send new contacts its invitation to the portal. In import mode, the import screen decides.
    #[cfg_attr(feature = "integration", schemars(title = "Send welcome e-mails"))]
    pub send_welcome_email: bool,
    /// Use this integration where none is named.
    #[cfg_attr(feature = "integration", schemars(title = "Default for SuiteDash"))]
    pub is_default: bool,
    /// Which field of a contact goes where, in the JSON of whoever sends contacts. Left out, that one's own way. The
    /// names on the right are those of [`CONTACT_FIELDS`](super::CONTACT_FIELDS), or a field of the account's own:
    /// `custom:Plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "integration",
        schemars(
            title = "Field map of contacts",
            description = "Which field of a contact goes where: a field of SuiteDash, or one of the account's own, as custom:NAME.",
            schema_with = "super::places::field_map",
            extend("ui" = {
                "help": "As JSON: {\"fields\": {\"notes\": \"custom:Remarks\", \"attribute:plan\": \"custom:Plan\", \"company\": null}, \"constants\": {\"tags\": \"shop\"}}"
            })
        )
    )]
    pub contact_fields: Option<Map<String, Value>>,
}

/// What a new contact is to the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "integration", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum NewRole {
    /// Lead.
    #[default]
    Lead,
    /// Prospect.
    Prospect,
    /// Client.
    Client,
}

/// What becomes of what people wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "integration", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Messages {
    /// Append to the background information, once.
    #[default]
    Append,
    /// Only for new contacts.
    NewContacts,
    /// Leave out.
    LeaveOut,
}

/// Which call comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "integration", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CallOrder {
    /// Create first: 1 call for new people, up to 3 for known ones.
    #[default]
    CreateFirst,
    /// Read first: 2 calls for new people and for changes, 1 where nothing is different.
    ReadFirst,
}

impl Settings {
    /// Makes leads without tags, appends messages, invites nobody.
    pub fn new() -> Self {
        Self {
            source: None,
            tags: Vec::new(),
            role: NewRole::default(),
            name_placeholder: ".".to_owned(),
            messages: Messages::default(),
            keep_existing: false,
            call_order: CallOrder::default(),
            send_welcome_email: false,
            is_default: false,
            contact_fields: None,
        }
    }

    /// Returns the rules for [`create_or_update`](crate::Contacts::create_or_update) that these settings come to. Notes
    /// are appended once for ever, since a contact's notes are handed over whenever anything else of it changes.
    pub fn rules(&self) -> ContactRules {
        let placeholder = self.placeholder();
        ContactRules::new()
            .plan(match self.call_order {
                CallOrder::CreateFirst => ContactPlan::PostFirst,
                CallOrder::ReadFirst => ContactPlan::GetFirst,
            })
            .first_name_placeholder(placeholder)
            .last_name_placeholder(placeholder)
            .source(SourceRule::default())
            .notes(match self.messages {
                Messages::Append => NotesRule::AppendOnce,
                Messages::NewContacts | Messages::LeaveOut => NotesRule::LeaveAlone,
            })
    }

    /// Adds what these settings say to a contact that is to be handed over.
    #[must_use]
    pub fn complete(&self, mut contact: ContactInput) -> ContactInput {
        if let Some(source) = self.source_name() {
            contact.source = Some(source.to_owned());
        }
        contact.tags.extend(self.tags.iter().cloned());
        contact.role = Some(self.role_of(contact.email.is_some()));
        if self.messages == Messages::LeaveOut {
            contact.notes = None;
        }
        contact.existing = if self.keep_existing {
            ExistingValues::Keep
        } else {
            ExistingValues::Overwrite
        };
        contact.send_welcome_email = self.send_welcome_email;
        contact
    }

    /// What a new contact is, with an e-mail address or without.
    pub fn role_of(&self, has_email: bool) -> Role {
        match self.role {
            NewRole::Prospect if has_email => Role::Prospect,
            NewRole::Client if has_email => Role::Client,
            _ => Role::Lead,
        }
    }

    /// The source, unless it was left blank.
    pub fn source_name(&self) -> Option<&str> {
        let source = self.source.as_deref()?.trim();
        (!source.is_empty()).then_some(source)
    }

    /// What stands for a missing name, also if it was left blank.
    pub fn placeholder(&self) -> &str {
        match self.name_placeholder.trim() {
            "" => ".",
            placeholder => placeholder,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

setters! { Settings {
    /// Sets where contacts come from.
    source: Option<String>,
    /// Sets the tags that every contact gets.
    tags: Vec<String>,
    /// Sets what new contacts are.
    role: NewRole,
    /// Sets what stands for a name that is not known.
    name_placeholder: String,
    /// Sets what becomes of messages.
    messages: Messages,
    /// Sets whether what an existing contact has is kept.
    keep_existing: bool,
    /// Sets which call comes first.
    call_order: CallOrder,
    /// Sets whether new contacts are invited to the portal.
    send_welcome_email: bool,
    /// Sets whether it is used where none is named.
    is_default: bool,
    /// Sets which field of a contact goes where.
    contact_fields: Option<Map<String, Value>>,
} }

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn nobody_is_invited_and_nobody_demanded_a_name_unless_told() {
        let settings = Settings::new();
        let input = settings.complete(ContactInput::new().email("jane@example.com"));
        assert_eq!(
            (input.role, input.send_welcome_email),
            (Some(Role::Lead), false)
        );
        let rules = settings.rules();
        assert_eq!(rules.first_name_placeholder.as_deref(), Some("."));
        assert_eq!(rules.notes, NotesRule::AppendOnce);
        assert_eq!(Settings::new().name_placeholder(" ").placeholder(), ".");
    }

    #[rstest]
    #[case(NewRole::Client, Some("jane@example.com"), Role::Client)]
    #[case(NewRole::Prospect, Some("jane@example.com"), Role::Prospect)]
    #[case(NewRole::Client, None, Role::Lead)]
    fn without_an_address_everybody_is_a_lead(
        #[case] role: NewRole,
        #[case] email: Option<&str>,
        #[case] expected: Role,
    ) {
        let mut input = ContactInput::new();
        input.email = email.map(str::to_owned);
        let input = Settings::new().role(role).complete(input);
        assert_eq!(input.role, Some(expected));
    }

    #[rstest]
    #[case(Messages::Append, Some("Hi"), NotesRule::AppendOnce)]
    #[case(Messages::NewContacts, Some("Hi"), NotesRule::LeaveAlone)]
    #[case(Messages::LeaveOut, None, NotesRule::LeaveAlone)]
    fn messages_go_where_they_are_told(
        #[case] messages: Messages,
        #[case] kept: Option<&str>,
        #[case] rule: NotesRule,
    ) {
        let settings = Settings::new().messages(messages);
        let input = settings.complete(ContactInput::new().notes("Hi"));
        assert_eq!(input.notes.as_deref(), kept);
        assert_eq!(settings.rules().notes, rule);
    }
}
