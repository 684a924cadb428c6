//! The operations of the dated API, one line each, and what carries them out.

use crate::openphone::contacts as v1_contacts;
use crate::openphone::dated::{
    calls, contacts, conversations, deliveries, messages, notes, phone_numbers, properties, tasks,
    users, webhooks,
};
use crate::openphone::error::Area;
use crate::openphone::operations::{Entry, operations};
use crate::operation::Operation;

operations! {
    /// Lists contacts, by external id or source or all of them.
    LIST_CONTACTS = "listContacts" "GET" "/contacts" => Contacts contacts::list;
    /// Creates a contact.
    CREATE_CONTACT = "createContact" "POST" "/contacts" => Contacts contacts::create;
    /// Gets one contact.
    GET_CONTACT = "getContactById" "GET" "/contacts/{contactId}" => Contacts contacts::get;
    /// Changes what is named of a contact.
    UPDATE_CONTACT = "updateContactById" "PATCH" "/contacts/{contactId}" => Contacts contacts::update;
    /// Deletes a contact.
    DELETE_CONTACT = "deleteContact" "DELETE" "/contacts/{contactId}" => Contacts v1_contacts::delete;
    /// Lists with whom a contact is shared.
    LIST_CONTACT_SHARES = "listContactShares" "GET" "/contacts/{contactId}/shares" => Contacts contacts::shares;
    /// Lists the notes on a contact.
    LIST_CONTACT_NOTES = "listContactNotes" "GET" "/contacts/{contactId}/notes" => Contacts notes::list;
    /// Adds a note to a contact.
    CREATE_CONTACT_NOTE = "createContactNote" "POST" "/contacts/{contactId}/notes" => Contacts notes::create;
    /// Gets one note.
    GET_CONTACT_NOTE = "getContactNote" "GET" "/contacts/{contactId}/notes/{noteId}" => Contacts notes::get;
    /// Changes a note.
    UPDATE_CONTACT_NOTE = "updateContactNote" "PATCH" "/contacts/{contactId}/notes/{noteId}" => Contacts notes::update;
    /// Deletes a note.
    DELETE_CONTACT_NOTE = "deleteContactNote" "DELETE" "/contacts/{contactId}/notes/{noteId}" => Contacts notes::delete;
    /// Lists numbers, e-mails and custom values of a contact.
    LIST_CONTACT_PROPERTIES = "listContactProperties" "GET" "/contacts/{contactId}/properties" => Contacts properties::list;
    /// Adds a number, e-mail or custom value.
    CREATE_CONTACT_PROPERTY = "createContactProperty" "POST" "/contacts/{contactId}/properties" => Contacts properties::create;
    /// Gets one of them.
    GET_CONTACT_PROPERTY = "getContactProperty" "GET" "/contacts/{contactId}/properties/{propertyId}" => Contacts properties::get;
    /// Changes one of them.
    UPDATE_CONTACT_PROPERTY = "updateContactProperty" "PATCH" "/contacts/{contactId}/properties/{propertyId}" => Contacts properties::update;
    /// Deletes one of them.
    DELETE_CONTACT_PROPERTY = "deleteContactProperty" "DELETE" "/contacts/{contactId}/properties/{propertyId}" => Contacts properties::delete;
    /// Lists the calls of the workspace.
    LIST_CALLS = "listCalls" "GET" "/calls" => Calls calls::list;
    /// Gets one call.
    GET_CALL = "getCallById" "GET" "/calls/{callId}" => Calls calls::get;
    /// Lists the recordings of a call.
    LIST_CALL_RECORDINGS = "getCallRecordings" "GET" "/calls/{callId}/recordings" => Calls calls::recordings;
    /// Lists the transcripts of a call.
    LIST_CALL_TRANSCRIPTS = "getCallTranscripts" "GET" "/calls/{callId}/transcripts" => Calls calls::transcripts;
    /// Lists the texts of the workspace.
    LIST_MESSAGES = "listMessages" "GET" "/messages" => Messages messages::list;
    /// Gets one text.
    GET_MESSAGE = "getMessageById" "GET" "/messages/{messageId}" => Messages messages::get;
    /// Sends a text once more that failed.
    RETRY_MESSAGE = "retryMessage" "POST" "/messages/{messageId}/retry" => Messages messages::retry;
    /// Lists conversations.
    LIST_CONVERSATIONS = "listConversationsHeaderVersioned" "GET" "/conversations" => Conversations conversations::list;
    /// Marks a conversation as read.
    MARK_CONVERSATION_AS_READ = "markConversationAsRead" "POST" "/conversations/{conversationId}/mark-as-read" => Conversations conversations::mark_as_read;
    /// Takes a conversation out of the inbox.
    MARK_CONVERSATION_AS_DONE = "markConversationAsDone" "POST" "/conversations/{conversationId}/mark-as-done" => Conversations conversations::mark_as_done;
    /// Brings a conversation back to the inbox.
    MARK_CONVERSATION_AS_OPEN = "markConversationAsOpen" "POST" "/conversations/{conversationId}/mark-as-open" => Conversations conversations::mark_as_open;
    /// Lists the workspace's own numbers.
    LIST_PHONE_NUMBERS = "listPhoneNumbers" "GET" "/phone-numbers" => PhoneNumbers phone_numbers::list;
    /// Searches for numbers that can be had.
    LIST_AVAILABLE_PHONE_NUMBERS = "getAvailablePhoneNumbersBase" "GET" "/phone-numbers/available" => PhoneNumbers phone_numbers::available;
    /// Gets one of the workspace's own numbers.
    GET_PHONE_NUMBER = "getPhoneNumberById" "GET" "/phone-numbers/{phoneNumberId}" => PhoneNumbers phone_numbers::get;
    /// Lists the users of a number.
    LIST_PHONE_NUMBER_USERS = "listPhoneNumberUsers" "GET" "/phone-numbers/{phoneNumberId}/users" => PhoneNumbers phone_numbers::users;
    /// Lists the users of the workspace.
    LIST_USERS = "listUsers" "GET" "/users" => Users users::list;
    /// Gets one user.
    GET_USER = "getUserById" "GET" "/users/{userId}" => Users users::get;
    /// Lists the numbers of a user.
    LIST_USER_PHONE_NUMBERS = "listUserPhoneNumbers" "GET" "/users/{userId}/phone-numbers" => Users users::numbers;
    /// Gets the workspace itself.
    GET_ORGANIZATION = "getOrganization" "GET" "/organization" => Organization users::organization;
    /// Lists tasks.
    LIST_TASKS = "tasks.list" "GET" "/tasks" => Tasks tasks::list;
    /// Creates a task.
    CREATE_TASK = "tasks.create" "POST" "/tasks" => Tasks tasks::create;
    /// Gets one task.
    GET_TASK = "tasks.get" "GET" "/tasks/{taskId}" => Tasks tasks::get;
    /// Updates title and description of a task.
    UPDATE_TASK = "tasks.update" "PATCH" "/tasks/{taskId}" => Tasks tasks::update;
    /// Deletes a task.
    DELETE_TASK = "tasks.delete" "DELETE" "/tasks/{taskId}" => Tasks tasks::delete;
    /// Opens, completes or deletes a task.
    UPDATE_TASK_STATUS = "tasks.updateStatus" "PATCH" "/tasks/{taskId}/status" => Tasks tasks::update_status;
    /// Links a task to a conversation.
    LINK_TASK_CONVERSATION = "tasks.linkConversation" "POST" "/tasks/{taskId}/conversations" => Tasks tasks::link;
    /// Takes a conversation off a task.
    UNLINK_TASK_CONVERSATION = "tasks.unlinkConversation" "DELETE" "/tasks/{taskId}/conversations" => Tasks tasks::unlink;
    /// Assigns a user to a task.
    ASSIGN_TASK_USER = "tasks.assignUser" "POST" "/tasks/{taskId}/users" => Tasks tasks::assign;
    /// Takes a user off a task.
    UNASSIGN_TASK_USER = "tasks.unassignUser" "DELETE" "/tasks/{taskId}/users" => Tasks tasks::unassign;
    /// Sets when a task is due.
    UPDATE_TASK_DUE_DATE = "tasks.updateDueDate" "PATCH" "/tasks/{taskId}/due-date" => Tasks tasks::update_due_date;
    /// Takes away when a task is due.
    DELETE_TASK_DUE_DATE = "tasks.deleteDueDate" "DELETE" "/tasks/{taskId}/due-date" => Tasks tasks::delete_due_date;
    /// Lists webhooks.
    LIST_WEBHOOKS = "listHeaderVersionedWebhooks" "GET" "/webhooks" => Webhooks webhooks::list;
    /// Creates a webhook.
    CREATE_WEBHOOK = "createHeaderVersionedWebhook" "POST" "/webhooks" => Webhooks webhooks::create;
    /// Gets one webhook.
    GET_WEBHOOK = "getHeaderVersionedWebhookById" "GET" "/webhooks/{webhookId}" => Webhooks webhooks::get;
    /// Changes a webhook.
    UPDATE_WEBHOOK = "updateHeaderVersionedWebhookById" "PATCH" "/webhooks/{webhookId}" => Webhooks webhooks::update;
    /// Deletes a webhook.
    DELETE_WEBHOOK = "deleteHeaderVersionedWebhookById" "DELETE" "/webhooks/{webhookId}" => Webhooks webhooks::delete;
    /// Gives a webhook another key.
    ROTATE_WEBHOOK_SECRET = "rotateHeaderVersionedWebhookSecret" "POST" "/webhooks/{webhookId}/rotate" => Webhooks webhooks::rotate;
    /// Lists what was sent to a webhook.
    LIST_WEBHOOK_DELIVERIES = "listWebhookDeliveries" "GET" "/webhooks/{webhookId}/events" => Webhooks deliveries::list;
    /// Gets one delivery with its attempts.
    GET_WEBHOOK_DELIVERY = "getWebhookDelivery" "GET" "/webhooks/{webhookId}/events/{deliveryId}" => Webhooks deliveries::get;
    /// Sends a delivery once more.
    RETRY_WEBHOOK_DELIVERY = "retryWebhookDelivery" "POST" "/webhooks/{webhookId}/events/{deliveryId}/retry" => Webhooks deliveries::retry;
    /// Sends a made-up event.
    SEND_WEBHOOK_TEST_EVENT = "sendWebhookTestEvent" "POST" "/webhooks/{webhookId}/events/test" => Webhooks deliveries::test;
}
