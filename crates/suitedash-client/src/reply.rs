//! The two envelopes: `{success, message, data, meta}`, and none.
//!
//! Records and lists come in the first. The attribute maps seem to come bare; both are taken everywhere, because
//! nobody shows a recorded reply.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::page::Pagination;

/// An answer, out of its envelope if it had one.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    pub(crate) data: T,
    pub(crate) message: Option<String>,
    pub(crate) pagination: Option<Pagination>,
}

impl<T> Reply<T> {
    pub(crate) fn into_data(self) -> T {
        self.data
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Reply<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let mut message = None;
        let mut pagination = None;
        if let Value::Object(map) = &mut value
            && is_envelope(map)
        {
            if let Some(Value::String(text)) = map.remove("message") {
                message = Some(text).filter(|text| !text.is_empty());
            }
            pagination = map.get_mut("meta").and_then(|meta| {
                let found = meta.get_mut("pagination")?.take();
                serde_json::from_value(found).ok()
            });
            value = map.remove("data").unwrap_or_default();
        }
        // serde's text would repeat values.
        let data = serde_json::from_value(value)
            .map_err(|_| D::Error::custom("the data has another shape"))?;
        Ok(Self {
            data,
            message,
            pagination,
        })
    }
}

/// An attribute may be called `data`, so that word alone makes no envelope. An attribute is an object, which the words
/// of the envelope are not.
fn is_envelope(map: &Map<String, Value>) -> bool {
    let says = |word| map.get(word).is_some_and(|it| !it.is_object());
    let around_data = map.contains_key("data")
        && (map.len() == 1 || says("message") || map.get("meta").is_some_and(Value::is_object));
    says("success") || around_data
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"success":true,"message":"","data":[1],"meta":{}}"#)]
    #[case(r#"{"data":[1]}"#)]
    #[case(r#"{"message":"m","data":[1]}"#)]
    #[case(r#"{"success":"true","data":[1]}"#)]
    #[case(r#"{"success":1,"data":[1]}"#)]
    #[case(r#"{"data":[1],"message":null,"meta":null}"#)]
    #[case(r#"{"data":[1],"meta":{"pagination":"odd"}}"#)]
    #[case("[1]")]
    fn opens_every_envelope(#[case] body: &str) {
        let reply: Reply<Vec<u8>> = serde_json::from_str(body).unwrap();
        assert_eq!(reply.data, [1]);
        assert!(reply.pagination.is_none());
    }

    #[test]
    fn an_attribute_called_data_is_no_envelope() {
        let body = r#"{"data":{"field_name":"Data"},"email":{"field_name":"Email"}}"#;
        let reply: Reply<Map<String, Value>> = serde_json::from_str(body).unwrap();
        assert_eq!(reply.data.len(), 2);
    }

    #[rstest]
    #[case(r#"{"success":true,"message":""}"#)]
    #[case(r#"{"success":true,"data":"c4nary"}"#)]
    #[case(r#"{"success":true,"data":["c4nary"]}"#)]
    #[case("7")]
    fn another_shape_is_an_error_that_repeats_nothing(#[case] body: &str) {
        let error = serde_json::from_str::<Reply<Vec<u8>>>(body).unwrap_err();
        assert!(!error.to_string().contains("c4nary"), "{error}");
    }
}
