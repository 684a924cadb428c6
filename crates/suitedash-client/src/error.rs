//! What SuiteDash's errors mean.
//!
//! The documented statuses are 400, 401, 404, 405, 422 and 429; there is neither a 403 nor a 409. The bodies are not
//! documented: `{success: false, message}` is what clients read, and `errors` beside it what one client reads. So no
//! decision here depends on a text. A portal's own host answers HTML when it is down.

use std::borrow::Cow;
use std::fmt;

use connector_http::{Delivery, ErrorDecoder, ErrorKind, FieldError, Throttle, VendorError};
use http::HeaderMap;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The most faulty fields that are kept of one answer.
const MAX_FIELDS: usize = 50;

/// Reads the vendor's errors, also those that come with a 2xx.
#[derive(Debug)]
pub(crate) struct Decoder;

impl ErrorDecoder for Decoder {
    fn decode(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Option<VendorError> {
        let told = Told::read(body);
        if (200..300).contains(&status) {
            // A success that says it failed: nothing was done.
            return told.filter(Told::says_it_failed).map(|_| {
                words(body)
                    .kind(ErrorKind::Api)
                    .delivery(Delivery::Rejected)
            });
        }
        let from_the_api = told.is_some();
        let mut error = words(body);
        match status {
            400 | 422 => error.kind = Some(ErrorKind::Validation),
            // A portal that does not serve the API answers a page. Read as "not found", a wrong base URL would tell
            // a sync that every contact is gone.
            404 if !from_the_api => error.kind = Some(ErrorKind::Api),
            // The month is spent, as far as anybody knows; back-off would spend more of it.
            429 => error.throttle = Some(Throttle::Stop),
            _ => {}
        }
        Some(error)
    }
}

/// What an object says of its own success. The rest is passed over unread: half a character or a thousand brackets in
/// some text must not make a refusal look like a creation.
struct Told {
    success: Option<Value>,
}

impl Told {
    /// Reads the body if it is an object.
    fn read(body: &[u8]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let told = json.deserialize_map(TheirWord).ok()?;
        json.end().ok()?;
        Some(told)
    }

    fn says_it_failed(&self) -> bool {
        match &self.success {
            Some(Value::Bool(success)) => !success,
            Some(Value::Number(success)) => success.as_i64() == Some(0),
            Some(Value::String(success)) => matches!(&**success, "false" | "0"),
            _ => false,
        }
    }
}

struct TheirWord;

impl<'de> Visitor<'de> for TheirWord {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        let mut success = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "success" {
                success = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Told { success })
    }
}

/// The vendor's words, for the accessors; no log line repeats them.
fn words(body: &[u8]) -> VendorError {
    let mut error = VendorError::new();
    let Ok(mut told) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return error;
    };
    if let Some(Value::String(message)) = told.remove("message") {
        error.message = Some(message);
    }
    error.field_errors = fields(told.remove("errors"));
    error
}

/// `errors` as an object of lists, an object of texts, or a list of objects or texts: nobody shows which.
fn fields(errors: Option<Value>) -> Vec<FieldError> {
    let mut found = Vec::new();
    match errors {
        Some(Value::Object(errors)) => {
            for (path, messages) in errors {
                let messages = match messages {
                    Value::Array(messages) => messages,
                    message => vec![message],
                };
                for message in messages {
                    found.push(FieldError::new(path.clone(), text(message)));
                }
            }
        }
        Some(Value::Array(errors)) => {
            for error in errors {
                found.push(match error {
                    Value::Object(mut error) => {
                        let path = ["field", "path", "attribute"]
                            .iter()
                            .find_map(|key| error.remove(*key));
                        let message = error.remove("message");
                        FieldError::new(
                            path.map(text).unwrap_or_default(),
                            message.map(text).unwrap_or_default(),
                        )
                    }
                    error => FieldError::new("", text(error)),
                });
            }
        }
        _ => {}
    }
    found.truncate(MAX_FIELDS);
    found
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn decoded(status: u16, body: &str) -> Option<VendorError> {
        Decoder.decode(status, &HeaderMap::new(), body.as_bytes())
    }

    #[rstest]
    #[case(r#"{"success":true,"message":"","data":{}}"#, false)]
    #[case(r#"{"first_name":{"field_name":"First Name"}}"#, false)]
    #[case("", false)]
    #[case("[]", false)]
    #[case(r#"{"success":false,"message":"m"}"#, true)]
    #[case(r#" {"success":"false"}"#, true)]
    #[case(r#"{"success":0}"#, true)]
    #[case(r#"{"success":true,"success":false}"#, true)]
    #[case(r#"{"success":false"#, false)]
    #[case(r#"{"success":false,"message":"\ud800","data":null}"#, true)]
    #[case(&format!(r#"{{"errors":{}{},"success":false}}"#, "[".repeat(500), "]".repeat(500)), true)]
    fn a_success_may_say_that_it_failed(#[case] body: &str, #[case] failed: bool) {
        let error = decoded(200, body);
        assert_eq!(error.is_some(), failed);
        if let Some(error) = error {
            assert_eq!(error.kind, Some(ErrorKind::Api));
            assert_eq!(error.delivery, Some(Delivery::Rejected));
        }
    }

    #[rstest]
    #[case(400, r#"{"success":false}"#, Some(ErrorKind::Validation))]
    #[case(422, r#"{"success":false}"#, Some(ErrorKind::Validation))]
    #[case(422, "<html>", Some(ErrorKind::Validation))]
    #[case(401, r#"{"success":false}"#, None)]
    #[case(404, r#"{"success":false}"#, None)]
    #[case(404, "<html><body>Not Found</body></html>", Some(ErrorKind::Api))]
    #[case(404, "", Some(ErrorKind::Api))]
    #[case(404, r#"{"success":false,"message":"\ud800"}"#, None)]
    #[case(405, r#"{"success":false}"#, None)]
    #[case(502, "<html>", None)]
    fn a_status_means(#[case] status: u16, #[case] body: &str, #[case] kind: Option<ErrorKind>) {
        let error = decoded(status, body).unwrap();
        assert_eq!(error.kind, kind);
        assert_eq!(error.throttle, None);
    }

    #[rstest]
    #[case(r#"{"success":false}"#)]
    #[case("<html>")]
    #[case("")]
    fn a_429_is_never_a_matter_of_seconds(#[case] body: &str) {
        assert_eq!(decoded(429, body).unwrap().throttle, Some(Throttle::Stop));
    }

    #[rstest]
    #[case(r#"{"errors":{"email":["is bad","is taken"],"role":"is missing"}}"#, &["email", "email", "role"])]
    #[case(r#"{"errors":[{"field":"email","message":"is bad"},"odd"]}"#, &["email", ""])]
    #[case(r#"{"errors":"odd"}"#, &[])]
    #[case(r#"{"errors":{"email":{"deep":1}}}"#, &["email"])]
    fn reads_every_shape_of_errors(#[case] body: &str, #[case] paths: &[&str]) {
        let error = decoded(422, body).unwrap();
        let found: Vec<_> = error.field_errors.iter().map(|it| &*it.path).collect();
        assert_eq!(found, paths);
    }

    proptest! {
        #[test]
        fn no_body_panics(status in 200u16..600, body in any::<Vec<u8>>()) {
            let _ = Decoder.decode(status, &HeaderMap::new(), &body);
        }
    }
}
