use http::Method;

use crate::exchange::{Routed, routed_to};
use crate::operation::Operation;

/// Creates a contact.
pub const CREATE_CONTACT: Operation = Operation::new("createContact_v1", "POST", "/v1/contacts");
/// Lists contacts, by external id or source or all of them.
pub const LIST_CONTACTS: Operation = Operation::new("listContacts_v1", "GET", "/v1/contacts");
/// Gets one contact.
pub const GET_CONTACT: Operation = Operation::new("getContactById_v1", "GET", "/v1/contacts/{id}");
/// Updates a contact, replacing its lists.
pub const UPDATE_CONTACT: Operation =
    Operation::new("updateContactById_v1", "PATCH", "/v1/contacts/{id}");
/// Deletes a contact.
pub const DELETE_CONTACT: Operation =
    Operation::new("deleteContact_v1", "DELETE", "/v1/contacts/{id}");
/// Lists the definitions of custom fields.
pub const LIST_CUSTOM_FIELDS: Operation = Operation::new(
    "getContactCustomFields_v1",
    "GET",
    "/v1/contact-custom-fields",
);
/// Lists the workspace's own numbers.
pub const LIST_PHONE_NUMBERS: Operation =
    Operation::new("listPhoneNumbers_v1", "GET", "/v1/phone-numbers");
/// Gets one of the workspace's own numbers.
pub const GET_PHONE_NUMBER: Operation = Operation::new(
    "getPhoneNumberById_v1",
    "GET",
    "/v1/phone-numbers/{phoneNumberId}",
);
/// Sends a text.
pub const SEND_MESSAGE: Operation = Operation::new("sendMessage_v1", "POST", "/v1/messages");
/// Lists the texts exchanged with one participant or one group.
pub const LIST_MESSAGES: Operation = Operation::new("listMessages_v1", "GET", "/v1/messages");
/// Gets one text.
pub const GET_MESSAGE: Operation = Operation::new("getMessageById_v1", "GET", "/v1/messages/{id}");
/// Lists the users of the workspace.
pub const LIST_USERS: Operation = Operation::new("listUsers_v1", "GET", "/v1/users");
/// Gets one user.
pub const GET_USER: Operation = Operation::new("getUserById_v1", "GET", "/v1/users/{userId}");
/// Lists a user's webhooks.
pub const LIST_WEBHOOKS: Operation = Operation::new("listWebhooks_v1", "GET", "/v1/webhooks");
/// Gets one webhook.
pub const GET_WEBHOOK: Operation = Operation::new("getWebhookById_v1", "GET", "/v1/webhooks/{id}");
/// Deletes a webhook.
pub const DELETE_WEBHOOK: Operation =
    Operation::new("deleteWebhookById_v1", "DELETE", "/v1/webhooks/{id}");
/// Creates a webhook for texts.
pub const CREATE_MESSAGE_WEBHOOK: Operation =
    Operation::new("createMessageWebhook_v1", "POST", "/v1/webhooks/messages");
/// Creates a webhook for calls.
pub const CREATE_CALL_WEBHOOK: Operation =
    Operation::new("createCallWebhook_v1", "POST", "/v1/webhooks/calls");
/// Creates a webhook for summaries of calls.
pub const CREATE_CALL_SUMMARY_WEBHOOK: Operation = Operation::new(
    "createCallSummaryWebhook_v1",
    "POST",
    "/v1/webhooks/call-summaries",
);
/// Creates a webhook for transcripts of calls.
pub const CREATE_CALL_TRANSCRIPT_WEBHOOK: Operation = Operation::new(
    "createCallTranscriptWebhook_v1",
    "POST",
    "/v1/webhooks/call-transcripts",
);

