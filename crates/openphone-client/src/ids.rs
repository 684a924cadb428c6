//! The ids of the API, each a type of its own.
//!
//! They are opaque texts. The prefixes in the documentation (`PN…` for a number, `AC…` for a call
//! or message) are the vendor's habit, not a promise, and nothing here checks them.

connector_http::id_type! {
    /// The id of a contact: 24 hexadecimal digits or `CT…`, but any text is possible.
    pub struct ContactId;
}

connector_http::id_type! {
    /// The id of a phone number of the workspace, `PN…`. It is not the number itself.
    pub struct PhoneNumberId;
}

connector_http::id_type! {
    /// The id of a message, `AC…`. Calls share the prefix.
    pub struct MessageId;
}

connector_http::id_type! {
    /// The id of a call, `AC…`. Messages share the prefix.
    pub struct CallId;
}

connector_http::id_type! {
    /// The id of a conversation, `CN…`.
    pub struct ConversationId;
}

connector_http::id_type! {
    /// The id of a webhook of API v1, `WH…`.
    pub struct WebhookId;
}

connector_http::id_type! {
    /// The id of a user, `US…`, or of an automatic actor, `SYU…`.
    pub struct UserId;
}

connector_http::id_type! {
    /// The id of an activity, `AC…`: of a call or of a message.
    pub struct ActivityId;
}

impl From<CallId> for ActivityId {
    fn from(id: CallId) -> Self {
        Self::new(id.into_string())
    }
}

impl From<MessageId> for ActivityId {
    fn from(id: MessageId) -> Self {
        Self::new(id.into_string())
    }
}

connector_http::id_type! {
    /// The id of a recording of a call, `CR…`.
    pub struct RecordingId;
}

connector_http::id_type! {
    /// The id of a voicemail, `VM…`.
    pub struct VoicemailId;
}

connector_http::id_type! {
    /// The id of a task, `TK…`.
    pub struct TaskId;
}
