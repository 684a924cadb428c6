//! The dated API, version `2026-03-30`: the same workspace under other paths, behind the header
//! `Quo-Api-Version`.
//!
//! ```
//! use vendor_sandbox::openphone::dated;
//!
//! assert_eq!(dated::OPERATIONS.len(), 57);
//! assert_eq!(dated::LIST_CALLS.template(), "/calls");
//! ```

mod body;
mod calls;
mod contacts;
mod conversations;
mod deliveries;
mod messages;
mod notes;
mod operations;
mod phone_numbers;
mod properties;
mod query;
mod refusal;
mod sample;
mod tasks;
mod users;
mod webhooks;

pub(super) use notes::Note;
pub(super) use operations::TABLE;
pub use operations::{
    ASSIGN_TASK_USER, CREATE_CONTACT, CREATE_CONTACT_NOTE, CREATE_CONTACT_PROPERTY, CREATE_TASK,
    CREATE_WEBHOOK, DELETE_CONTACT, DELETE_CONTACT_NOTE, DELETE_CONTACT_PROPERTY, DELETE_TASK,
    DELETE_TASK_DUE_DATE, DELETE_WEBHOOK, GET_CALL, GET_CONTACT, GET_CONTACT_NOTE,
    GET_CONTACT_PROPERTY, GET_MESSAGE, GET_ORGANIZATION, GET_PHONE_NUMBER, GET_TASK, GET_USER,
    GET_WEBHOOK, GET_WEBHOOK_DELIVERY, LINK_TASK_CONVERSATION, LIST_AVAILABLE_PHONE_NUMBERS,
    LIST_CALL_RECORDINGS, LIST_CALL_TRANSCRIPTS, LIST_CALLS, LIST_CONTACT_NOTES,
    LIST_CONTACT_PROPERTIES, LIST_CONTACT_SHARES, LIST_CONTACTS, LIST_CONVERSATIONS, LIST_MESSAGES,
    LIST_PHONE_NUMBER_USERS, LIST_PHONE_NUMBERS, LIST_TASKS, LIST_USER_PHONE_NUMBERS, LIST_USERS,
    LIST_WEBHOOK_DELIVERIES, LIST_WEBHOOKS, MARK_CONVERSATION_AS_DONE, MARK_CONVERSATION_AS_OPEN,
    MARK_CONVERSATION_AS_READ, OPERATIONS, RETRY_MESSAGE, RETRY_WEBHOOK_DELIVERY,
    ROTATE_WEBHOOK_SECRET, SEND_WEBHOOK_TEST_EVENT, UNASSIGN_TASK_USER, UNLINK_TASK_CONVERSATION,
    UPDATE_CONTACT, UPDATE_CONTACT_NOTE, UPDATE_CONTACT_PROPERTY, UPDATE_TASK,
    UPDATE_TASK_DUE_DATE, UPDATE_TASK_STATUS, UPDATE_WEBHOOK,
};
pub(super) use refusal::refuse;

use http::header::HeaderMap;
use serde_json::Value;

use crate::openphone::check::Text;
use crate::openphone::error::{ApiError, Area, Issue, Schema};

/// The version that is simulated, and its header.
const VERSION: &str = "2026-03-30";
const VERSION_HEADER: &str = "quo-api-version";

/// Says whether a request asks for the version that there is.
pub(super) fn asks_for_it(headers: &HeaderMap) -> bool {
    let version = headers.get(VERSION_HEADER);
    version.is_some_and(|version| version.as_bytes() == VERSION.as_bytes())
}

/// Checks the id in a path against the form its operation declares. It is said in the words of
/// API v1's validator, as in the vendor's sample, which has a pattern besides.
fn path_id(id: &str, name: &str, rule: Text, area: Area) -> Result<(), ApiError> {
    let Some(message) = rule.broken_by(id) else {
        return Ok(());
    };
    let issue = Issue {
        path: format!("/{name}"),
        message,
        value: Some(Value::from(id)),
        schema: Schema {
            r#type: "TemplateLiteral",
            pattern: rule.pattern(),
        },
    };
    Err(ApiError::invalid(area, vec![issue]))
}
