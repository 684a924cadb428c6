//! The ids that only the dated API has. All are opaque texts.

connector_http::id_type! {
    /// The id of a webhook of the dated API: digits. It is not that of a webhook of API v1.
    pub struct WebhookId;
}

connector_http::id_type! {
    /// The id of a delivery of a webhook, `msg_…`: what arrives as the header `webhook-id`.
    pub struct DeliveryId;
}

connector_http::id_type! {
    /// The id of an event, `EV…`. The same event delivered to two webhooks has one id.
    pub struct EventId;
}

connector_http::id_type! {
    /// The id of a workspace, `OR…`.
    pub struct OrganizationId;
}

connector_http::id_type! {
    /// The id of a note on a contact.
    pub struct ContactNoteId;
}

connector_http::id_type! {
    /// The id of a property of a contact.
    pub struct ContactPropertyId;
}
