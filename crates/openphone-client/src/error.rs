//! What OpenPhone's errors mean.
//!
//! Two shapes arrive. The API itself answers `{message, code, status, docs, title, trace?, errors?}`;
//! the gateway in front of it, which refuses keys, answers `{"error": {message, key, trace}}`. An
//! address nobody serves answers HTML. The decoder reads the first two and leaves the rest to the
//! status.

use connector_http::{Error, ErrorDecoder, ErrorKind, FieldError, VendorError};
use http::HeaderMap;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::client::VENDOR;

/// The longest plain text that is kept as a message.
const MAX_TEXT: usize = 512;

/// The meaning of a vendor's error code, whichever resource it came from.
///
/// OpenPhone numbers its errors with seven digits: two for the area (02 messages, 08 contacts …),
/// two for the variant and three for the status. The same meaning has a number per area:
/// "not a user of this phone number" is 0101403 for calls and 0202403 for messages. This enum names
/// the meaning; [`Error::code`] keeps the number.
///
/// ```
/// use openphone_client::OpenPhoneErrorCode;
///
/// assert_eq!(OpenPhoneErrorCode::from_code("0206400"), OpenPhoneErrorCode::A2pNotApproved);
/// assert_eq!(OpenPhoneErrorCode::from_code("0202403"), OpenPhoneErrorCode::NotPhoneNumberUser);
/// assert_eq!(
///     OpenPhoneErrorCode::from_code("9912418"),
///     OpenPhoneErrorCode::Unknown("9912418".to_owned()),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenPhoneErrorCode {
    /// The request is malformed (`..00400`). [`Error::field_errors`] says where.
    BadRequest,
    /// More participants than a call list takes (0101400).
    TooManyParticipants,
    /// Text messages to the US need an approved A2P 10DLC registration, and this workspace has none
    /// (0206400). Nothing is wrong with the message: someone has to finish the registration.
    A2pNotApproved,
    /// A webhook of another generation (0305400).
    InvalidWebhookVersion,
    /// A webhook id of the wrong form (0303400).
    InvalidWebhookId,
    /// A webhook request of the wrong form (0304400).
    InvalidWebhookInput,
    /// A custom field with an unknown key or a value of the wrong type (0801400).
    /// [`custom_fields().list()`](crate::CustomFields::list) gives the keys there are.
    InvalidCustomFieldItem,
    /// The key is missing or wrong (`..00401`, or the gateway's `Unauthorized`).
    Unauthorized,
    /// The subscription has expired or the credits are spent (0201402).
    SubscriptionExpired,
    /// The workspace has as many open tasks as it may (0600402).
    OpenTasksLimitReached,
    /// The workspace may not do this (`..00403`).
    Forbidden,
    /// The user is no member of that phone number (0101403, 0202403, 0801403, 1001403).
    NotPhoneNumberUser,
    /// The carriers' daily cap of the A2P registration is reached (0204403). It is lifted the next
    /// day.
    DailyMessageCapReached,
    /// There is no such record, or it belongs to another workspace (`..00404`).
    NotFound,
    /// A contact collides with another one (0800409). The answer does not say in which field.
    Conflict,
    /// The vendor failed (`.....500`).
    ServerError,
    /// A code this version does not know. It is kept as it came.
    Unknown(String),
}

