//! Timestamps as vendors really send them.
//!
//! For `#[serde(deserialize_with = "connector_http::lenient::timestamp")]`. No error repeats the text it could not read.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::de::{self, Deserializer, Visitor};

/// Above this a number counts milliseconds: as seconds it would lie beyond the year 5000.
const MILLIS_FROM: u64 = 100_000_000_000;

/// Reads a timestamp: RFC 3339, with a space for the `T`, without a zone (read as UTC), a bare date, with stray
/// quotes or blanks around it, or a number of seconds or milliseconds since 1970.
///
/// # Errors
///
/// When it is none of these.
pub fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_any(Timestamp)
}

/// Reads an optional timestamp as [`timestamp`] does. What cannot be read is `None`: a field nobody promised must
/// not make a record unreadable. Add `#[serde(default)]` for one that may be absent.
///
/// # Errors
///
/// When the JSON itself is broken.
pub fn timestamp_opt<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    deserializer.deserialize_any(OptionalTimestamp)
}

/// Reads a timestamp from a text, as leniently as [`timestamp`].
pub fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_number(text.parse().ok()?);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let naive = naive
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    if let Some(time) = naive {
        return Some(time.and_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

fn from_number(number: u64) -> Option<DateTime<Utc>> {
    let signed = i64::try_from(number).ok()?;
    if number >= MILLIS_FROM {
        DateTime::from_timestamp_millis(signed)
    } else {
        DateTime::from_timestamp(signed, 0)
    }
}

struct Timestamp;

impl Visitor<'_> for Timestamp {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        parse_timestamp(text).ok_or_else(|| E::custom("not a timestamp"))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        from_number(number).ok_or_else(|| E::custom("not a timestamp"))
    }
}

struct OptionalTimestamp;

impl<'de> Visitor<'de> for OptionalTimestamp {
    type Value = Option<DateTime<Utc>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp or null")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(parse_timestamp(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(from_number(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map
            .next_entry::<de::IgnoredAny, de::IgnoredAny>()?
            .is_some()
        {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "timestamp_opt")]
        at: Option<DateTime<Utc>>,
    }

    #[derive(Debug, Deserialize)]
    struct Strict {
        #[serde(rename = "at", deserialize_with = "timestamp")]
        _at: DateTime<Utc>,
    }

    #[rstest]
    #[case(r#""2022-01-01T00:00:00Z""#)]
    #[case(r#""2022-01-01T00:00:00.000Z""#)]
    #[case(r#""2022-01-01T01:00:00+01:00""#)]
    #[case(r#""2022-01-01 00:00:00Z""#)]
    #[case(r#""2022-01-01 00:00:00""#)]
    #[case(r#""2022-01-01T00:00:00.5""#)]
    #[case(r#""2022-01-01""#)]
    #[case(r#"" \"2022-01-01T00:00:00Z\"""#)]
    #[case(r#""1640995200""#)]
    #[case("1640995200")]
    #[case("1640995200000")]
    fn it_reads_what_vendors_send(#[case] json: &str) {
        let row: Row = serde_json::from_str(&format!("{{\"at\":{json}}}")).unwrap();
        assert_eq!(row.at.unwrap().timestamp(), 1_640_995_200);
        assert!(serde_json::from_str::<Strict>(&format!("{{\"at\":{json}}}")).is_ok());
    }

    #[rstest]
    #[case("null")]
    #[case(r#""canary""#)]
    #[case(r#""""#)]
    #[case("-1")]
    #[case("1.5")]
    #[case("true")]
    #[case("[1]")]
    #[case(r#"{"a":1}"#)]
    #[case("18446744073709551615")]
    #[case(r#""99999999999999999999999""#)]
    fn what_cannot_be_read_is_none_or_an_error_without_the_text(#[case] json: &str) {
        let json = format!("{{\"at\":{json}}}");
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap().at, None);
        let error = serde_json::from_str::<Strict>(&json).unwrap_err();
        assert!(!error.to_string().contains("canary"));
    }

    #[test]
    fn an_absent_one_is_none() {
        assert_eq!(serde_json::from_str::<Row>("{}").unwrap().at, None);
    }
}
