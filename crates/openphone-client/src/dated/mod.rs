//! The dated API, version 2026-03-30, beside API v1.
//!
//! OpenPhone (now Quo) serves two APIs on one host. Both take the same key and count against the same ten
//! requests per second, and neither has an announced end; new things come to the dated one only. Both
//! clients are of the same make: what is said of calls, errors, retries and pages at
//! [`crate::Client`] holds here. Every request carries `Quo-Api-Version: 2026-03-30`.
//!
//! # Which one to use
//!
//! | To… | API v1, [`crate::Client`] | dated, [`Client`] |
//! |---|---|---|
//! | send a text | **only here** | |
//! | read the definitions of custom fields | **only here** | |
//! | make a task about a number, call or text | **only here** | about a conversation only |
//! | find conversations by user, by number in E.164 form, or without inactive ones | **only here** | |
//! | list all calls or texts of the workspace | between two numbers only; `export` walks them | **one list, with filters** |
//! | read summary and voicemail of many calls | one request each | **along with the list** |
//! | be told of missed calls, voicemails, contacts, tasks | | **here**, and one webhook for all of it |
//! | change a webhook, replace its key, test it, see what was delivered | | **only here** |
//! | change one field of a contact | replaces the contact; `update_merged` reads first | **changes what is named** |
//! | find contacts by name, number or address | `scan` reads everything | (not possible) |
//! | notes and shares of contacts | | **only here** |
//! | send a failed text once more | | **only here** |
//! | know which workspace a key is of | | **only here** |
//! | see numbers that can be bought, or business hours | | **only here** |
//! | register a webhook once and never twice, by `ensure` | **only here** | |
//!
//! Ids are the same in both, but for webhooks: each API has its own, and does not see the other's.
//!
//! What is alike in both APIs has one type, which is re-exported here; what differs
//! ([`PhoneCall`], [`Webhook`], …) has one here of its own.
//!
//! ```
//! # async fn example() -> Result<(), openphone_client::Error> {
//! use openphone_client::dated::ListCalls;
//!
//! let v1 = openphone_client::Client::from_env()?;
//! let client = openphone_client::dated::Client::beside(&v1)?; // one key, one pace
//! let mut calls = client.calls().list(&ListCalls::new()).items();
//! while let Some(call) = calls.next().await {
//!     let call = call?;
//!     println!("{} {}", call.id, call.status);
//! }
//! # Ok(())
//! # }
//! ```

mod calls;
mod client;
mod contacts;
mod conversations;
mod export;
mod ids;
mod messages;
mod organization;
mod page;
mod phone_numbers;
mod query;
mod tasks;
mod users;
mod webhooks;

/// The version this module speaks.
pub const VERSION: &str = "2026-03-30";

pub use self::calls::{
    CallPart, CallParticipant, CallSummary, Calls, ListCalls, PhoneCall, SummaryKind, Transcript,
    TranscriptLine,
};
pub use self::client::{Client, ClientBuilder, endpoints};
pub use self::contacts::{
    Contact, ContactNote, ContactNotes, ContactPatch, ContactProperties, ContactProperty,
    ContactShare, Contacts, ListContacts, ListProperties, NewContact, NewProperty, NoteMedia,
    PropertyPatch, PropertyType,
};
pub use self::conversations::{ConversationSort, Conversations, ListConversations};
pub use self::export::{Export, ExportItems, ExportPage, ExportPages};
pub use self::ids::{
    ContactNoteId, ContactPropertyId, DeliveryId, EventId, OrganizationId, WebhookId,
};
pub use self::messages::{ListMessages, Messages};
pub use self::organization::{Organization, SubscriptionStatus};
pub use self::page::ListPage;
pub use self::phone_numbers::{
    AvailableNumbers, BusinessHours, DayHours, ListPhoneNumbers, PhoneNumber, PhoneNumberPart,
    PhoneNumbers, WeekHours,
};
pub use self::tasks::{ListTasks, NewTask, Task, TaskRevision, TaskStatus, Tasks};
pub use self::users::{ListUsers, Users};
pub use self::webhooks::{
    DeliveryAttempt, DeliveryDetail, DeliveryStatus, DeliveryTrigger, EventBody, ListDeliveries,
    NewWebhook, Webhook, WebhookDelivery, WebhookEvent, WebhookPatch, Webhooks,
};
#[doc(no_inline)]
pub use crate::{
    ActivityId, AiHandler, CallDirection, CallId, CallRoute, CallStatus, ContactId, Conversation,
    ConversationId, CustomFieldValue, ExportCheckpoint, ExportProgress, ExportRange, Message,
    MessageDirection, MessageId, MessageMedia, MessageStatus, PhoneNumberId, PhoneNumberUser,
    ProcessingStatus, Recording, RecordingId, RecordingSource, RecordingStatus, RegionRestrictions,
    Restriction, Restrictions, SummaryJob, SummaryJobField, SummaryJobResult, TaskId, TaskText,
    User, UserId, UserRole, Voicemail, VoicemailId, VoicemailStatus, WebhookResources,
    WebhookStatus,
};
