//! Reading what nobody has shown a recording of.
//!
//! A field that can be done without becomes `None` when it is odd. What would be written back is read strictly: a
//! list of tags that cannot be read must not pass for an empty one.

use chrono::{DateTime, Utc};
use connector_http::lenient::parse_timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A text, or a number as text. Anything else is as good as absent, as is an empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A boolean, as itself or as one of the texts and numbers PHP writes for it.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "active" => Some(true),
            "false" | "0" | "no" | "inactive" => Some(false),
            _ => None,
        },
        _ => None,
    })
}

/// A time in whatever form; the vendor's is not known.
pub(crate) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => parse_timestamp(&text),
        _ => None,
    })
}

/// A count.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// A list of names: of texts, or of objects with a `name`. `null` is the empty list.
pub(crate) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let odd = || D::Error::custom("a list of names was expected");
    let items = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => return Err(odd()),
    };
    let name = |item| match item {
        Value::String(name) => Some(name),
        Value::Object(mut item) => match item.remove("name")? {
            Value::String(name) => Some(name),
            _ => None,
        },
        _ => None,
    };
    let names: Option<Vec<_>> = items.into_iter().map(name).collect();
    names.ok_or_else(odd)
}

/// An object. PHP writes an empty one as `[]`; `null` is empty as well.
pub(crate) fn object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        Value::Array(items) if items.is_empty() => Ok(Map::new()),
        _ => Err(D::Error::custom("an object was expected")),
    }
}

/// Something that can be done without: `None` when it is absent, empty in PHP's way, or odd.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(match Value::deserialize(deserializer)? {
        value @ Value::Object(_) => serde_json::from_value(value).ok(),
        _ => None,
    })
}

/// A list that can be done without: what in it is odd is left out.
pub(crate) fn items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items
            .into_iter()
            .filter_map(|item| serde_json::from_value(item).ok())
            .collect(),
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!(null), Some(0))]
    #[case(json!([]), Some(0))]
    #[case(json!(["a", {"name": "b", "uid": 1}]), Some(2))]
    #[case(json!("a,b"), None)]
    #[case(json!(["a", 1]), None)]
    #[case(json!([{"label": "a"}]), None)]
    fn names_that_cannot_be_read_are_no_empty_list(
        #[case] value: Value,
        #[case] len: Option<usize>,
    ) {
        assert_eq!(names(value).ok().map(|names| names.len()), len);
    }

    #[rstest]
    #[case(json!({"a": 1}), Some(1))]
    #[case(json!([]), Some(0))]
    #[case(json!(null), Some(0))]
    #[case(json!([1]), None)]
    #[case(json!("x"), None)]
    fn an_empty_object_may_be_a_list(#[case] value: Value, #[case] len: Option<usize>) {
        assert_eq!(object(value).ok().map(|map| map.len()), len);
    }

    #[rstest]
    #[case(json!("x"), Some("x"))]
    #[case(json!(15_550_100), Some("15550100"))]
    #[case(json!(""), None)]
    #[case(json!(null), None)]
    #[case(json!({}), None)]
    fn a_text_may_be_a_number(#[case] value: Value, #[case] expected: Option<&str>) {
        assert_eq!(text(value).unwrap().as_deref(), expected);
    }

    #[rstest]
    #[case(json!(true), Some(true))]
    #[case(json!(0), Some(false))]
    #[case(json!("1"), Some(true))]
    #[case(json!("maybe"), None)]
    fn a_flag_may_be_written_in_many_ways(#[case] value: Value, #[case] expected: Option<bool>) {
        assert_eq!(flag(value).unwrap(), expected);
    }
}
