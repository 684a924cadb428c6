//! The operations of API v1, one line each, and what carries them out.

use crate::exchange::{Call, Outcome};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::state::State;
use crate::openphone::{
    calls, contacts, conversations, directory, media, messages, tasks, webhooks,
};
use crate::operation::Operation;

/// What carries an operation out.
pub(super) type Act = fn(&mut State, &Call<'_>) -> Result<Outcome, ApiError>;

/// An operation with the area whose error codes it uses.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) operation: Operation,
    pub(super) area: Area,
    pub(super) act: Act,
}

/// Makes a constant of each line, the list of them, and the table that carries them out.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $id:literal $method:literal $template:literal
        => $area:ident $act:path;)*) => {
        $($(#[$doc])* pub const $name: Operation = Operation::new($id, $method, $template);)*

        /// Every operation of this surface.
        pub const OPERATIONS: &[Operation] = &[$($name),*];

        pub(in crate::openphone) const TABLE: &[Entry] = &[$(Entry {
            operation: $name,
            area: Area::$area,
            act: $act,
        }),*];
    };
}
pub(super) use operations;

operations! {
    /// Creates a contact.
    CREATE_CONTACT = "createContact_v1" "POST" "/v1/contacts" => Contacts contacts::create;
    /// Lists contacts, by external id or source or all of them.
    LIST_CONTACTS = "listContacts_v1" "GET" "/v1/contacts" => Contacts contacts::list;
    /// Gets one contact.
    GET_CONTACT = "getContactById_v1" "GET" "/v1/contacts/{id}" => Contacts contacts::get;
    /// Updates a contact, replacing its lists.
    UPDATE_CONTACT = "updateContactById_v1" "PATCH" "/v1/contacts/{id}" => Contacts contacts::update;
    /// Deletes a contact.
    DELETE_CONTACT = "deleteContact_v1" "DELETE" "/v1/contacts/{id}" => Contacts contacts::delete;
    /// Lists the definitions of custom fields.
    LIST_CUSTOM_FIELDS = "getContactCustomFields_v1" "GET" "/v1/contact-custom-fields" => CustomFields directory::list_custom_fields;
    /// Lists the workspace's own numbers.
    LIST_PHONE_NUMBERS = "listPhoneNumbers_v1" "GET" "/v1/phone-numbers" => PhoneNumbers directory::list_phone_numbers;
    /// Gets one of the workspace's own numbers.
    GET_PHONE_NUMBER = "getPhoneNumberById_v1" "GET" "/v1/phone-numbers/{phoneNumberId}" => PhoneNumbers directory::get_phone_number;
    /// Sends a text.
    SEND_MESSAGE = "sendMessage_v1" "POST" "/v1/messages" => Messages messages::send;
    /// Lists the texts exchanged with one participant or one group.
    LIST_MESSAGES = "listMessages_v1" "GET" "/v1/messages" => Messages messages::list;
    /// Gets one text.
    GET_MESSAGE = "getMessageById_v1" "GET" "/v1/messages/{id}" => Messages messages::get;
    /// Lists the calls with one participant.
    LIST_CALLS = "listCalls_v1" "GET" "/v1/calls" => Calls calls::list;
    /// Gets one call.
    GET_CALL = "getCallById_v1" "GET" "/v1/calls/{callId}" => Calls calls::get;
    /// Lists the recordings of a call.
    LIST_CALL_RECORDINGS = "getCallRecordings_v1" "GET" "/v1/call-recordings/{callId}" => Recordings calls::recordings;
    /// Gets the summary of a call.
    GET_CALL_SUMMARY = "getCallSummary_v1" "GET" "/v1/call-summaries/{callId}" => CallSummaries calls::summary;
    /// Gets the transcript of a call.
    GET_CALL_TRANSCRIPT = "getCallTranscript_v1" "GET" "/v1/call-transcripts/{id}" => Transcripts calls::transcript;
    /// Gets the voicemail of a call.
    GET_CALL_VOICEMAIL = "getCallVoicemails_v1" "GET" "/v1/call-voicemails/{callId}" => Voicemails calls::voicemail;
    /// Lists conversations, the most recent first.
    LIST_CONVERSATIONS = "listConversations_v1" "GET" "/v1/conversations" => Conversations conversations::list;
    /// Marks a conversation as read.
    MARK_CONVERSATION_AS_READ = "markConversationAsRead_v1" "POST" "/v1/conversations/{conversationId}/mark-as-read" => Conversations conversations::mark_as_read;
    /// Takes a conversation out of the inbox.
    MARK_CONVERSATION_AS_DONE = "markConversationAsDone_v1" "POST" "/v1/conversations/{conversationId}/mark-as-done" => Conversations conversations::mark_as_done;
    /// Brings a conversation back to the inbox.
    MARK_CONVERSATION_AS_OPEN = "markConversationAsOpen_v1" "POST" "/v1/conversations/{conversationId}/mark-as-open" => Conversations conversations::mark_as_open;
    /// Lists tasks.
    LIST_TASKS = "listTasks_v1" "GET" "/v1/tasks" => Tasks tasks::list;
    /// Creates a task.
    CREATE_TASK = "createTask_v1" "POST" "/v1/tasks" => Tasks tasks::create;
    /// Gets one task.
    GET_TASK = "getTaskById_v1" "GET" "/v1/tasks/{taskId}" => Tasks tasks::get;
    /// Updates title and description of a task.
    UPDATE_TASK = "updateTask_v1" "PUT" "/v1/tasks/{taskId}" => Tasks tasks::update;
    /// Deletes a task.
    DELETE_TASK = "deleteTask_v1" "DELETE" "/v1/tasks/{taskId}" => Tasks tasks::delete;
    /// Marks a task as completed.
    COMPLETE_TASK = "completeTask_v1" "POST" "/v1/tasks/{taskId}/complete" => Tasks tasks::complete;
    /// Opens a task again.
    REOPEN_TASK = "reopenTask_v1" "POST" "/v1/tasks/{taskId}/reopen" => Tasks tasks::reopen;
    /// Assigns a user to a task.
    ASSIGN_TASK = "assignTask_v1" "POST" "/v1/tasks/{taskId}/assign" => Tasks tasks::assign;
    /// Takes a user off a task.
    UNASSIGN_TASK = "unassignTask_v1" "POST" "/v1/tasks/{taskId}/unassign" => Tasks tasks::unassign;
    /// Links a task to a conversation.
    LINK_TASK_TO_CONVERSATION = "linkTaskToConversation_v1" "POST" "/v1/tasks/{taskId}/link-conversation" => Tasks tasks::link;
    /// Takes a conversation off a task.
    UNLINK_TASK_FROM_CONVERSATION = "unlinkTaskFromConversation_v1" "POST" "/v1/tasks/{taskId}/unlink-conversation" => Tasks tasks::unlink;
    /// Sets when a task is due.
    CHANGE_TASK_DUE_DATE = "changeTaskDueDate_v1" "POST" "/v1/tasks/{taskId}/change-due-date" => Tasks tasks::change_due_date;
    /// Takes away when a task is due.
    REMOVE_TASK_DUE_DATE = "removeTaskDueDate_v1" "POST" "/v1/tasks/{taskId}/remove-due-date" => Tasks tasks::remove_due_date;
    /// Lists the users of the workspace.
    LIST_USERS = "listUsers_v1" "GET" "/v1/users" => Users directory::list_users;
    /// Gets one user.
    GET_USER = "getUserById_v1" "GET" "/v1/users/{userId}" => Users directory::get_user;
    /// Lists a user's webhooks.
    LIST_WEBHOOKS = "listWebhooks_v1" "GET" "/v1/webhooks" => Webhooks webhooks::list;
    /// Gets one webhook.
    GET_WEBHOOK = "getWebhookById_v1" "GET" "/v1/webhooks/{id}" => Webhooks webhooks::get;
    /// Deletes a webhook.
    DELETE_WEBHOOK = "deleteWebhookById_v1" "DELETE" "/v1/webhooks/{id}" => Webhooks webhooks::delete;
    /// Creates a webhook for texts.
    CREATE_MESSAGE_WEBHOOK = "createMessageWebhook_v1" "POST" "/v1/webhooks/messages" => Webhooks webhooks::create_for_messages;
    /// Creates a webhook for calls.
    CREATE_CALL_WEBHOOK = "createCallWebhook_v1" "POST" "/v1/webhooks/calls" => Webhooks webhooks::create_for_calls;
    /// Creates a webhook for summaries of calls.
    CREATE_CALL_SUMMARY_WEBHOOK = "createCallSummaryWebhook_v1" "POST" "/v1/webhooks/call-summaries" => Webhooks webhooks::create_for_summaries;
    /// Creates a webhook for transcripts of calls.
    CREATE_CALL_TRANSCRIPT_WEBHOOK = "createCallTranscriptWebhook_v1" "POST" "/v1/webhooks/call-transcripts" => Webhooks webhooks::create_for_transcripts;
}

/// Downloads a recording or voicemail from the address that the API gave for it. This is not an
/// operation of the vendor's API: it asks for no key, and the address expires.
pub const DOWNLOAD_MEDIA: Operation = Operation::new("downloadMedia", "GET", "/media/{file}");

pub(super) const MEDIA: &[Entry] = &[Entry {
    operation: DOWNLOAD_MEDIA,
    area: Area::Recordings,
    act: media::download,
}];

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::exchange::Routed;
    use crate::route::route;

    fn routed(method: &str, path: &str) -> Option<(Operation, Vec<String>)> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        match route(OPERATIONS.iter(), &method, path) {
            Routed::To { operation, ids } => Some((operation, ids)),
            _ => None,
        }
    }

    #[test]
    fn every_operation_is_reached_by_its_own_template() {
        for operation in OPERATIONS {
            let path: Vec<_> = operation
                .template()
                .split('/')
                .map(|part| if part.starts_with('{') { "X%2F1" } else { part })
                .collect();
            let (found, ids) = routed(operation.method(), &path.join("/")).unwrap();
            assert_eq!(found, *operation);
            assert!(ids.iter().all(|id| id == "X/1"));
        }
        assert_eq!(OPERATIONS.len(), 43);
    }

    #[test]
    fn near_misses_lead_nowhere() {
        for (method, path) in [
            ("GET", "/contacts"),
            ("GET", "/v1/contacts/"),
            ("GET", "/v1//contacts"),
            ("GET", "/v1/contacts/a/b"),
            ("PUT", "/v1/contacts/a"),
            ("POST", "/v1/users"),
            ("GET", "/v1/users/%ff"),
            ("POST", "/v1/webhooks"),
            ("POST", "/v1/webhooks/contacts"),
            ("PATCH", "/v1/webhooks/WH1"),
            ("PUT", "/v1/webhooks/WH1"),
            ("POST", "/v1/calls"),
            ("GET", "/"),
        ] {
            assert_eq!(routed(method, path), None, "{method} {path}");
        }
    }
}
