#![doc = include_str!("../README.md")]

mod auth;
mod calls;
mod check;
mod client;
mod contacts;
mod conversations;
mod custom_fields;
#[cfg(feature = "dated")]
pub mod dated;
mod env;
mod error;
mod export;
mod ids;
#[cfg(feature = "integration")]
pub mod integration;
mod links;
mod messages;
mod page;
mod phone_numbers;
mod recordings;
mod summaries;
mod tasks;
mod timestamp;
mod transcripts;
mod users;
mod voicemails;
mod webhook_management;
#[cfg(feature = "webhooks")]
pub mod webhooks;

/// The engine below, for what only a few need by name: transports, observers and gates of one's own.
#[doc(no_inline)]
pub use connector_http;
pub use connector_http::{
    Call, CallSequence, CallWithResponse, Cursor, Delivery, Download, Error, ErrorKind, FieldError,
    Items, Lane, Method, Page, Pages, Paginator, Patch, Rate, RateClass, Request, Response,
    RetryPolicy, SharedLimits,
};

pub use crate::calls::{
    AiHandler, CallDirection, CallRoute, CallStatus, Calls, ListCalls, PhoneCall,
};
pub use crate::client::{Client, ClientBuilder, ConnectionInfo, endpoints};
pub use crate::contacts::{
    Contact, ContactChanges, ContactCustomField, ContactEmail, ContactField, ContactPatch,
    ContactPhoneNumber, ContactValue, Contacts, CustomFieldEntry, CustomFieldRef, DefaultFields,
    ListChange, ListContacts, Mapped, MatchedBy, Merge, Merged, NewContact, Scan, ScanFor,
    ScanMatch, ScanMatches, ScanPage, ScanPages, ScanProgress, SimpleContact, UnmappedField,
};
pub use crate::conversations::{Conversation, Conversations, ListConversations};
pub use crate::custom_fields::{CustomField, CustomFieldType, CustomFieldValue, CustomFields};
pub use crate::error::OpenPhoneErrorCode;
pub use crate::export::{
    Export, ExportCheckpoint, ExportItems, ExportPage, ExportPages, ExportProgress, ExportRange,
};
pub use crate::ids::{
    ActivityId, CallId, ContactId, ConversationId, MessageId, PhoneNumberId, RecordingId, TaskId,
    UserId, VoicemailId, WebhookId,
};
pub use crate::links::click_to_call_link;
pub use crate::messages::{
    Encoding, InboxStatus, ListMessages, Message, MessageDirection, MessageMedia, MessageStatus,
    Messages, NewMessage, Segments,
};
pub use crate::page::ListPage;
pub use crate::phone_numbers::{
    ListPhoneNumbers, PhoneNumber, PhoneNumberUser, PhoneNumbers, RegionRestrictions, Restriction,
    Restrictions,
};
pub use crate::recordings::{Recording, RecordingSource, RecordingStatus, Recordings};
pub use crate::summaries::{
    CallSummary, ProcessingStatus, Summaries, SummaryJob, SummaryJobField, SummaryJobResult,
};
pub use crate::tasks::{
    CreatedTask, ListTasks, NewTask, Task, TaskRevision, TaskTarget, TaskText, Tasks,
};
pub use crate::transcripts::{Transcript, TranscriptLine, Transcripts};
pub use crate::users::{ListUsers, User, UserRole, Users};
pub use crate::voicemails::{Voicemail, VoicemailStatus, Voicemails};
pub use crate::webhook_management::{
    ListWebhooks, NewWebhook, Webhook, WebhookEvent, WebhookResources, WebhookStatus, Webhooks,
};
