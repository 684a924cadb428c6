//! Where a tenant can send what is known of a contact.

/// The names under which a tenant's field map sends values here: attributes of a contact, the parts of its address, and
/// `source`, which becomes a tag or has a column. A field of the account's own is `custom:` and its uid or its label.
pub const CONTACT_FIELDS: [&str; 22] = [
    "first_name",
    "last_name",
    "name_prefix",
    "email",
    "home_email",
    "work_email",
    "phone",
    "home_phone",
    "work_phone",
    "shop_phone",
    "company",
    "title",
    "website",
    "address_line_1",
    "address_line_2",
    "city",
    "state",
    "country",
    "zip",
    "background_info",
    "tags",
    "source",
];

/// What can be sent, by the name that a host gives it.
#[cfg(feature = "integration")]
const SENT: [&str; 8] = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "phone_extension",
    "company",
    "notes",
    "host_id",
];

/// Describes the setting that holds a field map, so that a slip of the pen is refused when it is saved.
#[cfg(feature = "integration")]
pub(super) fn field_map(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let to = format!("^(custom:.*\\S.*|{})$", CONTACT_FIELDS.join("|"));
    let from = format!("^(attribute:.+|{})$", SENT.join("|"));
    schemars::json_schema!({
        // What permits null need not be there.
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": {
            "fields": {
                "type": "object",
                "propertyNames": {"pattern": from},
                "additionalProperties": {"type": ["string", "null"], "pattern": to},
            },
            "constants": {
                "type": "object",
                "propertyNames": {"pattern": to},
                "additionalProperties": {"type": "string"},
            },
        },
    })
}
