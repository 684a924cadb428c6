//! Names of the vendor's records. They are UUIDs so far; nothing depends on it. There is no `id` beside the `uid`.

connector_http::id_type! {
    /// The uid of a contact.
    pub struct ContactUid;
}

connector_http::id_type! {
    /// The uid of a company.
    pub struct CompanyUid;
}

connector_http::id_type! {
    /// The uid of a project.
    pub struct ProjectUid;
}

connector_http::id_type! {
    /// The uid of a custom field, by which its values are read and written.
    pub struct CustomFieldUid;
}