impl OpenPhoneErrorCode {
    /// Reads the vendor's code out of an error.
    ///
    /// `None` when the error carries no code: nothing was answered, the answer was not the API's
    /// (an HTML page, a proxy), or the request was refused here before it was sent.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{NewMessage, OpenPhoneErrorCode};
    ///
    /// let message = NewMessage::new("+12025550100", "+12025550143", "Your table is ready.");
    /// match client.messages().send(&message).await {
    ///     Err(error) if OpenPhoneErrorCode::of(&error) == Some(OpenPhoneErrorCode::A2pNotApproved) => {
    ///         println!("finish the A2P registration first");
    ///     }
    ///     other => drop(other?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(error: &Error) -> Option<Self> {
        if error.vendor() != VENDOR {
            return None;
        }
        error.code().map(Self::from_code)
    }

    /// Names the meaning of a code.
    pub fn from_code(code: &str) -> Self {
        match code {
            "0101400" => Self::TooManyParticipants,
            "0206400" => Self::A2pNotApproved,
            "0303400" => Self::InvalidWebhookId,
            "0304400" => Self::InvalidWebhookInput,
            "0305400" => Self::InvalidWebhookVersion,
            "0801400" => Self::InvalidCustomFieldItem,
            "0201402" => Self::SubscriptionExpired,
            "0600402" => Self::OpenTasksLimitReached,
            "0101403" | "0202403" | "0801403" | "1001403" => Self::NotPhoneNumberUser,
            "0204403" => Self::DailyMessageCapReached,
            "Unauthorized" => Self::Unauthorized,
            _ => Self::from_digits(code),
        }
    }

    /// The plain variant (00) of a status means the same in every area, also in a new one.
    fn from_digits(code: &str) -> Self {
        let unknown = || Self::Unknown(code.to_owned());
        if code.len() != 7 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return unknown();
        }
        match (code.get(2..4), code.get(4..)) {
            (Some("00"), Some("400")) => Self::BadRequest,
            (Some("00"), Some("401")) => Self::Unauthorized,
            (Some("00"), Some("403")) => Self::Forbidden,
            (Some("00"), Some("404")) => Self::NotFound,
            (Some("00"), Some("409")) => Self::Conflict,
            (_, Some("500")) => Self::ServerError,
            _ => unknown(),
        }
    }

    /// The kind that fits better than the status alone.
    fn kind(&self) -> Option<ErrorKind> {
        match self {
            // 400, but no change to the request helps: the workspace lacks a registration.
            Self::A2pNotApproved | Self::SubscriptionExpired => Some(ErrorKind::Permission),
            Self::DailyMessageCapReached | Self::OpenTasksLimitReached => {
                Some(ErrorKind::QuotaSpent)
            }
            _ => None,
        }
    }
}

/// Reads both shapes of the vendor's errors.
#[derive(Debug)]
pub(crate) struct Decoder;

impl ErrorDecoder for Decoder {
    fn decode(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Option<VendorError> {
        if (200..300).contains(&status) {
            return None;
        }
        let Some(parts) = read(body) else {
            return Some(unreadable(status, body));
        };

        let from_the_api = parts.code.is_some() || parts.key.is_some() || parts.title.is_some();
        let code = parts.code.or(parts.key);
        let kind = code
            .as_deref()
            .and_then(|code| OpenPhoneErrorCode::from_code(code).kind())
            .or_else(|| kind_of(status, from_the_api));
        let fields = parts.errors.into_iter().map(FieldError::from).collect();
        let mut error = VendorError::new().field_errors(fields);
        error.code = code;
        error.message = parts.message.or(parts.title);
        error.request_id = parts.trace;
        error.kind = kind;
        Some(error)
    }
}

/// What the statuses mean at this vendor, where the general reading is wider.
fn kind_of(status: u16, from_the_api: bool) -> Option<ErrorKind> {
    match status {
        400 | 422 => Some(ErrorKind::Validation),
        // Payment required: the account may not do this until someone pays.
        402 | 403 => Some(ErrorKind::Permission),
        409 => Some(ErrorKind::Conflict),
        // An address nobody serves is answered by the gateway. Read as "not found", a base URL with
        // a typo would tell a sync that every contact is gone.
        404 if !from_the_api => Some(ErrorKind::Api),
        _ => None,
    }
}

/// An answer that did not come from the API: HTML of a gateway, plain text, nothing.
fn unreadable(status: u16, body: &[u8]) -> VendorError {
    let mut error = VendorError::new();
    error.message = plain_text(body).map(str::to_owned);
    error.kind = kind_of(status, false);
    error
}

/// A short text that is neither HTML nor JSON.
fn plain_text(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let plain = !text.is_empty() && text.len() <= MAX_TEXT && !text.starts_with(['<', '{', '[']);
    plain.then_some(text)
}

/// Both shapes at once; what a shape lacks stays empty.
#[derive(Deserialize)]
struct Parts {
    #[serde(default, deserialize_with = "text")]
    message: Option<String>,
    #[serde(default, deserialize_with = "text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "code")]
    code: Option<String>,
    #[serde(default, deserialize_with = "token")]
    key: Option<String>,
    #[serde(default, deserialize_with = "token")]
    trace: Option<String>,
    #[serde(default, deserialize_with = "readable_items")]
    errors: Vec<Item>,
}

/// One entry of `errors`. Its `value` repeats what was sent and is not read.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    path: String,
    #[serde(default)]
    message: String,
}

