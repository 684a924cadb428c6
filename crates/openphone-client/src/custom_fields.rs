//! The custom fields of contacts: their definitions, and the values they hold.

use chrono::{DateTime, SecondsFormat, Utc};
use connector_http::Call;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists the definitions.
    LIST = "custom_fields.list": GET "/v1/contact-custom-fields", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/contact-custom-fields/get-contact-custom-fields (read 2026-11-21)";
}

/// The definitions of the workspace's contact fields.
///
/// They can be made and changed only in the app.
#[derive(Clone, Debug)]
pub struct CustomFields<'a> {
    client: &'a Client,
}

impl<'a> CustomFields<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists every definition. The list is not paged.
    ///
    /// # Errors
    ///
    /// The usual ones of a read: [`Auth`](crate::ErrorKind::Auth),
    /// [`RateLimited`](crate::ErrorKind::RateLimited), [`Server`](crate::ErrorKind::Server) and the
    /// kinds of a broken connection. Nothing can have changed at the vendor.
    pub fn list(&self) -> Call<Vec<CustomField>> {
        self.client
            .http()
            .request(&LIST)
            .fetch_map(Data::into_inner)
    }
}

/// The definition of a custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CustomField {
    /// The name shown in the app.
    pub name: String,
    /// The key to write values by.
    pub key: String,
    /// What kind of value it holds.
    #[serde(rename = "type")]
    pub kind: CustomFieldType,
}

connector_http::open_enum! {
    /// What kind of value a custom field holds.
    pub enum CustomFieldType {
        /// A postal address in one text.
        Address = "address",
        /// Yes or no.
        Boolean = "boolean",
        /// A point in time.
        Date = "date",
        /// Some of several given options.
        MultiSelect = "multi-select",
        /// A number.
        Number = "number",
        /// A text.
        String = "string",
        /// A web address.
        Url = "url",
    }
}

/// The value of a custom field.
///
/// Which one a field takes depends on its [`CustomFieldType`]; another one is refused with
/// [`InvalidCustomFieldItem`](crate::OpenPhoneErrorCode::InvalidCustomFieldItem). `Debug` prints the
/// kind of value only.
///
/// ```
/// use openphone_client::CustomFieldValue;
///
/// let lead: CustomFieldValue = true.into();
/// let plans: CustomFieldValue = ["basic", "family"].into();
/// assert_eq!(serde_json::to_string(&plans)?, r#"["basic","family"]"#);
/// assert_eq!(format!("{lead:?}"), "Boolean(..)");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum CustomFieldValue {
    /// For fields of type boolean.
    Boolean(bool),
    /// For fields of type number.
    Number(serde_json::Number),
    /// For fields of type address, date (ISO 8601), string and url.
    Text(String),
    /// For fields of type multi-select.
    Options(Vec<String>),
    /// A value of a form the vendor has added since.
    Other(serde_json::Value),
}

impl std::fmt::Debug for CustomFieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Boolean(_) => "Boolean(..)",
            Self::Number(_) => "Number(..)",
            Self::Text(_) => "Text(..)",
            Self::Options(_) => "Options(..)",
            Self::Other(_) => "Other(..)",
        })
    }
}

impl From<bool> for CustomFieldValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for CustomFieldValue {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<serde_json::Number> for CustomFieldValue {
    fn from(value: serde_json::Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for CustomFieldValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for CustomFieldValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<DateTime<Utc>> for CustomFieldValue {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Text(value.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl From<Vec<String>> for CustomFieldValue {
    fn from(value: Vec<String>) -> Self {
        Self::Options(value)
    }
}

impl<const N: usize> From<[&str; N]> for CustomFieldValue {
    fn from(value: [&str; N]) -> Self {
        Self::Options(value.map(str::to_owned).to_vec())
    }
}