/// Every operation that is simulated.
pub const OPERATIONS: &[Operation] = &[
    CREATE_CONTACT,
    LIST_CONTACTS,
    GET_CONTACT,
    UPDATE_CONTACT,
    DELETE_CONTACT,
    LIST_CUSTOM_FIELDS,
    LIST_PHONE_NUMBERS,
    GET_PHONE_NUMBER,
    SEND_MESSAGE,
    LIST_MESSAGES,
    GET_MESSAGE,
    LIST_USERS,
    GET_USER,
    LIST_WEBHOOKS,
    GET_WEBHOOK,
    DELETE_WEBHOOK,
    CREATE_MESSAGE_WEBHOOK,
    CREATE_CALL_WEBHOOK,
    CREATE_CALL_SUMMARY_WEBHOOK,
    CREATE_CALL_TRANSCRIPT_WEBHOOK,
];

/// Finds the operation of a request. A method that a path does not have is an unknown route.
pub(super) fn route(method: &Method, path: &str) -> Routed {
    let Some(rest) = path.strip_prefix("/v1/") else {
        return Routed::Nowhere;
    };
    let (resource, id) = match rest.split_once('/') {
        Some((resource, id)) => (resource, Some(id)),
        None => (rest, None),
    };
    if id.is_some_and(|id| id.is_empty() || id.contains('/')) {
        return Routed::Nowhere;
    }
    let operation = match (method.as_str(), resource, id) {
        ("POST", "contacts", None) => CREATE_CONTACT,
        ("GET", "contacts", None) => LIST_CONTACTS,
        ("GET", "contacts", Some(_)) => GET_CONTACT,
        ("PATCH", "contacts", Some(_)) => UPDATE_CONTACT,
        ("DELETE", "contacts", Some(_)) => DELETE_CONTACT,
        ("GET", "contact-custom-fields", None) => LIST_CUSTOM_FIELDS,
        ("GET", "phone-numbers", None) => LIST_PHONE_NUMBERS,
        ("GET", "phone-numbers", Some(_)) => GET_PHONE_NUMBER,
        ("POST", "messages", None) => SEND_MESSAGE,
        ("GET", "messages", None) => LIST_MESSAGES,
        ("GET", "messages", Some(_)) => GET_MESSAGE,
        ("GET", "users", None) => LIST_USERS,
        ("GET", "users", Some(_)) => GET_USER,
        ("GET", "webhooks", None) => LIST_WEBHOOKS,
        ("GET", "webhooks", Some(_)) => GET_WEBHOOK,
        ("DELETE", "webhooks", Some(_)) => DELETE_WEBHOOK,
        ("POST", "webhooks", Some(family)) => return webhook_family(family),
        _ => return Routed::Nowhere,
    };
    routed_to(operation, id.unwrap_or_default())
}

/// Finds the operation that makes a webhook for one family of events: what stands where others
/// have an id is a part of the route.
fn webhook_family(family: &str) -> Routed {
    let operation = match family {
        "messages" => CREATE_MESSAGE_WEBHOOK,
        "calls" => CREATE_CALL_WEBHOOK,
        "call-summaries" => CREATE_CALL_SUMMARY_WEBHOOK,
        "call-transcripts" => CREATE_CALL_TRANSCRIPT_WEBHOOK,
        _ => return Routed::Nowhere,
    };
    routed_to(operation, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: &str, path: &str) -> Option<(Operation, String)> {
        match route(&Method::from_bytes(method.as_bytes()).unwrap(), path) {
            Routed::To { operation, id } => Some((operation, id)),
            Routed::BadId(_) | Routed::Nowhere => None,
        }
    }

    #[test]
    fn every_operation_is_reached_by_its_own_template() {
        for operation in OPERATIONS {
            let path = match operation.template().split_once('{') {
                Some((start, _)) => format!("{start}X%2F1"),
                None => operation.template().to_owned(),
            };
            let (found, id) = routed(operation.method(), &path).unwrap();
            assert_eq!(found, *operation);
            assert_eq!(id, if path.ends_with("X%2F1") { "X/1" } else { "" });
        }
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
            ("GET", "/"),
        ] {
            assert_eq!(routed(method, path), None, "{method} {path}");
        }
    }
}