impl From<Item> for FieldError {
    fn from(item: Item) -> Self {
        Self::new(item.path, item.message)
    }
}

/// Reads `body.error ?? body`, if it is an object that says anything.
fn read(body: &[u8]) -> Option<Parts> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Parts,
    }
    // A list would be read into the fields by position.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let parts = serde_json::from_slice::<Envelope>(body)
        .map(|envelope| envelope.error)
        .or_else(|_| serde_json::from_slice::<Parts>(body))
        .ok()?;
    let says_something = parts.message.is_some()
        || parts.title.is_some()
        || parts.code.is_some()
        || parts.key.is_some();
    says_something.then_some(parts)
}

/// A text or a number; anything else is as good as absent, and must not cost the rest.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The code is text with leading zeros; as a number it has lost them.
fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let all_digits = |code: &String| code.bytes().all(|byte| byte.is_ascii_digit());
    let padded = |code| {
        if all_digits(&code) {
            format!("{code:0>7}")
        } else {
            code
        }
    };
    Ok(token(deserializer)?.map(padded))
}

/// Code and trace stand in every log line about the error: only what looks like one gets there.
fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    let is_token = |text: &String| (1..=64).contains(&text.len()) && text.bytes().all(plain);
    Ok(text(deserializer)?.filter(is_token))
}

/// An unreadable entry must not cost the rest of the error.
fn readable_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(items
        .iter()
        .filter_map(|item| Item::deserialize(item).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn decode(status: u16, body: &str) -> VendorError {
        Decoder
            .decode(status, &HeaderMap::new(), body.as_bytes())
            .unwrap()
    }

    #[rstest]
    #[case("0100400", OpenPhoneErrorCode::BadRequest)]
    #[case("1300400", OpenPhoneErrorCode::BadRequest)]
    #[case("0101400", OpenPhoneErrorCode::TooManyParticipants)]
    #[case("0206400", OpenPhoneErrorCode::A2pNotApproved)]
    #[case("0305400", OpenPhoneErrorCode::InvalidWebhookVersion)]
    #[case("0303400", OpenPhoneErrorCode::InvalidWebhookId)]
    #[case("0304400", OpenPhoneErrorCode::InvalidWebhookInput)]
    #[case("0801400", OpenPhoneErrorCode::InvalidCustomFieldItem)]
    #[case("0200401", OpenPhoneErrorCode::Unauthorized)]
    #[case("Unauthorized", OpenPhoneErrorCode::Unauthorized)]
    #[case("0201402", OpenPhoneErrorCode::SubscriptionExpired)]
    #[case("0600402", OpenPhoneErrorCode::OpenTasksLimitReached)]
    #[case("0400403", OpenPhoneErrorCode::Forbidden)]
    #[case("0101403", OpenPhoneErrorCode::NotPhoneNumberUser)]
    #[case("0202403", OpenPhoneErrorCode::NotPhoneNumberUser)]
    #[case("0801403", OpenPhoneErrorCode::NotPhoneNumberUser)]
    #[case("1001403", OpenPhoneErrorCode::NotPhoneNumberUser)]
    #[case("0204403", OpenPhoneErrorCode::DailyMessageCapReached)]
    #[case("1200404", OpenPhoneErrorCode::NotFound)]
    #[case("0800409", OpenPhoneErrorCode::Conflict)]
    #[case("0801500", OpenPhoneErrorCode::ServerError)]
    #[case("0500500", OpenPhoneErrorCode::ServerError)]
    fn codes_have_a_meaning(#[case] code: &str, #[case] meaning: OpenPhoneErrorCode) {
        assert_eq!(OpenPhoneErrorCode::from_code(code), meaning);
    }

    #[rstest]
    #[case("")]
    #[case("0807403")]
    #[case("0800418")]
    #[case("800404")]
    #[case("00800404")]
    #[case("080040x")]
    #[case("٠٨٠٠٤٠٤")]
    #[case("Forbidden")]
    fn other_codes_are_kept(#[case] code: &str) {
        assert_eq!(
            OpenPhoneErrorCode::from_code(code),
            OpenPhoneErrorCode::Unknown(code.to_owned())
        );
    }

    #[rstest]
    #[case(400, "0800400", Some(ErrorKind::Validation))]
    #[case(400, "0206400", Some(ErrorKind::Permission))]
    #[case(402, "0201402", Some(ErrorKind::Permission))]
    #[case(402, "0600402", Some(ErrorKind::QuotaSpent))]
    #[case(403, "0202403", Some(ErrorKind::Permission))]
    #[case(403, "0204403", Some(ErrorKind::QuotaSpent))]
    #[case(409, "0800409", Some(ErrorKind::Conflict))]
    #[case(422, "0800422", Some(ErrorKind::Validation))]
    // Left to the status.
    #[case(401, "0800401", None)]
    #[case(404, "0800404", None)]
    #[case(429, "0800429", None)]
    #[case(500, "0801500", None)]
    fn kinds(#[case] status: u16, #[case] code: &str, #[case] kind: Option<ErrorKind>) {
        assert_eq!(
            decode(status, &format!(r#"{{"code":"{code}"}}"#)).kind,
            kind
        );
    }

    #[rstest]
    #[case(r#"{"message":"Not Found","code":"0800404"}"#, None)]
    #[case(r#"{"error":{"message":"No","key":"NotFound"}}"#, None)]
    #[case(
        "<html><body>Cannot GET /v1/contracts</body></html>",
        Some(ErrorKind::Api)
    )]
    #[case(
        r#"{"message":"no Route matched with those values"}"#,
        Some(ErrorKind::Api)
    )]
    #[case("404 page not found", Some(ErrorKind::Api))]
    #[case("{}", Some(ErrorKind::Api))]
    #[case("", Some(ErrorKind::Api))]
    fn only_the_api_knows_that_a_record_is_gone(
        #[case] body: &str,
        #[case] kind: Option<ErrorKind>,
    ) {
        assert_eq!(decode(404, body).kind, kind);
    }

    #[test]
    fn reads_the_shape_of_the_api() {
        let error = decode(400, include_str!("../tests/fixtures/error_validation.json"));
        assert_eq!(error.code.as_deref(), Some("0100400"));
        assert_eq!(error.message.as_deref(), Some("The input was invalid"));
        assert_eq!(error.request_id.as_deref(), Some("6897907457496870895"));
        assert_eq!(
            error.field_errors,
            [FieldError::new("/participants", "Expected array")]
        );
    }

    #[test]
    fn reads_the_shape_of_the_gateway() {
        let error = decode(401, include_str!("../tests/fixtures/error_gateway.json"));
        assert_eq!(error.code.as_deref(), Some("Unauthorized"));
        assert_eq!(error.message.as_deref(), Some("Unauthorized"));
        assert_eq!(error.request_id.as_deref(), Some("6480612490142498014"));
        assert_eq!(error.kind, None);
    }

    #[test]
    fn a_field_of_another_type_does_not_cost_the_rest() {
        let error = decode(
            400,
            r#"{"code":801400,"message":["a"],"title":"Bad","trace":17,"status":"400","errors":{"x":1}}"#,
        );
        assert_eq!(error.code.as_deref(), Some("0801400"));
        assert_eq!(error.message.as_deref(), Some("Bad"));
        assert_eq!(error.request_id.as_deref(), Some("17"));
        assert_eq!(error.field_errors, []);

        let error = decode(
            400,
            r#"{"code":"0100400","errors":[{"path":1},{"path":"/to"},7]}"#,
        );
        assert_eq!(error.field_errors, [FieldError::new("/to", "")]);
    }

    #[test]
    fn sentences_are_no_codes() {
        let error = decode(
            401,
            r#"{"error":{"message":"m","key":"no such user","trace":"a b"}}"#,
        );
        assert_eq!((error.code, error.request_id), (None, None));
        assert_eq!(error.message.as_deref(), Some("m"));
    }

    #[rstest]
    #[case("upstream timed out\n", Some("upstream timed out"))]
    #[case("<h1>Bad Gateway</h1>", None)]
    #[case("", None)]
    #[case("[1]", None)]
    fn a_short_text_is_a_message(#[case] body: &str, #[case] message: Option<&str>) {
        assert_eq!(decode(502, body).message.as_deref(), message);
    }

    #[test]
    fn a_success_is_no_error() {
        let body = br#"{"error":{"message":"x"}}"#;
        assert_eq!(Decoder.decode(200, &HeaderMap::new(), body), None);
    }

    proptest! {
        #[test]
        fn any_body_decodes(status in 300u16..600, body in any::<Vec<u8>>()) {
            prop_assert!(Decoder.decode(status, &HeaderMap::new(), &body).is_some());
        }
    }
}
